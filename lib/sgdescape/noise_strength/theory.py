"""Formulas of chapter `noise_strength`: theory."""

import numpy as np

from sgdescape.core import validate


def noise_strength(second_moment, gradient_square):
    r"""Return :math:`\mathcal N=\overline{|\nabla\ell|^2}-|\nabla L|^2`, Eq. (noise-strength).

    The trace of Eq. (8) without its factor 1/B (N - B)/(N - 1): Mori et al., Section 5.2.

    Args:
        second_moment: mean squared norm of the per-sample gradients, any shape.
        gradient_square: squared norm of their mean, of the same shape.

    Example:
        >>> noise_strength(5.0, 4.0)  # gradients 1 and 3
        1.0
    """
    return second_moment - gradient_square


def predicted_noise(loss, jacobian, *, outputs):
    r"""Return :math:`\frac{2L}{C}\,\frac1N\sum_\mu\|J_\mu\|_F^2`, Eq. (noise-outputs).

    For one output, C = 1, it is the trace of Eq. (9): the prediction of Mori et al., Section 5.2.

    Args:
        loss: L, square loss with its 1/2.
        jacobian: mean squared norm of the gradients of all outputs together.
        outputs: C, at least 1.

    Raises:
        ValueError: if any number of outputs is below 1.

    Example:
        >>> predicted_noise(0.5, 30.0, outputs=10)
        3.0
    """
    return 2 * loss * jacobian / _outputs(outputs)


def residual_noise(residual, jacobian, *, outputs):
    r"""Return :math:`\frac1C\,\overline{|r|^2}\;\overline{\|J\|_F^2}`, Eq. (noise-residuals).

    The same as Eq. (noise-outputs) for the square loss, where mean |r|^2 = 2L; it holds for any
    loss, with r the derivative of the loss in the outputs.

    Args:
        residual: mean of |r|^2.
        jacobian: mean squared norm of the gradients of all outputs together.
        outputs: C, at least 1.

    Raises:
        ValueError: if any number of outputs is below 1.

    Example:
        >>> residual_noise(1.0, 30.0, outputs=10)
        3.0
    """
    return residual * jacobian / _outputs(outputs)


def sample_norm(residual, gram):
    r"""Return :math:`|\nabla\ell_\mu|^2 = r^{\mathsf T} J J^{\mathsf T} r`, Eq. (outer-residual).

    Args:
        residual: r (..., C).
        gram: K = J J^T (..., C, C) of the same samples.

    Example:
        >>> float(sample_norm(np.array([1.0, 1.0]), np.eye(2)))
        2.0
    """
    return np.einsum("...i,...ij,...j->...", residual, gram, residual)


def noise_factors(factors):
    r"""Return the product of the four factors of :math:`\mathcal N/(2L\,\overline{\|J\|^2}/C)`.

    Eq. (noise-factors): gradient term x direction x size x residual. An identity.

    Args:
        factors: the four, first axis (4, ...).

    Example:
        >>> float(noise_factors(np.array([1.0, 2.0, 0.5, 1.0])))
        1.0
    """
    return np.prod(np.asarray(factors, dtype=float), axis=0)


def residual_bounds(loss, *, outputs):
    r"""Return the least and largest :math:`|r|^2` of a sample of cross-entropy :math:`\ell`.

    Eq. (residual-bounds): :math:`\frac{C}{C-1}(1-e^{-\ell})^2 \le |r|^2 \le 2(1-e^{-\ell})^2`.

    Args:
        loss: l of one sample, in nats, non-negative.
        outputs: C, at least 2.

    Returns:
        The two bounds, each of the shape of ``loss``.

    Example:
        >>> low, high = residual_bounds(np.log(2.0), outputs=2)
        >>> float(low), float(high)
        (0.5, 0.5)
    """
    wrong = -np.expm1(-np.asarray(loss, dtype=float))
    return wrong**2 * outputs / (outputs - 1), 2 * wrong**2


def wrong_share_residual(loss, *, loss_wrong, residual_wrong):
    r"""Return :math:`\overline{|r|^2} = \frac{g}{\ell_1}L`, Eq. (wrong-share), after App. D.

    A share m/N of samples is wrong, with loss l_1 and squared residual g each, the rest is fitted:
    L = l_1 m/N and mean |r|^2 = g m/N.

    Args:
        loss: L.
        loss_wrong: l_1, positive.
        residual_wrong: g.

    Example:
        >>> wrong_share_residual(0.2, loss_wrong=2.0, residual_wrong=1.0)
        0.1
    """
    return residual_wrong * loss / loss_wrong


def margin_exponent(layers):
    r"""Return p = 2 - 2/D of :math:`\overline{\|J\|^2}\propto(\log\frac1L)^p`, Eq. (margin-growth).

    Late in training with cross-entropy the weights grow in one direction, by a factor s; the
    outputs of a network of D layers grow as s^D, their gradients as s^(D-1), and log(1/L) as the
    outputs.

    Args:
        layers: D, number of layers with weights, at least 1.

    Example:
        >>> margin_exponent(4)
        1.5
    """
    return 2 - 2 / validate.count("layers", layers)


def _outputs(outputs):
    """C as it came, refused if any is below 1."""
    if np.any(np.asarray(outputs) < 1):
        raise ValueError(f"outputs must be at least 1: got {outputs!r}")
    return outputs
