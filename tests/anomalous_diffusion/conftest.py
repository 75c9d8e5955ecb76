"""The chapter's run, made once for all its tests."""

import pytest

from sgdescape import anomalous_diffusion


@pytest.fixture(scope="package")
def measured():
    """Return the chapter's dataset at its quick size."""
    return anomalous_diffusion.run(anomalous_diffusion.QUICK)
