"""The narrow ResNet-18 followed over tens of epochs, in the eigenvectors of its own Hessian.

A run of many minutes, kept in ``results/``, on 1,024 images, labels drawn anew (`resnet`); Hessian
and losses are those of some of them in batches of 32. A replica depends on the seed, its setting
and its index alone.
"""

import functools

import numpy as np
import torch
import xarray as xr

from sgdescape.core.data import image_sets
from sgdescape.core.random import seeds
from sgdescape.core.runs import sweep as runner
from sgdescape.core.spectra import products
from sgdescape.core.training import recorder, sgd
from sgdescape.network_limits.config import Follow
from sgdescape.network_limits.measure import resnet_checkpoint as checkpoint

RECIPE = checkpoint.Recipe()
MARKS = ("train_loss", "test_loss", "test_accuracy")


def follow(config: Follow, *, executor=None, store=None) -> xr.Dataset:
    """Follow all runs and measure the surroundings of their start; what is stored is found again.

    Args:
        config: the sizes.
        executor: of `core.runs.sweep`.
        store: folder of finished pieces; None keeps nothing.

    Returns:
        ``narrow_speed`` and ``narrow_distance`` (setting, replica, narrow_step), the marks
        (setting, replica, mark), ``narrow_position`` and ``narrow_move`` (replica, narrow_step,
        narrow_mode) of the first setting, ``narrow_end_noise`` (setting, replica, narrow_end) of
        its own batches where a run ends, what `start` measures, and the settings ``narrow_at``.
    """
    parts = []
    for index, row in enumerate(config.runs):
        part = runner.sweep(
            path,
            {"setting": [index]},
            replicas=row[4],
            seed=config.seed,
            options={"config": config},
            dims={name: ("narrow_step",) for name in ("narrow_speed", "narrow_distance")}
            | {f"narrow_{name}": ("mark",) for name in MARKS}
            | {"narrow_end_noise": ("narrow_end",)}
            | {name: ("narrow_step", "narrow_mode") for name in ("narrow_position", "narrow_move")},
            chunk_size=1,
            executor=executor,
            store=store,
        )
        steps = np.arange(1, row[3] + 1)  # runs differ in length
        parts.append(part.assign_coords(narrow_step=steps))
    phase = parts[0][["narrow_position", "narrow_move"]].isel(setting=0, drop=True)
    rest = [part.drop_vars(["narrow_position", "narrow_move"]) for part in parts]
    joined = xr.concat(rest, "setting", join="outer", fill_value=np.nan)
    around = runner.sweep(
        start,
        {"place": [0]},
        seed=config.seed,
        options={"config": config},
        dims={
            "narrow_curvature": ("narrow_mode",),
            "narrow_residual": ("narrow_mode",),
            "narrow_noise": ("narrow_batch", "narrow_draw"),
            "narrow_mode_noise": ("narrow_batch", "narrow_draw", "narrow_mode"),
            "narrow_train_plane": ("along_one", "along_other"),
            "narrow_test_plane": ("along_one", "along_other"),
        },
        executor=executor,
        store=store,
    ).isel(place=0, replica=0, drop=True)
    whole = xr.merge([phase, joined, around], combine_attrs="drop")
    return described(whole.rename(replica="narrow_replica"), config)


def described(dataset: xr.Dataset, config: Follow) -> xr.Dataset:
    """Return the measurements with the settings, sizes and places that belong to them."""
    grid = _grid(config)
    at = (("setting", "narrow_number"), np.array(config.runs, dtype=float))
    return dataset.assign(narrow_at=at).assign_coords(
        narrow_batch=list(config.batches), along_one=grid, along_other=grid
    )


def _grid(config):
    return np.linspace(-1, 1, config.plane_points) * config.plane


def path(replicas, *, seed, setting, config) -> dict[str, np.ndarray]:
    """Run SGD from the checkpoint, with replacement.

    Args:
        replicas: indices.
        seed: of batches and labels, with setting and index.
        setting: number of the run in ``config.runs``.
        config: the sizes.
    """
    return _stacked([_path(seed, setting, replica, config) for replica in replicas])


def start(replicas, *, seed, place, config) -> dict[str, np.ndarray]:
    """Measure curvature, noise of batches of several sizes and the loss in a plane.

    Args:
        replicas: only (0,).
        seed: of batches and labels.
        place: only 0, the checkpoint.
        config: the sizes.
    """
    del place  # a grid of one point
    pairs = _eigenpairs(config)
    vectors = pairs.eigenvectors.double()
    grid = _grid(config)
    planes = [_plane(vectors[:, [0, -1]], grid, *data) for data in (_train(config), _test(config))]
    noises = [_start_noise(seed, size, config, vectors) for size in config.batches]
    found = {
        "narrow_curvature": pairs.eigenvalues.numpy(),
        "narrow_residual": pairs.residuals.numpy(),
        "narrow_noise": np.array([total for total, _ in noises]),
        "narrow_mode_noise": np.array([along for _, along in noises]),
        "narrow_train_plane": planes[0],
        "narrow_test_plane": planes[1],
    }
    return _stacked([found for _ in replicas])


def piece(config: Follow, *, setting: int, replica: int, steps: int) -> np.ndarray:
    """Return the squared steps at the start of one run, made anew to be compared.

    Args:
        config: as of the run that is kept.
        setting: number of the run.
        replica: its index.
        steps: how many.
    """
    return _path(config.seed, setting, replica, config, steps=steps)["narrow_speed"]


