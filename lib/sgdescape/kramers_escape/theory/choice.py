"""Which of two valleys SGD prefers: log odds of the paper, of SGD's own climb, of others."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def log_odds(loss_ratio, *, noise, curvatures, directions=(0, 0)):
    r"""Return the log odds of the second of two valleys by Eq. (15), Eq. (odds).

    .. math:: \log\frac{\kappa_1}{\kappa_2} = \frac12\log\frac{h_1}{h_2}
              + \frac B\eta\Big(\frac1{h_2}-\frac1{h_1}\Big)\log c + \frac{n_1-n_2}2\log c

    Both valleys have the loss L* at the minimum and share their saddles, of loss c L*.

    Args:
        loss_ratio: c, above 1.
        noise: B/eta, positive.
        curvatures: h along the path in the first and in the second valley, positive.
        directions: further stiff directions of each, n - 1.

    Example:
        >>> round(log_odds(3.0, noise=2.5, curvatures=(1.0, 0.6)), 3)
        2.086
    """
    return _odds(float(np.log(_ratio(loss_ratio))), loss_ratio, noise, curvatures, directions)


@door
def climb_log_odds(loss_ratio, *, noise, curvatures):
    r"""Return the log odds with the climb of discrete SGD in place of log c, Eq. (choice-climb).

    A sample's gradient along the angle is a product of two correlated normal numbers, and
    E exp(-q gradient) = 1 has the root q = 2 L'/(2L - L'^2). Its integral over half a turn is

    .. math:: V = \int_0^\pi\frac{2\sin\varphi\,d\varphi}{(1-\cos\varphi)^2+\sigma^2}
              = \frac2\sigma\arctan\frac2\sigma,\qquad c = 1+\frac4{\sigma^2} .

    Args:
        loss_ratio: c, above 1, of the model of Eq. (choice-model).
        noise: B/eta, positive.
        curvatures: as in `log_odds`.

    Example:
        >>> round(climb_log_odds(3.0, noise=2.5, curvatures=(1.0, 0.6)), 3)
        2.507
    """
    sigma = 2 / np.sqrt(_ratio(loss_ratio) - 1)
    climb = float(2 / sigma * np.arctan(2 / sigma))
    return _odds(climb, loss_ratio, noise, curvatures, (0, 0))


@door
def linear_log_odds(loss_ratio, *, noise, curvatures):
    """Return the log odds with the linear barrier c - 1, the noise of each minimum kept.

    Args:
        loss_ratio: c, above 1.
        noise: B/eta, positive.
        curvatures: as in `log_odds`.
    """
    return _odds(float(_ratio(loss_ratio)) - 1, loss_ratio, noise, curvatures, (0, 0))


def _odds(barrier, loss_ratio, noise, curvatures, directions):
    first, second = validate.each_positive("curvatures", curvatures)
    noise = validate.positive("noise", noise)
    more, less = validate.within("directions", directions, low=0)
    prefactor = np.log(first / second) / 2
    count = (more - less) / 2 * np.log(_ratio(loss_ratio))
    return float(prefactor + noise * (1 / second - 1 / first) * barrier + count)


def _ratio(loss_ratio):
    return validate.within("loss_ratio", loss_ratio, low=1, open_low=True)
