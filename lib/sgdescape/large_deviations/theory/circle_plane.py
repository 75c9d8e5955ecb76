r"""The circle with further quadratic directions: what dimension does at a true saddle.

f = x_1 cos(theta) + x_2 sin(theta) + sum_j w_j x_{2+j}, y = x_1 + sigma eps: the loss of the circle
plus |w|^2/2. The cheapest path keeps w = 0, and dimension changes the amplitude alone.
"""

import numpy as np
from scipy import integrate

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.large_deviations.theory.circle_prefactor import circle_climb_time

__all__ = ["circle_plane_time", "log_dimension_factor", "paper_dimension_factor"]


@door
def log_dimension_factor(noise_variance) -> float:
    r"""Return I, by which a quadratic direction lowers log t over the saddle, Eq. (saddle-sides).

    With u = 1 - cos(theta), D = sigma^2 + u^2 and the variance (eta/B) a(u) of w on the path,

    .. math:: I=\int_0^2\frac{2a}{D^2}\,du,\qquad
        u(2-u)\,a'=2u+\sigma^2-2a\,\frac{\sigma^2+4u-u^2}{D}+\frac{4u(2-u)a^2}{D^2}

    Args:
        noise_variance: sigma^2, positive.

    Example:
        >>> print(round(log_dimension_factor(2.0), 4))
        0.6005
    """
    variance = validate.positive("noise_variance", noise_variance)

    def rates(u, state):
        a, spread = state[0], variance + u * u
        fall = 2 * u + variance - 2 * a * (variance + 4 * u - u * u) / spread
        slope = fall / (u * (2 - u)) + 4 * a * a / spread**2
        return [slope, 2 * a / spread**2]

    near = 1e-4  # a = sigma^2/2 + u^2/6 + ... at the minimum
    start = [variance / 2 + near**2 / 6, near / variance]
    options = {"method": "LSODA", "rtol": 1e-10, "atol": 1e-12}
    found = integrate.solve_ivp(rates, (near, 2 - 1e-7), start, **options)
    return float(found.y[1, -1])


@door
def circle_plane_time(*, dimension, noise_variance, learning_rate, batch_size=1):
    r"""Return the mean time of SGD from 0 to \|theta\| = pi with n directions, Eq. (saddle-sides).

    .. math:: t_n\simeq t_1\,e^{-(n-1)I}

    Args:
        dimension: n, at least 1.
        noise_variance: sigma^2, above the crossover 1.19.
        learning_rate: eta.
        batch_size: B.

    Example:
        >>> at = {"noise_variance": 8.0, "learning_rate": 0.05}
        >>> one = circle_plane_time(dimension=1, **at)
        >>> print((one / circle_plane_time(dimension=5, **at)).round(3))
        2.293
    """
    n = validate.count("dimension", dimension)
    one = circle_climb_time(
        noise_variance=noise_variance, learning_rate=learning_rate, batch_size=batch_size
    )
    return one * np.exp(-(n - 1) * log_dimension_factor(noise_variance))


@door
def paper_dimension_factor(dimension, noise_variance):
    r"""Return t_1/t_n by the n/2 in the exponent of Mori et al., Eq. (15): (L^s/L*)^((n-1)/2).

    Args:
        dimension: n.
        noise_variance: sigma^2.

    Example:
        >>> print(paper_dimension_factor(5, 2.0))
        9.0
    """
    n = validate.count("dimension", dimension)
    variance = validate.within("noise_variance", noise_variance, low=0, open_low=True)
    return (1 + 4 / variance) ** ((n - 1) / 2)
