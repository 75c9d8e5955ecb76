"""Escape over the saddle, axis and distance from it, by the Fokker-Planck operator.

The generator is that of Eq. (12) on a rectangle around the valley; unless said otherwise paths are
gone where the loss on the axis is back at its value in the minimum, beyond the saddle.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from sgdescape.core.fokker_planck import operators as fp
from sgdescape.kramers_escape import landscape as losses
from sgdescape.kramers_escape.landscape import Landscape, valley
from sgdescape.kramers_escape.measure.line import grid_limit, reach

READINGS = {"loss": losses.separable_loss, "log loss": losses.separable_log_loss}
_NEGLIGIBLE = 20.0  # walls stand where the density is exp(-20) of that at the saddle


def in_plane(config) -> xr.Dataset:
    """Measure escape rates in two dimensions with the Fokker-Planck operator.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``plane_rate`` (reading, ratio, plane_noise) per t, for both readings of Eq. (19);
        ``space_rate`` (plane_noise): two transverse directions of ratio 1/2, the loss separates;
        ``plane_error`` and ``space_error``: of the grids.
    """
    rates = [
        [
            [
                rate(valley(config, transverse=(rho,)), loss, noise=a, cells=config.plane_cells)
                for a in config.plane_noises
            ]
            for rho in config.ratios
        ]
        for loss in READINGS.values()
    ]
    three = valley(config, transverse=(0.5, 0.5))
    space = [
        rate(three, losses.separable_loss, noise=a, cells=config.plane_cells)
        for a in config.plane_noises
    ]
    where, rates, space = ("reading", "ratio", "plane_noise"), np.array(rates), np.array(space)
    return xr.Dataset(
        {
            "plane_rate": (where, rates[..., 0], {"units": "1 / t"}),
            "plane_error": (where, rates[..., 1], {"units": "1 / t"}),
            "space_rate": ("plane_noise", space[:, 0], {"units": "1 / t"}),
            "space_error": ("plane_noise", space[:, 1], {"units": "1 / t"}),
        },
        coords={
            "reading": list(READINGS),
            "ratio": list(config.ratios),
            "plane_noise": list(config.plane_noises),
        },
    )


def hot(config) -> xr.Dataset:
    """Measure escape rates over a saddle whose direction is much softer than the one across it.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``hot_log`` (hot_noise): log of the rate per t for h_j = hot_ratio h_e, the loss
        separates, and its error ``hot_error``. In logarithms, because the grids' errors are.
    """
    shape = valley(config, transverse=(config.hot_ratio,))
    found = [
        grid_limit(
            np.log(grid_rates(shape, losses.separable_loss, noise=a, cells=config.hot_cells))
        )
        for a in config.hot_noises
    ]
    logs, errors = np.transpose(found)
    return xr.Dataset(
        {
            "hot_log": ("hot_noise", logs, {"units": "log of 1 / t"}),
            "hot_error": ("hot_noise", errors),
        },
        coords={"hot_noise": list(config.hot_noises)},
    )


def rate(
    shape: Landscape,
    loss: Callable,
    *,
    noise: float,
    cells: tuple[int, int],
    end: float | None = None,
) -> tuple[float, float]:
    """Return 1 over the mean time from the minimum to a place on the axis, and its error.

    Three grids, each with twice the cells of the one before both ways: see `grid_limit`.

    Args:
        shape: the valley; its transverse curvatures must be equal.
        loss: `landscape.separable_loss`, or with one transverse direction
            `landscape.separable_log_loss`.
        noise: B/(eta h_e*).
        cells: of the middle grid along and across the axis, even numbers.
        end: z_e at which paths are gone, `Landscape.crossing` if None.
    """
    return grid_limit(grid_rates(shape, loss, noise=noise, cells=cells, end=end))


def grid_rates(shape, loss, *, noise, cells, end=None) -> list[float]:
    """Return the rates of `rate` on three grids, the second of them with the given cells."""
    sizes = (cells[0] // 2, cells[1] // 2), cells, (2 * cells[0], 2 * cells[1])
    return [
        1 / passage_time(generator(shape, loss, noise=noise, cells=size, end=end)) for size in sizes
    ]


def passage_time(found: fp.Generator) -> float:
    """Return the mean time to absorption from the minimum, in t."""
    times = fp.mean_first_passage(found)
    start = int(np.argmin(np.abs(found.centres[0])))
    return float(times[start, 0])


def generator(
    shape: Landscape,
    loss: Callable,
    *,
    noise: float,
    cells: tuple[int, int],
    end: float | None = None,
) -> fp.Generator:
    """Return the generator of Eq. (12) for z_e and the distance y from its axis.

    With m equal transverse directions the distance has the additional drift (m - 1) T_j L/y.

    Args:
        shape: see `rate`.
        loss: see `rate`.
        noise: B/(eta h_e*).
        cells: along and across the axis.
        end: see `rate`.

    Raises:
        ValueError: for transverse curvatures that differ.
    """
    if len(set(shape.transverse)) != 1:
        raise ValueError(f"transverse curvatures must be equal: got {shape.transverse}")
    more, shape = len(shape.transverse) - 1, replace(shape, transverse=shape.transverse[:1])
    end = shape.crossing if end is None else end
    h, across = shape.curvature_minimum, shape.transverse[0]
    temperatures = 1 / noise, across / (h * noise)
    left, top = walls(shape, loss, noise)

    def drift(z, y):
        step = 1e-6 * shape.saddle  # the losses are polynomials: no harm from differences
        along = (loss(shape, z + step, y) - loss(shape, z - step, y)) / (2 * step)
        beside = (loss(shape, z, y + step) - loss(shape, z, y - step)) / (2 * step)
        return -along, -beside + more * temperatures[1] * loss(shape, z, y) / y

    def diffusion(z, y):
        here = loss(shape, z, y)
        return temperatures[0] * here, temperatures[1] * here

    edges_z = np.linspace(left, end, cells[0] + 1)
    width = 1.5 * np.sqrt(shape.minimum_loss / (h * noise))
    edges_y = width * np.sinh(np.linspace(0, np.arcsinh(top / width), cells[1] + 1))
    return fp.operator_2d(drift, diffusion, edges_z, edges_y, right="absorbing")


def walls(shape: Landscape, loss: Callable, noise: float) -> tuple[float, float]:
    r"""Return where the density is negligible: left of the minimum, and across at the minimum.

    A direction of temperature rho/a reaches the loss L with the chance (L/L*)^(-a/rho), so that
    the upper wall of a hot direction, rho > 1, stands at :math:`L^*(ce^{20/a})^{\rho}`.

    Args:
        shape: the valley.
        loss: see `rate`.
        noise: a = B/(eta h_e*).
    """
    high = shape.loss_ratio * np.exp(_NEGLIGIBLE / noise)
    hot = max(shape.transverse[0] / shape.curvature_minimum, 1.0)
    across = np.geomspace(1e-3, 1e6, 9001) * shape.saddle
    top = across[np.argmax(loss(shape, 0.0, across) >= shape.minimum_loss * high**hot)]
    return -reach(shape, shape.minimum_loss * high), float(top)
