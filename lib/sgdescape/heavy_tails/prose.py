"""Numbers of chapter `heavy_tails` that its prose prints."""

import numpy as np

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.heavy_tails.estimates import coverage


@reads_dataset
def summary(dataset) -> dict:
    """Return name -> (value, format) of the measured numbers for the text.

    Args:
        dataset: of `heavy_tails.run`.
    """
    values = dataset.estimate.sel(end="value")
    hits = {
        name: coverage(dataset, estimator, "sgd")
        for name, estimator in (("clauset", "clauset"), ("hundredth", "hill_hundredth"))
    }
    share = {name: 100 * found / runs for name, (found, runs) in hits.items()}
    bounded = values.sel(law="bounded", estimator="clauset")
    gaussian = values.sel(law="gaussian", estimator="clauset")
    return {
        "heavy-tails-runs": (provenance.settings(dataset).replicas, ",.0f"),
        "heavy-tails-clauset-coverage": (share["clauset"], ".0f"),
        "heavy-tails-hill-coverage": (share["hundredth"], ".0f"),
        "heavy-tails-bounded": (float(np.median(bounded)), ".1f"),
        "heavy-tails-gaussian": (float(np.median(gaussian)), ".1f"),
    }
