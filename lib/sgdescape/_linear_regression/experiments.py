"""Measurements of chapter `linear_regression`: real SGD, no theory in here."""

import numpy as np
import xarray as xr

from sgdescape.core import ensembles

LAWS = ("rademacher", "uniform", "gaussian", "laplace")
_SEEDS = {"protocol": 1, "ensemble": 2, "data": 3, "fresh": 4, "slow": 5, "laws": 6, "tail": 7}


def protocol(config, *, device="cpu") -> xr.Dataset:
    """Follow Fig. 3a: one long run on N samples, d = 1, theta recorded every 100 steps.

    Args:
        config: see `linear_regression.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``protocol`` (learning_rate, batch_size, record): (theta - theta*) sqrt(h/(2 L*)), so that
        L = L*(1 + square).
    """
    data = ensembles.gaussian_data(config.stationary_samples, 1, seed=_seed(config, "protocol"))
    scale = np.sqrt(data.curvatures[0] / (2 * data.minimum_loss))
    rows = [
        [
            _theta(
                data,
                learning_rate=eta,
                batch_size=b,
                burn_in=round(10 / eta),
                steps=config.record_every * config.records,
                keep_every=config.record_every,
                replicas=range(1),
                seed=_seed(config, "protocol"),
                device=device,
            )[0]
            for b in config.batch_sizes
        ]
        for eta in config.learning_rates
    ]
    scaled = (np.array(rows) - data.minimum[0]) * scale
    return _stationary(config, {"protocol": (("learning_rate", "batch_size", "record"), scaled)})


def ensemble(config, *, device="cpu") -> xr.Dataset:
    """Follow many independent replicas on fresh samples: means of each, for honest errors.

    Args:
        config: see `linear_regression.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``mean_log`` of log(L/L*) and ``mean_square`` of theta^2 (learning_rate, batch_size,
        replica), and ``kept`` states of some replicas (learning_rate, batch_size, state).
    """
    logs, squares, kept = [], [], []
    for eta in config.learning_rates:
        stride, scaled = max(round(1 / eta), 1), []
        for b in config.batch_sizes:
            theta = _theta(
                ensembles.FreshData(1),
                learning_rate=eta,
                batch_size=b,
                burn_in=10 * stride,
                steps=stride * max(10, round(config.states * min(1, 5 * eta))),
                keep_every=stride,
                replicas=range(config.replicas),
                seed=_seed(config, "ensemble"),
                device=device,
            )
            scaled.append(theta)
        logs.append([np.log1p(theta**2).mean(axis=1) for theta in scaled])
        squares.append([np.mean(theta**2, axis=1) for theta in scaled])
        kept.append([theta[:, -10:].ravel() for theta in scaled])
    where = ("learning_rate", "batch_size")
    return _stationary(
        config,
        {
            "mean_log": ((*where, "replica"), np.array(logs)),
            "mean_square": ((*where, "replica"), np.array(squares)),
            "kept": ((*where, "state"), np.array(kept)),
        },
    )


def passages(config, *, device="cpu") -> xr.Dataset:
    """Time first passages: the paper's N samples and 100 runs, and fresh samples with more runs.

    Args:
        config: see `linear_regression.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``data_steps`` (dimension, run, threshold) and ``fresh_steps`` (dimension, repetition,
        threshold): first step with L >= c L*, -1 if not seen; ``data_last`` and ``fresh_last``:
        steps watched; ``loss_ratio`` (dimension, threshold).
    """
    ratios = np.array([1 + np.geomspace(0.1, top - 1, config.points) for top in config.largest])
    common = {
        "learning_rate": config.learning_rate,
        "batch_size": config.batch_size,
        "device": device,
    }
    found = {"data": [], "fresh": []}
    for d, levels in zip(config.dimensions, ratios, strict=True):
        problems = {
            "data": ensembles.gaussian_data(config.samples, d, seed=_seed(config, "data")),
            "fresh": ensembles.FreshData(d),
        }
        for name, problem in problems.items():
            count = config.runs if name == "data" else config.repetitions
            found[name].append(_passage(config, problem, levels, count, name, **common))
    variables = {"loss_ratio": (("dimension", "threshold"), ratios)}
    for name, run in (("data", "run"), ("fresh", "repetition")):
        variables |= {
            f"{name}_steps": (("dimension", run, "threshold"), _stack(found[name], 0)),
            f"{name}_last": (("dimension", run), _stack(found[name], 1)),
        }
    return xr.Dataset(variables, coords={"dimension": list(config.dimensions)})


