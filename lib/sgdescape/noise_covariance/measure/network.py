"""The real network of chapter `noise_covariance`: train it, and look along its eigendirections."""

import numpy as np
import torch
import xarray as xr

from sgdescape.core.data import image_sets
from sgdescape.core.networks import gradients, models
from sgdescape.core.random import seeds
from sgdescape.core.spectra import products
from sgdescape.core.training import sgd

_STEM = "noise_covariance"


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
    start = seeds.derive(config.seed, _STEM, "trained network")
    model = models.mlp((784, config.units, 1), seed=start, device=device)
    rate, seed = config.learning_rate, seeds.derive(config.seed, _STEM, "training batches")
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

    def call(parameters):
        return torch.func.functional_call(model, parameters, (inputs,))[:, 0]

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
