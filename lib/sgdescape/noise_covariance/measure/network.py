"""The real network of chapter `noise_covariance`: train it, and look along its eigendirections."""

import numpy as np
import torch
import xarray as xr

from sgdescape.core.data import image_sets
from sgdescape.core.networks import gradients, models
from sgdescape.core.spectra import products
from sgdescape.core.training import sgd


def trained(config, *, device="cpu"):
    """Train 784-units-1 on MNIST parity by SGD, then by full-batch steps towards the minimum.

    Args:
        config: the chapter's `Config`.
        device: where to train.

    Returns:
        The model and the data's inputs and targets, all float64.

    Raises:
        FloatingPointError: if the loss diverged; the step is named.
    """
    mnist = image_sets.load("mnist", n=config.images, device=device)
    model = models.mlp((784, config.units, 1), seed=config.seed, device=device)
    rate, seed = config.learning_rate, config.seed
    stages = (
        sgd.Config(rate, config.batch_size, config.steps, seed=seed),
        sgd.Config(rate, config.images, config.polish, seed=seed),
    )
    for stage in stages:
        result = sgd.train(model, mnist.inputs, mnist.targets, stage)
        if result.diverged_at is not None:
            raise FloatingPointError(f"training diverged at step {result.diverged_at} of {stage}")
    return model.double(), mnist.inputs.double(), mnist.targets.double()


def outputs_along(model, inputs, direction, distance):
    """Return f and its derivative along a unit vector, at a distance from the model's parameters.

    Args:
        model: a network with one output and P parameters; it is not changed.
        inputs: (N, ...).
        direction: unit vector (P,).
        distance: z.

    Returns:
        f (N,) and its derivative (N,) at theta + z e.
    """
    named = dict(model.named_parameters())
    pieces = torch.split(direction, [p.numel() for p in named.values()])
    tangent = {k: v.view_as(p) for (k, p), v in zip(named.items(), pieces, strict=True)}
    moved = {k: p.detach() + distance * tangent[k] for k, p in named.items()}
    call = lambda parameters: torch.func.functional_call(model, parameters, (inputs,))[:, 0]  # noqa: E731
    return torch.func.jvp(call, (moved,), (tangent,))


def alignment(model, inputs, targets, config) -> xr.Dataset:
    """Record what is needed for the noise along a network's leading curvature directions.

    The directions are the leading eigenvectors of Eq. (11)'s matrix.

    Args:
        model: a trained network with one output.
        inputs: (N, ...).
        targets: (N,).
        config: the chapter's `Config`.

    Returns:
        ``residual`` f - y (sample,), ``output_norm`` |nabla f|^2 (sample,), ``overlap``
        (nabla f)^T G nabla f with G the matrix of Eq. (11) (sample,), ``slope`` derivatives of f
        (sample, direction), ``eigenvalue`` and ``curvature`` (direction,): of the
        Gauss-Newton matrix and of the Hessian; ``path_residual`` and ``path_slope``
        (sample, path, side, loss_ratio_n) at the displaced points.
    """
    pairs = products.gauss_newton_eigenpairs(model, inputs, k=config.eigenvectors)
    vectors = pairs.eigenvectors.T
    hessian = products.hessian_product(model, inputs, targets, loss=sgd.square_loss)
    output, _ = outputs_along(model, inputs, vectors[0], 0.0)
    slope = torch.stack([outputs_along(model, inputs, v, 0.0)[1] for v in vectors], dim=1)
    curvature = torch.stack([v @ hessian(v) for v in vectors])
    loss = torch.mean((output - targets) ** 2) / 2
    loss_ratios, paths = config.loss_ratios_n, config.paths
    shape = (len(inputs), paths, 2, len(loss_ratios))
    path_residual, path_slope = np.empty(shape), np.empty(shape)
    for i in range(paths):
        for j, sign in enumerate((-1, 1)):
            for k, c in enumerate(loss_ratios):
                distance = sign * torch.sqrt(2 * loss * (c - 1) / pairs.eigenvalues[i])
                f, derivative = outputs_along(model, inputs, vectors[i], distance)
                path_residual[:, i, j, k] = (f - targets).cpu()
                path_slope[:, i, j, k] = derivative.cpu()
    norms = gradients.output_gradient_norms(model, inputs)
    overlap = products.gram(model, inputs).square().mean(dim=1)
    where = ("sample", "path", "side", "loss_ratio_n")
    return xr.Dataset(
        {
            "residual": ("sample", (output - targets).cpu().numpy()),
            "output_norm": ("sample", norms.cpu().numpy()),
            "overlap": ("sample", overlap.cpu().numpy()),
            "slope": (("sample", "direction"), slope.cpu().numpy()),
            "eigenvalue": ("direction", pairs.eigenvalues.cpu().numpy()),
            "curvature": ("direction", curvature.cpu().numpy()),
            "path_residual": (where, path_residual),
            "path_slope": (where, path_slope),
        },
        coords={"side": [-1, 1], "loss_ratio_n": list(loss_ratios)},
    )


