"""Door checks of chapter `anomalous_diffusion`, and how modes, steps and settings broadcast."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate


@dataclass(frozen=True, eq=False)
class Modes:
    """Modes along the first axis, everything else broadcasting behind it."""

    stiffness: np.ndarray  # (modes, ...): h = rho + lambda
    variance: np.ndarray  # (modes, ...): of a minibatch's noise, Sigma / S
    learning_rate: np.ndarray  # (...)
    momentum: np.ndarray  # (...)
    shape: tuple  # of the answer, without modes


def whole_steps(steps) -> np.ndarray:
    """Return numbers of steps as float64 if they are whole and not negative.

    Raises:
        ValueError: with the first that is not.
    """
    values = validate.within("steps", steps, low=0)
    bad = values != np.floor(values)
    if bad.any():
        raise ValueError(f"steps must be whole numbers: got {float(values[bad][0])!r}")
    return values


def modes(
    steps, curvatures, noise, *, learning_rate, momentum, batch_size, weight_decay, discrete
) -> Modes:
    """Return the modes of a problem, checked, with axes that broadcast against ``steps``.

    Args:
        steps: (...), only its shape counts.
        curvatures: rho (modes, ...); a number is one mode.
        noise: per-sample Sigma_ii (modes, ...), (1, ...) or a number for all.
        learning_rate: eta > 0 (...).
        momentum: beta in [0, 1) (...).
        batch_size: S >= 1, whole (...).
        weight_decay: lambda >= 0 (...).
        discrete: whether the stability edge counts.

    Raises:
        ValueError: for values outside their range; a negative h; or, discrete, one at or beyond
            the edge 2 (1 + beta) / eta.
    """
    eta, beta = validate.optimiser(learning_rate, momentum)
    size = validate.each_whole("batch_size", batch_size)
    decay = validate.within("weight_decay", weight_decay, low=0)
    rho = np.atleast_1d(validate.within("curvatures", curvatures))
    sigma = np.atleast_1d(validate.within("noise", noise, low=0))
    shape = np.broadcast_shapes(
        np.shape(steps),
        rho.shape[1:],
        sigma.shape[1:],
        *(x.shape for x in (eta, beta, size, decay)),
    )
    rho, sigma = (_behind(x, len(shape)) for x in (rho, sigma))
    h = rho + decay
    if np.any(h < 0):
        raise ValueError(
            "curvatures + weight_decay must not be negative (the mode would run away): got "
            f"{float(h.min())!r}"
        )
    edge = 2 * (1 + beta) / eta
    if discrete and np.any(h >= edge):
        raise ValueError(
            "curvatures + weight_decay must lie in [0, 2 (1 + momentum) / learning_rate = "
            f"{float(np.min(edge)):.6g}): got {float(h.max())!r}"
        )
    return Modes(h, sigma / size, eta, beta, shape)


def _behind(values, dimensions):
    """The first axis stays the first, the others move to the end."""
    missing = dimensions - (values.ndim - 1)
    return values.reshape(values.shape[:1] + (1,) * missing + values.shape[1:])
