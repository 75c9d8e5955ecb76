"""Measurements of chapter `linear_regression`: real SGD, no theory in here.

Each measurement is a `core.runs.sweep`, so that any engine can compute it in chunks that a store
keeps. A replica depends on (seed, index) alone: neither engine nor chunks change a bit.
"""

import warnings
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance, sweep

LAWS = ("rademacher", "uniform", "gaussian", "laplace")
_WHERE = ("learning_rate", "batch_size")


@dataclass(frozen=True)
class Work:
    """Where and how the measurements are computed.

    Args:
        device: of the ensembles, "cpu" or "cuda".
        executor: see `core.runs.engines`; None computes in this process, on threads.
        store: folder of finished chunks; None keeps nothing.
    """

    device: str = "cpu"
    executor: Executor | None = None
    store: str | Path | None = None

    @property
    def chunk(self) -> int:
        """Replicas in one call: as many as fit on a graphics card, minutes of a core elsewhere."""
        return 1000 if self.device == "cpu" else 100_000


HERE = Work()


def measure(config, work: Work = HERE) -> xr.Dataset:
    """Make all measurements.

    Args:
        config: see `linear_regression.Config`.
        work: where and how.

    Returns:
        See the functions below for the variables; the configuration is an attribute.
    """
    parts = (
        protocol(config, work),
        ensemble(config, work),
        passages(config, work),
        other_passages(config, work),
        data_sets(config),
        zero_loss(config),
    )
    found = xr.merge(parts, combine_attrs="drop")
    found.attrs = {"config": provenance.to_json(asdict(config))}
    return found


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
    found = _sweep(protocol_chunk, _rates(config), 1, config, "protocol", work, options)
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
    found = _sweep(ensemble_chunk, grid, count, config, "ensemble", work, options)
    _without_diverged(config, found, "mean_log", "mean_square", "kept")
    return _stationary(
        config,
        {
            "mean_log": ((*_WHERE, "replica"), found["mean_log"]),
            "mean_square": ((*_WHERE, "replica"), found["mean_square"]),
            "kept": ((*_WHERE, "state"), found["kept"].reshape(*found["kept"].shape[:2], -1)),
        },
    )


def passages(config, work: Work = HERE) -> xr.Dataset:
    """Time first passages: the paper's N samples and 100 runs, and fresh samples with more runs.

    Args:
        config: see `linear_regression.Config`.
        work: where and how.

    Returns:
        ``data_steps`` (dimension, run, threshold) and ``fresh_steps`` (dimension, repetition,
        threshold): first step with L >= c L*, -1 if not seen; ``data_last`` and ``fresh_last``:
        steps watched; ``loss_ratio`` (dimension, threshold).
    """
    ratios = np.array([1 + np.geomspace(0.1, top - 1, config.points) for top in config.largest])
    at = {"learning_rate": config.learning_rate, "batch_size": config.batch_size}
    variables = {"loss_ratio": (("dimension", "threshold"), ratios)}
    cases = [{"dimension": d} for d in config.dimensions]
    for name, run, count in (
        ("data", "run", config.runs),
        ("fresh", "repetition", config.repetitions),
    ):
        samples = config.samples if name == "data" else None
        found = _passages(config, work, name, cases, ratios, count, at, samples)
        variables |= {
            f"{name}_steps": (("dimension", run, "threshold"), found["steps"]),
            f"{name}_last": (("dimension", run), found["last"]),
        }
    return xr.Dataset(variables, coords={"dimension": list(config.dimensions)})


def other_passages(config, work: Work = HERE) -> xr.Dataset:
    """Time first passages at a smaller learning rate, and for four input laws.

    Args:
        config: see `linear_regression.Config`.
        work: where and how.

    Returns:
        ``slow_steps`` (slow_dimension, repetition, threshold), ``law_steps`` (law, repetition,
        law_ratio), and the ``..._last`` of each.
    """
    ratios = np.array(
        [1 + np.geomspace(0.05, top - 1, config.points) for top in config.slow_largest]
    )
    n, b = config.repetitions, config.batch_size
    cases = [{"dimension": d} for d in config.slow_dimensions]
    at = {"learning_rate": config.slow_rate, "batch_size": b}
    slow = _passages(config, work, "slow", cases, ratios, n, at)
    cases = [{"inputs": law} for law in LAWS]
    at = {"learning_rate": config.learning_rate, "batch_size": b}
    law = _passages(config, work, "laws", cases, [config.law_ratios] * len(LAWS), n, at)
    return xr.Dataset(
        {
            "slow_ratio": (("slow_dimension", "threshold"), ratios),
            "slow_steps": (("slow_dimension", "repetition", "threshold"), slow["steps"]),
            "slow_last": (("slow_dimension", "repetition"), slow["last"]),
            "law_steps": (("law", "repetition", "law_ratio"), law["steps"]),
            "law_last": (("law", "repetition"), law["last"]),
        },
        coords={
            "slow_dimension": list(config.slow_dimensions),
            "law": list(LAWS),
            "law_ratio": list(config.law_ratios),
        },
    )


