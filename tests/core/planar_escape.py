r"""Escape of SDE (12) in the plane, where curvatures differ: solver recipes and their WKB answers.

:math:`L = L^*+V(x)+\tfrac12h_2y^2` with noise :math:`D = \varepsilon L\,\mathrm{diag}(h_1,h_2)`,
:math:`\varepsilon = \eta/B`. Near the path y = 0 the quasi-stationary law is
:math:`K(x)\,e^{-W/\varepsilon}`, :math:`W = h_1^{-1}\log L+\tfrac12(g/L)y^2`, and the next orders
of the Fokker-Planck equation give, with :math:`\rho = h_2/h_1`,
:math:`V'g' = (V'^2/L)(g-\rho)+2h_2(g-g^2)`, g = 1 at the minimum, and
:math:`(\log LK)' = h_2(1-g)/V'`. Equal curvatures keep g = 1; otherwise the powers and prefactors
of Mori et al.'s Theorem 4.7 change. All lengths are such that the curvature along the path is h_1.
"""

import numpy as np
from scipy import integrate, linalg, optimize

from sgdescape.core import validate
from sgdescape.core.fokker_planck.operators import mean_first_passage, operator_1d, operator_2d


def effective_dimension(curvature_ratio) -> float:
    r"""Return :math:`1+\tfrac12[1+\rho-\sqrt{(1-\rho)(1+3\rho)}]`, a quadratic bowl's as c grows.

    Args:
        curvature_ratio: rho = h_2/h_1, transverse over escape direction, in [0, 1].

    Example:
        >>> round(effective_dimension(0.5), 4)
        1.191
    """
    rho = _ratio(curvature_ratio)
    return float(1 + 0.5 * (1 + rho - np.sqrt((1 - rho) * (1 + 3 * rho))))


def wall_slope(loss_ratio, *, curvature_ratio, noise) -> float:
    r"""Return d log T/d log c of the passage to a wall across the bowl, for weak noise.

    :math:`a+\tfrac12-\tfrac c{2(c-1)}+\tfrac{g'}{2g}-\tfrac{\rho(1-g)}{2(1-1/c)}`, a = 1/noise,
    where :math:`g' = dg/d\log c`; it tends to a + 1 - n_eff/2.

    Args:
        loss_ratio: c = L/L* where the wall crosses the path, above 1.
        curvature_ratio: rho in [0, 1].
        noise: eta h_1/B.

    Example:
        >>> round(wall_slope(10.0, curvature_ratio=1.0, noise=0.02), 6)
        49.944444
    """
    c, a = _loss_ratio(loss_ratio), 1 / validate.positive("noise", noise)
    rho = _ratio(curvature_ratio)

    def change(s, g):
        return g - rho - rho * (g * g - g) / -np.expm1(-s)

    first = 1e-4
    start = [1 + first * (1 - rho) / (1 + rho)]  # regular solution where the equation is singular
    found = integrate.solve_ivp(change, (first, np.log(c)), start, rtol=1e-10, atol=1e-12)
    g = found.y[0, -1]
    loss = rho * (1 - g) / (2 * (1 - 1 / c))
    return float(a + 0.5 - c / (2 * (c - 1)) + change(np.log(c), g) / (2 * g) - loss)


