"""The formulas of chapter `template_trial`: one pure function an equation."""

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def stationary_variance(learning_rate):
    r"""Return the stationary variance of SGD in one direction, Eq. (template-variance).

    .. math:: \mathrm{Var}\,\theta = \frac{\eta}{2-\eta}

    Args:
        learning_rate: eta in (0, 2), any shape; curvature and noise variance are 1.

    Returns:
        The variance, same shape.

    Raises:
        TypeError: if it holds no real numbers.
        ValueError: if one lies outside (0, 2).

    Example:
        >>> float(stationary_variance(1.0))
        1.0
    """
    eta = validate.within("learning_rate", learning_rate, low=0, high=2, open_low=True)
    return eta / (2 - eta)