def _path(seed, setting, replica, config, *, steps=None):
    eta, beta, size, length, _ = config.runs[setting]
    model, images = _model(), checkpoint.images_of(RECIPE)
    generator = torch.Generator().manual_seed(
        seeds.derive(seed, "network_limits", f"narrow {setting}", replica)
    )
    optimiser = torch.optim.SGD(
        model.parameters(), lr=eta, momentum=beta, weight_decay=RECIPE.weight_decay
    )
    watched = _eigenpairs(config).eigenvectors if setting == 0 and steps is None else None
    record = recorder.Recorder(model, directions=watched)
    record(0)
    marks = {name: [] for name in MARKS}
    at = set(np.linspace(0, length, config.marks).astype(int)) if steps is None else set()
    for k in range(steps or length):
        if k in at:
            _mark(model, config, marks)
        index = torch.randint(0, RECIPE.images, (int(size),), generator=generator)
        checkpoint.step(model, images, index, optimiser, generator)
        record(k + 1)
    if at:
        _mark(model, config, marks)
    seen = record.path()
    groups = config.ends if steps is None else 0
    return {
        "narrow_end_noise": _noise(model, images, int(size), generator, groups)[0],
        "narrow_speed": seen.square_move[1:].sum(1).astype(np.float32),
        "narrow_distance": seen.square_distance[1:, 0].astype(np.float32),
        "narrow_position": seen.positions[1:, 0].astype(np.float32),
        "narrow_move": seen.moves[1:].astype(np.float32),
        **{f"narrow_{name}": np.array(values) for name, values in marks.items()},
    }


def _model():
    model = checkpoint.network(RECIPE)
    checkpoint.put(model, torch.from_numpy(checkpoint.load(RECIPE)))
    return model.train()


@functools.cache
def _eigenpairs(config):
    """Leading eigenpairs of the loss in batches of 32, as in the runs."""
    model = _model()
    inputs, _, soft = _train(config)
    product = products.hessian_product(
        model,
        inputs,
        soft,
        loss=sgd.cross_entropy,
        batch_norm="train",
        chunk=RECIPE.batch_size,
    )
    return products.lanczos(
        product,
        sum(p.numel() for p in model.parameters()),
        k=config.modes,
        max_iter=config.iterations,
        tol=1e-3,
        dtype=torch.float32,
    )


@functools.cache
def _train(config):
    images, part = checkpoint.images_of(RECIPE), slice(0, config.images)
    return images.inputs[part], images.labels[part], images.soft()[part]


@functools.cache
def _test(config):
    """Images that the network was not trained on, scaled as those it was."""
    count = RECIPE.images
    found = image_sets.load(RECIPE.dataset, n=count + config.test_images, images=True)
    own = found.inputs[:count]
    inputs = (found.inputs[count:] - own.mean()) / own.std()
    images = checkpoint.Images(inputs, found.labels[count:], RECIPE.noise)
    return images.inputs, images.labels, images.soft()


@torch.no_grad()
def _outputs(model, inputs):
    model.train()
    return torch.cat([model(x) for x in inputs.split(RECIPE.batch_size)])


def _mark(model, config, marks):
    """Losses and accuracy in batches of 32; labels of the test are the images' own."""
    for name, (inputs, labels, soft) in (("train", _train(config)), ("test", _test(config))):
        answer = _outputs(model, inputs)
        marks[f"{name}_loss"].append(float(sgd.cross_entropy(answer, soft).mean()))
        if name == "test":
            right = (answer.argmax(1) == labels).double()
            marks["test_accuracy"].append(float(right.mean()))


def _plane(vectors, grid, inputs, labels, soft):
    """Loss, weight decay included, in the plane of two directions (first, second)."""
    del labels
    model = _model()
    origin = torch.cat([p.detach().flatten() for p in model.parameters()]).double()
    values = np.zeros((len(grid), len(grid)))
    for i, j in np.ndindex(values.shape):
        theta = origin + vectors @ torch.tensor([grid[i], grid[j]], dtype=torch.float64)
        checkpoint.put(model, theta.float())
        loss = float(sgd.cross_entropy(_outputs(model, inputs), soft).mean())
        values[i, j] = loss + RECIPE.weight_decay / 2 * float(theta @ theta)
    return values


def _start_noise(seed, size, config, vectors):
    """Noise of batches of a size at the checkpoint, whole and along the eigenvectors."""
    generator = torch.Generator().manual_seed(
        seeds.derive(seed, "network_limits", "narrow noise", size)
    )
    images = checkpoint.images_of(RECIPE)
    return _noise(_model(), images, size, generator, config.draws, vectors)


def _noise(model, images, size, generator, groups, vectors=None):
    """S times the variance of the batch gradient in groups of draws, whole and along directions.

    Small batches are cheap: a group has as many of them as 256 images give, four at the least.
    """
    count = max(4, 256 // size)
    whole, along = np.zeros(groups), []
    for k in range(groups):
        pulls = []
        for _ in range(count):
            index = torch.randint(0, RECIPE.images, (size,), generator=generator)
            pulls.append(checkpoint.gradient(model, images, index, generator))
        apart = torch.stack(pulls)
        apart -= apart.mean(0)
        whole[k] = size * float(apart.square().sum()) / (count - 1)
        if vectors is not None:
            along.append((size * (apart @ vectors).square().sum(0) / (count - 1)).numpy())
    return whole, np.array(along)


def _stacked(rows):
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}
