"""From samples to values: slopes along paths, barriers, limits, with intervals where sampled."""

import numpy as np
from scipy.integrate import simpson

from sgdescape.core import validate
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import Interval, bootstrap_interval, computed

RESAMPLES = 200
"""Of the images of a trained network."""


def noise_slopes(residual, slope, path_residual, path_slope, eigenvalue):
    """Return the slope of B Sigma_ee / (2 h) against L along each path, both sides averaged.

    The average over both sides removes the odd part of the noise, E[r g^3], on any data.

    Args:
        residual: f - y at the minimum (n,).
        slope: derivatives of f there (n, paths).
        path_residual: f - y at the displaced points (n, paths, 2, points).
        path_slope: derivatives of f there, same shape.
        eigenvalue: h (paths,).

    Returns:
        Least-squares slopes (paths,), and the losses and noises they are fitted to, each
        (paths, points + 1), the minimum first.
    """
    loss0 = np.full((slope.shape[1], 1), np.mean(residual**2) / 2)
    noise0 = np.var(residual[:, None] * slope, axis=0)[:, None]
    losses = np.hstack([loss0, (path_residual**2).mean(axis=0).mean(axis=1) / 2])
    noises = np.hstack([noise0, (path_residual * path_slope).var(axis=0).mean(axis=1)])
    noises /= 2 * eigenvalue[:, None]
    centred = losses - losses.mean(axis=1, keepdims=True)
    return (centred * noises).sum(axis=1) / (centred**2).sum(axis=1), losses, noises


def barrier(loss_ratios, variances, *, seed: int = 0) -> Interval:
    r"""Return the barrier :math:`\int dc/v(c)` of sampled noise, in units of B/(eta h).

    Simpson's rule on the mean over the groups of v = B Sigma_ee/(2 h L*); its error from resampled
    groups. (The mean of the groups' own barriers would be too large: 1/v is convex.)

    Args:
        loss_ratios: c, increasing and equally spaced (points,), an odd number of at least 3.
        variances: v at these points (points, groups), positive.
        seed: of the resampling.

    Raises:
        ValueError: if a variance is not positive or the shapes do not match.

    Example:
        >>> round(barrier([1.0, 2.0, 3.0], [[2.0, 2.0], [2.0, 2.0], [2.0, 2.0]]).value, 9)
        1.0
    """
    c = validate.finite("loss_ratios", loss_ratios)
    v = validate.each_positive("variances", variances)
    if v.ndim != 2 or v.shape[0] != c.size:
        raise ValueError(f"variances must be ({c.size}, groups): got {v.shape}")
    return bootstrap_interval(v.T, lambda rows: simpson(1 / rows.mean(axis=0), x=c), seed=seed)


def order(steps, errors) -> Interval:
    """Return the order at which exact errors fall with the step: the limit of local slopes.

    One step of Richardson's extrapolation from the two finest local slopes, whose distance to the
    finest one is taken as its error.

    Args:
        steps: positive, falling by a factor of two each (n,), n at least 3.
        errors: positive (n,).

    Example:
        >>> round(order([4.0, 2.0, 1.0], [16.0, 4.0, 1.0]).value, 9)
        2.0
    """
    log_step = np.log(validate.each_positive("steps", steps))
    slopes = np.diff(np.log(validate.each_positive("errors", errors))) / np.diff(log_step)
    change = slopes[-1] - slopes[-2]
    value = slopes[-1] + change
    return computed(value, value - abs(change), value + abs(change), "extrapolated local slopes")


def rate_spread(slopes, kurtoses) -> float:
    """Return u of the least-squares fit slope - 1 = u (kurtosis - 2): 1 if slope = kurtosis - 1.

    It is 0 if all slopes are 1 up to errors unrelated to the kurtosis.

    Args:
        slopes: growth rates of the noise with the loss (paths,).
        kurtoses: of the output's derivative (paths,), not all 2.

    Raises:
        ValueError: if all kurtoses are 2.

    Example:
        >>> rate_spread([0.5, 2.0], [1.5, 3.0])
        1.0
    """
    x = validate.finite("kurtoses", kurtoses) - 2
    if not np.any(x):
        raise ValueError("kurtoses must not all be 2: there the two rates agree")
    return float(x @ (validate.finite("slopes", slopes) - 1) / (x @ x))


