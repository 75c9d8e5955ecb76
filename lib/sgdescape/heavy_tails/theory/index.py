"""The tail index of the loss under SGD on linear regression: the chapter's main number."""

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.heavy_tails.theory.kesten import kesten_root
from sgdescape.heavy_tails.theory.momentum import momentum_root
from sgdescape.heavy_tails.theory.radius import INPUTS


@door
def tail_index(
    *, dimension: int, learning_rate: float, batch_size: int, momentum: float = 0.0,
    inputs: str = "gaussian",
) -> float:  # fmt: skip
    r"""Return a of :math:`P(L>cL^*)\sim c^{-a}`: half of Kesten's root, Eq. (tail-index).

    Linear regression with fresh isotropic inputs, :math:`\langle xx^\top\rangle=1`, so that
    L = L* + |theta|^2 / 2. Without momentum a = s/2 with the root s of Eq. (tail-root); with
    momentum s is where the operator of Eq. (tail-operator) has spectral radius 1. The root is exact
    up to quadrature (relative error below 1e-6).

    Allowed are Gaussian inputs in every dimension without momentum; one dimension for all inputs,
    with and without momentum; bounded inputs in more dimensions, without momentum, while no
    step can lengthen theta: eta d max x^2 <= 2.

    Args:
        dimension: d, at least 1.
        learning_rate: eta, positive; in units with h = 1.
        batch_size: B, at least 1.
        momentum: beta in [0, 1): b <- beta b + g, theta <- theta - eta b.
        inputs: one of "gaussian", "uniform", "rademacher", "laplace": law of each component of x,
            of variance 1.

    Returns:
        The index a; infinite where no product of steps grows, so that no finite root exists and
        the law falls faster than any power.

    Raises:
        ValueError: if an argument lies outside its range, if no stationary law exists (Lyapunov
            exponent not negative), or for the combinations of inputs, dimension and momentum that
            this function does not know.

    Example:
        >>> print(round(tail_index(dimension=1, learning_rate=0.1, batch_size=1), 6))
        8.642293
        >>> tail_index(dimension=1, learning_rate=0.1, batch_size=1, inputs="uniform")
        inf
    """
    d = validate.count("dimension", dimension)
    eta, beta = validate.optimiser(learning_rate, momentum, single=True)
    b = validate.count("batch_size", batch_size)
    validate.one_of("inputs", inputs, INPUTS)
    if beta > 0:
        if d > 1:
            raise ValueError(
                f"dimension must be 1 with momentum: got {d} with momentum {beta:g} (the plane of "
                "position and velocity turns in space; allowed: dimension 1, or momentum 0)"
            )
        return momentum_root(learning_rate=eta, momentum=beta, batch_size=b, inputs=inputs) / 2
    if d > 1 and inputs in ("uniform", "rademacher"):
        largest = 3 if inputs == "uniform" else 1
        if eta * d * largest <= 2:
            return float("inf")
        raise ValueError(
            f"learning_rate must be at most 2 / (d max x^2) = {2 / (d * largest):.4g} for {inputs} "
            f"inputs in dimension {d}: got {eta:g} (above it the index depends on directions; "
            "allowed: gaussian inputs, or dimension 1)"
        )
    return kesten_root(dimension=d, learning_rate=eta, batch_size=b, inputs=inputs) / 2


__all__ = ["tail_index"]
