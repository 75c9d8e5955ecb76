r"""Kesten's index without momentum: the power s at which a random step keeps lengths on average.

Far from the minimum a step of SGD on linear regression is :math:`\theta'=M\theta`,
:math:`M=I-\frac\eta B\sum_{i\le B}x_ix_i^\top`, in units with h = 1. For Gaussian inputs the length
of :math:`M e` does not depend on the direction e, so the lengths of a product are products of
independent numbers: the root of :math:`E\|Me\|^s=1` is exact for every dimension and batch size.
"""

import numpy as np
from scipy import optimize, special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.panels import panels
from sgdescape.heavy_tails.theory._panels import graded
from sgdescape.heavy_tails.theory._roots import moment_root
from sgdescape.heavy_tails.theory.radius import INPUTS, radius_law

_NATS = 60.0  # panels whose integrand is smaller by more than this factor e^60 do not count


@door
def log_moment(power, *, dimension=1, learning_rate, batch_size=1, inputs="gaussian") -> float:
    r"""Return :math:`\log E\|(I-\frac\eta B\sum_ix_ix_i^\top)e\|^s`, Eq. (tail-moment).

    With R the length of the batch's inputs along e, and w chi-square with d - 1 degrees of freedom,
    :math:`\|Me\|^2=(1-\frac\eta BR^2)^2+\frac{\eta^2}{B^2}R^2w`.

    Args:
        power: s, at least 0.
        dimension: d; above 1 for Gaussian inputs only.
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        inputs: one of "gaussian", "uniform", "rademacher", "laplace", of variance 1.

    Returns:
        The logarithm of the mean.

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> print(round(float(np.exp(log_moment(2.0, learning_rate=1.0, batch_size=2))), 9))
        1.0
    """
    s = validate.non_negative("power", power)
    eta, d, b = _arguments(learning_rate, dimension, batch_size, inputs)
    if inputs == "rademacher":
        return float(s * np.log(abs(1 - eta))) if eta != 1 else (0.0 if s == 0 else -np.inf)
    logs, log_weights = _log_lengths(s, eta, d, b, inputs)
    return float(special.logsumexp(s * logs + log_weights))


@door
def lyapunov(*, dimension=1, learning_rate, batch_size=1, inputs="gaussian") -> float:
    r"""Return :math:`E\log\|Me\|`: a stationary law exists if it is negative, Eq. (tail-lyapunov).

    Args:
        dimension: d; above 1 for Gaussian inputs only.
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        inputs: as in `log_moment`.

    Returns:
        The mean change of the logarithm of the distance, a step.

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> 0 < lyapunov(learning_rate=4.0) < 1, lyapunov(learning_rate=1.0) < 0
        (True, True)
    """
    eta, d, b = _arguments(learning_rate, dimension, batch_size, inputs)
    if inputs == "rademacher":
        return float(np.log(abs(1 - eta))) if eta != 1 else -np.inf
    logs, log_weights = _log_lengths(0.0, eta, d, b, inputs)
    return float(np.exp(log_weights) @ logs)


@door
def kesten_root(*, dimension=1, learning_rate, batch_size=1, inputs="gaussian") -> float:
    r"""Return the root s > 0 of :math:`E\|Me\|^s=1`, Eq. (tail-root): P(|theta| > r) ~ r^-s.

    Args:
        dimension: d; above 1 for Gaussian inputs only.
        learning_rate: eta, positive.
        batch_size: B, at least 1.
        inputs: as in `log_moment`.

    Returns:
        The root; infinite if no step can lengthen theta, so that no power law exists.

    Raises:
        ValueError: if an argument lies outside its range, or no stationary law exists.

    Example:
        >>> print(round(kesten_root(learning_rate=1.0, batch_size=8), 4))  # Ziyin et al.: 8
        6.2023
        >>> kesten_root(learning_rate=0.5, inputs="uniform")
        inf
    """
    eta, d, b = _arguments(learning_rate, dimension, batch_size, inputs)
    if inputs == "rademacher" or (inputs == "uniform" and 3 * eta <= 2):
        if inputs == "rademacher" and eta >= 2:
            raise ValueError(f"learning_rate must be below 2 for rademacher inputs: got {eta:g}")
        return np.inf
    settings = dict(dimension=d, learning_rate=eta, batch_size=b, inputs=inputs)
    rate = lyapunov(**settings)
    if rate >= 0:
        raise ValueError(
            f"learning_rate must allow a stationary law (negative Lyapunov exponent): got "
            f"{eta:g}, with exponent {rate:.3g} a step"
        )
    return moment_root(lambda s: log_moment(s, **settings))


