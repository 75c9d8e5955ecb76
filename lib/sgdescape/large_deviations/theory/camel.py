r"""The three-hump camel: SGD out of a shallow well in the plane, with noise of any law.

One deep well at the origin, two shallow ones that are mirror images of each other, and a saddle
before each. SGD is theta' = theta - eta (grad L + Z), both components of Z drawn from one law.
"""

import numpy as np

from sgdescape.core import quasi_potential, validate
from sgdescape.core.doors import door

__all__ = [
    "camel_barrier",
    "camel_gaussian_barrier",
    "camel_loss",
    "camel_stationary",
    "camel_time",
]

_ROOT = np.sqrt(0.91)  # x^4 - 4.2 x^2 + 3.5 = 0 at the stationary points, where y = -x/2


@door
def camel_loss(position):
    r"""Return the three-hump camel's value, Eq. (camel-loss).

    .. math:: L=2x^2-1.05x^4+\tfrac16x^6+xy+y^2

    Args:
        position: (x, y), (..., 2).

    Example:
        >>> print(camel_loss([1.7475523, -0.8737762]).round(6))
        0.298638
    """
    x, y = np.moveaxis(validate.finite("position", position), -1, 0)
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


@door
def camel_stationary(well="right") -> tuple[np.ndarray, np.ndarray]:
    """Return a shallow minimum of the camel and the saddle between it and the deep one.

    Args:
        well: "right" for the minimum at x > 0, "left" for its mirror image.

    Returns:
        (minimum, saddle), (2,) each.

    Example:
        >>> minimum, saddle = camel_stationary()
        >>> print(minimum.round(4), saddle.round(4))
        [ 1.7476 -0.8738] [ 1.0705 -0.5353]
    """
    sign = 1 if validate.one_of("well", well, ("right", "left")) == "right" else -1
    return tuple(
        sign * np.sqrt(square) * np.array([1.0, -0.5]) for square in (2.1 + _ROOT, 2.1 - _ROOT)
    )


@door
def camel_gaussian_barrier(noise_variance):
    r"""Return the exponent of log t for Gaussian noise, the same out of both shallow wells.

    .. math:: E=2\,(L^s-L^*)/\sigma^2

    for covariance sigma^2 I, Azizian et al. (2025); every SDE says so too.

    Args:
        noise_variance: sigma^2.

    Example:
        >>> print(camel_gaussian_barrier(16.0).round(5))
        0.07234
    """
    minimum, saddle = camel_stationary()
    variance = validate.within("noise_variance", noise_variance, low=0, open_low=True)
    return 2 * (camel_loss(saddle) - camel_loss(minimum)) / variance


@door
def camel_barrier(noise, *, well="right", points=31) -> float:
    r"""Return the exponent of log t out of a well for noise of any law, Eq. (camel-barrier).

    The least action from the minimum to the saddle, `core.quasi_potential.minimum_action`, of

    .. math:: \Lambda(\theta,p)=-p\cdot\nabla L+\sum_i\log\langle e^{-p_iZ}\rangle

    Args:
        noise: equally likely values of Z (n,), of mean 0 and more than one.
        well: "right" for the well at x > 0, "left" for its mirror image.
        points: of the path; the error falls as their square, and is 4e-4 at 31.

    Raises:
        ValueError: if the mean of the noise is not 0.

    Example:
        >>> skewed = np.array([3.0, -1.0, -1.0, -1.0]) * 4 / np.sqrt(3)  # variance 16
        >>> print([round(camel_barrier(skewed, well=well), 3) for well in ("right", "left")])
        [0.065, 0.09]
    """
    values = validate.finite("noise", noise)
    if values.ndim != 1 or not np.ptp(values) > 1e9 * abs(np.mean(values)):
        raise ValueError(
            f"noise must be (n,), of mean 0 and not constant: got {values.shape}, "
            f"mean {np.mean(values) if values.size else np.nan}"
        )
    kinds, counts = np.unique(values, return_counts=True)
    shares = np.log(counts / values.size)

    def hamiltonian(theta, p):
        x, y = theta[..., 0], theta[..., 1]
        slope = np.stack([4 * x - 4.2 * x**3 + x**5 + y, x + 2 * y], axis=-1)
        cumulant = shares[0] - p * kinds[0]
        for share, value in zip(shares[1:], kinds[1:], strict=True):
            cumulant = np.logaddexp(cumulant, share - p * value)
        return np.sum(cumulant - p * slope, axis=-1)

    ends = np.stack(camel_stationary(well))
    found = quasi_potential.minimum_action(hamiltonian, ends, points=points, rounds=1)
    return found.cost


@door
def camel_time(*, learning_rate, barrier):
    r"""Return Kramers' mean time of discrete SGD out of a shallow well, Eq. (camel-time).

    .. math:: t\simeq\frac{2\pi\eta}{\log(1+\eta\lambda)}
        \sqrt{\frac{|\prod_i\tilde h^s_i|}{\prod_i\tilde h^*_i}}\;e^{E/\eta},\qquad
        \tilde h=h\Big(1-\frac{\eta h}2\Big)

    with the curvatures h of the minimum and of the saddle, one of which is -lambda. For Gaussian
    noise of covariance sigma^2 I the first order of what is left out is eta times the bends of the
    valley; for noise of another law the prefactor has a further constant.

    Args:
        learning_rate: eta, below 2/h of the minimum.
        barrier: E.

    Returns:
        t = eta k, broadcast.

    Example:
        >>> print(camel_time(learning_rate=0.01, barrier=0.0).round(4))
        1.0128
    """
    valley, saddle = (np.linalg.eigvalsh(_hessian(at)) for at in camel_stationary())
    eta = validate.within("learning_rate", learning_rate, low=0, open_low=True)
    if np.any(eta * valley.max() >= 2):
        raise ValueError(
            f"learning_rate must lie in (0, 2/h = {2 / valley.max():.3g}): got {eta.max():g}"
        )
    cost = validate.within("barrier", barrier, low=0)
    widths = [np.prod(h * (1 - eta[..., None] * h / 2), axis=-1) for h in (saddle, valley)]
    factor = np.sqrt(np.abs(widths[0]) / widths[1])
    return 2 * np.pi * eta / np.log1p(-eta * saddle.min()) * factor * np.exp(cost / eta)


def _hessian(theta):
    return np.array([[4 - 12.6 * theta[0] ** 2 + 5 * theta[0] ** 4, 1.0], [1.0, 2.0]])
