"""Where theory meets measurement: formulas and simulated bowls of the measured spectrum.

`simulate` runs SGD with Gaussian noise in quadratic valleys that are made of measured numbers
alone; `predict` puts the formulas beside the measurements.
"""

import numpy as np
import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.neural_network.measure import bowl
from sgdescape.neural_network.measure.escapes import Use, seed_of
from sgdescape.neural_network.theory import (
    entropy_number,
    escape_slope,
    outlier_dimension,
    participation_ratio,
    raised_loss,
)

LAWS = ("decoupled", "measured", "constant", "equal")
"""Bowls: noise of Eq. (12); measured noise, Eq. (direction-noise); that of the minimum, Eq. (5);
Eq. (12) with as many directions of equal curvature as Eq. (45) counts."""


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with the predictions of this module's formulas beside them.

    Args:
        dataset: what `measure.cells.measure` gave.

    Returns:
        A new dataset with ``mean_loss`` (exponent), Eq. (raised-loss); the dimensions
        ``participation`` and ``entropy``, Eq. (45), and ``outlier_dimension``; and, for each
        ``dimension`` of these three, ``line_slope`` (dimension, exponent).
    """
    ds = dataset.copy()
    h = ds.spectrum.values
    numbers = {
        "outlier_dimension": outlier_dimension(h),
        "participation": participation_ratio(h),
        "entropy": entropy_number(h),
    }
    ratio = ds.attrs["trace"] / float(ds.curvature[0])
    ds["mean_loss"] = ("exponent",), raised_loss(ds.exponent.values, trace_ratio=ratio)
    lines = [escape_slope(ds.exponent.values, dimension=n) for n in numbers.values()]
    ds["line_slope"] = ("dimension", "exponent"), np.array(lines)
    ds = ds.assign_coords(dimension=list(numbers))
    ds.attrs |= numbers
    return ds


@reads_dataset
def simulate(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with first passages of the bowls in t, NaN where censored.

    Args:
        dataset: what `measure.cells.measure` gave.

    Returns:
        A new dataset with ``bowl`` (law, exponent, batch_size, path, threshold), ``continuous``
        (exponent, continuous_path, threshold), and of the other networks ``control_bowl``,
        ``control_refined`` and ``control_equal`` (case, path, threshold): the noise of Eq. (12), as
        measured, and equal curvatures as many as Eq. (45) counts.
    """
    ds, config = dataset.copy(), provenance.settings(dataset)
    values, leading = ds.spectrum.values, ds.curvature.values
    valley = bowl.grouped(values, singles=config.directions, bins=config.bins)
    noise = {"ratio": ds.noise_ratio.values, "kurtosis": ds.kurtosis.values}
    count = max(round(ds.attrs["trace"] ** 2 / ds.attrs["square"]), 2)
    laws = (
        bowl.decoupled(*valley),
        bowl.measured(*valley, **noise),
        bowl.constant(*valley),
        bowl.decoupled(leading[:1], np.array([count])),
    )
    times = [
        [
            [
                bowl_times(v, config, exponent=a, batch_size=b, curvature=leading[0])
                for b in config.batches
            ]
            for a in config.exponents
        ]
        for v in laws
    ]
    ds["bowl"] = ("law", "exponent", "batch_size", "path", "threshold"), np.array(times)
    ds = ds.assign_coords(law=list(LAWS))
    coarse = bowl.decoupled(*bowl.grouped(values, singles=config.coarse, bins=config.coarse))
    flow = [
        continuous_times(coarse, config, exponent=a, curvature=leading[0]) for a in config.exponents
    ]
    ds["continuous"] = ("exponent", "continuous_path", "threshold"), np.array(flow)
    columns = zip(*(_control(ds.sel(case=c), config) for c in ds.case.values), strict=True)
    for name, column in zip(("bowl", "refined", "equal"), columns, strict=True):
        ds[f"control_{name}"] = ("case", "path", "threshold"), np.array(column)
    return ds


def bowl_times(valley, config, *, exponent, batch_size, curvature) -> np.ndarray:
    """Return first passages in t of SGD with Gaussian noise in a bowl, Eq. (3), NaN if censored.

    Args:
        valley: the bowl.
        config: `neural_network.Config`, or what `provenance.settings` gives.
        exponent: B / (eta h*), which sets eta.
        batch_size: B.
        curvature: h*.

    Returns:
        Times (paths, thresholds); the loss is looked at after every step, as that of the network.
    """
    rate = batch_size / (exponent * curvature)
    decay, spread = bowl.discrete(valley, learning_rate=rate, batch_size=batch_size)
    steps = round(config.watch / rate / curvature)
    passages, _ = bowl.first_passage(
        valley, decay, spread, levels=config.thresholds, steps=steps,
        replicas=config.bowl_paths, seed=seed_of(config.seed, Use.BOWL), bridge=False,
    )  # fmt: skip
    return np.where(passages > 0, passages * rate, np.nan)


def continuous_times(valley, config, *, exponent, curvature) -> np.ndarray:
    """Return first passages in t of the SDE, Eq. (12), NaN if censored (paths, thresholds)."""
    dt = config.bowl_step / curvature
    decay, spread = bowl.continuous(valley, strength=1 / (exponent * curvature), dt=dt)
    steps = round(config.watch / config.bowl_step)
    passages, _ = bowl.first_passage(
        valley, decay, spread, levels=config.thresholds, steps=steps,
        replicas=config.continuous_paths, seed=seed_of(config.seed, Use.BOWL), bridge=True,
    )  # fmt: skip
    return np.where(passages > 0, passages * dt, np.nan)


def _control(one, config):
    """Passages of the bowls of another network, at the middle exponent and second batch size."""
    leading = one.control_curvatures.values
    valley = bowl.lumped(leading, trace=float(one.control_trace), square=float(one.control_square))
    options = {
        "exponent": config.exponents[len(config.exponents) // 2],
        "batch_size": config.batches[1],
        "curvature": leading[0],
    }
    noise = {"ratio": one.control_noise_ratio.values, "kurtosis": one.control_kurtoses.values}
    count = max(round(float(one.control_trace) ** 2 / float(one.control_square)), 2)
    laws = (
        bowl.decoupled(*valley),
        bowl.measured(*valley, **noise),
        bowl.decoupled(leading[:1], np.array([count])),
    )
    return [bowl_times(law, config, **options) for law in laws]
