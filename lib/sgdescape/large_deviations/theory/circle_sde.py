"""Mean passage times of three diffusions on the circle model, by quadrature."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.quadrature import passage
from sgdescape.large_deviations.theory.circle import circle_loss


@door
def circle_sde_time(*, noise_variance, learning_rate, batch_size=1, theory="paper"):
    r"""Return the mean time of a diffusion from 0 to |theta| = pi, Eq. (circle-sde).

    .. math:: d\theta=-\sin\theta\,dt+\sqrt{\tfrac\eta B\,C}\,dW

    Args:
        noise_variance: sigma^2.
        learning_rate: eta.
        batch_size: B.
        theory: "paper" (C = 2L), "covariance" (2L + L'^2) or "arrhenius" (sigma^2).

    Example:
        >>> at = {"noise_variance": 4.0, "learning_rate": 0.125}
        >>> print(round(circle_sde_time(**at)))
        595
    """
    variance = validate.positive("noise_variance", noise_variance)
    size = validate.positive("learning_rate", learning_rate) / validate.count(
        "batch_size", batch_size
    )
    noise = {
        "paper": lambda x: 2 * circle_loss(x, variance),
        "covariance": lambda x: 2 * circle_loss(x, variance) + np.sin(x) ** 2,
        "arrhenius": lambda x: np.full(np.shape(x), variance),
    }
    chosen = noise[validate.one_of("theory", theory, tuple(noise))]
    found = passage(
        lambda x: -np.sin(x), lambda x: size / 2 * chosen(x), 0.0, left=0.0, right=float(np.pi)
    )
    return float(found.time)
