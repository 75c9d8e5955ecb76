"""The experiment of chapter `heavy_tails` at QUICK size, made once."""

import pytest

import sgdescape.heavy_tails as ht


@pytest.fixture(scope="session")
def dataset():
    """What the page shows."""
    return ht.run(ht.QUICK)
