"""Exact times and rates in one dimension: quadrature, and the Fokker-Planck operator."""

import numpy as np
import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.fokker_planck import operators as fp
from sgdescape.core.fokker_planck import quadrature
from sgdescape.kramers_escape import landscape as losses
from sgdescape.kramers_escape.landscape import Landscape, valley

STEP = 0.01  # of log h between minima compared for their curvature


@door
def log_times(shape: Landscape, noise: float) -> tuple[float, float, float]:
    """Return logs of mean times: t to the saddle, t and tau to beyond it, Eq. (escape-time).

    Args:
        shape: the valley; only its escape axis counts.
        noise: B/(eta h_e*).
    """
    ends = {"left": left_end(shape, noise)}

    def drift(z):
        return -losses.path_slope(shape, z)

    def loss(z):
        return losses.path_loss(shape, z)

    found = [
        quadrature.passage(drift, lambda z: loss(z) / noise, 0.0, right=end, **ends)
        for end in (shape.saddle, shape.crossing)
    ]
    found.append(
        quadrature.passage(
            lambda z: drift(z) / loss(z),
            lambda z: np.full_like(z, 1 / noise),
            0.0,
            right=shape.crossing,
            **ends,
        )
    )
    return tuple(one.log_time for one in found)


def on_axis(config) -> xr.Dataset:
    """Measure mean passage times in one dimension.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``log_time`` (noise, event) by quadrature; ``line_rate`` (noise): slowest mode of the
        Fokker-Planck operator times the exact mean time, and ``line_rate_error``;
        ``log_power`` (noise, loss_ratio): log of the mean time to beyond the saddle for other
        saddles.
    """
    shape = valley(config)
    times = [log_times(shape, a) for a in config.noises]
    modes = np.array([slowest_mode(shape, a, config.line_cells) for a in config.noises])
    rates, errors = (modes * np.exp(np.array(times)[:, 1:2])).T
    power = [
        [log_times(valley(config, loss_ratio=c), a)[1] for c in config.loss_ratios]
        for a in config.noises
    ]
    return xr.Dataset(
        {
            "log_time": (("noise", "event"), np.array(times), {"units": "log of t, or of tau"}),
            "line_rate": ("noise", rates, {"units": "1 / mean time"}),
            "line_rate_error": ("noise", errors, {"units": "1 / mean time"}),
            "log_power": (("noise", "loss_ratio"), np.array(power), {"units": "log of t"}),
        },
        coords={
            "noise": list(config.noises),
            "event": ["saddle", "beyond", "beyond, in tau"],
            "loss_ratio": list(config.loss_ratios),
        },
    )


def slowest_mode(shape: Landscape, noise: float, cells: int) -> tuple[float, float]:
    """Return the escape rate per t of the absorbing operator by `grid_limit`, and its error.

    Args:
        shape: the valley; only its escape axis counts.
        noise: B/(eta h_e*).
        cells: of the middle grid.
    """
    temperature = 1 / noise

    def rate(number):
        edges = np.linspace(left_end(shape, noise), shape.crossing, number + 1)
        found = fp.operator_1d(
            lambda z: -losses.path_slope(shape, z),
            lambda z: temperature * losses.path_loss(shape, z),
            edges,
            right="absorbing",
        )
        return fp.escape_rate(found)

    return grid_limit([rate(n) for n in (cells // 2, cells, 2 * cells)])


def grid_limit(values) -> tuple[float, float]:
    """Return the limit of zero cell width from three grids, and a bound of its error.

    Second-order errors cancel between two grids. The extrapolations from the first two and from
    the last two are compared; if what is left falls at second order or faster, a third of their
    difference bounds it.

    Args:
        values: (3,), each from twice as many cells as the one before.

    Example:
        >>> value, error = grid_limit([1 + 1 / n**2 + 1 / n**4 for n in (4, 8, 16)])
        >>> abs(value - 1) < error < 1e-3
        True
    """
    first, second, third = values
    before, found = second + (second - first) / 3, third + (third - second) / 3
    return found, abs(found - before) / 3


def curvature_bias(config) -> xr.Dataset:
    """Measure how the escape time depends on the curvature of the minimum, all else fixed.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``log_bias`` (curvature): log of the mean time in t at fixed eta, B, L*, c and h_e^s.
    """
    middle = -np.log(-config.curvature_saddle) / 2  # h between |h_s| and 2 |h_s|
    h = np.exp(-middle + STEP * np.array([-2, -1, 0, 1, 2]))
    found = []
    for curvature in h:
        shape = valley(config, curvature_minimum=float(curvature))
        found.append(log_times(shape, config.bias_noise / curvature)[1])
    return xr.Dataset({"log_bias": ("curvature", found)}, coords={"curvature": h})


def linear_barrier_time(shape: Landscape, noise: float) -> float:
    """Return the exact mean time to beyond the saddle for additive noise, Eq. (5), in t.

    The noise is that of the minimum everywhere, D = eta h_e* L*/B; a separable loss.

    Args:
        shape: the valley; only its escape axis counts.
        noise: B/(eta h_e*).
    """
    diffusion = shape.minimum_loss / noise
    return quadrature.passage(
        lambda z: -losses.path_slope(shape, z),
        lambda z: np.full_like(z, diffusion),
        0.0,
        left=-reach(shape, shape.loss_ratio * shape.minimum_loss + 30 * diffusion),
        right=shape.crossing,
    ).time


def reach(shape: Landscape, level: float) -> float:
    """Return the distance left of the minimum at which the loss on the axis reaches a level.

    Args:
        shape: the valley; only its escape axis counts.
        level: of the loss.
    """
    steps = np.geomspace(1e-3, 1e4, 8001) * shape.saddle
    return float(steps[np.argmax(losses.path_loss(shape, -steps) >= level)])


def left_end(shape: Landscape, noise: float) -> float:
    """Return the left end, where the density of Eq. (12) is exp(-30) of that at the saddle."""
    return -reach(shape, shape.loss_ratio * shape.minimum_loss * np.exp(30 / noise))
