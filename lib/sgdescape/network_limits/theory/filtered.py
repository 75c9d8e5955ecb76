"""A mode's answer to one noise, and what it makes of a run's: moments, displacement, ring."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.underdamped_langevin import impulse_response


@door
def impulse(curvature, length, *, learning_rate, momentum, weight_decay=0.0):
    r"""Return G_j, a mode's answer j + 1 steps after a unit of noise, Eq. (network-impulse).

    .. math:: G_0=1,\quad G_j=(1+\beta-\eta h)G_{j-1}-\beta G_{j-2}

    Args:
        curvature: (modes,) rho_i.
        length: number of j.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0.

    Returns:
        (modes, length); the displacement is x_k = -eta sum_j G_j n_(k-1-j).
    """
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    h = np.atleast_1d(_stiffness(curvature, weight_decay))
    return impulse_response(length, h, learning_rate=eta, momentum=beta)


@door
def released(curvature, steps, *, learning_rate, momentum, weight_decay=0.0):
    r"""Return where a mode is k steps after it was let go at rest at 1, Eq. (network-ring).

    :math:`G_k-\beta G_{k-1}`: the recursion from :math:`x_0=1` without velocity.

    Args:
        curvature: rho_i (modes,).
        steps: the largest k, at least 1.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0.

    Returns:
        (modes, steps + 1), 1 at k = 0.

    Example:
        >>> released([2.0], 2, learning_rate=0.5, momentum=0.5).round(3)
        array([[ 1. ,  0. , -0.5]])
    """
    at = {"learning_rate": learning_rate, "momentum": momentum, "weight_decay": weight_decay}
    answer = impulse(curvature, validate.count("steps", steps) + 1, **at)
    answer[:, 1:] -= momentum * answer[:, :-1].copy()
    return answer


@door
def filtered_variance(weights, noise, *, batch_size, samples=None):
    r"""Return the variance of a weighted sum of a run's minibatch noises, Eq. (network-epochs).

    With replacement it is (Sigma/S) sum_j w_j^2. Without, the noises of one epoch sum to zero:

    .. math:: \frac{\Sigma}{S}\Big[\sum_jw_j^2-\frac1M\sum_e\Big(\sum_{j\in e}w_j\Big)^2\Big]

    up to N/(N-1), with epochs e of M = N/S steps, the first starting at j = 0.

    Args:
        weights: (modes, T) of the noises n_0 ... n_(T-1).
        noise: (modes,) Sigma_ii.
        batch_size: S.
        samples: N for epochs without replacement; None with replacement.

    Returns:
        (modes,).

    Example:
        >>> w = np.ones((1, 8))  # two whole epochs: nothing is left
        >>> filtered_variance(w, [1.0], batch_size=2, samples=8)
        array([0.])
    """
    weights = np.atleast_2d(validate.finite("weights", weights))
    total = (weights**2).sum(1)
    size = validate.count("batch_size", batch_size)
    scale = validate.within("noise", noise, low=0) / size
    if samples is None:
        return scale * total
    epoch = _epoch(samples, size)
    starts = np.arange(0, weights.shape[1], epoch)
    sums = np.add.reduceat(weights, starts, axis=1)
    # variance of one batch and, between two of an epoch, -1 / (M - 1) of it
    scale = scale * (samples - size) / (samples - 1) * epoch / (epoch - 1)
    return scale * (total - (sums**2).sum(1) / epoch)


@door
def moments(
    curvature,
    noise,
    *,
    steps,
    learning_rate,
    momentum,
    batch_size,
    weight_decay=0.0,
    samples=None,
):
    r"""Return Var theta_i and E delta_i^2 at given steps after the start, Eq. (network-moments).

    .. math:: {\rm Var}\,x_k=\eta^2\,V[G_{k-1-j}],\qquad
              E\delta_k^2=\eta^2\,V[G_{k-1-j}-G_{k-2-j}]

    with V of Eq. (network-epochs), from rest at the minimum.

    Args:
        curvature: (modes,) rho_i.
        noise: (modes,) Sigma_ii.
        steps: (times,) k, at least 1.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S.
        weight_decay: lambda >= 0.
        samples: N for epochs without replacement; None with replacement.

    Returns:
        Two arrays (times, modes).
    """
    steps = _whole("steps", steps)
    answer = impulse(
        curvature,
        int(steps.max()),
        learning_rate=learning_rate,
        momentum=momentum,
        weight_decay=weight_decay,
    )
    change = np.diff(answer, axis=1, prepend=0)
    at = {"batch_size": batch_size, "samples": samples}
    found = [
        [filtered_variance(g[:, k - 1 :: -1] if k > 1 else g[:, :1], noise, **at) for k in steps]
        for g in (answer, change)
    ]
    return learning_rate**2 * np.array(found[0]), learning_rate**2 * np.array(found[1])


@door
def displacement(
    curvature,
    noise,
    *,
    start,
    lags,
    learning_rate,
    momentum,
    batch_size,
    weight_decay=0.0,
    samples=None,
):
    r"""Return E|theta_(s+k) - theta_s|^2 of a run that began at rest s steps earlier.

    .. math:: E\|\Delta_k\|^2=\eta^2\sum_iV\big[G_{s+k-1-j}-G_{s-1-j}\big]

    Eq. (network-displacement), exact at every time, also in directions that are never stationary.

    Args:
        curvature: (modes,) rho_i.
        noise: (modes,) Sigma_ii.
        start: s, steps since the start at the minimum.
        lags: (times,) k, at least 1.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S.
        weight_decay: lambda >= 0.
        samples: N for epochs without replacement; None with replacement.

    Returns:
        (times,) summed over modes.
    """
    lags = _whole("lags", lags)
    validate.count("start", start, low=0)
    answer = impulse(
        curvature,
        start + int(lags.max()),
        learning_rate=learning_rate,
        momentum=momentum,
        weight_decay=weight_decay,
    )
    before = answer[:, :start][:, ::-1]
    found = []
    for k in lags:
        weights = answer[:, : start + k][:, ::-1].copy()
        weights[:, :start] -= before
        found.append(filtered_variance(weights, noise, batch_size=batch_size, samples=samples))
    return learning_rate**2 * np.array(found).sum(1)


@door
def ring(curvature, *, learning_rate, momentum, weight_decay=0.0):
    r"""Return decay and period, in steps, of a mode without noise, Eq. (network-ring).

    The roots of :math:`z^2-(1+\beta-\eta h)z+\beta` are :math:`\sqrt\beta\,e^{\pm i\phi}`: decay
    time -2/log(beta), whatever h, and period 2 pi / phi. They are complex inside the band of
    `underdamped_langevin.oscillating_band`, whose lower end is Eq. (network-critical).

    Args:
        curvature: rho_i (modes,).
        learning_rate: eta > 0.
        momentum: beta in (0, 1).
        weight_decay: lambda >= 0.

    Returns:
        Decay and period (modes,).

    Raises:
        ValueError: if a mode does not oscillate.

    Example:
        >>> decay, period = ring([0.5], learning_rate=0.05, momentum=0.97)
        >>> print(decay.round(1), period.round(1))
        [65.7] [39.6]
    """
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    h = _stiffness(curvature, weight_decay)
    validate.positive("momentum", beta)
    cosine = (1 + beta - eta * h) / (2 * np.sqrt(beta))
    if np.any(np.abs(cosine) >= 1):
        raise ValueError(f"curvature must lie where modes oscillate: got down to {h.min():.4g}")
    return np.full(h.shape, -2 / np.log(beta)), 2 * np.pi / np.arccos(cosine)


def _whole(name, values):
    return np.atleast_1d(validate.each_whole(name, values)).astype(int)


def _epoch(samples, size):
    """Steps of an epoch; noises of one cancel only if there are two."""
    epoch = validate.count("samples", samples, low=2 * size) // size
    if epoch * size != samples:
        raise ValueError(f"batch_size must divide the {samples} samples: got {size}")
    return epoch


def _stiffness(curvature, weight_decay):
    return validate.finite("curvature", curvature) + validate.non_negative(
        "weight_decay", weight_decay
    )
