"""SGD's noise and what Mori et al. make of it, Eqs. (1)-(3) and (5)-(11)."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

_GRADIENTS = "output_gradients"


@door
def mean_square_loss(outputs, targets) -> float:
    r"""Return the loss :math:`L = \frac1{2N}\sum_\mu (f_\mu - y_\mu)^2`, Eq. (1) of Mori et al.

    Args:
        outputs: network outputs f (N,).
        targets: labels y (N,).

    Raises:
        ValueError: for empty or non-finite values.

    Example:
        >>> mean_square_loss([1.0, 3.0], [0.0, 0.0])
        2.5
    """
    outputs, targets = validate.finite("outputs", outputs), validate.finite("targets", targets)
    if outputs.shape != targets.shape:
        raise ValueError(f"targets must be {outputs.shape} as outputs: got {targets.shape}")
    residuals = outputs - targets
    return float(np.mean(residuals**2) / 2)


@door
def sgd_step(parameters, gradients, *, learning_rate):
    r"""Return :math:`\theta - \eta\nabla L_B`, Eq. (2), the mean over the batch included.

    Args:
        parameters: theta (P,).
        gradients: per-sample gradients of the batch (B, P).
        learning_rate: eta, positive.

    Example:
        >>> sgd_step(np.zeros(1), np.array([[1.0], [3.0]]), learning_rate=0.5)
        array([-1.])
    """
    eta, theta = (
        validate.positive("learning_rate", learning_rate),
        validate.finite("parameters", parameters),
    )
    gradients = _rows("gradients", gradients)
    if theta.shape != gradients.shape[1:]:
        raise ValueError(f"parameters must be {gradients.shape[1:]}: got {theta.shape}")
    return theta - eta * gradients.mean(axis=0)


@door
def batch_noise(gradients, batches):
    r"""Return :math:`\xi = -(\nabla L_B - \nabla L)`, the noise of Eq. (3).

    Args:
        gradients: per-sample gradients of the whole data set (N, P).
        batches: indices (..., B).

    Returns:
        The noise of each batch (..., P).

    Example:
        >>> batch_noise(np.array([[1.0], [3.0]]), np.array([[0], [1]]))
        array([[ 1.],
               [-1.]])
    """
    gradients = _rows("gradients", gradients)
    last = len(gradients) - 1
    batches = validate.each_whole("batches", batches, 0).astype(int)
    if batches.max() > last:
        raise ValueError(f"batches must lie in [0, {last}]: got {batches.max()}")
    return gradients.mean(axis=0) - gradients[batches].mean(axis=-2)


@door
def isotropic_diffusion(covariance, *, learning_rate) -> float:
    r"""Return the D of Eq. (5) with SGD's total noise: :math:`2PD = \eta\,{\rm Tr}\,\Sigma`.

    Args:
        covariance: Sigma (P, P).
        learning_rate: eta, positive.

    Example:
        >>> isotropic_diffusion(np.diag([3.0, 1.0]), learning_rate=0.1)
        0.1
    """
    eta, covariance = (
        validate.positive("learning_rate", learning_rate),
        validate.finite("covariance", covariance),
    )
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"covariance must be (P, P): got {covariance.shape}")
    total = validate.non_negative("the trace of covariance", float(np.trace(covariance)))
    return eta * total / (2 * len(covariance))


@door
def covariance_near_minimum(loss, hessian, *, batch_size):
    r"""Return :math:`\Sigma(\theta) \approx \frac{2L(\theta)}{B}H(\theta^*)`, Eq. (6).

    Args:
        loss: L(theta), non-negative, any shape that broadcasts with ``hessian``.
        hessian: H(theta*) (P, P), or its eigenvalues.
        batch_size: B, at least 1.

    Example:
        >>> covariance_near_minimum(0.5, np.array([4.0, 1.0]), batch_size=10)
        array([0.4, 0.1])
    """
    loss, hessian = validate.each_at_least("loss", loss, 0), validate.finite("hessian", hessian)
    return 2 * loss * hessian / validate.count("batch_size", batch_size)


@door
def decoupled_moment(losses, output_gradients):
    r"""Return :math:`L\cdot\frac1N\sum_\mu C_f^{(\mu)}`, the right side of Eq. (7).

    Args:
        losses: l_mu (N,).
        output_gradients: nabla f (N, P); :math:`C_f = \nabla f\nabla f^T`.

    Example:
        >>> decoupled_moment(np.array([1.0, 3.0]), np.array([[1.0], [2.0]]))
        array([[5.]])
    """
    losses, rows = validate.each_at_least("losses", losses, 0), _rows(_GRADIENTS, output_gradients)
    _per_row("losses", losses, rows)
    return np.mean(losses) * gauss_newton(rows)


@door
def batch_factor(samples, batch_size, *, sampler="without_replacement"):
    r"""Return the number before the bracket of Eq. (8), or 1/B for draws with replacement.

    Args:
        samples: N, at least 2.
        batch_size: B in [1, N].
        sampler: "without_replacement" (Eq. (8)) or "iid" (Eq. (iid)).

    Raises:
        ValueError: for another sampler or B outside [1, N].

    Example:
        >>> batch_factor(5, 5), batch_factor(5, 5, sampler="iid")
        (0.0, 0.2)
    """
    n = validate.count("samples", samples, low=2)
    b = validate.count("batch_size", batch_size, high=n)
    validate.one_of("sampler", sampler, ("without_replacement", "iid"))
    return (n - b) / (n - 1) / b if sampler == "without_replacement" else 1 / b


@door
def noise_covariance(gradients, *, batch_size, sampler="without_replacement"):
    r"""Return the exact covariance of the noise of Eq. (3), Eq. (8).

    .. math:: \Sigma = \frac1B\frac{N-B}{N-1}
              \Big(\frac1N\sum_\mu\nabla\ell_\mu\nabla\ell_\mu^T-\nabla L\nabla L^T\Big)

    Args:
        gradients: per-sample gradients (N, P).
        batch_size: B in [1, N].
        sampler: "without_replacement", or "iid" for Eq. (iid).

    Returns:
        Sigma (P, P), positive semidefinite; zero for B = N without replacement.

    Example:
        >>> noise_covariance(np.array([[1.0], [3.0]]), batch_size=1)
        array([[1.]])
    """
    gradients = _rows("gradients", gradients)
    centred = gradients - gradients.mean(axis=0)
    factor = batch_factor(len(gradients), batch_size, sampler=sampler)
    return factor * centred.T @ centred / len(gradients)


@door
def second_moment(residuals, output_gradients, *, batch_size):
    r"""Return :math:`\frac{2}{BN}\sum_\mu\ell_\mu C_f^{(\mu)}`, the middle of Eq. (9).

    Args:
        residuals: f - y (N,).
        output_gradients: nabla f (N, P).
        batch_size: B, at least 1.

    Example:
        >>> second_moment(np.array([1.0, 2.0]), np.array([[1.0], [1.0]]), batch_size=1)
        array([[2.5]])
    """
    residuals, rows = validate.finite("residuals", residuals), _rows(_GRADIENTS, output_gradients)
    _per_row("residuals", residuals, rows)
    weighted = residuals[:, None] * rows
    return weighted.T @ weighted / len(weighted) / validate.count("batch_size", batch_size)


@door
def hessian(residuals, output_gradients, output_hessians):
    r"""Return :math:`\frac1N\sum_\mu C_f^{(\mu)}+\frac1N\sum_\mu[f-y]\nabla^2f`, Eq. (10).

    Args:
        residuals: f - y (N,).
        output_gradients: nabla f (N, P).
        output_hessians: second derivatives of f (N, P, P).

    Example:
        >>> hessian(np.array([-2.0]), np.array([[0.0]]), np.array([[[1.0]]]))
        array([[-2.]])
    """
    residuals, rows = validate.finite("residuals", residuals), _rows(_GRADIENTS, output_gradients)
    _per_row("residuals", residuals, rows)
    curved, shape = (
        validate.finite("output_hessians", output_hessians),
        (*rows.shape, rows.shape[1]),
    )
    if curved.shape != shape:
        raise ValueError(f"output_hessians must be {shape}: got {curved.shape}")
    return gauss_newton(rows) + np.einsum("n,nij->ij", residuals, curved) / len(residuals)


@door
def gauss_newton(output_gradients):
    r"""Return :math:`\frac1N\sum_\mu\nabla f\nabla f^T`, Eq. (11): the Hessian without residuals.

    Args:
        output_gradients: nabla f (N, P).

    Example:
        >>> gauss_newton(np.array([[1.0], [3.0]]))
        array([[5.]])
    """
    rows = _rows(_GRADIENTS, output_gradients)
    return rows.T @ rows / len(rows)


def _rows(name, array):
    rows = validate.finite(name, array)
    if rows.ndim != 2:
        raise ValueError(f"{name} must be (samples, parameters): got {rows.shape}")
    return rows


def _per_row(name, values, rows):
    if values.shape != rows.shape[:1]:
        raise ValueError(f"{name} must be {rows.shape[:1]}, one a sample: got {values.shape}")
