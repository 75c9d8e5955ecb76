"""Tail indices of the loss that were published, beside the exact one: P(L > c L*) ~ c^-a, h = 1."""

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.heavy_tails.theory.kesten import small_step_limit


@door
def paper_index(*, dimension, learning_rate, batch_size):
    r"""Return :math:`a=\phi-\frac d2=\frac B\eta+1-\frac d2` of Mori et al., Eq. (tail-paper).

    The tail of :math:`P_{ss}\propto L^{-\phi}`, Eq. (17), in d dimensions.

    Args:
        dimension: d.
        learning_rate: eta.
        batch_size: B.

    Example:
        >>> paper_index(dimension=1, learning_rate=0.1, batch_size=1)
        10.5
    """
    eta, d, b = _arguments(dimension, learning_rate, batch_size)
    return b / eta + 1 - d / 2


@door
def discrete_index(*, learning_rate, batch_size):
    r"""Return :math:`a=\frac B\eta-\frac B2` of Ziyin et al. (2022), d = 1, Eq. (tail-discrete).

    From the exponent of L^-phi whose variance is that of discrete SGD, Eq. (discrete-exponent).

    Args:
        learning_rate: eta.
        batch_size: B.

    Example:
        >>> discrete_index(learning_rate=0.1, batch_size=1)
        9.5
    """
    eta, _, b = _arguments(1, learning_rate, batch_size)
    return b / eta - b / 2


@door
def covariance_index(*, dimension, learning_rate, batch_size):
    r"""Return the index of the SDE with the exact covariance, Eq. (tail-covariance).

    .. math:: a=\frac12\Big(\frac B\eta+1-\frac{d-1}2\Big)

    Far out the covariance of a Gaussian sample's gradient is :math:`|\theta|^2I+\theta\theta^\top`:
    three times stronger along theta than in Eq. (12) at d = 1, where it is
    :math:`2\theta^2` beside :math:`L^*`'s part.

    Args:
        dimension: d.
        learning_rate: eta.
        batch_size: B.

    Example:
        >>> covariance_index(dimension=1, learning_rate=0.1, batch_size=1)
        5.5
    """
    eta, d, b = _arguments(dimension, learning_rate, batch_size)
    return (b / eta + 1 - (d - 1) / 2) / 2


@door
def jump_index(*, learning_rate, batch_size):
    r"""Return the leading term :math:`0.898\,B/\eta` at small eta, every d, Eq. (tail-jump).

    Args:
        learning_rate: eta.
        batch_size: B.

    Example:
        >>> print(round(jump_index(learning_rate=0.1, batch_size=1), 3))
        8.978
    """
    eta, _, b = _arguments(1, learning_rate, batch_size)
    return small_step_limit()[0] * b / eta


@door
def momentum_limit(*, temperature, kurtosis=3.0):
    r"""Return the index of underdamped SGD, :math:`a=\frac4{(\kappa-1)T}`, Eq. (tail-momentum).

    Zero damping after small T = eta h / (B (1 - beta)): the energy diffuses slowly.

    Args:
        temperature: T.
        kurtosis: of the inputs, above 1.

    Example:
        >>> momentum_limit(temperature=0.1)
        20.0
    """
    validate.positive("kurtosis - 1", kurtosis - 1)
    return 4 / ((kurtosis - 1) * validate.positive("temperature", temperature))


@door
def zeta_seen_as_continuous(exponent):
    r"""Return the index that a continuous fit from 1 on finds in whole numbers, Eq. (tail-zeta).

    .. math:: \frac1{\langle\log k\rangle}=-\frac{\zeta(\alpha)}{\zeta'(\alpha)}
              \quad\text{instead of}\quad\alpha-1

    Args:
        exponent: alpha of P(k) ~ k^-alpha, k = 1, 2, ...; above 1.

    Example:
        >>> print(round(zeta_seen_as_continuous(2.5), 2))  # instead of 1.5
        3.46
    """
    alpha = float(validate.within("exponent", exponent, low=1, open_low=True))
    step = 1e-5 * (alpha - 1)
    logs = np.log(special.zeta([alpha - step, alpha + step], 1.0))
    return float(2 * step / (logs[0] - logs[1]))


def _arguments(dimension, learning_rate, batch_size):
    return (
        validate.positive("learning_rate", learning_rate),
        validate.count("dimension", dimension),
        validate.count("batch_size", batch_size),
    )


__all__ = [
    "covariance_index",
    "discrete_index",
    "jump_index",
    "momentum_limit",
    "paper_index",
    "zeta_seen_as_continuous",
]
