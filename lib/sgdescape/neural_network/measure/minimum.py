"""A minimum in data space: Gauss-Newton matrix, noise by direction, Hessian."""

import numpy as np
import torch

from sgdescape.core.spectra import products
from sgdescape.core.training import sgd


def tangent_gram(model, inputs, gram) -> torch.Tensor:
    """Return J J^T (N, N) of a network with one output, in the precision of ``gram``.

    As `core.spectra.products.gram`, with the first layer's N^2 d operations done beforehand.

    Args:
        model: Linear, ReLU, ..., Linear with biases.
        inputs: X (N, d), in the model's precision.
        gram: X X^T + 1 (N, N); it is not changed.
    """
    linear = list(model)[::2]
    with torch.no_grad():
        entering = [inputs]
        for layer in linear[:-1]:
            entering.append(torch.relu(layer(entering[-1])))
        slope = torch.ones(len(inputs), 1, dtype=inputs.dtype)  # of f in what leaves the layer
        matrix = torch.zeros_like(gram)
        for layer, hidden in zip(linear[:0:-1], entering[:0:-1], strict=True):
            a, d = hidden.to(gram.dtype), slope.to(gram.dtype)
            matrix += (a @ a.T).add_(1).mul_(d @ d.T)
            slope = (slope @ layer.weight) * (hidden > 0)
        d = slope.to(gram.dtype)
        return matrix.addcmul_(gram, d @ d.T)


def eigenvalues(gram) -> np.ndarray:
    """Return the eigenvalues of J J^T (N,), float64, descending; other threads go on meanwhile.

    As `core.spectra.products.eigenvalues`, which spares a copy but holds the interpreter's lock.

    Args:
        gram: J J^T (N, N); it is not changed.
    """
    return torch.linalg.eigvalsh(gram).double().clamp(min=0).flip(0).numpy()


def minimum(model, images, *, directions: int, seed: int, gram=None) -> dict:
    """Measure the Gauss-Newton matrix and the noise at a checkpoint, in data space.

    Args:
        model: the network, float64.
        images: its training data.
        directions: leading eigenvectors looked at one by one.
        seed: of the Lanczos start.
        gram: X X^T + 1 of the images, if at hand: saves time, and sets the precision of J J^T.

    Returns:
        ``gram`` J J^T (N, N); ``curvature`` h_e (directions,); ``trace`` and ``square`` of (44)
        and its square; ``loss``; ``noise_ratio`` rho_e; ``kurtosis`` kappa_ej (directions,
        directions); ``gradient_share`` (d_e L)^2 / (2 L h_e); ``vectors`` u_e (N, directions);
        ``residual`` f - y (N,).
    """
    n = len(images.inputs)
    if gram is None:
        gram = products.gram(model, images.inputs)
    else:
        gram = tangent_gram(model, images.inputs, gram)
    tol = 1e-9 if gram.dtype == torch.float64 else 1e-6
    found = products.lanczos(
        lambda u: (gram @ u.to(gram.dtype)).double(), n, k=directions, tol=tol, seed=seed
    )
    with torch.no_grad():
        residual = model(images.inputs)[:, 0] - images.targets.reshape(-1)
    losses, vectors = 0.5 * residual**2, found.eigenvectors
    loss, weights = losses.mean(), n * vectors**2  # weights: g_e^2 / h_e of each sample
    slope = (residual @ vectors) ** 2 / n  # (d_e L)^2 / h_e
    return {
        "gram": gram,
        "curvature": (found.eigenvalues / n).numpy(),
        "trace": float(gram.diagonal().mean()),
        "square": float(torch.linalg.vector_norm(gram, dim=1).double().square().sum()) / n**2,
        "loss": float(loss),
        "noise_ratio": ((losses @ weights) / n / loss).numpy(),
        "kurtosis": (weights.T @ weights / n).numpy(),
        "gradient_share": (slope / (2 * loss)).numpy(),
        "vectors": vectors,
        "residual": residual.numpy(),
    }


def parameter_directions(model, images, vectors) -> torch.Tensor:
    """Return J^T u_e / |J^T u_e| of data-space eigenvectors u_e (N, k): unit vectors (P, k)."""
    outputs, parameters = model(images.inputs)[:, 0], list(model.parameters())
    columns = []
    for vector in vectors.T:
        leaves = torch.autograd.grad(outputs @ vector, parameters, retain_graph=True)
        columns.append(torch.cat([leaf.flatten() for leaf in leaves]))
    lifted = torch.stack(columns, 1)
    return lifted / lifted.norm(dim=0)


def parameter_squares(model, inputs, weights=None) -> np.ndarray:
    """Return the mean squared derivative of f by each parameter (P,): the diagonal of Eq. (44).

    Weighted by twice the losses it is the diagonal of the gradients' second moment, Eq. (9).

    Args:
        model: Linear, ReLU, ..., Linear with biases.
        inputs: X (N, d), in the model's precision.
        weights: of the samples (N,), not negative; 1 unless given.
    """
    linear, n = list(model)[::2], len(inputs)
    with torch.no_grad():
        entering = [inputs]
        for layer in linear[:-1]:
            entering.append(torch.relu(layer(entering[-1])))
        slope = torch.ones(n, 1, dtype=inputs.dtype)  # of f in what leaves the layer
        if weights is not None:
            slope = slope * torch.as_tensor(weights).sqrt()[:, None]
        parts = []
        for layer, hidden in zip(linear[::-1], entering[::-1], strict=True):
            square = slope.square()
            parts += [square.mean(dim=0), (square.T @ hidden.square() / n).flatten()]
            slope = (slope @ layer.weight) * (hidden > 0)
    return torch.cat(parts[::-1]).double().numpy()


def by_curvature(squares, curvatures) -> np.ndarray:
    """Return means of squares over parameters of like curvature, where it is small (bins,).

    Half a decade a bin, from 1e-6 to 1e-2 of the largest curvature; NaN where a bin has fewer than
    ten parameters. Parameters without any curvature are in none.

    Args:
        squares: of whatever the parameters have (P,).
        curvatures: of the parameters (P,), not negative.

    Example:
        >>> h = np.repeat([1e-5, 1e-3, 1.0], 20)
        >>> by_curvature(2 * h, h)[[2, 6]]
        array([2.e-05, 2.e-03])
    """
    edges = np.max(curvatures) * np.geomspace(1e-6, 1e-2, 9) * (1 - 1e-9)  # rounding at an edge
    where = np.digitize(curvatures, edges)
    rows = [np.asarray(squares)[where == k] for k in range(1, len(edges))]
    return np.array([row.mean() if row.size >= 10 else np.nan for row in rows])


def hessian_ratio(model, images, lifted, curvature) -> np.ndarray:
    """Return v^T H v / h of the leading directions, H the Hessian with its residual term."""
    product = products.hessian_product(
        model, images.inputs, images.targets.reshape(-1, 1), loss=sgd.square_loss
    )
    return np.array([float(v @ product(v)) for v in lifted.T]) / curvature
