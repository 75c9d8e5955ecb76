"""What sampling without replacement does to the displacement: epochs whose noise sums to zero."""

import numpy as np

from sgdescape.anomalous_diffusion.theory import _modes as modes
from sgdescape.anomalous_diffusion.theory.displacement import mean_squared_displacement
from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def epoch_weights(steps_per_epoch):
    """Return -Cov(n_k, n_{k+l})/Var(n) for l = 1 ... M - 1, Eq. (epoch-covariance).

    (M - l)/(M (M - 1)), mean over the position in the epoch; they sum to one half.

    Args:
        steps_per_epoch: M >= 2.

    Example:
        >>> epoch_weights(3).round(4)
        array([0.3333, 0.1667])
    """
    size = validate.count("steps_per_epoch", steps_per_epoch, low=2)
    return (size - np.arange(1, size)) / (size * (size - 1))


@door
def shuffled_displacement(
    steps,
    curvatures,
    noise,
    *,
    learning_rate,
    momentum,
    batch_size,
    steps_per_epoch,
    weight_decay=0.0,
):
    """Return E|Delta_k|^2 with a new permutation each epoch, Eq. (shuffled-displacement).

    g(k) - sum_l w_l [g(|k - l|) + g(k + l) - 2 g(l)] with the iid displacement g, exact for
    gradients that do not change over an epoch but for their linear part; mean over the position
    in the epoch. Finite where h = 0: free directions come back after an epoch. At k = 1 it is
    eta^2 E b^2: in a free direction Eq. (buffer).

    Args:
        steps: k >= 0, whole numbers (points,) or a number.
        curvatures: rho_i (modes,).
        noise: Sigma_ii of one sample's gradient (modes,) or a number.
        learning_rate: eta > 0, a number.
        momentum: beta in [0, 1), a number.
        batch_size: S >= 1, a number.
        steps_per_epoch: M = N/S >= 2.
        weight_decay: lambda >= 0.

    Returns:
        Summed over modes (points,).
    """
    k = modes.whole_steps(steps).astype(int)
    weights = epoch_weights(steps_per_epoch)
    lags = np.arange(1, steps_per_epoch)
    at = {"learning_rate": learning_rate, "momentum": momentum, "batch_size": batch_size}
    near, far = np.abs(k[..., None] - lags), k[..., None] + lags
    needed, where = np.unique(
        np.concatenate([x.ravel() for x in (k, near, far, lags)]), return_inverse=True
    )
    found = mean_squared_displacement(needed, curvatures, noise, weight_decay=weight_decay, **at)[
        where
    ]
    ends = np.cumsum([k.size, near.size, far.size])
    here, before, after, own = np.split(found, ends)
    lost = (before + after).reshape(near.shape) - 2 * own
    return _without_replacement(batch_size, steps_per_epoch) * (
        here.reshape(k.shape) - lost @ weights
    )


@door
def shuffled_variance(
    curvature, noise, *, learning_rate, momentum, batch_size, steps_per_epoch, weight_decay=0.0
):
    """Return Var(theta) of each mode with shuffled epochs, Eq. (shuffled-variance).

    sum_l w_l g(l): the iid displacement g, averaged over the lags within an epoch. Finite at
    h = 0.

    Args:
        curvature: rho (modes,) or a number.
        noise: Sigma_ii of one sample's gradient, broadcast.
        learning_rate: eta > 0, a number.
        momentum: beta in [0, 1), a number.
        batch_size: S >= 1, a number.
        steps_per_epoch: M = N/S >= 2.
        weight_decay: lambda >= 0.

    Returns:
        One variance a mode.

    Example:
        >>> round(float(shuffled_variance(0.0, 1.0, learning_rate=1.0, momentum=0.0,
        ...       batch_size=1, steps_per_epoch=5)), 3)  # (M + 1)/6
        1.0
    """
    rho, sigma = np.broadcast_arrays(
        validate.finite("curvature", curvature), validate.finite("noise", noise)
    )
    weights = epoch_weights(steps_per_epoch)
    lags = np.arange(1, steps_per_epoch)[(slice(None), *(None,) * rho.ndim)]
    grown = mean_squared_displacement(
        lags,
        rho[None],
        sigma[None],
        learning_rate=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        weight_decay=weight_decay,
    )
    return _without_replacement(batch_size, steps_per_epoch) * np.tensordot(weights, grown, 1)


@door
def fixed_order_displacement(
    steps,
    curvatures,
    noise,
    *,
    learning_rate,
    momentum,
    batch_size,
    steps_per_epoch,
    weight_decay=0.0,
):
    """Return E|Delta_k|^2 with the same permutation in every epoch, Eq. (fixed-order).

    The noise has period M and no mean: the response does, too, and comes back exactly.

    Args:
        steps: k >= 0, whole numbers (points,) or a number.
        curvatures: rho_i (modes,).
        noise: Sigma_ii of one sample's gradient (modes,) or a number.
        learning_rate: eta > 0, a number.
        momentum: beta in [0, 1), a number.
        batch_size: S >= 1, a number.
        steps_per_epoch: M = N/S >= 2.
        weight_decay: lambda >= 0.

    Returns:
        Mean over permutations, summed over modes (points,).
    """
    k = modes.whole_steps(steps)
    size = validate.count("steps_per_epoch", steps_per_epoch, low=2)
    m = modes.modes(
        0,
        curvatures,
        noise,
        learning_rate=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        weight_decay=weight_decay,
        discrete=True,
    )
    angle = 2 * np.pi * np.arange(1, size) / size
    turn = np.exp(-1j * angle)
    rate = (m.learning_rate * m.stiffness)[:, None]
    gain = np.abs(1 - (1 + m.momentum - rate) * turn + m.momentum * turn**2) ** -2.0
    power = (m.variance[:, None] * gain).sum(axis=0) * m.learning_rate**2 / (size - 1)
    share = _without_replacement(batch_size, steps_per_epoch)
    return 2 * share * (1 - np.cos(angle * k[..., None])) @ power


@door
def crossover_curvature(*, learning_rate, momentum, steps_per_epoch):
    """Return rho_x = 3 (1 - beta)/(eta M), Eq. (shuffle-crossover).

    Modes with less curvature relax more slowly than an epoch, and shuffling has cancelled their
    noise before they could add it up.

    Args:
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        steps_per_epoch: M >= 2.

    Example:
        >>> round(crossover_curvature(learning_rate=1e-4, momentum=0.9, steps_per_epoch=5004), 2)
        0.6
    """
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    return 3 * (1 - beta) / (eta * validate.count("steps_per_epoch", steps_per_epoch, low=2))


@door
def shuffled_fraction(relaxations):
    """Return Var(shuffled)/Var(iid) of an overdamped mode, Eq. (shuffled-fraction).

    1 - 2 (x - 1 + exp(-x))/x^2 with x = eta h M/(1 - beta) = 3 h/rho_x relaxations an epoch.

    Args:
        relaxations: x >= 0.

    Example:
        >>> shuffled_fraction([1e-9, 3.0]).round(4)
        array([0.    , 0.5445])
    """
    x = validate.within("relaxations", relaxations, low=0)
    safe = np.maximum(x, 1e-3)
    exact = 1 - 2 * (safe - 1 + np.exp(-safe)) / safe**2
    return np.where(x < 1e-3, x / 3 - x**2 / 12, exact)


def _without_replacement(size, steps):
    """Variance of a batch drawn without replacement, over that of one drawn with."""
    n = size * steps
    return (n - size) / (n - 1)
