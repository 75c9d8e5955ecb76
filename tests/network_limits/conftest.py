"""The chapter's run, made once for all its tests."""

import pytest


@pytest.fixture(scope="package")
def measured():
    """Return the chapter's dataset at its quick size."""
    from sgdescape import network_limits

    return network_limits.run(network_limits.QUICK, kept=network_limits.load_result())
