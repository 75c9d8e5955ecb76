r"""Mean passage time of discrete SGD over the saddle of the circle, with its prefactor.

For strong noise, where the climb is the cheapest way. The saddle is passed by diffusion, so that
this is Kramers' formula with SGD's own amplitude, and the last step's overshoot adds a correction
of order (eta/B)^(1/2).
"""

import numpy as np
from scipy import integrate

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.large_deviations.theory.circle import circle_climb

__all__ = ["circle_climb_time", "circle_diffusion_factor", "overshoot_length"]


@door
def circle_climb_time(*, noise_variance, learning_rate, batch_size=1):
    r"""Return the mean time of SGD from 0 to |theta| = pi by the climb, Eq. (circle-time).

    .. math:: t\simeq\frac\pi2\Big(1+\frac4{\sigma^2}\Big)^{-(B+1)/2}e^{(B/\eta+1+B/2)V}
        \Big(1+\frac{2\kappa_B}{\sqrt\pi}\sqrt{\eta/B}\Big)

    Args:
        noise_variance: sigma^2, above the crossover 1.19.
        learning_rate: eta.
        batch_size: B.

    Example:
        >>> at = {"noise_variance": 8.0, "learning_rate": 0.05}
        >>> print(round(float(circle_climb_time(**at))))
        14630
    """
    variance = validate.within("noise_variance", noise_variance, low=0, open_low=True)
    eta = validate.within("learning_rate", learning_rate, low=0, open_low=True)
    b = validate.count("batch_size", batch_size)
    barrier = circle_climb(variance)
    amplitude = np.pi / 2 * (1 + 4 / variance) ** (-(b + 1) / 2)
    late = 1 + 2 * overshoot_length(b) * np.sqrt(eta / b / np.pi)
    return amplitude * late * np.exp((b / eta + 1 + b / 2) * barrier)


@door
def circle_diffusion_factor(noise_variance, *, batch_size=1):
    r"""Return the time of a diffusion of the same barrier in units of `circle_climb_time`.

    Noise 2L - L'^2 gives the climb's V exactly, and the amplitude 1/(2L - L'^2): Eq. (circle-time)
    with the power +1/2 and no V beside B/eta, for eta -> 0.

    Args:
        noise_variance: sigma^2.
        batch_size: B.

    Example:
        >>> print(circle_diffusion_factor(4.0).round(3))
        0.871
    """
    variance = validate.within("noise_variance", noise_variance, low=0, open_low=True)
    b = validate.count("batch_size", batch_size)
    return (1 + 4 / variance) ** (1 + b / 2) * np.exp(-(1 + b / 2) * circle_climb(variance))


@door
def overshoot_length(batch_size=1) -> float:
    r"""Return kappa_B, the mean overshoot in units of (2L)^(1/2), Eq. (saddle-overshoot).

    Args:
        batch_size: B; 1 for B = 2, where steps have exponential tails.

    Example:
        >>> print(round(overshoot_length(2), 4), round(overshoot_length(1), 4))
        1.0 0.8183
    """
    b = validate.count("batch_size", batch_size)

    def integrand(x):
        # 1 - phi(x) without cancellation at small x
        rest = -np.expm1(-b / 2 * np.log1p(x * x))
        return -np.log(2 * rest / (b * x * x)) / x**2

    near, _ = integrate.quad(integrand, 1e-6, 1)
    far, _ = integrate.quad(integrand, 1, np.inf)
    return float(near + far) / np.pi
