"""What the proof assumes on the way: slow laws, widths in the well, where paths leave, Arrhenius.

All from Fokker-Planck operators and quadrature; no formula of `theory` is used here.
"""

import numpy as np
import xarray as xr

from sgdescape.core.fokker_planck import operators as fp
from sgdescape.core.fokker_planck import quadrature
from sgdescape.kramers_escape import landscape as losses
from sgdescape.kramers_escape.estimates import LAW_NOISE, WIDTH_RATIO
from sgdescape.kramers_escape.landscape import Landscape, valley
from sgdescape.kramers_escape.measure.line import grid_limit, left_end, reach
from sgdescape.kramers_escape.measure.plane import generator


def langevin(config) -> xr.Dataset:
    """Measure escapes of Langevin dynamics, Eq. (5), with the noise D = L*/(B/(eta h_e*)).

    Args:
        config: the chapter's `Config`.

    Returns:
        ``langevin_log_time`` (noise, langevin_event): log of the mean time in t to the saddle and
        beyond it; ``langevin_log_rate`` (noise): log of the slowest mode of the Fokker-Planck
        operator, and ``langevin_error`` of its grids.
    """
    shape, times, logs = valley(config), [], []
    for noise in config.noises:
        diffusion = shape.minimum_loss / noise
        left = -reach(shape, shape.loss_ratio * shape.minimum_loss + 30 * diffusion)
        found = [
            quadrature.passage(
                lambda z: -losses.path_slope(shape, z),
                lambda z, d=diffusion: np.full_like(z, d),
                0.0,
                left=left,
                right=end,
            ).log_time
            for end in (shape.saddle, shape.crossing)
        ]
        times.append(found)
        logs.append(_log_mode(shape, diffusion, left, config.line_cells))
    logs = np.array(logs)
    return xr.Dataset(
        {
            "langevin_log_time": (("noise", "langevin_event"), np.array(times)),
            "langevin_log_rate": ("noise", logs[:, 0]),
            "langevin_error": ("noise", logs[:, 1]),
        },
        coords={"noise": list(config.noises), "langevin_event": ["saddle", "beyond"]},
    )


def _log_mode(shape, diffusion, left, cells):
    def log_rate(number):
        found = fp.operator_1d(
            lambda z: -losses.path_slope(shape, z),
            lambda z: np.full_like(z, diffusion),
            np.linspace(left, shape.crossing, number + 1),
            right="absorbing",
        )
        return np.log(fp.escape_rate(found))

    return grid_limit([log_rate(n) for n in (cells // 2, cells, 2 * cells)])


def settled(config) -> xr.Dataset:
    """Measure how far the slowest mode is, in the valley, from the stationary law there.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``law_distance`` (law, grid): half of the summed differences of the two laws, each
        normalised up to the saddle, at ``LAW_NOISE``; "t" is the law of Eq. (12), "tau" that of
        Eq. (14), "additive" that of Eq. (5) with the noise of the minimum.
    """
    shape = valley(config)
    found = [
        [_distance(shape, law, config.line_cells * k) for k in (1, 2)]
        for law in ("t", "tau", "additive")
    ]
    return xr.Dataset(
        {"law_distance": (("law", "grid"), np.array(found))},
        coords={"law": ["t", "tau", "additive"]},
    )


def _distance(shape, law, cells):
    left, noise = left_end(shape, LAW_NOISE), LAW_NOISE
    width = (shape.saddle - left) / cells
    beyond = int(np.ceil((shape.crossing - shape.saddle) / width))
    inside = np.linspace(left, shape.saddle, cells + 1)
    outside = np.linspace(shape.saddle, shape.crossing, beyond + 1)[1:]

    def slope(z):
        return -losses.path_slope(shape, z)

    def loss(z):
        return losses.path_loss(shape, z)

    drift, diffusion = {
        "t": (slope, lambda z: loss(z) / noise),
        "tau": (lambda z: slope(z) / loss(z), lambda z: np.full_like(z, 1 / noise)),
        "additive": (slope, lambda z: np.full_like(z, shape.minimum_loss / noise)),
    }[law]
    edges = np.append(inside, outside)
    mode = fp.operator_1d(slope, lambda z: loss(z) / noise, edges, right="absorbing")
    slow = fp.quasi_stationary(mode).probability[:cells]
    kept = fp.stationary(fp.operator_1d(drift, diffusion, inside))
    return np.abs(slow / slow.sum() - kept / kept.sum()).sum() / 2


def exits(config) -> xr.Dataset:
    """Measure the slowest mode in the plane: its widths, and where across the saddle it flows out.

    Args:
        config: the chapter's `Config`.

    Returns:
        In units of L*/(B/eta): ``width`` (direction, plane_noise), variances along and across the
        axis for transverse curvature ``WIDTH_RATIO``; ``exit_square`` (exit_ratio, plane_noise),
        mean square distance from the axis of the current through the line of the saddle; and
        ``width_error``, ``exit_error`` of the grids.
    """
    ratios, units = (1.0, WIDTH_RATIO), {}
    for rho in ratios:
        shape = valley(config, transverse=(rho,))
        for noise in config.plane_noises:
            rows = [_moments(shape, noise, cells) for cells in _grids(config.plane_cells)]
            scale = noise / shape.minimum_loss
            limits = [grid_limit([row[i] * scale for row in rows]) for i in range(3)]
            units[rho, noise] = np.array(limits)
    table = np.array([[units[rho, a] for a in config.plane_noises] for rho in ratios])
    return xr.Dataset(
        {
            "width": (("direction", "plane_noise"), table[1, :, :2, 0].T),
            "width_error": (("direction", "plane_noise"), table[1, :, :2, 1].T),
            "exit_square": (("exit_ratio", "plane_noise"), table[:, :, 2, 0]),
            "exit_error": (("exit_ratio", "plane_noise"), table[:, :, 2, 1]),
        },
        coords={
            "direction": ["along", "across"],
            "exit_ratio": list(ratios),
            "plane_noise": list(config.plane_noises),
        },
    )


def _grids(cells):
    return [(cells[0] // 2, cells[1] // 2), cells, (2 * cells[0], 2 * cells[1])]


def _moments(shape: Landscape, noise, cells):
    """Variances along and across of the slowest mode, and of the current at the saddle's line."""
    found = generator(shape, losses.separable_loss, noise=noise, cells=cells)
    law = fp.quasi_stationary(found).probability
    z, y = found.centres
    mass = law.sum()
    mean = (law.sum(axis=1) * z).sum() / mass
    along = (law.sum(axis=1) * (z - mean) ** 2).sum() / mass
    across = (law.sum(axis=0) * y**2).sum() / mass
    flow = fp.currents(found, law)[0]
    faces = (z[1:] + z[:-1]) / 2
    squares = (flow * y**2).sum(axis=1) / flow.sum(axis=1)
    near = np.argsort(np.abs(faces - shape.saddle))[:4]
    near.sort()
    fit = np.polyfit(faces[near] - shape.saddle, squares[near], 2)
    return along, across, fit[-1]
