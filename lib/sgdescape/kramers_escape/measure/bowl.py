"""Exact times in parabolic bowls: n equal directions, and two unequal ones far from the minimum."""

import numpy as np
import xarray as xr
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import brentq

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck import quadrature
from sgdescape.kramers_escape.measure.line import grid_limit


@door
def circle_slope(ratio: float, *, noise: float, cells: int = 4000) -> float:
    r"""Return the growth exponent of the passage time in a two-dimensional bowl, Eq. (circle).

    Far from the minimum L* is negligible and Eq. (12) has no length scale: a mean of |z|^p neither
    grows nor decays for one p > 0, and the mean time to L = c L* grows as c^(p/2). With
    x_i = z_i/sqrt(h_i) = r (cos, sin) the angular factor of that mean obeys, h_e = 1, h_j = rho,

    .. math:: \frac{\eta m}{2B}(\psi''+p^2\psi)-kp\,\psi+(1-\rho)\sin\cos\psi' = 0,

    m = cos^2 + rho^2 sin^2, k = cos^2 + rho sin^2. No weak-noise assumption enters.

    Args:
        ratio: rho in (0, 1].
        noise: B/(eta h_e), at least 1/2.
        cells: of the quarter circle, at least 8; the error is of order 1/cells^2.

    Returns:
        p/2.

    Raises:
        ValueError: for an argument outside its range.

    Example:
        >>> round(circle_slope(1.0, noise=20.0, cells=400), 6)  # isotropic: a + 1 - n/2
        20.0
    """
    ratio = float(validate.each_between("ratio", validate.positive("ratio", ratio), 0, 1))
    a = float(validate.each_at_least("noise", validate.positive("noise", noise), 0.5))
    step = np.pi / 2 / validate.count("cells", cells, low=8)
    angle = (np.arange(cells) + 0.5) * step
    cos, sin = np.cos(angle), np.sin(angle)
    m, k = cos**2 + ratio**2 * sin**2, cos**2 + ratio * sin**2
    drift = -(1 - ratio) * a * sin * cos / m  # removes the first derivative: symmetric problem
    turn = -(1 - ratio) * a * ((cos**2 - sin**2) / m + 2 * (1 - ratio**2) * (sin * cos / m) ** 2)

    def lowest(p):
        potential = p**2 + turn - drift**2 - 2 * a * k * p / m
        diagonal = 2 / step**2 - potential
        diagonal[[0, -1]] -= 1 / step**2  # mirror symmetry at both axes
        ends = {"select": "i", "select_range": (0, 0), "eigvals_only": True}
        return eigh_tridiagonal(diagonal, np.full(cells - 1, -1 / step**2), **ends)[0]

    return brentq(lowest, 1.2 * a, 2 * (a + 2), xtol=1e-11 * a) / 2


def far_bowl(config) -> xr.Dataset:
    """Measure the growth exponent of the passage time in a parabolic bowl, large loss ratio.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``circle`` (ratio, circle_noise): the exponent of c, from three grids, and
        ``circle_error``; NaN for ratios above 1.
    """
    found = np.full((2, len(config.ratios), len(config.circle_noises)), np.nan)
    for i, rho in enumerate(config.ratios):
        for j, a in enumerate(config.circle_noises):
            if rho <= 1:
                grids = [circle_slope(rho, noise=a, cells=n) for n in (1000, 2000, 4000)]
                found[:, i, j] = grid_limit(grids)
    where = ("ratio", "circle_noise")
    return xr.Dataset(
        {"circle": (where, found[0]), "circle_error": (where, found[1])},
        coords={"ratio": list(config.ratios), "circle_noise": list(config.circle_noises)},
    )


def isotropic_bowl(config) -> xr.Dataset:
    """Measure mean times to a level of the loss in parabolic bowls of n equal curvatures h = 1.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``bowl_time`` (dimension, level) in t, by quadrature in log |z|.
    """
    temperature, low = 1 / config.bowl_noise, config.minimum_loss

    def mean_time(n, level):
        def diffusion(x):
            return temperature * (low * np.exp(-2 * x) + 0.5)  # T L/|z|^2

        end = np.log(2 * low * (level - 1)) / 2
        return quadrature.passage(
            lambda x: (n - 2) * diffusion(x) - 1, diffusion, -8.0, left=-20.0, right=end
        ).time

    times = [[mean_time(n, c) for c in config.levels] for n in config.dimensions]
    return xr.Dataset(
        {"bowl_time": (("dimension", "level"), np.array(times), {"units": "t"})},
        coords={"dimension": list(config.dimensions), "level": list(config.levels)},
    )