def wall_passage(loss_ratio, *, curvature_ratio, noise, cells=(400, 100)) -> float:
    """Return the mean passage time from the minimum of the bowl to a wall, by the 2-D solver.

    One quadrant, h_1 = 1 and L* = 1; cells graded from the width of the law to fixed ratios. The
    wall is an edge of the grid: on a level set that cuts cells, local slopes converge slowly.

    Args:
        loss_ratio: c = L/L* where the wall x = const crosses the path.
        curvature_ratio: rho in (0, 1].
        noise: eta h_1/B; about 1/noise cells are wanted for each factor e of c.
        cells: along the path and across it.

    Returns:
        Time in units of 1/h_1.
    """
    c, noise = _loss_ratio(loss_ratio), validate.positive("noise", noise)
    rho = validate.positive("curvature_ratio", _ratio(curvature_ratio))
    along, across = (validate.count("cells", n, low=8) for n in cells)
    width = 2 * np.sqrt(noise)

    def loss(x, y):
        return 1 + 0.5 * (x * x + rho * y * y)

    generator = operator_2d(
        lambda x, y: (-x, -rho * y),
        lambda x, y: (noise * loss(x, y), noise * rho * loss(x, y)),
        graded_edges(along, top=np.sqrt(2 * (c - 1)), scale=4 * width),
        graded_edges(across, top=3 * np.sqrt(2 * c / rho), scale=width),
        right="absorbing",
    )
    return float(mean_first_passage(generator)[0, 0])


def tail_slope(*, curvature_ratio, noise, cells: int = 600) -> float:
    r"""Return the slope d log T/d log c at c = infinity, for noise of any strength.

    Far out SDE (12) is invariant under scaling, and :math:`r^mf(\varphi)` is harmonic for one
    m > 0: the root of the largest eigenvalue of an operator in the angle. The slope is m/2.

    Args:
        curvature_ratio: rho in (0, 1].
        noise: eta h_1/B.
        cells: of the angle.

    Example:
        >>> round(tail_slope(curvature_ratio=1.0, noise=0.1), 4)
        10.0
    """
    rho = validate.positive("curvature_ratio", _ratio(curvature_ratio))
    noise = validate.positive("noise", noise)
    edges = np.linspace(0, np.pi / 2, validate.count("cells", cells, low=8) + 1)

    def level(p):  # of the loss, and the radial part of the noise
        return np.cos(p) ** 2 + rho * np.sin(p) ** 2

    def turned(p):
        return np.sin(p) ** 2 + rho * np.cos(p) ** 2

    def top(m):
        angle = operator_1d(
            lambda p: (1 - rho) * np.sin(p) * np.cos(p) * (1 + noise * level(p) * (1 - m)),
            lambda p: 0.5 * noise * level(p) * turned(p),
            edges,
        )
        p = angle.centres[0]
        growth = 0.5 * noise * level(p) * ((m * m - m) * level(p) + m * turned(p)) - m * level(p)
        jumps = angle.matrix
        middle = jumps.diagonal() + growth
        side = np.sqrt(jumps.diagonal(1) * jumps.diagonal(-1))  # similar symmetric matrix
        last = (len(p) - 1, len(p) - 1)
        return linalg.eigh_tridiagonal(
            middle, side, eigvals_only=True, select="i", select_range=last
        )[0]

    high = 2 / noise + 2  # slope a + 1, that of one dimension, is never exceeded
    low = high
    while top(low) >= 0:
        low = 0.5 * low
    return float(optimize.brentq(top, low, 1.01 * high, xtol=1e-10 * high)) / 2


def saddle_passage(
    *, noise, curvature=1.0, transverse=1.0, minimum_loss=0.1, cubic=0.6, cells=(200, 100)
) -> float:
    r"""Return the mean passage time over the saddle of a cubic valley, by the 2-D solver.

    :math:`L = L^*+\tfrac12h_1x^2-\tfrac13kx^3+\tfrac12h_2y^2`: minimum 0, saddle at
    :math:`h_1/k` with curvatures -h_1 and h_2, absorbed beyond it where V is nearly 0 again.

    Args:
        noise: eta/B.
        curvature: h_1 along the path.
        transverse: h_2.
        minimum_loss: L*.
        cubic: k.
        cells: along the path and across half of it.

    Returns:
        Time from the minimum, in units of 1/curvature; of second order in the cell widths.
    """
    values = dict(noise=noise, curvature=curvature, transverse=transverse)
    values.update(minimum_loss=minimum_loss, cubic=cubic)
    noise, h, h2, low, k = (validate.positive(name, v) for name, v in values.items())
    along, across = (validate.count("cells", n, low=8) for n in cells)
    place = h / k
    high = low + h**3 / (6 * k * k)

    def loss(x, y):
        return low + h * x * x / 2 - k * x**3 / 3 + h2 * y * y / 2

    scale = 1.5 * np.sqrt(noise * high)
    generator = operator_2d(
        lambda x, y: (k * x * x - h * x, -h2 * y),
        lambda x, y: (noise * h * loss(x, y), noise * h2 * loss(x, y)),
        np.linspace(-0.8 * place, 1.455 * place, along + 1),
        graded_edges(across, top=min(20 * scale, 6 * np.sqrt(high)), scale=scale),
        right="absorbing",
    )
    x, times = generator.centres[0], mean_first_passage(generator)[:, 0]
    return float(np.interp(0.0, x, times))