def noise_slopes(residual, slope, path_residual, path_slope, eigenvalue):
    """Return the slope of B Sigma_ee / (2 h) against L along each path, both sides averaged.

    The average over both sides removes the odd part of the noise, E[r g^3], on any data.

    Args:
        residual: f - y at the minimum (n,).
        slope: derivatives of f there (n, paths).
        path_residual: f - y at the displaced points (n, paths, 2, points).
        path_slope: derivatives of f there, same shape.
        eigenvalue: h (paths,).

    Returns:
        Least-squares slopes (paths,), and the losses and noises they are fitted to, each
        (paths, points + 1), the minimum first.
    """
    loss0 = np.full((slope.shape[1], 1), np.mean(residual**2) / 2)
    noise0 = np.var(residual[:, None] * slope, axis=0)[:, None]
    losses = np.hstack([loss0, (path_residual**2).mean(axis=0).mean(axis=1) / 2])
    noises = np.hstack([noise0, (path_residual * path_slope).var(axis=0).mean(axis=1)])
    noises /= 2 * eigenvalue[:, None]
    centred = losses - losses.mean(axis=1, keepdims=True)
    return (centred * noises).sum(axis=1) / (centred**2).sum(axis=1), losses, noises


def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers of the trained network that the chapter's prose quotes.

    Args:
        dataset: of `alignment`.

    Returns:
        Name in the prose -> (value, format).
    """
    paths = dataset.sizes["path"]
    residual, slope = dataset.residual.values, dataset.slope.values
    h, norms = dataset.eigenvalue.values, dataset.output_norm.values
    loss = np.mean(residual**2) / 2
    ratios = np.var(residual[:, None] * slope, axis=0) / (2 * loss * h)
    shares = np.mean(residual[:, None] * slope, axis=0) ** 2 / (2 * loss * h)
    kappas = np.mean(slope**4, axis=0) / np.mean(slope**2, axis=0) ** 2
    moved = dataset.path_residual.values, dataset.path_slope.values
    rates, _, _ = noise_slopes(residual, slope[:, :paths], *moved, h[:paths])
    return {
        "covariance-loss": (loss, ".4f"),
        "covariance-curvature": (h[0], ".0f"),
        "covariance-ratio-low": (ratios.min(), ".2f"),
        "covariance-ratio-high": (ratios.max(), ".2f"),
        "covariance-ratio-trace": (np.mean(residual**2 * norms) / (2 * loss * norms.mean()), ".2f"),
        "covariance-share": (shares.max(), ".1e"),
        "covariance-kappa-first": (kappas[0], ".2f"),
        "covariance-kappa-low": (kappas[1:paths].min(), ".1f"),
        "covariance-kappa-high": (kappas[1:paths].max(), ".1f"),
        "covariance-rate-first": (rates[0], ".2f"),
    }
