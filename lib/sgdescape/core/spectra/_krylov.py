"""One step of Lanczos: a product with the matrix, checked, made orthogonal to the basis."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sgdescape.core import validate

MatVec = Callable[[Tensor], Tensor]


def extend(matvec, basis):
    """One Lanczos step from the last row: (vᵀ A v, norm of what is new, what is new)."""
    image = image_of(matvec, basis[-1])
    alpha = float(basis[-1] @ image)
    rest = orthogonalise(image, basis)
    beta = norm(rest)
    if not np.isfinite(alpha + beta):
        raise ValueError(f"matvec must return finite values: NaN or infinite at step {len(basis)}")
    return alpha, beta, rest


def image_of(matvec, vector):
    """A v in the precision of v, refused where it is no vector of the same length."""
    image = matvec(vector)
    if not isinstance(image, torch.Tensor) or image.is_complex():
        kind = getattr(image, "dtype", type(image).__name__)
        raise TypeError(f"matvec must return a real tensor: got {kind}")
    if image.shape != vector.shape:
        shape = tuple(image.shape)
        raise ValueError(f"matvec must return shape {tuple(vector.shape)}: got {shape}")
    return image.to(vector.dtype)


def norm(vector):
    """|v|, also where the squares of its entries leave the range of its precision."""
    norm = float(torch.linalg.vector_norm(vector))
    limits = torch.finfo(vector.dtype)
    if limits.tiny**0.5 / limits.eps < norm < limits.max**0.5:
        return norm
    largest = float(vector.abs().max())
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(torch.linalg.vector_norm(vector / largest))


def basis_of(dtype, device):
    """Precision and place of the vectors, refused where no eigenvalue can be had in them."""
    if dtype not in (torch.float32, torch.float64):
        raise TypeError(f"dtype must be torch.float32 or torch.float64: got {dtype!r}")
    return dtype, validate.device(device)


def orthogonalise(vector, basis):
    # Classical Gram-Schmidt twice is orthogonal to round-off ("twice is enough").
    for _ in range(2):
        vector = vector - basis.T @ (basis @ vector)
    return vector


def breakdown(diagonal, off, dtype):
    scale = max(abs(a) + b for a, b in zip(diagonal, off, strict=True))
    return 100 * torch.finfo(dtype).eps * scale
