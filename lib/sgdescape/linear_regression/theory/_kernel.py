"""The kernel of the chain |theta|, for whatever inputs and dimension there is one."""

from sgdescape.core import validate
from sgdescape.linear_regression.theory.one_step import exceedance, radial_exceedance


def kernel(dimension, learning_rate, batch_size, inputs):
    """Return the chance to go beyond a level in one step, as a function of (start, levels).

    Args:
        dimension: d; above 1 only with Gaussian inputs and B = 1.
        learning_rate: eta.
        batch_size: B.
        inputs: one of `_inputs.INPUTS`.

    Raises:
        ValueError: for a combination of which this module knows no chain.
    """
    validate.count("batch_size", batch_size)
    if validate.count("dimension", dimension) == 1:
        return lambda start, levels: exceedance(
            start, levels, learning_rate=learning_rate, batch_size=batch_size, inputs=inputs
        )
    if batch_size != 1 or inputs != "gaussian":
        raise ValueError(
            f"dimension above 1 needs batch_size 1 and gaussian inputs: got {batch_size}, {inputs}"
        )
    return lambda start, levels: radial_exceedance(
        start, levels, learning_rate=learning_rate, dimension=dimension
    )
