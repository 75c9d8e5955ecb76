"""Laws of chapter `random_time_change` from the Fokker-Planck operator: no formula under test.

The operator is given drift and noise of an equation, and its discrete stationary law, its matrix
exponential and its mean passage time are what they are.
"""

import numpy as np
import xarray as xr
from scipy.linalg import expm

from sgdescape.core.fokker_planck import operators as fokker_planck
from sgdescape.random_time_change.config import CONVENTIONS

RANGE = 200.0  # |theta| of the stationary laws; the tail beyond holds 1e-6 of the mass at most
_CELLS = 400


def slow_operator(config, edges, *, floor=None, point=0.0, right="reflecting"):
    """Return the operator of Eq. (12) in one dimension, read with a convention's ``point``.

    Args:
        config: the chapter's `Config`.
        edges: of the cells (cells + 1,).
        floor: L*; the configuration's unless given.
        point: alpha; the reading adds alpha times half the derivative of the noise's square.
        right: boundary condition at the last edge.
    """
    floor, h = config.minimum_loss if floor is None else floor, config.curvature
    noise = config.learning_rate * h / config.batch_size

    def drift(z):  # D = noise * L, and the noise's square is 2 D
        return -h * z + point * noise * h * z

    def diffusion(z):
        return noise * (floor + h * z**2 / 2)

    return fokker_planck.operator_1d(drift, diffusion, edges, right=right)


def fast_operator(config, edges):
    """Return the operator of Eq. (14) in one dimension.

    Args:
        config: the chapter's `Config`.
        edges: of the cells (cells + 1,).
    """
    h = config.curvature
    noise = config.learning_rate * h / config.batch_size
    return fokker_planck.operator_1d(
        lambda z: -h * z / (config.minimum_loss + h * z**2 / 2), lambda z: noise + 0 * z, edges
    )


def stretched(reach, *, width, cells, both=True):
    """Return edges that are ``width`` / cells apart near 0 and grow with the distance."""
    end = np.arcsinh(reach / width)
    return width * np.sinh(np.linspace(-end if both else 0.0, end, cells + 1))


def stationary_laws(config, *, cells: int = _CELLS) -> xr.Dataset:
    """Return the stationary densities of Eq. (14) and of Eq. (12) in three readings.

    Args:
        config: the chapter's `Config`.
        cells: of the operator's grid.

    Returns:
        ``operator_density`` (law, cell): density at theta = ``cell``; laws "tau" and the names of
        the conventions.
    """
    edges = stretched(RANGE, width=0.5, cells=cells)
    operators = [fast_operator(config, edges)]
    operators += [slow_operator(config, edges, point=point) for point in CONVENTIONS.values()]
    densities = [fokker_planck.stationary(a) / a.volumes for a in operators]
    return xr.Dataset(
        {"operator_density": (("law", "cell"), np.array(densities))},
        coords={"law": ["tau", *CONVENTIONS], "cell": operators[0].centres[0]},
    )


def laws_at_time(config, *, cells: int = _CELLS) -> xr.Dataset:
    """Return distribution functions of |theta|: Eq. (12) at t, Eq. (14) at two fixed tau.

    Args:
        config: the chapter's `Config`.
        cells: of the operator's grid.

    Returns:
        ``law_cdf`` (reading, law_radius), and ``rival_distance`` (rival): the largest difference of
        the two wrong readings from the first.
    """
    edges = stretched(40.0 * config.start, width=config.start, cells=cells)
    slow, fast = slow_operator(config, edges), fast_operator(config, edges)
    centres = slow.centres[0]
    # the start is shared between two cells so that its mean is exact
    cell = int(np.searchsorted(centres, config.start))
    start = np.zeros(len(centres))
    share = (config.start - centres[cell - 1]) / (centres[cell] - centres[cell - 1])
    start[cell - 1 : cell + 1] = 1 - share, share
    readings = {
        "Eq. (12)": (slow, config.law_time),
        "tau = t": (fast, config.law_time),
        "tau = L* t": (fast, config.minimum_loss * config.law_time),
    }
    radius = np.linspace(0, 6 * config.start, 241)
    functions = []
    for operator, time in readings.values():
        law = expm(operator.matrix.toarray() * time) @ start
        below = np.concatenate([[0.0], np.cumsum(law)])
        functions.append(np.interp(radius, edges, below) - np.interp(-radius, edges, below))
    functions = np.array(functions)
    return xr.Dataset(
        {
            "law_cdf": (("reading", "law_radius"), functions),
            "rival_distance": ("rival", np.abs(functions[1:] - functions[0]).max(axis=1)),
        },
        coords={"reading": list(readings), "rival": list(readings)[1:], "law_radius": radius},
    )


def regularised(config, *, cells=(400, 800)) -> xr.Dataset:
    """Return mean passage times by which the role of the loss at the minimum is judged.

    Args:
        config: the chapter's `Config`.
        cells: of the two grids.

    Returns:
        ``floor_passage`` (grid, floor): mean t from the minimum of L = epsilon + h theta^2 / 2
        until h theta^2 = 1; ``shifted_passage`` (grid, shift): until c L* from a minimum of
        positive loss L*, to which so much of L* is added; ``equal_barrier`` (grid, minimum): until
        the loss has risen by ``barrier_height``.
    """
    h, floor = config.curvature, config.minimum_loss
    height = floor * (config.loss_ratio - 1)
    cases = {
        "floor_passage": [(f, 0.5) for f in config.floors],
        "shifted_passage": [(floor * (1 + s), height) for s in (0.0, *config.shifts)],
        "equal_barrier": [(low, config.barrier_height) for low in config.minimum_losses],
    }
    names = {"floor_passage": "floor", "shifted_passage": "shift", "equal_barrier": "minimum"}
    found = {
        name: [[_rise_time(config, low, rise, h, count) for low, rise in rows] for count in cells]
        for name, rows in cases.items()
    }
    return xr.Dataset(
        {name: (("grid", names[name]), np.array(values)) for name, values in found.items()},
        coords={
            "grid": list(cells),
            "floor": list(config.floors),
            "shift": [0.0, *config.shifts],
            "minimum": list(config.minimum_losses),
        },
    )


def _rise_time(config, minimum, rise, curvature, cells):
    """Mean t of Eq. (12) until the loss has risen by so much above its minimum."""
    width = np.sqrt(min(minimum, rise) / curvature)
    edges = stretched(np.sqrt(2 * rise / curvature), width=width, both=False, cells=cells)
    operator = slow_operator(config, edges, floor=minimum, right="absorbing")
    return fokker_planck.mean_first_passage(operator)[0]
