"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import xarray as xr

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.template_trial.theory import stationary_variance


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with ``variance_theory`` (learning_rate), Eq. (template-variance).

    Args:
        dataset: of `measure.measure`.
    """
    return dataset.assign(
        variance_theory=("learning_rate", stationary_variance(dataset.learning_rate.values))
    )