def path_factor(*, curvature=1.0, transverse=1.0, minimum_loss=0.1, cubic=0.6) -> float:
    r"""Return what T kappa of Theorem 4.7 tends to as the noise vanishes: 1 for equal curvatures.

    :math:`C = \exp\int_0^{x_s}h_2(g-1)/V'\,dx` along the path of `saddle_passage`'s valley. This is
    the path straight to the saddle. A transverse direction that is clearly sharper (above some
    2.3 h_1 in the valley given) offers a cheaper one: first up in y, at a cost of log L / h_2, and
    over the saddle with the noise of that higher loss; then T kappa falls exponentially.

    Args:
        curvature: h_1 along the path.
        transverse: h_2.
        minimum_loss: L*.
        cubic: k.

    Example:
        >>> round(path_factor(transverse=1.0), 9), round(path_factor(transverse=0.5), 3)
        (1.0, 1.654)
    """
    values = dict(curvature=curvature, transverse=transverse, minimum_loss=minimum_loss)
    h, h2, low, k = (validate.positive(n, v) for n, v in dict(values, cubic=cubic).items())
    rho = h2 / h

    def change(x, state):
        slope = h * x - k * x * x
        loss = low + h * x * x / 2 - k * x**3 / 3
        g = state[0]
        return [slope / loss * (g - rho) + 2 * h2 * (g - g * g) / slope, h2 * (g - 1) / slope]

    first = 1e-4 * h / k
    rise = h * h * (1 - rho) / (2 * low * (h + h2))  # g = 1 + rise x^2 at the minimum
    start = [1 + rise * first**2, h2 * rise * first**2 / (2 * h)]
    found = integrate.solve_ivp(
        change, (first, h / k * (1 - 1e-4)), start, method="LSODA", rtol=1e-10, atol=1e-13
    )
    if not found.success:
        raise ArithmeticError(f"Riccati equation not solved up to the saddle: {found.message}")
    # On what is left of the way h_2 (g - 1)/V' is -(log g)'/2, and g ends at 1.
    return float(np.exp(found.y[1, -1]) * np.sqrt(found.y[0, -1]))


def graded_edges(cells: int, *, top: float, scale: float) -> np.ndarray:
    """Return edges from 0 to top, uniform below ``scale`` and in fixed ratios above it.

    Example:
        >>> graded_edges(3, top=10.0, scale=1.0).round(2)
        array([ 0.  ,  1.17,  3.62, 10.  ])
    """
    top, scale = validate.positive("top", top), validate.positive("scale", scale)
    return scale * np.sinh(
        np.linspace(0, np.arcsinh(top / scale), validate.count("cells", cells) + 1)
    )


def _ratio(value):
    ratio = validate.non_negative("curvature_ratio", value)
    if ratio > 1:
        raise ValueError(f"curvature_ratio must lie in [0, 1]: got {value}")
    return ratio


def _loss_ratio(value):
    ratio = validate.positive("loss_ratio", value)
    if ratio <= 1:
        raise ValueError(f"loss_ratio must be above 1: got {value}")
    return ratio
