"""Gram matrices of output gradients, layer by layer, and the spectra they give.

The n x n matrix J Jᵀ has the same non-zero eigenvalues as the P x P sum of outer products, and
gives them all. Accumulated in float64, it resolves eigenvalues down to 1e-12 of the largest.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.networks.chains import PARAMETRIC, chain
from sgdescape.core.networks.gradients import chunks, unit_cotangents
from sgdescape.core.networks.layers import deltas, inputs_of, linearise
from sgdescape.core.networks.plain import clean_modes

__all__ = ["Spectra", "eigenvalues", "gram", "noise_spectra"]

BLOCK = 512  # rows of a Gram block: large enough for full speed, small enough for a cache
FACTOR_BYTES = 2**26  # of the kernel gradients of a convolution held at once


@dataclass(frozen=True)
class Spectra:
    """Non-zero spectra of the two matrices of Mori et al., Eq. (7), in float64.

    Attributes:
        exact: (n,) eigenvalues of (1/N) Σ ℓ_μ C_f^μ, descending.
        decoupled: (n,) eigenvalues of L (1/N) Σ C_f^μ, descending.
        resolution: eigenvalues below it are round-off, n ε times the largest of both.
    """

    exact: np.ndarray
    decoupled: np.ndarray
    resolution: float


@door
@clean_modes
@torch.no_grad()
def gram(
    model: nn.Module,
    inputs: Tensor,
    *,
    dtype: torch.dtype = torch.float64,
    chunk: int | None = None,
) -> Tensor:
    """Gram matrix of the outputs' gradients, J Jᵀ, built layer by layer.

    For a Linear layer the inner product of two per-sample gradients factorises,
    (a·a' + 1)(δ·δ'), so P never appears; for a convolution the kernel's gradients are formed for
    a few output channels at a time.

    Args:
        model: a supported network (see `chains.chain`); frozen parameters count too.
        inputs: samples (n, ...).
        dtype: of the accumulation. In float32 every eigenvalue below about 1e-6 of the largest
            is noise.
        chunk: samples a pass; None chooses by memory. It does not change the result.

    Returns:
        ∇f_c(x_μ)·∇f_c'(x_ν), a matrix (n outputs, n outputs), row μ·outputs + c.

    Raises:
        TypeError: if the model or the inputs are of the wrong kind.
        ValueError: if the inputs are empty or not finite.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 1))
        >>> gram(net, torch.tensor([[3.0, 4.0], [1.0, 0.0]]))  # x·x' + 1
        tensor([[26.,  4.],
                [ 4.,  2.]], dtype=torch.float64)
    """
    if dtype not in (torch.float32, torch.float64):
        raise TypeError(f"dtype must be torch.float32 or torch.float64: got {dtype!r}")
    owners = [m for m in chain(model) if isinstance(m, PARAMETRIC)]
    entering, leaving = _record(model, inputs, chunk)
    n, outputs = leaving[0].shape[:2]
    matrix = torch.zeros(n * outputs, n * outputs, dtype=dtype, device=inputs.device)
    for module, hidden, delta in zip(owners, entering, leaving, strict=True):
        if isinstance(module, nn.Linear):
            _add_linear(matrix, module, hidden, delta)
        else:
            _add_convolution(matrix, module, hidden, delta)
    return matrix


@door
def noise_spectra(gram: Tensor, losses: Tensor) -> Spectra:
    """Both spectra of the decoupling approximation, Mori et al., Eq. (7), from one Gram matrix.

    The P x P matrix (1/N) Σ ℓ_μ ∇f_μ ∇f_μᵀ has the non-zero eigenvalues of D^½ K D^½ / N with
    K the Gram matrix and D = diag(ℓ), Eq. (gram) of chapter `decoupling`; replacing D by its mean
    L gives the decoupled one.

    Args:
        gram: Gram matrix of a network with one output (n, n).
        losses: per-sample losses ℓ_μ >= 0 (n,).

    Returns:
        Both spectra, descending.

    Raises:
        ValueError: if shapes do not fit, a loss is negative, or a value is not finite.

    Example:
        >>> spectra = noise_spectra(torch.eye(2).double(), torch.tensor([1.0, 3.0]))
        >>> spectra.exact.round(9), spectra.decoupled.round(9)
        (array([1.5, 0.5]), array([1., 1.]))
    """
    if gram.is_complex():
        raise TypeError(f"gram must be real: got {gram.dtype}")
    weights = validate.finite("losses", torch.as_tensor(losses).detach().cpu())
    if gram.shape != (len(weights), len(weights)):
        raise ValueError(
            f"gram must have shape ({len(weights)}, {len(weights)}) for {len(weights)} losses: "
            f"got {tuple(gram.shape)}"
        )
    if not bool(torch.isfinite(gram).all()):
        raise ValueError("gram must be finite: it holds NaN or infinite values")
    if weights.min() < 0:
        raise ValueError(f"losses must be non-negative: got a smallest value of {weights.min()}")
    root = torch.as_tensor(np.sqrt(weights / len(weights)), dtype=gram.dtype, device=gram.device)
    exact = eigenvalues((gram * root).mul_(root[:, None]))
    decoupled = eigenvalues(gram.clone()) * weights.mean() / len(weights)
    top = max(exact[0], decoupled[0])
    return Spectra(exact, decoupled, len(weights) * torch.finfo(gram.dtype).eps * top)


@door
def eigenvalues(matrix: Tensor) -> np.ndarray:
    """Eigenvalues of a symmetric positive semi-definite matrix, descending; destroys the matrix.

    Args:
        matrix: (n, n), overwritten on the CPU, where that saves a copy.

    Returns:
        Eigenvalues (n,) in float64; negative ones are round-off and come back as 0.
    """
    if matrix.is_complex():
        raise TypeError(f"matrix must be real: got {matrix.dtype}")
    if matrix.device.type == "cpu":
        options = {"eigvals_only": True, "overwrite_a": True, "driver": "evd"}
        # The transpose of a symmetric matrix is itself, in the order LAPACK works in place on.
        values = scipy.linalg.eigh(matrix.numpy().T, **options)
    else:
        values = torch.linalg.eigvalsh(matrix).cpu().numpy()
    return np.maximum(values[::-1].astype(np.float64), 0.0)


def _record(model, inputs, chunk):
    """Inputs (n, ...) and deltas (n, outputs, ...) of every layer with parameters."""
    entering, leaving = [], []
    for rows in chunks(model, inputs, chunk):
        lin = linearise(model, inputs[rows])
        entering.append(inputs_of(lin))
        passes = [deltas(lin, cotangent) for cotangent in unit_cotangents(lin.outputs)]
        leaving.append([torch.stack(layer, dim=1) for layer in zip(*passes, strict=True)])
    joined = [
        [torch.cat(layer) for layer in zip(*parts, strict=True)] for parts in (entering, leaving)
    ]
    return joined


def _add_linear(matrix, module, hidden, delta):
    n, outputs = delta.shape[:2]
    step, dtype = max(1, BLOCK // outputs), matrix.dtype
    for i in range(0, n, step):
        left, left_delta = hidden[i : i + step].to(dtype), delta[i : i + step].to(dtype)
        for j in range(0, i + 1, step):  # the lower triangle; the upper is its mirror
            right, right_delta = hidden[j : j + step].to(dtype), delta[j : j + step].to(dtype)
            scale = left @ right.T
            if module.bias is not None:
                scale += 1
            block = left_delta.flatten(0, 1) @ right_delta.flatten(0, 1).T
            block.view(len(left), outputs, len(right), outputs).mul_(scale[:, None, :, None])
            rows = slice(i * outputs, i * outputs + len(block))
            columns = slice(j * outputs, j * outputs + block.shape[1])
            matrix[rows, columns] += block
            if j < i:
                matrix[columns, rows] += block.T


def _add_convolution(matrix, module, hidden, delta):
    dtype, delta = matrix.dtype, delta.flatten(3)  # (n, outputs, channels, positions)
    channels, patch = delta.shape[2], module.weight[0].numel()
    if module.bias is not None:
        shares = delta.sum(3).flatten(0, 1).to(dtype)
        matrix.addmm_(shares, shares.T)
    options = module.kernel_size, module.dilation, module.padding, module.stride
    group = max(1, FACTOR_BYTES // (len(matrix) * patch * matrix.element_size()))
    rows = max(1, FACTOR_BYTES // (patch * delta.shape[3] * matrix.element_size()))
    for c in range(0, channels, group):
        pieces = []
        for part, back in zip(hidden.split(rows), delta.split(rows), strict=True):
            patches = F.unfold(part, *options).to(dtype).mT  # (rows, positions, patch)
            pieces.append(back[:, :, c : c + group].to(dtype).flatten(1, 2) @ patches)
        factor = torch.cat(pieces).view(len(matrix), -1)
        matrix.addmm_(factor, factor.T)
