r"""The escape exponent of a linear model with given samples, along one or several directions.

Extremals of Lambda leave the minimum in every direction; the cheapest of those that reach the
threshold is the way out. With one direction this is `linear_regression.data_barrier`.
"""

import numpy as np
from scipy import linalg, optimize

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["outlier_barrier", "raised_base", "spread_of"]

_START = 0.03  # excess loss at which extremals start, in units of L*
_STEP = 0.1  # of time, in units of 1 / h_1
_MOST_STEPS = 1500


@door
def outlier_barrier(loss_ratio, residual, slopes) -> float:
    r"""Return h_1 V(c), the least action to the loss c L* over paths in a space of directions.

    .. math:: \Lambda(z,p)=\log\frac1N\sum_i e^{-(p\cdot g_i)(r_i+g_i\cdot z)},\qquad
        \dot z=\Lambda_p,\ \dot p=-\Lambda_z

    Args:
        loss_ratio: c, above 1.
        residual: r (N,) at the minimum.
        slopes: g (N, k), along orthogonal directions with :math:`\langle g_ig_j\rangle` diagonal,
            the stiffest first.

    Returns:
        The exponent of log t in units of B/(eta h_1), the lower of the two sides.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> r, g = rng.standard_normal((2, 20_000))
        >>> print(round(outlier_barrier(1.5, r - g * (g @ r) / (g @ g), g[:, None]), 1))
        0.5
    """
    c = validate.positive("loss_ratio - 1", loss_ratio - 1) + 1
    r, g = validate.finite("residual", residual), validate.finite("slopes", slopes)
    if g.ndim != 2 or r.shape != g.shape[:1]:
        raise ValueError(f"slopes must be (N, k) and residual (N,): got {g.shape}, {r.shape}")
    curvature = np.mean(g**2, axis=0)
    loss, k = np.mean(r**2) / 2, g.shape[1]
    found = []
    for side in (1.0, -1.0):

        def action(bend, side=side):
            along = np.append(side, side * np.asarray(bend))
            return _extremal(along / np.linalg.norm(along), c, r, g, curvature, loss)

        if k == 1:
            found.append(action([]))
            continue
        options = {"xatol": 1e-3, "fatol": 1e-5, "maxfev": 15 * k}
        start = np.vstack([np.zeros(k - 1), 0.1 * np.eye(k - 1)])
        options["initial_simplex"] = start
        best = optimize.minimize(action, start[0], method="Nelder-Mead", options=options)
        found.append(float(best.fun))
    return float(curvature[0] * min(found))


@door
def raised_base(curvature_ratio, exponent):
    r"""Return the loss, in units of L*, to which the other directions raise the minimum.

    .. math:: 1+\frac{\epsilon'}{1-\epsilon},\qquad
        \epsilon=\frac{\eta\,{\rm Tr}H}{2B},\ \epsilon'=\epsilon-\frac{\eta h_1}{2B}

    Args:
        curvature_ratio: Tr H / h_1.
        exponent: B / (eta h_1), above half the ratio.

    Example:
        >>> print(raised_base(5.0, 10.0).round(4))
        1.2667
    """
    whole = validate.within("curvature_ratio", curvature_ratio, low=1) / 2
    a = validate.within("exponent", exponent, low=float(np.max(whole)), open_low=True)
    return 1 + (whole - 0.5) / a / (1 - whole / a)


@door
def spread_of(rest, loss, curvature_ratio, learning_rate, batch_size, curvature):
    r"""Return the standard deviation that the other directions give each residual, Eq. (bath).

    .. math:: s_i^2=\frac\eta B\bar L\,\big(|\nabla f_i|^2-g_i^2\big)

    Args:
        rest: squared length of each gradient off the direction (N,), at least 0.
        loss: L*, at least 0.
        curvature_ratio: Tr H / h_1, above 0.
        learning_rate: eta > 0, below 2 B / Tr H.
        batch_size: B, a whole number from 1.
        curvature: h_1 > 0.

    Raises:
        TypeError: if something holds no real numbers.
        ValueError: if a number lies outside its range.

    Example:
        >>> print(spread_of(1.0, 0.5, 1.0, 0.1, 1, 1.0).round(4))
        0.2294
    """
    rest, loss = validate.each_at_least("rest", rest, 0), validate.non_negative("loss", loss)
    rate = validate.positive("learning_rate", learning_rate)
    rate /= validate.count("batch_size", batch_size)
    trace = validate.positive("curvature", curvature)
    trace *= validate.positive("curvature_ratio", curvature_ratio)
    if rate * trace >= 2:
        raise ValueError(
            f"learning_rate must be below 2 B / Tr H = {2 * batch_size / trace:g}: "
            f"got {learning_rate!r}"
        )
    return np.sqrt(rate * (loss / (1 - rate * trace / 2)) * rest)


def _extremal(along, c, r, g, curvature, loss):
    """Action of the extremal that leaves the minimum in a direction; infinite if it turns back."""
    noise = (g * r[:, None] ** 2).T @ g / r.size
    law = linalg.solve_continuous_lyapunov(np.diag(curvature), noise)
    z = along * np.sqrt(2 * loss * _START / np.sum(curvature * along**2))
    p = np.linalg.solve(law, z)
    cost, height, goal = z @ p / 2, _START, c - 1
    step = _STEP / curvature[0]
    for _ in range(_MOST_STEPS):
        dz, dp = _runge_kutta(z, p, r, g, step)
        new = np.sum(curvature * (z + dz) ** 2) / (2 * loss)
        share = 1.0 if new < goal else (goal - height) / (new - height)
        cost += share * (p + share * dp / 2) @ dz
        if new >= goal:
            return float(cost)
        if new < _START / 2:
            break
        z, p, height = z + dz, p + dp, new
    return np.inf


def _runge_kutta(z, p, r, g, step):
    def rates(z, p):
        at, push = r + g @ z, g @ p
        exponent = -push * at
        weight = np.exp(exponent - exponent.max())
        weight /= weight.sum()
        return np.array([-(g.T @ (weight * at)), g.T @ (weight * push)])

    now = np.array([z, p])
    k1 = rates(*now)
    k2 = rates(*(now + step / 2 * k1))
    k3 = rates(*(now + step / 2 * k2))
    k4 = rates(*(now + step * k3))
    return step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
