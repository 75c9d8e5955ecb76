"""What the long runs of the narrow ResNet-18 give, with intervals."""

import numpy as np
from scipy import stats

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval, ratio_interval, scaled
from sgdescape.network_limits.estimates.lines import line_exponent, pooled, pooled_slope
from sgdescape.network_limits.theory.balance import equipartition
from sgdescape.underdamped_langevin import autocorrelation, square_step

EPOCH = 32
"""Steps of an epoch at batch size 32."""

HALVES = 2
"""Parts of a run whose variances count as independent."""

BLOCK = 64
"""Steps whose mean squared length counts as independent of the next ones', at beta up to 0.9."""


def first_runs(ds, name) -> np.ndarray:
    """Return what was seen at each step of the first setting's runs (runs, steps)."""
    return ds[name].isel(setting=0).dropna("narrow_step").values


def narrow_level(ds, setting) -> np.ndarray:
    """Return the mean squared step of each run of a setting, after its first fifth."""
    return np.array([row.mean() for row in _late(ds, setting)])


def narrow_blocks(ds, setting) -> np.ndarray:
    """Return mean squared steps of blocks of a setting's runs, after their first fifth."""
    rows = [row[: len(row) // BLOCK * BLOCK].reshape(-1, BLOCK) for row in _late(ds, setting)]
    return np.concatenate(rows).mean(1)


def _late(ds, setting):
    rows = ds.narrow_speed.isel(setting=setting).dropna("narrow_replica", how="all")
    rows = rows.dropna("narrow_step").values
    return rows[:, rows.shape[1] // 5 :]


@reads_dataset
def narrow_growth(ds) -> float:
    """Return the growth of ln |Delta|^2 from one epoch to the end of the first setting's runs."""
    rows = first_runs(ds, "narrow_distance")
    return float(np.log(rows[:, -1] / rows[:, EPOCH - 1]).mean())


@reads_dataset
def narrow_error_change(ds, *, level=LEVEL) -> Interval:
    """Return ln of the error on unseen images, its mean over later marks less the first."""
    marks = ds.narrow_test_accuracy.isel(setting=0).dropna("narrow_replica", how="all").values
    return pooled(np.log1p(-marks[:, 1:].mean(axis=1)) - np.log1p(-marks[:, 0]), level=level)


@reads_dataset
def narrow_trend(ds, *, level=LEVEL) -> Interval:
    """Return the growth of ln |delta|^2 an epoch, from the third on, in halves of each run."""
    rows = first_runs(ds, "narrow_speed")[:, 2 * EPOCH :]
    blocks = rows[:, : rows.shape[1] // EPOCH * EPOCH].reshape(len(rows), -1, EPOCH).mean(2)
    half = blocks.shape[1] // 2
    parts = np.log(np.concatenate([blocks[:, :half], blocks[:, half : 2 * half]]))
    return pooled([np.polyfit(np.arange(half), row, 1)[0] for row in parts], level=level)


@reads_dataset
def narrow_power(ds, *, level=LEVEL) -> Interval:
    """Return the exponent of |Delta_k|^2 from one epoch to the end, between runs."""
    rows = first_runs(ds, "narrow_distance")
    steps = np.arange(1, rows.shape[1] + 1)
    return pooled([line_exponent(steps, row, EPOCH, steps[-1]) for row in rows], level=level)


@reads_dataset
def narrow_speed_slope(ds, settings, law, *, level=LEVEL) -> Interval:
    """Return the slope of ln |delta|^2 of single runs against ln of a law, by least squares.

    Args:
        ds: result of `network_limits.run` with the runs that are kept.
        settings: numbers of the settings.
        law: a value for each.
        level: of the interval; the scatter about the line counts as noise.
    """
    found = [narrow_level(ds, k) for k in settings]
    x = np.log(np.repeat(law, [len(row) for row in found]))
    line = stats.linregress(x, np.log(np.concatenate(found)))
    half = stats.t.isf((1 - level) / 2, x.size - 2) * line.stderr
    method = f"least squares over {x.size} runs, Student t"
    return Interval(line.slope, line.slope - half, line.slope + half, level, method)


@reads_dataset
def narrow_over_noise(ds, setting, *, level=LEVEL) -> Interval:
    """Return the mean |delta|^2 of a setting over the noise of its batches where its runs end.

    Blocks of steps count as independent; the relative errors of both are added in quadrature.

    Args:
        ds: result of `network_limits.run` with the runs that are kept.
        setting: its number.
        level: of the interval.
    """
    unit = narrow_law(ds, setting)
    steps = pooled(narrow_blocks(ds, setting), level=level)
    draws = pooled(end_noise(ds, setting), level=level)
    value = steps.value / (unit * draws.value)
    relative = np.hypot(*((i.high - i.value) / i.value for i in (steps, draws)))
    method = f"{steps.method}, errors in quadrature"
    return Interval(value, value * (1 - relative), value * (1 + relative), level, method)


def narrow_law(ds, setting) -> float:
    """Return the step law's factor of the noise at a setting, eta^2/(S (1 - beta^2))."""
    eta, beta, size, *_ = ds.narrow_at.values[setting]
    at = {"learning_rate": eta, "momentum": beta, "batch_size": int(size)}
    return float(square_step([0.0], [1.0], **at, discrete=False))


def end_noise(ds, setting) -> np.ndarray:
    """Return S times the variance of the batch gradient where a setting's runs end, over draws."""
    rows = ds.narrow_end_noise.isel(setting=setting).values
    return rows[np.isfinite(rows).all(1)].ravel()


@reads_dataset
def narrow_variances(ds, name) -> np.ndarray:
    """Return variances (parts, modes) of the first setting's paths in halves, trend taken off.

    A half is not long against the memory of a flat mode: its mean and trend take a part of the
    variance with them, which for positions is put back by the autocorrelation of the mode.

    Args:
        ds: result of `network_limits.run` with the runs that are kept.
        name: "narrow_position" or "narrow_move".
    """
    paths = ds[name].values[:, ds.sizes["narrow_step"] // 8 :]
    length = paths.shape[1] // HALVES
    line = np.linalg.qr(np.vander(np.arange(length) / length, 2))[0]
    parts = paths[:, : length * HALVES].reshape(-1, length, paths.shape[2])
    rest = parts - np.einsum("tk,sk,psm->ptm", line, line, parts)
    left = _left(ds, line) if name == "narrow_position" else 1.0
    return (rest**2).mean(1) / left


def _left(ds, line):
    """Share of each mode's variance that is left when its mean and trend are off (modes,)."""
    eta, beta, *_ = ds.narrow_at.values[0]
    k = np.arange(len(line))
    curves = autocorrelation(
        k[:, None], ds.narrow_curvature.values, learning_rate=eta, momentum=beta
    )
    lags = np.abs(k[:, None] - k)
    return np.array([1 - np.sum(line * (row[lags] @ line)) / len(k) for row in curves.T])


@reads_dataset
def narrow_mode_slope(ds, name, *, level=LEVEL) -> Interval:
    """Return the slope of ln variance against ln curvature over the watched eigenvectors.

    Args:
        ds: result of `network_limits.run` with the runs that are kept.
        name: "narrow_position" or "narrow_move".
        level: of the interval, over halves of the runs.
    """
    return pooled_slope(ds.narrow_curvature.values, narrow_variances(ds, name), level=level)


@reads_dataset
def narrow_noise_slope(ds, *, level=LEVEL) -> Interval:
    """Return the slope of ln q^T Sigma q of batches of 32 against ln curvature, over draws."""
    rows = ds.narrow_mode_noise.sel(narrow_batch=EPOCH).values
    return pooled_slope(ds.narrow_curvature.values, rows, level=level)


@reads_dataset
def narrow_energy(ds, *, level=LEVEL) -> Interval:
    """Return kinetic over potential energy of the watched eigenvectors, over halves of the runs."""
    eta, beta, *_ = ds.narrow_at.values[0]
    move, place = (narrow_variances(ds, f"narrow_{name}") for name in ("move", "position"))
    kinetic, potential = move.sum(1), (place * ds.narrow_curvature.values).sum(1)
    unit = equipartition(1.0, 1.0, 1.0, learning_rate=eta, momentum=beta)
    return scaled(ratio_interval(kinetic, potential, level=level), 1 / unit)