def small_step_limit() -> tuple[float, float]:
    r"""Return :math:`\lim\frac\eta B\,a` as eta / B falls, and the jump, Eq. (tail-jump).

    .. math:: \frac\eta B a\to\frac{z+1}{4\log z},\qquad z\log z=z+1

    Gaussian inputs, any dimension: a jump multiplies theta by -z in one step, at the cost
    :math:`\frac B\eta\frac{z+1}2` (R^2 = (z + 1) B / eta).

    Example:
        >>> limit, factor = small_step_limit()
        >>> print(round(limit, 4), round(factor, 4))
        0.8978 3.5911
    """
    z = optimize.brentq(lambda z: z * np.log(z) - z - 1, 2, 5, xtol=1e-14)
    return float((z + 1) / (4 * np.log(z))), float(z)


def _arguments(learning_rate, dimension, batch_size, inputs):
    eta = validate.positive("learning_rate", learning_rate)
    d, b = validate.count("dimension", dimension), validate.count("batch_size", batch_size)
    validate.one_of("inputs", inputs, INPUTS)
    if d > 1 and inputs != "gaussian":
        raise ValueError(
            f"inputs must be 'gaussian' for dimension above 1, where other laws single out "
            f"directions: got {inputs!r} with dimension {d}"
        )
    return eta, d, b


def _log_lengths(s, eta, d, b, inputs):
    """Nodes of log ||Me|| with the logs of their weights, where ||Me||^s times them counts."""
    law, a = radius_law(b, inputs), eta / b
    end = law.breaks[-1]
    if not np.isfinite(end):
        # |1 - a R^2|^s exp(-R^2 / 2) is largest at R^2 = 2 s + 1 / a; Laplace: exp(-sqrt(2) R)
        far = np.sqrt(2 * s + b + 1 / a) + 14
        end = far if inputs == "gaussian" else 3 * s + 4 * np.sqrt(b) + 2 / np.sqrt(a) + 60
    crossing = 1 / np.sqrt(a)  # where Me turns round
    breaks = {x for x in (*law.breaks, crossing) if x < end} | {end}
    levels = 40 if d == 1 else 12
    edges = graded(sorted(breaks), levels=levels)
    if d == 1:
        r, weight = panels(edges)
        with np.errstate(divide="ignore"):
            logs = np.log(np.abs((1 - np.sqrt(a) * r) * (1 + np.sqrt(a) * r)))
        log_weight = np.log(weight) + law.log_density(r)
        keep = np.isfinite(log_weight) & np.isfinite(logs)
        return logs[keep], log_weight[keep]
    across = radius_law(d - 1, "gaussian").log_density
    t_edges = graded([0.0, np.sqrt(s + d) + 14], levels=levels)

    def integrand(r, t):
        squares = ((1 - np.sqrt(a) * r) * (1 + np.sqrt(a) * r)) ** 2 + (a * r * t) ** 2
        logs = np.log(squares) / 2
        return logs, law.log_density(r) + across(t)

    middles = np.meshgrid(*((e[1:] + e[:-1]) / 2 for e in (edges, t_edges)), indexing="ij")
    sizes = np.log(np.outer(np.diff(edges), np.diff(t_edges)))
    logs, log_density = integrand(*middles)
    height = s * logs + log_density + np.maximum(sizes, -3.0)
    rows, columns = np.nonzero(height > height.max() - _NATS)
    r, r_weight = panels(edges)
    t, t_weight = panels(t_edges)
    nodes = np.arange(8)
    rows = (8 * rows[:, None] + nodes)[:, :, None]
    columns = (8 * columns[:, None] + nodes)[:, None, :]
    logs, log_density = integrand(r[rows], t[columns])
    log_weight = log_density + np.log(r_weight[rows]) + np.log(t_weight[columns])
    return logs.ravel(), log_weight.ravel()


__all__ = ["kesten_root", "log_moment", "lyapunov", "moment_root", "small_step_limit"]
