"""Escape over the saddle, axis and distance from it, by the Fokker-Planck operator.

The generator is that of Eq. (12) on a rectangle around the valley; unless said otherwise paths are
gone where the loss on the axis is back at its value in the minimum, beyond the saddle.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sgdescape.core.fokker_planck import operators as fp
from sgdescape.kramers_escape.theory import landscape as losses
from sgdescape.kramers_escape.theory.landscape import Landscape

_NEGLIGIBLE = 20.0  # walls stand where the density is exp(-20) of that at the saddle


def rate(
    shape: Landscape,
    loss: Callable,
    *,
    noise: float,
    cells: tuple[int, int],
    end: float | None = None,
) -> float:
    """Return 1 over the mean time from the minimum to a place on the axis, error of 1/cells^4.

    Two grids, the second with twice the cells each way; their second-order errors cancel.

    Args:
        shape: the valley; its transverse curvatures must be equal.
        loss: `landscape.separable_loss`, or with one transverse direction
            `landscape.separable_log_loss`.
        noise: B/(eta h_e*).
        cells: of the coarse grid along and across the axis.
        end: z_e at which paths are gone, `Landscape.crossing` if None.
    """
    coarse, fine = (
        1 / passage_time(generator(shape, loss, noise=noise, cells=n, end=end))
        for n in (cells, (2 * cells[0], 2 * cells[1]))
    )
    return fine + (fine - coarse) / 3


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
    high = shape.loss_ratio * shape.minimum_loss * np.exp(_NEGLIGIBLE / noise)
    left, top = walls(shape, loss, high)

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


def walls(shape: Landscape, loss: Callable, high: float) -> tuple[float, float]:
    """Return where the loss reaches a value: left of the minimum, and across at the saddle."""
    along = -np.geomspace(1e-3, 1e3, 4001) * shape.saddle
    across = -along
    left = along[np.argmax(losses.path_loss(shape, along) >= high)]
    top = across[np.argmax(loss(shape, 0.0, across) >= high)]
    return float(left), float(top)
