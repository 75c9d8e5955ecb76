"""Where theory meets measurement in chapter `heavy_tails`."""

import numpy as np
import xarray as xr

from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.heavy_tails.measure.states import LAWS, generator
from sgdescape.heavy_tails.theory.finite_data import data_root
from sgdescape.heavy_tails.theory.index import tail_index
from sgdescape.heavy_tails.theory.log_periodic import wave
from sgdescape.heavy_tails.theory.published import (
    covariance_index,
    discrete_index,
    jump_index,
    momentum_limit,
    paper_index,
    zeta_seen_as_continuous,
)

THEORIES = ("exact", "paper", "discrete", "covariance", "jump")


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this chapter say about each.

    Args:
        dataset: what the experiments measured, with its configuration.

    Returns:
        A new dataset with the indices of all theories.
    """
    ds, config = dataset.copy(), settings(dataset)
    one = [all_indices(1, rate, 1) for rate in config.rates]
    ten = [all_indices(10, rate, 1) for rate in config.rates if rate < 0.17]
    ds = ds.assign_coords(rate=list(config.rates), theory=list(THEORIES))
    ds["index"] = ("rate", "theory"), one
    ds["index_ten"] = ("rate_ten", "theory"), ten
    ds = ds.assign_coords(rate_ten=[r for r in config.rates if r < 0.17])
    ds["many_theory"] = "theory", all_indices(config.dimension, config.rate, config.batch_size)
    still = {"dimension": 1, "batch_size": 1}
    rate, beta = config.momentum_rate, config.momentum
    ds["moving_theory"] = tail_index(learning_rate=rate, momentum=beta, **still)
    ds["moving_still"] = tail_index(learning_rate=rate, **still)
    ds["moving_rescaled"] = tail_index(learning_rate=rate / (1 - beta), **still)
    ds["moving_limit"] = momentum_limit(temperature=rate / (1 - beta))
    ds["small_step"] = (
        "small_rate",
        [r * tail_index(learning_rate=r, **still) for r in (0.002, 0.001)],
    )
    ds["small_step_theory"] = jump_index(learning_rate=1.0, batch_size=1)
    ds["chain_theory"] = (
        "chain_rate",
        [tail_index(learning_rate=float(r), **still) for r in ds.chain_rate],
    )
    waves = [wave(learning_rate=float(r)) for r in config.rates if r <= 1]
    ds = ds.assign_coords(wave_rate=[r for r in config.rates if r <= 1])
    ds["wave_fading"] = "wave_rate", [w.fading for w in waves]
    ds["wave_frequency"] = "wave_rate", [w.frequency for w in waves]
    ds["data_theory"] = data_root(ds.data_input.values, learning_rate=config.data_rate) / 2
    ds["data_infinite"] = tail_index(learning_rate=config.data_rate, **still)
    rates = ds.image_rate.values
    ds["image_theory"] = (
        "image_rate",
        [data_root(ds.image_input.values, learning_rate=r) / 2 for r in rates],
    )
    ds["image_infinite"] = (
        "image_rate",
        [tail_index(learning_rate=float(r), **still) for r in rates],
    )
    ds["image_paper"] = (
        "image_rate",
        [paper_index(learning_rate=float(r), **still) for r in rates],
    )
    ds = ds.assign_coords(data_size=list(config.data_sizes))
    ds["data_root"] = ("data_size", "data_set"), _finite_indices(config)
    known = {
        "pareto": 2.0,
        "student": 2.0,
        "sgd": 2 * tail_index(dimension=1, learning_rate=1.0, batch_size=2),
        "gaussian": np.inf,
        "bounded": np.inf,
        "zipf": 2.0,
    }
    ds["law_index"] = "law", [known[law] for law in LAWS]
    ds["zipf_continuous"] = zeta_seen_as_continuous(3.0)
    return ds


def all_indices(dimension, learning_rate, batch_size):
    """Return the index by each of `THEORIES`; NaN for one that says nothing of this dimension.

    Args:
        dimension: d.
        learning_rate: eta.
        batch_size: B.
    """
    noise = {"learning_rate": learning_rate, "batch_size": batch_size}
    return [
        tail_index(dimension=dimension, **noise),
        paper_index(dimension=dimension, **noise),
        discrete_index(**noise) if dimension == 1 else np.nan,
        covariance_index(dimension=dimension, **noise),
        jump_index(**noise),
    ]


def _finite_indices(config):
    """Index on data sets of each size; infinite where the law is bounded, NaN without a law."""
    found = np.full((len(config.data_sizes), config.data_sets), np.nan)
    for i, size in enumerate(config.data_sizes):
        for j in range(config.data_sets):
            x = generator(config, f"sizes {size}", j).standard_normal(size)
            if np.mean(np.log(np.maximum(np.abs(1 - config.data_rate * x**2), 1e-300))) < 0:
                found[i, j] = data_root(x, learning_rate=config.data_rate) / 2
    return found