def other_passages(config, *, device="cpu") -> xr.Dataset:
    """Time first passages at a smaller learning rate, for four input laws, and far into a tail.

    Args:
        config: see `linear_regression.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``slow_steps`` (slow_dimension, repetition, threshold), ``law_steps`` (law, repetition,
        law_ratio), ``tail_steps`` (repetition, tail_ratio), and the ``..._last`` of each.
    """
    slow = np.array([1 + np.geomspace(0.05, top - 1, config.points) for top in config.slow_largest])
    n, b = config.repetitions, config.batch_size
    fresh = ensembles.FreshData
    at = {"learning_rate": config.slow_rate, "batch_size": b, "device": device}
    found = {
        "slow": [
            _passage(config, fresh(d), levels, n, "slow", **at)
            for d, levels in zip(config.slow_dimensions, slow, strict=True)
        ]
    }
    at = {"learning_rate": config.learning_rate, "batch_size": b, "device": device}
    found["law"] = [
        _passage(config, fresh(1, inputs=law), config.law_ratios, n, "laws", **at) for law in LAWS
    ]
    at = {"learning_rate": config.tail_rate, "batch_size": config.tail_batch, "device": device}
    tail = _passage(config, fresh(1), config.tail_ratios, n, "tail", **at)
    return xr.Dataset(
        {
            "slow_ratio": (("slow_dimension", "threshold"), slow),
            "slow_steps": (("slow_dimension", "repetition", "threshold"), _stack(found["slow"], 0)),
            "slow_last": (("slow_dimension", "repetition"), _stack(found["slow"], 1)),
            "law_steps": (("law", "repetition", "law_ratio"), _stack(found["law"], 0)),
            "law_last": (("law", "repetition"), _stack(found["law"], 1)),
            "tail_steps": (("repetition", "tail_ratio"), tail[0]),
            "tail_last": ("repetition", tail[1]),
        },
        coords={
            "slow_dimension": list(config.slow_dimensions),
            "law": list(LAWS),
            "law_ratio": list(config.law_ratios),
            "tail_ratio": list(config.tail_ratios),
        },
    )


def data_sets(config) -> xr.Dataset:
    """Draw data sets as those of Fig. 3b with one input, the first of them the one of `passages`.

    Args:
        config: see `linear_regression.Config`.

    Returns:
        ``set_input`` and ``set_target`` (data_set, sample).
    """
    seeds = [_seed(config, "data") + 1000 * k for k in range(config.data_sets)]
    sets = [ensembles.gaussian_data(config.samples, 1, seed=seed) for seed in seeds]
    where = ("data_set", "sample")
    return xr.Dataset(
        {
            "set_input": (where, np.array([s.inputs[:, 0] for s in sets])),
            "set_target": (where, np.array([s.targets for s in sets])),
        }
    )


def _theta(problem, **options):
    """States (replicas, kept) of the only parameter."""
    made = ensembles.stationary(problem, **options)
    if np.any(made.diverged_at >= 0):
        raise FloatingPointError(f"{np.sum(made.diverged_at >= 0)} replicas diverged: {options}")
    return made.samples[:, :, 0]


def _passage(config, problem, levels, count, name, **options):
    found = ensembles.first_passage(
        problem,
        thresholds=levels,
        max_steps=config.max_steps,
        replicas=range(count),
        seed=_seed(config, name),
        **options,
    )
    return found.steps, found.last_step


def _stack(found, which):
    return np.array([part[which] for part in found])


def _seed(config, name):
    """Independent streams for the parts of the chapter."""
    return 100 * config.seed + _SEEDS[name]


def _stationary(config, variables):
    coords = {
        "learning_rate": list(config.learning_rates),
        "batch_size": list(config.batch_sizes),
    }
    return xr.Dataset(variables, coords=coords)
