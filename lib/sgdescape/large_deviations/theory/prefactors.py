r"""Mean passage times of discrete SGD with their prefactors, for eta -> 0, Gaussian regression.

Units h = 1, sigma = 1. Near the threshold SGD is a random walk with steps of variance-gamma law:
it passes by a last step that overshoots, and what it has then is known by Spitzer's identity, with
chances that are incomplete beta functions.
"""

import numpy as np
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.large_deviations.theory.regression import cheapest_path, quasi_potential

_TERMS = 100_000  # of Spitzer's sums: enough for c - 1 = 0.01 and B = 1
TWO_JUMPS = 24.2812
"""c from which on a second jump is cheaper; a test finds it anew."""


@door
def climb_passage_time(loss_ratio, *, dimension=1, learning_rate, batch_size=1):
    r"""Return the mean first-passage time up the linear barrier, Eq. (climb-passage).

    .. math:: t_p\simeq\frac{2Bz\,\Omega^2}{S_dz^{d-1}}\Big(\frac{\pi\eta}B\Big)^{d/2}
        e^{(B/\eta)z^2-(B+d+1)z^2/2},\qquad
        \log\Omega=\sum_{n\ge1}\tfrac1nI_x\big(\tfrac{nB}2,\tfrac{nB}2\big)

    Args:
        loss_ratio: c = 1 + z^2 in (1, 2).
        dimension: d.
        learning_rate: eta.
        batch_size: B.

    Raises:
        ValueError: outside 1.005 <= c < 2, where a jump is cheaper or the sum too long.

    Example:
        >>> print(climb_passage_time(1.3, learning_rate=0.025).round(-3))
        63000.0
    """
    c = validate.within("loss_ratio", loss_ratio, low=1.005, high=2)
    d, b = validate.count("dimension", dimension), validate.count("batch_size", batch_size)
    eta = validate.positive("learning_rate", learning_rate)
    z = np.sqrt(c - 1)
    sphere = 2 * np.pi ** (d / 2) / special.gamma(d / 2)
    log_time = (
        np.log(2 * b * z / (sphere * z ** (d - 1)))
        + 2 * _above_zero(z, b)
        + d / 2 * np.log(np.pi * eta / b)
        + (b / eta - (b + d + 1) / 2) * z**2
    )
    return np.exp(log_time)[()]


@door
def overshoot_factor(loss_ratio, *, dimension=1, batch_size=1):
    r"""Return how much longer SGD takes than a diffusion with the same barrier, Eq. (overshoot).

    .. math:: 2Bz^2\,\Omega^2\,e^{-(B+d+1)z^2/2}

    Args:
        loss_ratio: c in (1, 2).
        dimension: d.
        batch_size: B.

    Example:
        >>> print(overshoot_factor(1.9).round(2))
        1.05
    """
    c = validate.within("loss_ratio", loss_ratio, low=1.005, high=2)
    d, b = validate.count("dimension", dimension), validate.count("batch_size", batch_size)
    square = c - 1
    exponent = 2 * _above_zero(np.sqrt(square), b) - (b + d + 1) * square / 2
    return (2 * b * square * np.exp(exponent))[()]


@door
def jump_passage_time(loss_ratio, *, learning_rate, batch_size=1):
    r"""Return the mean first-passage time by a climb and one jump, one input, Eq. (jump-passage).

    Args:
        loss_ratio: c = 1 + z^2 in (2, 24.28).
        learning_rate: eta.
        batch_size: B.

    Raises:
        ValueError: outside 2 < c < 24.28, where no jump or two are cheapest.

    Example:
        >>> print(f"{jump_passage_time(3.0, learning_rate=0.025):.4g}")
        7.892e+22
    """
    c = validate.within("loss_ratio", loss_ratio, low=2, high=TWO_JUMPS, open_low=True)
    eta = validate.positive("learning_rate", learning_rate)
    b = validate.count("batch_size", batch_size)
    return np.vectorize(lambda one: _jump_time(one, eta, b), otypes=[float])(c)[()]


def _jump_time(c, eta, batch):
    z, climb = np.sqrt(c - 1), abs(cheapest_path(c)[0])
    w = np.arcsinh(climb)
    up, down = np.exp(w), np.exp(-w)  # scales of the gradient's two tails where the jump starts
    size = (z + climb) * batch / eta
    tail = (batch / 2 - 1) * np.log(size / up) - special.gammaln(batch / 2)
    tail -= batch / 2 * np.log1p(down / up)
    curvature = 2 - 2 * down / np.cosh(w) + (z + climb) * down * (1 + np.tanh(w)) / np.cosh(w) ** 2
    starts = 0.5 * np.log(2 / curvature) + (batch + 2) * climb**2 / 2
    rest = _walk_on(z, down, batch)
    log_rate = tail + starts + rest - batch / eta * quasi_potential(c) + np.log(2 / eta)
    return np.exp(-log_rate)


def _above_zero(distance, batch):
    r"""Return sum_n P(S_n > 0)/n for the walk of SGD at a distance from the minimum."""
    z = np.atleast_1d(distance)[..., None]
    n = np.arange(1, _TERMS + 1)
    share = special.expit(-2 * np.arcsinh(z))  # (1 - tanh w)/2 with sinh w = z
    total = np.sum(special.betainc(n * batch / 2, n * batch / 2, share) / n, axis=-1)
    return total.reshape(np.shape(distance))


def _walk_on(distance, growth, batch):
    """Log of the factor for landing short of the threshold and walking over it."""
    n = np.arange(1, 4001)
    w = np.arcsinh(distance)
    up, down = np.exp(-w), np.exp(w)
    log_mean = -batch / 2 * (np.log1p(-growth * up) + np.log1p(growth * down))
    up_tilted, down_tilted = up / (1 - growth * up), down / (1 + growth * down)
    half = n * batch / 2
    tilted = special.betainc(half, half, up_tilted / (up_tilted + down_tilted))
    plain = special.betainc(half, half, up / (up + down))
    return float(np.sum((np.exp(n * log_mean) * tilted - plain) / n))
