"""First passages of SGD on linear regression, timed, and the way out of a minimum of zero loss."""

import numpy as np
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.linear_regression.measure.data import gaussian_data
from sgdescape.linear_regression.measure.work import HERE, Work, swept

LAWS = ("rademacher", "uniform", "gaussian", "laplace")


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
        else gaussian_data(samples, problem["dimension"], seed),
        thresholds=thresholds[case],
        learning_rate=learning_rate,
        batch_size=batch_size,
        max_steps=max_steps,
        replicas=replicas,
        seed=seed,
        device=device,
    )
    return {"steps": found.steps, "last": found.last_step}


def _passages(config, work, name, cases, ratios, count, at, samples=None):
    options = at | {
        "cases": cases,
        "thresholds": [np.asarray(levels).tolist() for levels in ratios],
        "max_steps": config.max_steps,
        "samples": samples,
    }
    grid = {"case": list(range(len(cases)))}
    return swept(passage_chunk, grid, count, config, name, work, options)
