"""How strong the noise is: Eq. (8)'s trace, its prediction for C outputs, and the cross-entropy.

Here r is the derivative of a sample's loss in the C outputs and J (C, P) that of the outputs in the
parameters; a bar is a mean over the training set.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def noise_strength(second_moment, gradient_square):
    r"""Return :math:`\mathcal N=\overline{|\nabla\ell|^2}-|\nabla L|^2`, Eq. (noise-strength).

    The trace of Eq. (8) without its factor 1/B (N - B)/(N - 1): Mori et al., Section 5.2.

    Args:
        second_moment: mean squared norm of the per-sample gradients, any shape, at least 0.
        gradient_square: squared norm of their mean, in [0, second_moment], of the same shape.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one lies outside its range.

    Example:
        >>> noise_strength(5.0, 4.0)  # gradients 1 and 3
        1.0
    """
    _not_negative("second_moment", second_moment)
    _not_negative("gradient_square", gradient_square)
    strength = second_moment - gradient_square
    rounding = 1e-5 * np.asarray(second_moment)  # float32 gradients
    if np.any(np.asarray(strength) < -rounding):
        raise ValueError(
            "gradient_square must be at most second_moment, as a mean's square: "
            f"got {np.max(gradient_square):g}"
        )
    return strength


@door
def predicted_noise(loss, jacobian, *, outputs):
    r"""Return :math:`\frac{2L}{C}\,\frac1N\sum_\mu\|J_\mu\|_F^2`, Eq. (noise-outputs).

    For one output, C = 1, it is the trace of Eq. (9): the prediction of Mori et al., Section 5.2.

    Args:
        loss: L, square loss with its 1/2, at least 0.
        jacobian: mean squared norm of the gradients of all outputs together, at least 0.
        outputs: C, whole numbers from 1.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one lies outside its range.

    Example:
        >>> predicted_noise(0.5, 30.0, outputs=10)
        3.0
    """
    _not_negative("loss", loss)
    _not_negative("jacobian", jacobian)
    return 2 * loss * jacobian / _outputs(outputs)


@door
def residual_noise(residual, jacobian, *, outputs):
    r"""Return :math:`\frac1C\,\overline{|r|^2}\;\overline{\|J\|_F^2}`, Eq. (noise-residuals).

    The same as Eq. (noise-outputs) for the square loss, where mean |r|^2 = 2L; it holds for any
    loss, with r the derivative of the loss in the outputs.

    Args:
        residual: mean of |r|^2, at least 0.
        jacobian: mean squared norm of the gradients of all outputs together, at least 0.
        outputs: C, whole numbers from 1.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one lies outside its range.

    Example:
        >>> residual_noise(1.0, 30.0, outputs=10)
        3.0
    """
    _not_negative("residual", residual)
    _not_negative("jacobian", jacobian)
    return residual * jacobian / _outputs(outputs)


@door
def sample_norm(residual, gram):
    r"""Return :math:`|\nabla\ell_\mu|^2 = r^{\mathsf T} J J^{\mathsf T} r`, Eq. (outer-residual).

    Args:
        residual: r (..., C).
        gram: K = J J^T (..., C, C) of the same samples, symmetric.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one is not finite, or the shapes do not fit.

    Example:
        >>> float(sample_norm(np.array([1.0, 1.0]), np.eye(2)))
        2.0
    """
    r, k = validate.finite("residual", residual), validate.finite("gram", gram)
    if r.ndim < 1 or k.ndim < 2 or k.shape[-2:] != (r.shape[-1], r.shape[-1]):
        raise ValueError(
            f"gram must be (..., C, C) for residual (..., C): got {k.shape}, {r.shape}"
        )
    return np.einsum("...i,...ij,...j->...", r, k, r)


@door
def noise_factors(factors):
    r"""Return the product of the four factors of :math:`\mathcal N/(2L\,\overline{\|J\|^2}/C)`.

    Eq. (noise-factors): gradient term x direction x size x residual. An identity.

    Args:
        factors: the four, first axis (4, ...), finite and at least 0.

    Raises:
        TypeError: if they are no real numbers.
        ValueError: if the first axis does not hold four, or one lies outside its range.

    Example:
        >>> float(noise_factors(np.array([1.0, 2.0, 0.5, 1.0])))
        1.0
    """
    factors = validate.each_at_least("factors", factors, 0)
    if factors.ndim < 1 or len(factors) != 4:
        raise ValueError(f"factors must have shape (4, ...): got {factors.shape}")
    return np.prod(factors, axis=0)


@door
def residual_bounds(loss, *, outputs):
    r"""Return the least and largest :math:`|r|^2` of a sample of cross-entropy :math:`\ell`.

    Eq. (residual-bounds): :math:`\frac{C}{C-1}(1-e^{-\ell})^2 \le |r|^2 \le 2(1-e^{-\ell})^2`.

    Args:
        loss: l of one sample, in nats, non-negative.
        outputs: C, whole numbers from 2.

    Returns:
        The two bounds, each of the shape of ``loss``.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one lies outside its range.

    Example:
        >>> low, high = residual_bounds(np.log(2.0), outputs=2)
        >>> float(low), float(high)
        (0.5, 0.5)
    """
    outputs = validate.each_whole("outputs", outputs, low=2)[()]
    wrong = -np.expm1(-validate.each_at_least("loss", loss, 0)[()])
    return wrong**2 * outputs / (outputs - 1), 2 * wrong**2


@door
def wrong_share_residual(loss, *, loss_wrong, residual_wrong):
    r"""Return :math:`\overline{|r|^2} = \frac{g}{\ell_1}L`, Eq. (wrong-share), after App. D.

    A share m/N of samples is wrong, with loss l_1 and squared residual g each, the rest is fitted:
    L = l_1 m/N and mean |r|^2 = g m/N.

    Args:
        loss: L, at least 0.
        loss_wrong: l_1, positive.
        residual_wrong: g, at least 0.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one lies outside its range.

    Example:
        >>> float(wrong_share_residual(0.2, loss_wrong=2.0, residual_wrong=1.0))
        0.1
    """
    loss = validate.each_at_least("loss", loss, 0)
    residual = validate.each_at_least("residual_wrong", residual_wrong, 0)
    return (residual * loss / validate.each_positive("loss_wrong", loss_wrong))[()]


@door
def margin_exponent(layers):
    r"""Return p = 2 - 2/D of :math:`\overline{\|J\|^2}\propto(\log\frac1L)^p`, Eq. (margin-growth).

    Late in training with cross-entropy the weights grow in one direction, by a factor s; the
    outputs of a network of D layers grow as s^D, their gradients as s^(D-1), and log(1/L) as the
    outputs.

    Args:
        layers: D, number of layers with weights, at least 1.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is below 1.

    Example:
        >>> margin_exponent(4)
        1.5
    """
    return 2 - 2 / validate.count("layers", layers)


def _outputs(outputs):
    """C as it came, refused unless whole numbers from 1."""
    validate.each_whole("outputs", outputs)
    return outputs


def _not_negative(name, value):
    """Refuse what is no finite number from 0; a NaN of a run that diverged is refused as well."""
    validate.each_at_least(name, value, 0)
