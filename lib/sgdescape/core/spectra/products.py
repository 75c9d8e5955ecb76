"""Spectra of gradient covariances and Hessians of a network, without per-sample gradients.

Two routes. Up to some thousands of samples, the n x n Gram matrix of the outputs' gradients is
built layer by layer: it has the same non-zero eigenvalues as the P x P sum and gives them all.
Beyond, products with the P x P matrix, or with the Gram matrix itself ("data space", where a
vector has n entries instead of P), feed `lanczos` for the leading eigenpairs.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.networks.chains import SUPPORTED, parameter_count
from sgdescape.core.networks.gradients import Loss, check_targets, chunks, output_curvature
from sgdescape.core.networks.layers import (
    Linearisation,
    kept_bytes,
    linearise,
    pull,
    push,
    push_gradient,
)
from sgdescape.core.networks.plain import clean_modes, foreign
from sgdescape.core.spectra import module_products
from sgdescape.core.spectra._krylov import MatVec
from sgdescape.core.spectra.density import (
    Quadrature,
    TraceEstimate,
    quadrature_sum,
    smoothed_density,
    spectral_density,
    trace,
)
from sgdescape.core.spectra.gram import Spectra, eigenvalues, gram, noise_spectra
from sgdescape.core.spectra.lanczos import EigenResult, lanczos

__all__ = [
    "EigenResult",
    "Quadrature",
    "Spectra",
    "TraceEstimate",
    "eigenvalues",
    "gauss_newton_eigenpairs",
    "gauss_newton_product",
    "gram",
    "hessian_product",
    "lanczos",
    "noise_spectra",
    "quadrature_sum",
    "smoothed_density",
    "spectral_density",
    "trace",
]

PRODUCT_BYTES = 2**21  # of one chunk: what a product holds at a time beside the kept passes
CACHE_BYTES = 2**28  # of forward passes kept between products; what is over is run again


@door
@clean_modes
def gauss_newton_product(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    loss: Loss,
    batch_norm: str | None = None,
    chunk: int | None = None,
) -> MatVec:
    """Return v -> G v with the Gauss-Newton matrix G = (1/N) Σ_μ J_μᵀ ∂²ℓ_μ/∂f² J_μ.

    For the square loss (with its 1/2) this is (1/N) Σ C_f, Mori et al., Eq. (11).

    Args:
        model: any network with P parameters; layer by layer if it is supported (see
            `chains.chain`), else by `module_products`.
        inputs: samples (n, ...).
        targets: their targets.
        loss: per-sample loss, (outputs, targets) -> (n,), made of differentiable operations.
        batch_norm: "train" (statistics of the samples given, running ones untouched) or "eval";
            to be stated for a model with BatchNorm.
        chunk: samples a pass; None chooses by memory. With batch_norm="train": samples that share
            their statistics; None for all n (see `module_products.hessian_product`).

    Returns:
        A function of a vector (P,), float64 out; valid while the parameters stay.

    Raises:
        ValueError: if inputs and targets differ in length, or BatchNorm's mode is not stated.

    Example:
        >>> net = nn.Sequential(nn.Linear(1, 1))
        >>> half_square = lambda f, y: 0.5 * (f[:, 0] - y) ** 2
        >>> x = torch.tensor([[3.0], [1.0]])
        >>> product = gauss_newton_product(net, x, torch.zeros(2), loss=half_square)
        >>> product(torch.tensor([1.0, 0.0]))  # (mean of x², mean of x)
        tensor([5., 2.], dtype=torch.float64)
    """
    if not _layerwise(model, batch_norm):
        return module_products.gauss_newton_product(
            model, inputs, targets, loss=loss, batch_norm=batch_norm, chunk=chunk
        )
    check_targets(inputs, targets)
    passes = _Passes(model, inputs, chunk)

    @clean_modes
    def product(vector: Tensor) -> Tensor:
        direction, total = vector.to(inputs.dtype), _zeros(vector)
        for rows, lin in passes:
            moved, _ = push(lin, direction)
            _, curved = output_curvature(lin.outputs, targets[rows], loss, moved)
            total += pull(lin, curved)
        return total / len(inputs)

    return product


@door
@clean_modes
def hessian_product(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    loss: Loss,
    batch_norm: str | None = None,
    chunk: int | None = None,
) -> MatVec:
    """Return v -> H v with the Hessian of the mean loss, by forward over reverse.

    H = (1/N) Σ C_f + (1/N) Σ (f - y) ∇²f for the square loss, Mori et al., Eq. (10). The
    network is piecewise linear, so the product costs little more than its Gauss-Newton part.

    Args:
        model: any network with P parameters; layer by layer if it is supported (see
            `chains.chain`), else by `module_products`.
        inputs: samples (n, ...).
        targets: their targets.
        loss: per-sample loss, (outputs, targets) -> (n,), made of differentiable operations.
        batch_norm: "train" (statistics of the samples given, running ones untouched) or "eval";
            to be stated for a model with BatchNorm.
        chunk: samples a pass; None chooses by memory. With batch_norm="train": samples that share
            their statistics; None for all n (see `module_products.hessian_product`).

    Returns:
        A function of a vector (P,), float64 out; valid while the parameters stay.

    Raises:
        ValueError: if inputs and targets differ in length, or BatchNorm's mode is not stated.
    """
    if not _layerwise(model, batch_norm):
        return module_products.hessian_product(
            model, inputs, targets, loss=loss, batch_norm=batch_norm, chunk=chunk
        )
    check_targets(inputs, targets)
    passes = _Passes(model, inputs, chunk)

    @clean_modes
    def product(vector: Tensor) -> Tensor:
        direction, total = vector.to(inputs.dtype), _zeros(vector)
        for rows, lin in passes:
            moved, entering = push(lin, direction)
            slope, curved = output_curvature(lin.outputs, targets[rows], loss, moved)
            total += push_gradient(lin, direction, slope, curved, entering)
        return total / len(inputs)

    return product


@door
@clean_modes
def gauss_newton_eigenpairs(
    model: nn.Module,
    inputs: Tensor,
    *,
    k: int,
    max_iter: int | None = None,
    tol: float = 1e-6,
    seed: int = 0,
    chunk: int | None = None,
) -> EigenResult:
    """Leading eigenpairs of (1/N) Σ_μ Σ_c ∇f_c ∇f_cᵀ, by Lanczos in data space.

    The non-zero eigenvalues are those of J Jᵀ / N, whose vectors u have n outputs entries; an
    eigenvector in parameter space is Jᵀ u / |Jᵀ u|.

    Args:
        model: a supported network (see `chains.chain`) with P parameters.
        inputs: samples (n, ...).
        k: number of eigenpairs, in [1, n outputs].
        max_iter: most products; None for min(n outputs, 10 k + 50).
        tol: residual asked for (in data space), relative to the largest eigenvalue.
        seed: of the random start.
        chunk: samples a pass; None chooses by memory.

    Returns:
        Eigenpairs with vectors (P, k) in the parameters' dtype, and the residuals in data space.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if k does not fit, or the inputs are empty or not finite.
    """
    passes = _Passes(model, inputs, chunk)
    product, size = _gram_product(passes), len(inputs) * passes.outputs
    options = {"max_iter": max_iter, "tol": tol, "seed": seed, "device": inputs.device}
    found = lanczos(lambda u: product(u) / len(inputs), size, k=k, **options)
    lifted = torch.empty(parameter_count(model), k, dtype=inputs.dtype, device=inputs.device)
    for index in range(k):
        column = _pull_all(passes, found.eigenvectors[:, index])
        lifted[:, index] = column / torch.linalg.vector_norm(column)
    return EigenResult(
        found.eigenvalues, lifted, found.residuals, found.converged, found.iterations
    )


class _Passes:
    """Forward passes over all samples, to be iterated once a product: (rows, linearisation).

    As many as fit in CACHE_BYTES are kept, the others are run again each time.
    """

    def __init__(self, model, inputs, chunk):
        self.model, self.inputs = model, inputs
        self.slices = list(chunks(model, inputs, chunk, budget=PRODUCT_BYTES))
        self.kept, used = {}, 0
        for index, rows in enumerate(self.slices):
            lin = linearise(model, inputs[rows])
            self.outputs = lin.outputs.shape[1]
            # What a pass saves of the inputs themselves is a view and costs nothing.
            used += kept_bytes(lin) - inputs[rows].nbytes
            if used > CACHE_BYTES:
                break
            self.kept[index] = lin

    def __iter__(self) -> Iterator[tuple[slice, Linearisation]]:
        for index, rows in enumerate(self.slices):
            lin = self.kept.get(index)
            yield rows, linearise(self.model, self.inputs[rows]) if lin is None else lin


def _layerwise(model, batch_norm):
    if batch_norm is not None:
        validate.one_of("batch_norm", batch_norm, module_products.MODES)
    return foreign(model, SUPPORTED) is None


def _gram_product(passes):
    @clean_modes
    def product(vector: Tensor) -> Tensor:
        back = _pull_all(passes, vector).to(passes.inputs.dtype)
        return torch.cat([push(lin, back)[0].flatten() for _, lin in passes]).double()

    return product


def _pull_all(passes, vector):
    """Jᵀ u over all samples: each chunk in the parameters' dtype, their sum in float64."""
    size = len(passes.inputs) * passes.outputs
    if vector.shape != (size,):
        raise ValueError(f"vector must have shape ({size},): got {tuple(vector.shape)}")
    weights = vector.to(passes.inputs.dtype).view(-1, passes.outputs)
    total = weights.new_zeros(parameter_count(passes.model), dtype=torch.float64)
    for rows, lin in passes:
        total += pull(lin, weights[rows])
    return total


def _zeros(like):
    """A sum over chunks starts from these: each chunk in the parameters' dtype, all in float64."""
    return torch.zeros_like(like, dtype=torch.float64)
