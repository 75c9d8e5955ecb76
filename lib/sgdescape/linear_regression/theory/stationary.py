"""Stationary law of one parameter: discrete SGD exactly, and what a fit of L^-phi finds."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.stats.power_law import exponent_of
from sgdescape.linear_regression.theory._inputs import chi, mean_square
from sgdescape.linear_regression.theory._kernel import kernel


@dataclass(frozen=True)
class StationaryLaw:
    """Stationary law of one parameter of discrete SGD on bins of |theta|.

    Attributes:
        edges: of the bins (bins + 1,), from 0; what lies beyond belongs to the last one.
        middle: of the bins (bins,).
        mass: (bins,), sum 1.
    """

    edges: np.ndarray  # (bins + 1,)
    middle: np.ndarray  # (bins,)
    mass: np.ndarray  # (bins,)


@door
def stationary_law(*, learning_rate, batch_size=1, inputs="gaussian", bins=60) -> StationaryLaw:
    r"""Return the stationary law of one parameter under discrete SGD, Eq. (exact-stationary).

    Args:
        learning_rate: eta.
        batch_size: B.
        inputs: one of `INPUTS`.
        bins: number of bins in asinh |theta|, up to 8 standard deviations, or to 10 or 1000
            where the tail is heavy.

    Returns:
        Masses of the bins.

    Example:
        >>> law = stationary_law(learning_rate=0.5, inputs="rademacher", bins=200)
        >>> print(round(float(law.mass @ law.middle**2), 3))  # AR(1): normal, eta/(2 - eta)
        0.333
    """
    eta = validate.positive("learning_rate", learning_rate)
    noise = eta / validate.count("batch_size", batch_size)
    heavy = eta > 0.3 and inputs != "rademacher"
    largest = (1000.0 if noise > 0.15 else 10.0) if heavy else 8 * np.sqrt(noise)
    edges = np.sinh(np.linspace(0, np.arcsinh(largest), validate.count("bins", bins, low=8) + 1))
    middle = _middle(edges)
    beyond = kernel(1, eta, batch_size, inputs)(middle, edges)
    a = np.maximum(beyond[:, :-1] - beyond[:, 1:], 0)
    a[:, -1] += beyond[:, -1]
    # elimination upwards from the minimum, nothing subtracted, then back
    pivots = np.ones(bins)
    for n in range(bins - 1):
        pivots[n] = a[n, n + 1 :].sum()
        a[n + 1 :, n + 1 :] += (a[n + 1 :, n] / pivots[n])[:, None] * a[n, n + 1 :]
    mass = np.zeros(bins)
    mass[-1] = 1.0
    for n in range(bins - 2, -1, -1):
        mass[n] = mass[n + 1 :] @ a[n + 1 :, n] / pivots[n]
        mass /= mass.max()
    return StationaryLaw(edges, middle, mass / mass.sum())


@door
def stationary_averages(functions, *, learning_rate, batch_size=1, inputs="gaussian", bins=60):
    """Return averages over the stationary law, extrapolated from ``bins`` and twice as many.

    Args:
        functions: of |theta|, even functions of theta.
        learning_rate: eta.
        batch_size: B.
        inputs: one of `INPUTS`.
        bins: of the coarser law.

    Returns:
        One average a function.

    Example:
        >>> square = stationary_averages([np.square], learning_rate=0.1, batch_size=5)
        >>> print(square.round(5), round(stationary_variance(learning_rate=0.1, batch_size=5), 5))
        [0.01075] 0.01075
    """
    coarse, fine = (
        stationary_law(learning_rate=learning_rate, batch_size=batch_size, inputs=inputs, bins=k)
        for k in (bins, 2 * bins)
    )
    means = [[law.mass @ f(law.middle) for f in functions] for law in (coarse, fine)]
    return np.array(means[1]) + (np.array(means[1]) - means[0]) / 3


@door
def stationary_variance(*, learning_rate, batch_size, curvature=1.0) -> float:
    r"""Return E[theta^2] of discrete SGD on one Gaussian input, Eq. (discrete-variance).

    .. math:: \langle\theta^2\rangle = \frac{2L^*}{h}\,\frac{\eta h}{2B-\eta h(B+2)},
              \qquad 2L^*/h = 1

    Source: Ziyin et al. (2022); derived in the chapter.

    Args:
        learning_rate: eta.
        batch_size: B.
        curvature: h = E[x^2].

    Returns:
        The variance in units of 2 L*/h, infinite if the second moment does not exist.

    Example:
        >>> stationary_variance(learning_rate=1.0, batch_size=5)
        0.3333333333333333
    """
    rate = validate.positive("learning_rate", learning_rate) * validate.positive("h", curvature)
    b = validate.count("batch_size", batch_size)
    left = 2 * b - rate * (b + 2)
    return rate / left if left > 0 else float("inf")


@door
def discrete_exponent(*, learning_rate, batch_size, curvature=1.0):
    r"""Return :math:`\phi=\frac12+\frac B{\eta h}-\frac B2`, Eq. (discrete-exponent).

    The exponent of L^-phi whose variance is that of discrete SGD, Ziyin et al. (2022).

    Args:
        learning_rate: eta.
        batch_size: B.
        curvature: h.

    Example:
        >>> discrete_exponent(learning_rate=1.0, batch_size=5)
        3.0
    """
    rate = validate.positive("learning_rate", learning_rate) * validate.positive("h", curvature)
    b = validate.count("batch_size", batch_size)
    return 0.5 + b / rate - b / 2


@door
def covariance_exponent(*, learning_rate, batch_size, curvature=1.0):
    r"""Return phi with the variance of Eq. (4), exact covariance, Eq. (covariance-exponent).

    Args:
        learning_rate: eta.
        batch_size: B.
        curvature: h.

    Example:
        >>> covariance_exponent(learning_rate=1.0, batch_size=5)
        5.5
    """
    rate = validate.positive("learning_rate", learning_rate) * validate.positive("h", curvature)
    return 0.5 + validate.count("batch_size", batch_size) / rate


@door
def fitted_laws(*, learning_rate, batch_size, inputs="gaussian", bins=60):
    r"""Return what a fit of infinitely many samples finds, Eqs. (exponent-mle), (likelihood-gain).

    Args:
        learning_rate: eta.
        batch_size: B.
        inputs: one of `INPUTS`.
        bins: of the coarser stationary law.

    Returns:
        Exponent phi of L^-phi by maximum likelihood, and the mean log density that this law has
        more than the best Gaussian (nats a sample; negative: the Gaussian is better).

    Example:
        >>> exponent, gain = fitted_laws(learning_rate=0.1, batch_size=1)
        >>> print(round(exponent, 2), round(gain, 4))
        9.94 -0.0013
    """
    mean_log, square = stationary_averages(
        [lambda r: np.log1p(r**2), np.square],
        learning_rate=learning_rate,
        batch_size=batch_size,
        inputs=inputs,
        bins=bins,
    )
    return exponent_of(mean_log, dimension=1), likelihood_gain(mean_log, square)


@door
def likelihood_gain(mean_log, square) -> float:
    r"""Return the mean log density of the best L^-phi less that of the best Gaussian.

    .. math:: \Big\langle\log\frac{p_\phi}{p_{\rm G}}\Big\rangle
              =\log\frac{\Gamma(\phi)}{\Gamma(\phi-\frac12)}
              -\phi\,\langle\log(1+\theta^2)\rangle+\frac12\log\big(2e\langle\theta^2\rangle\big)

    Eq. (likelihood-gain), one dimension, 2 L*/h = 1.

    Args:
        mean_log: mean of log(1 + theta^2).
        square: mean of theta^2.

    Example:
        >>> gain = likelihood_gain(special.digamma(3.0) - special.digamma(2.5), 1 / 3)
        >>> print(round(gain, 3))  # data of the law L^-3 itself
        0.047
    """
    square = validate.positive("square", square)
    phi = exponent_of(mean_log, dimension=1)
    norm = special.gammaln(phi) - special.gammaln(phi - 0.5)
    return float(norm - phi * mean_log + 0.5 * np.log(2 * np.e * square))


@door
def power_law_gain(exponent) -> float:
    """Return `likelihood_gain` on samples of the law L^-phi itself, one dimension, 2 L*/h = 1.

    Args:
        exponent: phi, above 3/2.

    Example:
        >>> round(power_law_gain(3.0), 3)
        0.047
    """
    phi = validate.within("exponent", exponent, low=1.5, high=np.inf, open_low=True)
    return likelihood_gain(special.digamma(phi) - special.digamma(phi - 0.5), 1 / (2 * phi - 3))


@door
def kesten_exponent(*, learning_rate, dimension=1, batch_size=1, inputs="gaussian") -> float:
    r"""Return the tail index of |theta| under discrete SGD, fresh samples, Eq. (kesten).

    The root beta > 0 of :math:`E\|(I-\eta xx^{\mathsf T})e\|^\beta=1`: then
    P(\|theta\| > r) falls as r^-beta, and first-passage times grow as c^(beta/2).

    Args:
        learning_rate: eta, small enough for a stationary law.
        dimension: d, number of Gaussian inputs; above 1 for B = 1 only.
        batch_size: B.
        inputs: "gaussian" or "laplace" (one input): others never lengthen theta at small eta.

    Raises:
        ValueError: if no root exists: no power-law tail, or no stationary law.

    Example:
        >>> print(round(kesten_exponent(learning_rate=1.0, batch_size=2), 6))
        2.0
    """
    eta = validate.positive("learning_rate", learning_rate)
    guess = 4 * batch_size / eta + 10
    s, weight = mean_square(eta, batch_size=batch_size, inputs=inputs, power=guess)
    if validate.count("dimension", dimension) > 1:
        if batch_size > 1 or inputs != "gaussian":
            raise ValueError("dimension above 1 needs batch_size 1 and gaussian inputs")
        q, q_weight = chi(dimension - 1)
        along, across = (a.ravel() for a in np.meshgrid(s, q**2, indexing="ij"))
        weight = np.outer(weight, q_weight).ravel()
        lengths = np.log((1 - eta * along) ** 2 + eta**2 * along * across) / 2
    else:
        with np.errstate(divide="ignore"):
            lengths = np.log(np.abs(1 - eta * s))
    if weight @ np.maximum(lengths, -700.0) >= 0:
        raise ValueError(f"learning_rate must allow a stationary law: got {eta}")
    if lengths.max() <= 0:
        raise ValueError(f"no step lengthens theta at learning_rate {eta}: no power-law tail")
    there = weight > 0
    logs, lengths = np.log(weight[there]), lengths[there]

    def growth(beta):
        return special.logsumexp(beta * lengths + logs)

    high = 1.0
    while growth(high) <= 0:
        high *= 2
        if high > 4 * guess:
            raise ValueError(f"no root below {high:g} at learning_rate {eta}")
    low = high / 2
    while growth(low) > 0:
        low /= 2
    return float(optimize.brentq(growth, low, high, xtol=1e-12))


def _middle(edges):
    """Middles of the bins in asinh."""
    u = np.arcsinh(edges)
    return np.sinh((u[1:] + u[:-1]) / 2)
