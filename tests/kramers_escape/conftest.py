"""The chapter's dataset, made once for all its tests."""

import pytest

import sgdescape.kramers_escape as ke


@pytest.fixture(scope="session")
def measured():
    """Return the dataset at QUICK size."""
    return ke.run(ke.QUICK)
