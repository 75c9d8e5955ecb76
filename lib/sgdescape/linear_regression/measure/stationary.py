"""Stationary SGD on linear regression: one long run, as in Fig. 3a, and many short ones."""

import warnings

import numpy as np
import xarray as xr

from sgdescape.linear_regression.measure.data import gaussian_data
from sgdescape.linear_regression.measure.work import HERE, Work, swept

_WHERE = ("learning_rate", "batch_size")


def protocol(config, work: Work = HERE) -> xr.Dataset:
    """Follow Fig. 3a: one long run on N samples, d = 1, theta recorded every 100 steps.

    Args:
        config: see `linear_regression.Config`.
        work: where and how.

    Returns:
        ``protocol`` (learning_rate, batch_size, record): (theta - theta*) sqrt(h/(2 L*)), so that
        L = L*(1 + square).
    """
    options = {
        "samples": config.stationary_samples,
        "record_every": config.record_every,
        "records": config.records,
    }
    found = swept(protocol_chunk, _rates(config), 1, config, "protocol", work, options)
    _without_diverged(config, found, "scaled")
    return _stationary(config, {"protocol": ((*_WHERE, "record"), found["scaled"][:, :, 0])})


def ensemble(config, work: Work = HERE) -> xr.Dataset:
    """Follow many independent replicas on fresh samples: means of each, for honest errors.

    Args:
        config: see `linear_regression.Config`.
        work: where and how.

    Returns:
        ``mean_log`` of log(L/L*) and ``mean_square`` of theta^2 (learning_rate, batch_size,
        replica), and ``kept`` states of some replicas (learning_rate, batch_size, state); NaN for
        replicas that diverged.
    """
    options = {"states": config.states}
    grid, count = _rates(config), config.replicas
    found = swept(ensemble_chunk, grid, count, config, "ensemble", work, options)
    _without_diverged(config, found, "mean_log", "mean_square", "kept")
    return _stationary(
        config,
        {
            "mean_log": ((*_WHERE, "replica"), found["mean_log"]),
            "mean_square": ((*_WHERE, "replica"), found["mean_square"]),
            "kept": ((*_WHERE, "state"), found["kept"].reshape(*found["kept"].shape[:2], -1)),
        },
    )


def protocol_chunk(
    replicas, *, seed, learning_rate, batch_size, samples, record_every, records, device
):
    """Chunk of `protocol`: ``scaled`` (replicas, records), ``diverged`` (replicas,) steps or -1."""
    data = gaussian_data(samples, 1, seed)
    theta, diverged = _theta(
        data,
        learning_rate=learning_rate,
        batch_size=batch_size,
        burn_in=round(10 / learning_rate),
        steps=record_every * records,
        keep_every=record_every,
        replicas=replicas,
        seed=seed,
        device=device,
    )
    scale = np.sqrt(data.curvatures[0] / (2 * data.minimum_loss))
    return {"scaled": (theta - data.minimum[0]) * scale, "diverged": diverged}


def ensemble_chunk(replicas, *, seed, learning_rate, batch_size, states, device):
    """Chunk of `ensemble`: ``mean_log``, ``mean_square`` (replicas,), ``kept`` (replicas, 10).

    And ``diverged`` (replicas,): the step, or -1.
    """
    from sgdescape.core.ensembles import regression  # torch: only where SGD runs

    stride = max(round(1 / learning_rate), 1)
    theta, diverged = _theta(
        regression.FreshData(1),
        learning_rate=learning_rate,
        batch_size=batch_size,
        burn_in=10 * stride,
        steps=stride * max(10, round(states * min(1, 5 * learning_rate))),
        keep_every=stride,
        replicas=replicas,
        seed=seed,
        device=device,
    )
    square = theta**2
    return {
        "mean_log": np.log1p(square).mean(axis=1),
        "mean_square": square.mean(axis=1),
        "kept": theta[:, -10:],
        "diverged": diverged,
    }


def _theta(problem, **options):
    """States (replicas, kept) of the only parameter, and the steps at which replicas diverged."""
    from sgdescape.core.ensembles import regression

    made = regression.stationary(problem, **options)
    return made.samples[:, :, 0], made.diverged_at


def _without_diverged(config, found, *names):
    """Set to NaN, in place, what replicas that diverged recorded, and say which they are."""
    at = found.pop("diverged")  # (learning rates, batch sizes, replicas): step, or -1
    lost = at >= 0
    for i, j in zip(*np.nonzero(lost.any(axis=-1)), strict=True):
        eta, b = config.learning_rates[i], config.batch_sizes[j]
        which = np.flatnonzero(lost[i, j])
        told = f"{which.size} of {lost.shape[-1]} replicas diverged at learning_rate {eta:g}, "
        told += f"batch_size {b}, the first listed is replica {which[0]} in step "
        told += f"{at[i, j, which[0]]}"
        if which.size == lost.shape[-1]:
            raise FloatingPointError(f"{told}; none is left")
        warnings.warn(f"{told}; they are left out", RuntimeWarning, stacklevel=3)
        for name in names:
            found[name][i, j, which] = np.nan


def _rates(config):
    return {
        "learning_rate": list(config.learning_rates),
        "batch_size": list(config.batch_sizes),
    }


def _stationary(config, variables):
    return xr.Dataset(variables, coords=_rates(config))
