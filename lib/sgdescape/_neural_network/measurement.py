"""What the chapter measures: the minimum, the runs that escape from it, and their end points."""

import numpy as np
import torch
import xarray as xr

from sgdescape._neural_network import bowl, checkpoints
from sgdescape.core import network_ensembles as ensembles
from sgdescape.core import sgd, spectrum

LAWS = ("decoupled", "measured", "constant", "equal")
"""Bowls: noise of Eq. (12); measured noise, Eq. (direction-noise); that of the minimum, Eq. (5);
Eq. (12) with as many directions of equal curvature as Eq. (45) counts."""

STREAMS = {"runs": 0, "bowl": 1, "controls": 2}  # added to the seed: no two share draws
_STRIDE = 1_000_003  # between seeds of different uses


def seed_of(seed: int, use: str) -> int:
    """Return the seed of one use of the randomness."""
    return seed + _STRIDE * STREAMS[use]


def recipes(config) -> dict:
    """Return the checkpoint recipes of a configuration: case -> recipe, the main one first."""
    # h* is above 75 in all of them: the time watched is at most `duration`
    common = {"images": config.images, "hidden": config.hidden, "duration": config.watch / 75}
    wider = tuple(2 * h for h in config.hidden)
    return {
        "main": checkpoints.Recipe(**common),
        "second seed": checkpoints.Recipe(**common, seed=1),
        "twice as wide": checkpoints.Recipe(**common | {"hidden": wider}),
        "Fashion-MNIST": checkpoints.Recipe(**common, dataset="fashion_mnist"),
    }