def data_sets(config) -> xr.Dataset:
    """Draw data sets as those of Fig. 3b with one input, the first of them the one of `passages`.

    Args:
        config: see `linear_regression.Config`.

    Returns:
        ``set_input`` and ``set_target`` (data_set, sample).
    """
    sets = [
        _gaussian_data(config.samples, 1, seeds.derive(config.seed, "linear_regression", "data", k))
        for k in range(config.data_sets)
    ]
    where = ("data_set", "sample")
    return xr.Dataset(
        {
            "set_input": (where, np.array([s.inputs[:, 0] for s in sets])),
            "set_target": (where, np.array([s.targets for s in sets])),
        }
    )


def zero_loss(config) -> xr.Dataset:
    """Start SGD near a minimum of zero loss: y = 0, one Gaussian input, fresh samples.

    A step is theta' = (1 - eta S) theta, S the mean of x^2 over the batch.

    Args:
        config: see `linear_regression.Config`.

    Returns:
        ``zero_reached`` (zero_start): runs of ``zero_runs`` that get to |theta| >= 1 before they
        are below 1e-4, from where one in 10^8 comes back.
    """
    b, reached = config.zero_batch, []
    for k, start in enumerate(config.zero_starts):
        key = seeds.derive(config.seed, "linear_regression", "zero loss", k)
        rng = np.random.Generator(np.random.Philox(key=key))
        theta, count = np.full(config.zero_runs, float(start)), 0
        while theta.size:
            theta = np.abs(theta * (1 - config.zero_rate * rng.chisquare(b, theta.size) / b))
            count += int(np.sum(theta >= 1))
            theta = theta[(theta < 1) & (theta > 1e-4)]
        reached.append(count)
    return xr.Dataset(
        {"zero_reached": ("zero_start", reached)}, coords={"zero_start": list(config.zero_starts)}
    )


def protocol_chunk(
    replicas, *, seed, learning_rate, batch_size, samples, record_every, records, device
):
    """Chunk of `protocol`: ``scaled`` (replicas, records), ``diverged`` (replicas,) steps or -1."""
    data = _gaussian_data(samples, 1, seed)
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


def passage_chunk(
    replicas,
    *,
    seed,
    case,
    cases,
    thresholds,
    learning_rate,
    batch_size,
    max_steps,
    samples,
    device,
):
    """Chunk of first passages: ``steps`` (replicas, thresholds), ``last`` (replicas,).

    Args:
        replicas: indices.
        seed: of the paths, and of the data if there are any.
        case: number of the problem.
        cases: arguments of the problems: of `ensembles.FreshData`, or the dimension of the data.
        thresholds: loss ratios of each problem.
        learning_rate: eta.
        batch_size: B.
        max_steps: steps after which a replica is given up.
        samples: N; None for fresh ones in every step.
        device: where to compute.
    """
    from sgdescape.core.ensembles import regression

    problem = {"dimension": 1} | cases[case]
    found = regression.first_passage(
        regression.FreshData(**problem)
        if samples is None
        else _gaussian_data(samples, problem["dimension"], seed),
        thresholds=thresholds[case],
        learning_rate=learning_rate,
        batch_size=batch_size,
        max_steps=max_steps,
        replicas=replicas,
        seed=seed,
        device=device,
    )
    return {"steps": found.steps, "last": found.last_step}


@lru_cache(maxsize=2)
def _gaussian_data(samples, dimension, seed):
    """The data of a chunk, which the next one mostly shares."""
    from sgdescape.core.ensembles import regression

    return regression.gaussian_data(samples, dimension, seed=seed)


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


def _passages(config, work, name, cases, ratios, count, at, samples=None):
    options = at | {
        "cases": cases,
        "thresholds": [np.asarray(levels).tolist() for levels in ratios],
        "max_steps": config.max_steps,
        "samples": samples,
    }
    grid = {"case": list(range(len(cases)))}
    return _sweep(passage_chunk, grid, count, config, name, work, options)


def _sweep(function, grid, count, config, name, work, options):
    """Results by name, (grid..., replicas, ...), of one of the chapter's independent streams."""
    found = sweep.sweep(
        function,
        grid,
        replicas=count,
        seed=seeds.derive(config.seed, "linear_regression", name),
        options=options | {"device": work.device},
        chunk_size=work.chunk,
        executor=work.executor,
        store=work.store,
    )
    return {name: variable.values for name, variable in found.data_vars.items()}


def _rates(config):
    return {
        "learning_rate": list(config.learning_rates),
        "batch_size": list(config.batch_sizes),
    }


def _stationary(config, variables):
    return xr.Dataset(variables, coords=_rates(config))
