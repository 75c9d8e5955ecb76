"""The experiment of chapter `template_trial`; it knows none of the formulas that it tests."""

from dataclasses import asdict

import numpy as np
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance


def measure(config) -> xr.Dataset:
    """Run SGD, theta' = theta - eta (theta + noise), from the minimum.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``position`` (learning_rate, replica) after the last step.
    """
    rows = []
    for index, eta in enumerate(config.learning_rates):
        rng = np.random.default_rng(seeds.derive(config.seed, "template_trial", "runs", index))
        theta = np.zeros(config.replicas)
        for _ in range(config.steps):
            theta -= eta * (theta + rng.standard_normal(config.replicas))
        rows.append(theta)
    return xr.Dataset(
        {"position": (("learning_rate", "replica"), np.array(rows))},
        coords={"learning_rate": list(config.learning_rates)},
        attrs={"config": provenance.to_json(asdict(config))},
    )
