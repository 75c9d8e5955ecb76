"""The chapter's dataset, made once for all its tests."""

import pytest

import sgdescape.linear_regression as lr


@pytest.fixture(scope="session")
def measured():
    """Return the dataset at QUICK size."""
    return lr.run(lr.QUICK)
