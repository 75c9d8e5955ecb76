"""Balances of a network's run: strength of the noise, energies of a mode, norms and forces."""

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def noise_ratio(trace, *, learning_rate, momentum, batch_size):
    r"""Return :math:`r=\frac{\eta\,{\rm Tr}H}{2S(1-\beta)}`, Eq. (network-strength).

    The excess loss in units of sigma^2/2: the laws of the bowl need r << 1.

    Args:
        trace: Tr H, not negative.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        batch_size: S > 0.

    Raises:
        ValueError: for values outside these ranges.

    Example:
        >>> print(round(noise_ratio(50.0, learning_rate=0.005, momentum=0.9, batch_size=64), 4))
        0.0195
    """
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    size = validate.positive("batch_size", batch_size)
    return eta * validate.non_negative("trace", trace) / (2 * size * (1 - beta))


@door
def equipartition(square_step, variance, curvature, *, learning_rate, momentum, weight_decay=0.0):
    r"""Return :math:`\frac{(1+\beta)E\delta_i^2}{2\eta h_i{\rm Var}\,\theta_i}`.

    Eq. (network-equipartition): 1 for white noise of any strength, h = rho + lambda.

    Args:
        square_step: E delta_i^2, broadcast against the others.
        variance: Var theta_i > 0.
        curvature: rho_i.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0.

    Raises:
        ValueError: for values outside these ranges.
    """
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    decay = validate.non_negative("weight_decay", weight_decay)
    h = validate.finite("curvature", curvature) + decay
    spread = validate.within("variance", variance, low=0, open_low=True)
    return (1 + beta) * validate.within("square_step", square_step, low=0) / (2 * eta * h * spread)


@door
def norm_drift(square_norm, square_step, *, learning_rate, momentum, weight_decay):
    r"""Return the growth a step of E|theta|^2 where the loss ignores lengths, Eq. (norm-drift).

    Args:
        square_norm: E|theta|^2, not negative.
        square_step: E|delta|^2, not negative.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0.

    Example:
        >>> at = {"learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.01}
        >>> round(float(norm_drift(10.0, 0.02, **at)), 6)
        0.02
    """
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    decay = validate.non_negative("weight_decay", weight_decay)
    norm = validate.within("square_norm", square_norm, low=0)
    square = validate.within("square_step", square_step, low=0)
    return ((1 + beta) * square - 2 * eta * decay * norm) / (1 - beta)


@door
def force_balance(before, after, square_step, *, learning_rate, momentum):
    r"""Return the mean of theta.G that the update implies, Eq. (network-force) with its ends.

    With :math:`c_k=\theta_{k-1}\cdot\delta_k` the update is
    :math:`c_{k+1}=\beta(c_k+\|\delta_k\|^2)-\eta\,\theta_k\cdot G_k`, whatever G is.

    Args:
        before: mean of c_k.
        after: mean of c_{k+1} over the same steps.
        square_step: mean of |delta_k|^2, not negative.
        learning_rate: eta > 0.
        momentum: beta in [0, 1).

    Raises:
        ValueError: for values outside these ranges.

    Example:
        >>> print(force_balance(-0.5, -0.5, 1.0, learning_rate=0.1, momentum=0.5))
        7.5
    """
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    c, later = validate.finite("before", before), validate.finite("after", after)
    moved = validate.within("square_step", square_step, low=0)
    return (beta * (c + moved) - later) / eta