def coupling(losses, sizes, *, factor: float = 1.0, resamples: int = 1000) -> Interval:
    """Return factor x mean(loss size) / (mean(loss) mean(size)), its error from resampled images.

    It is the factor where loss and squared gradient of an image are uncorrelated, Eq. (7).

    Args:
        losses: of each image, in any unit (n,).
        sizes: squared gradients of the outputs (n,).
        factor: in units of which.
        resamples: of the bootstrap.

    Example:
        >>> coupling([1.0, 1.0], [2.0, 4.0], factor=2.0).value
        2.0
    """
    rows = np.stack([losses, sizes], axis=1)

    def ratio(chosen):
        return factor * (np.mean(chosen[:, 0] * chosen[:, 1]) / np.prod(chosen.mean(axis=0)))

    return bootstrap_interval(rows, ratio, resamples=resamples)


@reads_dataset
def alignment_exponent(ds) -> Interval:
    """Return the power of the curvature that the noise follows over the leading directions."""
    log_h = np.log(ds.curvature.values)
    rows = np.column_stack([ds.residual.values, ds.slope.values])

    def exponent(a):
        return np.polyfit(log_h, np.log(np.var(a[:, :1] * a[:, 1:], axis=0)), 1)[0]

    return bootstrap_interval(rows, exponent, resamples=RESAMPLES)


@reads_dataset
def alignment_predicted(ds) -> float:
    """Return the same power of the noise that `predict` has put beside the measured one."""
    log_h, log_noise = np.log(ds.curvature.values), np.log(ds.noise_theory.values)
    return round(np.polyfit(log_h, log_noise, 1)[0], 9)


@reads_dataset
def group_slopes(ds, law) -> np.ndarray:
    """Return the slope of the sampled noise against c = L/L* in each group of draws (groups,)."""
    return _weights(ds) @ ds.variance.sel(law=law).values


@reads_dataset
def predicted_slope(ds, law) -> float:
    """Return the slope of the predicted noise over the same c."""
    return float(_weights(ds) @ ds.variance_theory.sel(law=law).values)


@reads_dataset
def over_paths(ds, statistic) -> Interval:
    """Return a statistic of (rates, kurtoses + prediction's error), by resampling the images.

    The kurtosis of a resample is the theory's value, moved with the sample's own: a wrong formula
    in `predict` stays wrong in every resample.

    Args:
        ds: result of `noise_covariance.run`.
        statistic: of growth rates (paths,) and kurtoses (paths,), a number.
    """
    paths, points = ds.sizes["path"], ds.sizes["loss_ratio_n"]
    h, slope = ds.eigenvalue.values[:paths], ds.slope.values[:, :paths]
    moved = [a.values.reshape(len(slope), -1) for a in (ds.path_residual, ds.path_slope)]
    rows = np.column_stack([ds.residual.values, slope, *moved])
    offset = ds.path_slope_theory.values + 1 - _kurtosis(slope)

    def found(a):
        r, g, displaced = a[:, 0], a[:, 1 : 1 + paths], a[:, 1 + paths :]
        parts = (m.reshape(-1, paths, 2, points) for m in np.split(displaced, 2, axis=1))
        rates, _, _ = noise_slopes(r, g, *parts, h)
        return statistic(rates, _kurtosis(g) + offset)

    return bootstrap_interval(rows, found, resamples=RESAMPLES)


def rate_gap(rates, kurtoses) -> float:
    """Return the mean of growth rate less kurtosis - 1 over the paths."""
    return float(np.mean(rates - kurtoses + 1))


def _weights(ds):
    """Of the least-squares slope against c."""
    c = ds.loss_ratio.values
    return (c - c.mean()) / np.sum((c - c.mean()) ** 2)


def _kurtosis(g):
    return np.mean(g**4, axis=0) / np.mean(g**2, axis=0) ** 2
