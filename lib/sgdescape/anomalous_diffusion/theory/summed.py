"""What a sum over steps makes of correlations in continuous time: growth that is not there."""

import numpy as np

from sgdescape.anomalous_diffusion.theory import _modes as modes
from sgdescape.anomalous_diffusion.theory.displacement import local_displacement
from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def summed_displacement(
    steps, curvature, noise, *, learning_rate, momentum, batch_size, weight_decay=0.0
):
    """Return the sum over steps with continuous-time correlations, Eq. (summed-displacement).

    E delta^2 [k + 2 sum_{l<k} (k - l) C(eta l)] for one mode: a Riemann sum of the double
    integral whose value is `mean_squared_displacement(..., discrete=False)`. It never stops to
    grow, at the rate `spurious_rate`.

    Args:
        steps: k >= 0, whole numbers (points,).
        curvature: rho of the mode, a number; h = rho + lambda > 0.
        noise: its Sigma_ii, a number.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S >= 1.
        weight_decay: lambda >= 0.

    Returns:
        (points,). All steps up to the largest are summed.
    """
    k = modes.whole_steps(steps).astype(int)
    at = {"learning_rate": learning_rate, "momentum": momentum, "batch_size": batch_size}
    step = local_displacement([curvature], noise, weight_decay=weight_decay, discrete=False, **at)
    lags = np.arange(1, max(int(k.max()), 1) + 1)
    correlation = _velocity_correlation(lags, curvature + weight_decay, learning_rate, momentum)
    first = np.concatenate([[0.0], np.cumsum(correlation)])
    second = np.concatenate([[0.0], np.cumsum(lags * correlation)])
    before = np.maximum(k - 1, 0)
    return step * (k + 2 * (k * first[before] - second[before]))


def _velocity_correlation(lags, h, eta, beta):
    mass = eta * (1 + beta) / 2
    gamma, omega2 = (1 - beta) / (2 * mass), h / mass
    root = np.sqrt(complex(gamma**2 - omega2))
    root = root if abs(root) > 1e-9 * gamma else 1e-9 * gamma
    t = eta * lags
    return (
        np.exp((root - gamma) * t) * (1 - gamma / root)
        + np.exp(-(root + gamma) * t) * (1 + gamma / root)
    ).real / 2


@door
def spurious_rate(momentum, *, rate=None):
    """Return the late growth a step of Eq. (summed-displacement) in units of E|delta|^2.

    (1 - beta)/(3 (1 + beta)) by Euler and Maclaurin, Eq. (spurious-diffusion); with ``rate`` the
    exact sum of the geometric series, Eq. (spurious-exact).

    Args:
        momentum: beta in [0, 1).
        rate: e = eta h > 0 of the mode, or None for the first term.

    Returns:
        The rate, broadcast. The truth is 0.

    Example:
        >>> round(float(spurious_rate(0.9)), 6), round(float(spurious_rate(0.9, rate=0.01)), 6)
        (0.017544, 0.017547)
    """
    beta = validate.within("momentum", momentum, low=0, high=1)
    gamma = (1 - beta) / (1 + beta)
    if rate is None:
        return gamma / 3
    square = 2 * validate.within("rate", rate, low=0, open_low=True) / (1 + beta)
    root = np.sqrt((gamma**2 - square).astype(complex))
    root = np.where(np.abs(root) < 1e-6, 1e-6, root)
    high, low = gamma + root, gamma - root
    return ((high / np.tanh(high / 2) - low / np.tanh(low / 2)) / (high - low)).real
