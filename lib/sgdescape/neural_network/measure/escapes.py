"""The runs that escape, in chunks: any replicas of any cell, the same on every executor."""

import warnings
from enum import IntEnum
from functools import lru_cache

import numpy as np

from sgdescape.core.ensembles import network as ensembles
from sgdescape.core.runs import sweep as runner
from sgdescape.neural_network.measure import checkpoints
from sgdescape.neural_network.measure.minimum import minimum

CHUNK = 64  # replicas in a chunk


class Use(IntEnum):
    """What random numbers are for."""

    RUNS = 0
    BOWL = 1
    CONTROLS = 2


_STRIDE = 1_000_003  # as when the result in results/ was made: its runs can be made again


def seed_of(seed: int, use: Use) -> int:
    """Return the seed of one use of the randomness, another for each below a million seeds.

    Not `core.random.seeds.derive`, which is younger than the kept result.
    """
    return seed + _STRIDE * Use(use)


@lru_cache(maxsize=1)
def _images_and_gram(dataset, images):
    recipe = checkpoints.Recipe(dataset=dataset, images=images)
    loaded = checkpoints.images_of(recipe)
    return loaded, ensembles.images_gram(loaded.inputs)


@lru_cache(maxsize=2)  # one whose runs are made, and the next
def prepared(recipe, directions: int):
    """Return checkpoint, model, images, `Problem` and measured minimum of a recipe.

    The last two are kept, and the Gram matrix of the last images: a process makes them once for
    all its chunks. `forget` frees them.

    Args:
        recipe: of the checkpoint.
        directions: leading eigenvectors looked at one by one.
    """
    checkpoint = checkpoints.load(recipe)
    images, gram = _images_and_gram(recipe.dataset, recipe.images)
    model = checkpoints.network(recipe, checkpoint.theta)
    problem = ensembles.problem(model, images.inputs, images.targets, gram=gram)
    # the Lanczos start has a seed of its own: the minimum is one, whatever the seed of the runs
    found = minimum(model, images, directions=directions, seed=0, gram=gram)
    return checkpoint, model, images, problem, found


def forget():
    """Free what `prepared` keeps."""
    prepared.cache_clear()
    _images_and_gram.cache_clear()


def cell(
    replicas: range, *, seed: int, config, case: str, exponent: float, batch_size: int, device: str
) -> dict:
    """Run replicas of one (network, exponent, batch size), for `sweep.sweep`.

    Args:
        replicas: indices; each differs by its batches.
        seed: of the batches.
        config: `neural_network.Config`.
        case: of `checkpoints.recipes`.
        exponent: B / (eta h*) of Eq. (15), which sets eta.
        batch_size: B.
        device: "cpu" for numba, or a CUDA device.

    Returns:
        ``passage`` in steps and -1 (replicas, threshold), ``last_step``, ``learning_rate``,
        ``diverged_at``, the step of the first loss that is no number, or -1;
        ``late_loss`` over L* (replicas,): mean of the second half, NaN if the run had ended;
        ``looks`` (replicas, look, threshold): passages if only each look-th loss is seen.
    """
    *_, problem, found = prepared(checkpoints.recipes(config)[case], config.directions)
    rate = batch_size / (exponent * found["curvature"][0])
    steps = round(config.watch / (rate * found["curvature"][0]))
    made = ensembles.run(
        problem,
        learning_rate=rate,
        batch_size=int(batch_size),
        max_steps=steps,
        replicas=replicas,
        seed=seed,
        thresholds=config.thresholds,
        record_every=1,
        device=device,
    )
    losses = made.losses / problem.loss
    return {
        "diverged_at": made.diverged_at,
        "passage": made.steps,
        "last_step": made.last_step,
        "learning_rate": np.full(len(replicas), rate),
        "late_loss": losses[:, steps // 2 :].mean(1),  # NaN if it had ended
        "looks": looked_at(losses, config.thresholds, config.looks),
    }


def looked_at(losses, thresholds, looks) -> np.ndarray:
    """Return first passages (replica, look, threshold) in steps if every look-th loss is seen.

    Args:
        losses: over L*, of every step (replicas, steps); NaN after the end.
        thresholds: ascending (m,).
        looks: intervals between two looks, in steps.

    Example:
        >>> looked_at(np.array([[1.0, 3.0, 1.0, 2.0]]), [1.5, 2.5], [1, 2, 4]).tolist()
        [[[2, 2], [2, 2], [4, -1]]]
    """
    found = np.full((len(losses), len(looks), len(thresholds)), -1, dtype=np.int64)
    for column, look in enumerate(looks):
        highest = np.fmax.accumulate(losses[:, look - 1 :: look], axis=1)
        for row, one in enumerate(highest):
            first = np.searchsorted(one, thresholds)
            found[row, column] = np.where(first < len(one), (first + 1) * look, -1)
    return found


def without_diverged(runs):
    """Return runs in which those that diverged count neither passages nor time; name them.

    Args:
        runs: of `sweep.sweep` over `cell`.

    Raises:
        FloatingPointError: if all runs of a cell diverged.
    """
    bad = runs.diverged_at >= 0
    if not bad.any():
        return runs.drop_vars("diverged_at")
    stacked = runs.diverged_at.where(bad).stack(run=bad.dims)
    named = [
        ", ".join(f"{k} = {v}" for k, v in zip(bad.dims, where, strict=True)) + f" at step {int(k)}"
        for where, k in zip(stacked.run.values, stacked.values, strict=True)
        if np.isfinite(k)
    ]
    if bad.all("replica").any():
        raise FloatingPointError(f"all runs of a cell diverged: {'; '.join(named)}")
    warnings.warn(f"diverged and left out: {'; '.join(named)}", RuntimeWarning, stacklevel=3)
    for name, nothing in (("passage", -1), ("looks", -1), ("last_step", 0), ("late_loss", np.nan)):
        runs[name] = runs[name].where(~bad, nothing).astype(runs[name].dtype)
    return runs.drop_vars("diverged_at")


def sweep(config, cases, exponents, batches, *, replicas: int, use: Use, **how):
    """Run a grid of cells in chunks; a data set (case, exponent, batch_size, replica, ...).

    Args:
        config: `neural_network.Config`.
        cases: of `checkpoints.recipes`.
        exponents: B / (eta h*).
        batches: B.
        replicas: runs of each cell.
        use: of the randomness.
        how: ``executor``, ``store`` and ``device``.
    """
    made = runner.sweep(
        cell,
        {"case": list(cases), "exponent": list(exponents), "batch_size": list(batches)},
        replicas=replicas,
        seed=seed_of(config.seed, use),
        options={"config": config, "device": how["device"]},
        dims={"passage": ("threshold",), "looks": ("look", "threshold")},
        chunk_size=CHUNK,
        executor=how["executor"],
        store=how["store"],
    )
    return without_diverged(made)
