"""Trains the network and measures both spectra, the shuffled null and the subsets.

No theory is imported here: predictions are added to the dataset by `decoupling.predict`.
"""

import copy
from dataclasses import asdict

import numpy as np
import torch
import xarray as xr

from sgdescape.core.data import image_sets
from sgdescape.core.networks import gradients, models
from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance
from sgdescape.core.spectra import products
from sgdescape.core.training import sgd
from sgdescape.core.training.sgd import square_loss
from sgdescape.decoupling.estimates import agreement_rank, direction_ratio

_STEM = "decoupling"
_FEW = 16  # untrained networks of each width whose directions are looked at one by one


def measure(config, *, device: str = "cpu") -> xr.Dataset:
    """Train, and stop at each epoch of the configuration to take the spectra.

    Args:
        config: a `decoupling.Config`.
        device: torch device of the training and of the Gram matrices.

    Returns:
        The variables listed at `decoupling.run`, without predictions.

    Raises:
        RuntimeError: if the training diverges; the message names the step.
    """
    subset = config.image_seed
    subset = subset if subset is None else seeds.derive(subset, _STEM, "images")
    images = image_sets.load("mnist", n=config.images, seed=subset, device=device)
    start = seeds.derive(config.seed, _STEM, "network")
    network = models.mlp((784, *config.hidden, 1), seed=start, device=device)
    snapshots, history, state = [], [], None
    for index, epoch in enumerate(config.epochs):
        steps = sgd.steps_of(epoch, n=config.images, batch_size=config.batch_size)
        descent = sgd.Config(
            learning_rate=config.learning_rate,
            batch_size=config.batch_size,
            steps=steps,
            seed=seeds.derive(config.seed, _STEM, "batches"),
        )
        result = sgd.train(network, images.inputs, images.targets, descent, state=state)
        if result.diverged_at is not None:
            raise RuntimeError(f"training diverged at step {result.diverged_at}: {config}")
        state = result.state
        history.append(result.batch_losses)
        snapshots.append(_snapshot(network, images, config, index))
    dataset = xr.concat(snapshots, dim="epoch").assign_coords(epoch=list(config.epochs))
    dataset = dataset.merge(_untrained(images, config))
    losses = np.concatenate(history)
    per_epoch = config.images // config.batch_size
    whole = losses[: len(losses) // per_epoch * per_epoch].reshape(-1, per_epoch).mean(axis=1)
    dataset["training_loss"] = "training_epoch", whole
    dataset["training_epoch"] = np.arange(1, len(whole) + 1)
    dataset.attrs |= {
        "data": images.provenance["source"],
        "data_sha256": provenance.to_json(images.provenance["sha256"]),
        "config": provenance.to_json(asdict(config)),
    }
    return dataset


def _snapshot(network, images, config, index):
    """Everything measured at one time of the training, the index-th, in float64."""
    # A double copy: a float32 residual can be exactly 0, and its logarithm is needed.
    model = copy.deepcopy(network).double()
    inputs, targets = images.inputs.double(), images.targets.double()
    with torch.no_grad():
        losses = square_loss(model(inputs), targets)
    gram = products.gram(model, inputs)
    spectra = products.noise_spectra(gram, losses)
    values, vectors = (a.flip(-1)[..., : config.directions] for a in torch.linalg.eigh(gram))
    weights = vectors.square().T.cpu().numpy()
    loss = losses.cpu().numpy()
    sizes, ranks = _subsets(gram, losses, config)
    scalars = {"resolution": spectra.resolution}
    return xr.Dataset(
        {
            "loss": ("image", loss),
            "output_norm": ("image", gram.diagonal().cpu().numpy()),
            "exact": ("rank", spectra.exact),
            "decoupled": ("rank", spectra.decoupled),
            "shuffled": (("shuffle", "rank"), _shuffled(gram, losses, config, index)),
            "direction_weight": (("direction", "image"), weights),
            "direction_ratio": ("direction", direction_ratio(loss, weights)),
            "gauss_newton": ("direction", (values / len(loss)).cpu().numpy()),
            "curvature": ("direction", _curvatures(model, inputs, targets, vectors)),
            "subset_rank": (("subset_size", "subset"), ranks),
            **{name: ((), value) for name, value in scalars.items()},
        },
        coords={"rank": np.arange(1, len(loss) + 1), "subset_size": sizes},
    )


def _untrained(images, config):
    """Losses, squared gradients, spectra and directions of new networks, 500 images at most."""
    count = min(500, len(images.inputs))
    inputs, targets = images.inputs[:count], images.targets[:count]
    shape = (len(config.widths), config.networks, count)
    losses, norms = np.empty(shape), np.empty(shape)
    few, leading = min(_FEW, config.networks), min(config.directions, count)
    weights = np.empty((len(config.widths), few, leading, count))
    exact, decoupled = np.empty((2, len(config.widths), few, count))
    for i, width in enumerate(config.widths):
        for j in range(config.networks):
            seed = seeds.derive(config.seed, _STEM, f"width {width}", j)
            model = models.mlp((784, width, width, 1), seed=seed, device=inputs.device)
            with torch.no_grad():
                losses[i, j] = square_loss(model(inputs), targets).cpu()
            norms[i, j] = gradients.output_gradient_norms(model, inputs).cpu()
            if j < few:
                gram = products.gram(model.double(), inputs.double())
                spectra = products.noise_spectra(gram, torch.from_numpy(losses[i, j]).to(gram))
                exact[i, j], decoupled[i, j] = spectra.exact, spectra.decoupled
                vectors = torch.linalg.eigh(gram)[1]
                weights[i, j] = vectors.flip(-1)[:, :leading].square().T.cpu().numpy()
    where = ("width", "network", "part")
    return xr.Dataset(
        {
            "width_loss": (where, losses),
            "width_norm": (where, norms),
            "width_weight": (("width", "few", "leading", "part"), weights),
            "width_exact": (("width", "few", "part"), exact),
            "width_decoupled": (("width", "few", "part"), decoupled),
        },
        coords={"width": list(config.widths)},
    )


def _curvatures(model, inputs, targets, vectors):
    """Curvature of the loss along the Gauss-Newton eigenvectors with these Gram eigenvectors.

    The unit eigenvector of parameters is proportional to the sum of u_mu times the output's
    gradient of sample mu: one backward pass each.
    """
    parameters = list(model.parameters())
    hessian = products.hessian_product(model, inputs, targets, loss=square_loss)
    found = []
    for column in vectors.T:
        output = (model(inputs)[:, 0] * column).sum()
        along = torch.cat([g.flatten() for g in torch.autograd.grad(output, parameters)])
        along = along / along.norm()
        found.append(float(along @ hessian(along)))
    return np.array(found)


def _shuffled(gram, losses, config, index):
    """Spectra of the exact matrix with the losses dealt out to the images at random."""
    key = seeds.derive(config.seed, _STEM, "shuffles", index)
    rng = np.random.Generator(np.random.Philox(key=key))
    rows = []
    for _ in range(config.shuffles):
        order = torch.from_numpy(rng.permutation(len(losses))).to(losses.device)
        root = (losses[order] / len(losses)).sqrt()
        rows.append(products.eigenvalues((gram * root).mul_(root[:, None])))
    return np.stack(rows)


def _subsets(gram, losses, config):
    """Rank up to which the spectra agree, for disjoint subsets of the images of halving sizes."""
    n, sizes = len(losses), [len(losses) // 2**i for i in range(config.halvings + 1)]
    ranks = np.full((len(sizes), 2**config.halvings), np.nan)
    for i, size in enumerate(sizes):
        for j in range(n // size):
            part = slice(j * size, (j + 1) * size)
            pair = products.noise_spectra(gram[part, part], losses[part])
            ranks[i, j] = agreement_rank(pair.exact, pair.decoupled, factor=config.factor)
    return sizes, ranks