def tangent_gram(model, inputs, gram) -> torch.Tensor:
    """Return J J^T (N, N) of a network with one output, in the precision of ``gram``.

    As `core.spectrum.gram`, with the first layer's N^2 d operations done beforehand.

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
        directions); ``gradient_share`` (d_e L)^2 / (2 L h_e); ``vectors`` u_e (N, directions).
    """
    n = len(images.inputs)
    if gram is None:
        gram = spectrum.gram(model, images.inputs)
    else:
        gram = tangent_gram(model, images.inputs, gram)
    tol = 1e-9 if gram.dtype == torch.float64 else 1e-6
    found = spectrum.lanczos(
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


def hessian_ratio(model, images, lifted, curvature) -> np.ndarray:
    """Return v^T H v / h of the leading directions, H the Hessian with its residual term."""
    product = spectrum.hessian_product(
        model, images.inputs, images.targets.reshape(-1, 1), loss=sgd.square_loss
    )
    return np.array([float(v @ product(v)) for v in lifted.T]) / curvature


def escapes(problem, config, curvature, *, seed: int) -> dict:
    """Run every (exponent, batch size); the exponent is B / (eta h*) of Eq. (15) and sets eta.

    Returns:
        ``passage`` in steps and -1 (exponent, batch, replica, threshold), ``last_step``,
        ``learning_rate`` (exponent, batch), ``late_loss`` over L* (exponent, batch, replica): mean
        of the second half, NaN if the run had ended; ``looks`` (look, replica, threshold) passages
        of the runs at the middle exponent and second batch size, if only each look-th loss is seen.
    """
    cells = {"passage": [], "last_step": [], "learning_rate": [], "late_loss": []}
    for exponent in config.exponents:
        for batch_size in config.batches:
            rate = batch_size / (exponent * curvature)
            steps = round(config.watch / (rate * curvature))
            made = ensembles.run(
                problem,
                learning_rate=rate,
                batch_size=batch_size,
                max_steps=steps,
                replicas=range(config.replicas),
                seed=seed_of(seed, "runs"),
                thresholds=config.thresholds,
                record_every=1,
            )
            late = made.losses[:, steps // 2 :].mean(1) / problem.loss  # NaN if it had ended
            values = (made.steps, made.last_step, rate, late)
            for name, value in zip(cells, values, strict=True):
                cells[name].append(value)
            if exponent == config.middle and batch_size == config.batches[1]:
                looks = looked_at(made.losses / problem.loss, config.thresholds, config.looks)
    shape = (len(config.exponents), len(config.batches))
    arrays = {k: np.array(v).reshape(*shape, *np.shape(v[0])) for k, v in cells.items()}
    return arrays | {"looks": looks}


def looked_at(losses, thresholds, looks) -> np.ndarray:
    """Return first passages (look, replica, threshold) in steps if every look-th loss is seen.

    Args:
        losses: over L*, of every step (replicas, steps); NaN after the end.
        thresholds: ascending (m,).
        looks: intervals between two looks, in steps.

    Example:
        >>> looked_at(np.array([[1.0, 3.0, 1.0, 2.0]]), [1.5, 2.5], [1, 2, 4]).tolist()
        [[[2, 2]], [[2, 2]], [[4, -1]]]
    """
    found = np.full((len(looks), len(losses), len(thresholds)), -1, dtype=np.int64)
    for row, look in enumerate(looks):
        highest = np.fmax.accumulate(losses[:, look - 1 :: look], axis=1)
        for column, c in enumerate(thresholds):
            above = highest >= c
            reached = above.any(1)
            found[row, reached, column] = (above[reached].argmax(1) + 1) * look
    return found


def bowl_times(valley, config, *, exponent, batch_size, curvature, seed: int) -> np.ndarray:
    """Return first passages in t of SGD with Gaussian noise in a bowl, Eq. (3), NaN if censored.

    Args:
        valley: the bowl.
        config: `neural_network.Config`.
        exponent: B / (eta h*), which sets eta.
        batch_size: B.
        curvature: h*.
        seed: of the configuration.

    Returns:
        Times (paths, thresholds); the loss is looked at after every step, as that of the network.
    """
    rate = batch_size / (exponent * curvature)
    decay, spread = bowl.discrete(valley, learning_rate=rate, batch_size=batch_size)
    steps = round(config.watch / rate / curvature)
    passages, _ = bowl.first_passage(
        valley, decay, spread, levels=config.thresholds, steps=steps,
        replicas=config.bowl_paths, seed=seed_of(seed, "bowl"), bridge=False,
    )  # fmt: skip
    return np.where(passages > 0, passages * rate, np.nan)


def continuous_times(valley, config, *, exponent, curvature, seed: int) -> np.ndarray:
    """Return first passages in t of the SDE, Eq. (12), NaN if censored (paths, thresholds)."""
    dt = config.bowl_step / curvature
    decay, spread = bowl.continuous(valley, strength=1 / (exponent * curvature), dt=dt)
    steps = round(config.watch / config.bowl_step)
    passages, _ = bowl.first_passage(
        valley, decay, spread, levels=config.thresholds, steps=steps,
        replicas=config.continuous_paths, seed=seed_of(seed, "bowl"), bridge=True,
    )  # fmt: skip
    return np.where(passages > 0, passages * dt, np.nan)


def end_points(problem, model, images, config, found, lifted, *, seed: int) -> dict:
    """Look at runs at the moment of their passage through ``config.path_threshold``.

    Returns:
        For each of ``config.path_replicas`` runs: ``overlap`` of the leading eigenvector with that
        of the minimum, ``curvature_ratio`` h_1 / h_1*, ``displacement_share`` of |theta - theta*|^2
        and ``energy_share`` of L - L* inside the leading directions, ``leading_energy`` in the
        first, ``path_loss`` c, and the noise along the leading direction over 2 L h / B, without
        (``path_coupling``) and with (``path_noise``) the mean gradient taken off.
    """
    rate = config.batches[0] / (config.middle * found["curvature"][0])
    made = ensembles.run(
        problem,
        learning_rate=rate,
        batch_size=config.batches[0],
        max_steps=round(config.watch / (rate * found["curvature"][0])),
        replicas=range(config.path_replicas),
        seed=seed_of(seed, "runs"),
        thresholds=(config.path_threshold,),
    )
    start = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    rows = []
    for theta in made.theta[made.steps[:, 0] > 0]:
        there = checkpoints.network(recipes(config)["main"], theta)
        now = minimum(there, images, directions=2, seed=seed, gram=problem.gram)
        leading = parameter_directions(there, images, now["vectors"][:, :1])[:, 0]
        moved = torch.from_numpy(theta) - start
        along = (moved @ lifted) ** 2
        energy = 0.5 * torch.from_numpy(found["curvature"]) * along / (now["loss"] - found["loss"])
        rows.append(
            (
                abs(float(leading @ lifted[:, 0])),
                now["curvature"][0] / found["curvature"][0],
                float(along.sum() / (moved @ moved)),
                float(energy.sum()),
                float(energy[0]),
                now["loss"] / found["loss"],
                now["noise_ratio"][0],
                now["noise_ratio"][0] - now["gradient_share"][0],
            )
        )
    names = ("overlap", "curvature_ratio", "displacement_share", "energy_share")
    names += ("leading_energy", "path_loss", "path_coupling", "path_noise")
    return dict(zip(names, np.array(rows).reshape(-1, len(names)).T, strict=True))


def control(recipe, config, *, seed: int, gram=None) -> dict:
    """Measure another network at the middle exponent and second batch size, with its own bowl.

    Args:
        recipe: of its checkpoint.
        config: `neural_network.Config`.
        seed: of the runs.
        gram: of the images, if at hand.
    """
    checkpoint, images = checkpoints.load(recipe), checkpoints.images_of(recipe)
    model = checkpoints.network(recipe, checkpoint.theta)
    problem = ensembles.problem(model, images.inputs, images.targets, gram=gram)
    found = minimum(model, images, directions=config.directions, seed=seed, gram=problem.gram)
    del found["gram"]
    top, rate = found["curvature"][0], config.batches[1] / (config.middle * found["curvature"][0])
    made = ensembles.run(
        problem,
        learning_rate=rate,
        batch_size=config.batches[1],
        max_steps=round(config.watch / (rate * top)),
        replicas=range(config.control_replicas),
        seed=seed_of(seed, "controls"),
        thresholds=config.thresholds,
    )
    valley = bowl.lumped(found["curvature"], trace=found["trace"], square=found["square"])
    options = {"exponent": config.middle, "batch_size": config.batches[1], "curvature": top}
    noise = {"ratio": found["noise_ratio"], "kurtosis": found["kurtosis"]}
    plain = bowl_times(bowl.decoupled(*valley), config, **options, seed=seed)
    refined = bowl_times(bowl.measured(*valley, **noise), config, **options, seed=seed)
    return {
        "control_passage": made.steps,
        "control_last_step": made.last_step,
        "control_learning_rate": rate,
        "control_bowl": plain,
        "control_refined": refined,
        "control_curvature": top,
        "control_trace": found["trace"],
        "control_loss": found["loss"],
        "control_steps": checkpoint.steps,
        "control_kurtosis": found["kurtosis"][0, 0],
        "control_participation": found["trace"] ** 2 / found["square"],
    }


def measure(config) -> xr.Dataset:
    """Return every measurement of the chapter, labelled.

    Args:
        config: `neural_network.Config`.
    """
    kinds = recipes(config)
    checkpoint, images = checkpoints.load(kinds["main"]), checkpoints.images_of(kinds["main"])
    model = checkpoints.network(kinds["main"], checkpoint.theta)
    seed = config.seed
    problem = ensembles.problem(model, images.inputs, images.targets)
    found = minimum(model, images, directions=config.directions, seed=seed, gram=problem.gram)
    values = spectrum.eigenvalues(found.pop("gram")) / len(images.inputs)
    lifted = parameter_directions(model, images, found["vectors"])
    made = escapes(problem, config, found["curvature"][0], seed=seed)
    ends = end_points(problem, model, images, config, found, lifted, seed=seed)
    few = slice(0, config.hessian_directions)
    ratio = hessian_ratio(model, images, lifted[:, few], found["curvature"][few])
    valley = bowl.grouped(values, singles=config.directions, bins=config.bins)
    noise = {"ratio": found["noise_ratio"], "kurtosis": found["kurtosis"]}
    count = max(round(found["trace"] ** 2 / found["square"]), 2)
    equal = bowl.decoupled(found["curvature"][:1], np.array([count]))
    laws = (
        bowl.decoupled(*valley), bowl.measured(*valley, **noise), bowl.constant(*valley), equal,
    )  # fmt: skip
    options = {"curvature": found["curvature"][0], "seed": seed}
    times = [
        [
            [bowl_times(v, config, exponent=a, batch_size=b, **options) for b in config.batches]
            for a in config.exponents
        ]
        for v in laws
    ]
    coarse = bowl.decoupled(*bowl.grouped(values, singles=config.coarse, bins=config.coarse))
    flow = [continuous_times(coarse, config, exponent=a, **options) for a in config.exponents]
    known = {kinds["main"].dataset: problem.gram}
    others = list(kinds.values())[1:]
    controls = [control(r, config, seed=seed, gram=known.get(r.dataset)) for r in others]
    cell, sample = ("exponent", "batch_size"), ("replica", "threshold")
    control_dims = {
        "control_passage": ("control_replica", "threshold"),
        "control_last_step": ("control_replica",),
        "control_bowl": ("path", "threshold"),
        "control_refined": ("path", "threshold"),
    }
    variables = {
        "passage": ((*cell, *sample), made["passage"]),
        "last_step": ((*cell, "replica"), made["last_step"]),
        "late_loss": ((*cell, "replica"), made["late_loss"]),
        "learning_rate": (cell, made["learning_rate"]),
        "looks": (("look", *sample), made["looks"]),
        "bowl": (("law", *cell, "path", "threshold"), np.array(times)),
        "continuous": (("exponent", "continuous_path", "threshold"), np.array(flow)),
        "spectrum": (("rank",), values),
        "curvature": (("direction",), found["curvature"]),
        "noise_ratio": (("direction",), found["noise_ratio"]),
        "gradient_share": (("direction",), found["gradient_share"]),
        "kurtosis": (("direction", "other"), found["kurtosis"]),
        "leading_vector": (("sample",), found["vectors"][:, 0].numpy()),
        "hessian_ratio": (("hessian_direction",), ratio),
        "block_losses": (("block",), checkpoint.block_losses),
        **{name: (("end",), column) for name, column in ends.items()},
        **{
            name: (("case", *control_dims.get(name, ())), np.array([c[name] for c in controls]))
            for name in controls[0]
        },
    }
    coords = {
        "exponent": list(config.exponents),
        "batch_size": list(config.batches),
        "threshold": list(config.thresholds),
        "look": list(config.looks),
        "law": list(LAWS),
        "case": list(kinds)[1:],
    }
    attrs = {
        "loss": found["loss"],
        "trace": found["trace"],
        "fall": checkpoint.fall * config.watch / found["curvature"][0] / checkpoint.recipe.duration,
        "pretraining_steps": checkpoint.steps,
        "pretraining_block": checkpoint.recipe.block,
        "middle": config.middle,
        "smallest_batch": config.batches[0],
        "watch": config.watch,
        "path_threshold": config.path_threshold,
    }
    return xr.Dataset(variables, coords=coords, attrs=attrs)
