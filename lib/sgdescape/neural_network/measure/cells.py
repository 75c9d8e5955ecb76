"""What the chapter measures: the minimum, the runs that escape from it, and their end points."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
import torch
import xarray as xr

from sgdescape.core.data import image_sets
from sgdescape.core.ensembles import network as ensembles
from sgdescape.core.runs import provenance
from sgdescape.neural_network.measure import checkpoints, escapes
from sgdescape.neural_network.measure import linearised as linear
from sgdescape.neural_network.measure.checkpoints import recipes
from sgdescape.neural_network.measure.escapes import Use, seed_of
from sgdescape.neural_network.measure.minimum import (
    by_curvature,
    eigenvalues,
    hessian_ratio,
    minimum,
    parameter_directions,
    parameter_squares,
)

_SPAN = 3  # leading eigenvectors whose span is followed


def path_runs(problem, config, found) -> np.ndarray:
    """Return theta at the passage through ``config.path_threshold`` of the runs that arrive.

    Args:
        problem: of `escapes.prepared`.
        config: `neural_network.Config`.
        found: the minimum.
    """
    rate = config.batches[0] / (config.middle * found["curvature"][0])
    made = ensembles.run(
        problem,
        learning_rate=rate,
        batch_size=config.batches[0],
        max_steps=round(config.watch / (rate * found["curvature"][0])),
        replicas=range(config.motion_replicas),
        seed=seed_of(config.seed, Use.RUNS),
        thresholds=(config.path_threshold,),
    )
    return made.theta[made.steps[:, 0] > 0]


def motion(points, model, images) -> np.ndarray:
    """Return the squared displacement of parameters by their curvatures where they are small.

    Args:
        points: theta at the passage, of `path_runs` (runs, parameters).
        model: the network at the minimum.
        images: its training data.

    Returns:
        Means of the bins of `by_curvature` (runs, bins).
    """
    start = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    curvatures = parameter_squares(model, images.inputs)
    moved = [(torch.from_numpy(theta) - start).square().numpy() for theta in points]
    return np.array([by_curvature(squares, curvatures) for squares in moved])


def end_points(points, model, images, config, found, lifted, *, gram) -> dict:
    """Look at runs at the moment of their passage.

    Args:
        points: theta there, of `path_runs` (runs, parameters).
        model: the network at the minimum.
        images: its training data.
        config: `neural_network.Config`.
        found: the minimum.
        lifted: its leading directions.
        gram: X X^T + 1 of the images.

    Returns:
        For each run: ``overlap`` of the leading eigenvector with that
        of the minimum and ``span_overlap`` of the leading three, ``dead_motion`` the share of the
        squared displacement in parameters without curvature, ``curvature_ratio`` h_1 / h_1*,
        ``displacement_share`` of |theta - theta*|^2 and ``energy_share`` of L - L* inside the
        leading directions, ``leading_energy`` in the first, ``path_loss`` c, and the noise along
        the leading direction over 2 L h / B, without (``path_coupling``) and with
        (``path_noise``) the mean gradient taken off.
    """
    start = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    curvatures = parameter_squares(model, images.inputs)
    rows = []
    for theta in points:
        there = checkpoints.network(recipes(config)["main"], theta)
        # starts Lanczos, as it did in the kept result: what it finds is the same for every start
        now = minimum(there, images, directions=_SPAN, seed=config.seed, gram=gram)
        span = parameter_directions(there, images, now["vectors"])
        cosines = span.T @ lifted[:, :_SPAN]
        moved = torch.from_numpy(theta) - start
        along = (moved @ lifted) ** 2
        energy = 0.5 * torch.from_numpy(found["curvature"]) * along / (now["loss"] - found["loss"])
        rows.append(
            (
                abs(float(cosines[0, 0])),
                float(cosines.square().sum()) / _SPAN,
                float(moved[curvatures == 0].square().sum() / (moved @ moved)),
                now["curvature"][0] / found["curvature"][0],
                float(along.sum() / (moved @ moved)),
                float(energy.sum()),
                float(energy[0]),
                now["loss"] / found["loss"],
                now["noise_ratio"][0],
                now["noise_ratio"][0] - now["gradient_share"][0],
            )
        )
    names = (
        "overlap",
        "span_overlap",
        "dead_motion",
        "curvature_ratio",
        "displacement_share",
        "energy_share",
    )
    names += ("leading_energy", "path_loss", "path_coupling", "path_noise")
    return dict(zip(names, np.array(rows).reshape(-1, len(names)).T, strict=True))


def control(case, config, made) -> dict:
    """Measure another network, run at the middle exponent and second batch size.

    Args:
        case: of `checkpoints.recipes`.
        config: `neural_network.Config`.
        made: its runs, of `escapes.sweep`.
    """
    checkpoint, *_, found = escapes.prepared(recipes(config)[case], config.directions)
    top, rate = found["curvature"][0], float(made.learning_rate[0])
    linearised = linear.first_passage(
        found["residual"],
        found["gram"],
        learning_rate=rate,
        batch_size=config.batches[1],
        levels=found["loss"] * np.array(config.thresholds),
        steps=round(config.watch / (rate * top)),
        replicas=range(config.control_replicas),
        seed=seed_of(config.seed, Use.CONTROLS),
    )
    return {
        "control_passage": made.passage.values,
        "control_last_step": made.last_step.values,
        "control_linearised": linearised,
        "control_largest_step": rate * float(found["gram"].diagonal().max()) / config.batches[1],
        "control_learning_rate": rate,
        "control_curvature": top,
        "control_curvatures": found["curvature"],
        "control_noise_ratio": found["noise_ratio"],
        "control_kurtoses": found["kurtosis"],
        "control_square": found["square"],
        "control_trace": found["trace"],
        "control_loss": found["loss"],
        "control_steps": checkpoint.steps,
        "control_kurtosis": found["kurtosis"][0, 0],
        "control_participation": found["trace"] ** 2 / found["square"],
    }


def measure(config, *, device="cpu", executor=None, store=None) -> xr.Dataset:
    """Return every measurement of the chapter, labelled.

    Args:
        config: `neural_network.Config`.
        device: of the runs: "cpu" for numba, or a CUDA device.
        executor: of the runs, see `sweep.sweep`.
        store: folder of finished runs, see there.
    """
    kinds = recipes(config)
    how = {"device": str(device), "executor": executor, "store": store}
    main = escapes.prepared(kinds["main"], config.directions)
    checkpoint, model, images, problem, found = main
    few = slice(0, config.hessian_directions)
    others = list(kinds)[1:]
    with ThreadPoolExecutor(1) as aside:  # what torch does on one core, beside the runs
        spectrum_of = aside.submit(eigenvalues, found["gram"])
        lifted = parameter_directions(model, images, found["vectors"])
        ratio_of = aside.submit(
            hessian_ratio, model, images, lifted[:, few], found["curvature"][few]
        )
        made = escapes.sweep(
            config, ["main"], config.exponents, config.batches, replicas=config.replicas,
            use=Use.RUNS, **how,
        ).isel(case=0)  # fmt: skip
        points = path_runs(problem, config, found)
        few_points = points[: config.path_replicas]
        ends_of = aside.submit(
            end_points, few_points, model, images, config, found, lifted, gram=problem.gram
        )
        coming = aside.submit(escapes.prepared, kinds[others[0]], config.directions)
        values = spectrum_of.result() / len(images.inputs)
        controls = []
        for case, following in zip(others, [*others[1:], None], strict=True):
            coming.result()
            escapes.prepared(kinds[case], config.directions)  # now the last used: it is kept
            if following:
                coming = aside.submit(escapes.prepared, kinds[following], config.directions)
            runs = escapes.sweep(
                config, [case], [config.middle], [config.batches[1]],
                replicas=config.control_replicas, use=Use.CONTROLS, **how,
            ).isel(case=0, exponent=0, batch_size=0)  # fmt: skip
            controls.append(control(case, config, runs))
        ends, ratio = ends_of.result(), ratio_of.result()
    escapes.forget()
    data = {
        name: image_sets.origin(image_sets.load(name, n=config.images))
        for name in dict.fromkeys(kind.dataset for kind in kinds.values())
    }
    seen = made.looks.sel(exponent=config.middle, batch_size=config.batches[1])
    cell, sample = ("exponent", "batch_size"), ("replica", "threshold")
    control_dims = {
        "control_passage": ("control_replica", "threshold"),
        "control_linearised": ("control_replica", "threshold"),
        "control_last_step": ("control_replica",),
        "control_curvatures": ("direction",),
        "control_noise_ratio": ("direction",),
        "control_kurtoses": ("direction", "other"),
    }
    noise = parameter_squares(model, images.inputs, found["residual"] ** 2)
    squares = parameter_squares(model, images.inputs)
    variables = {
        "passage": ((*cell, *sample), made.passage.values),
        "last_step": ((*cell, "replica"), made.last_step.values),
        "late_loss": ((*cell, "replica"), made.late_loss.values),
        "learning_rate": (cell, made.learning_rate.values[..., 0]),
        "looks": (("look", *sample), seen.values.swapaxes(0, 1)),
        "spectrum": (("rank",), values),
        "curvature": (("direction",), found["curvature"]),
        "noise_ratio": (("direction",), found["noise_ratio"]),
        "gradient_share": (("direction",), found["gradient_share"]),
        "kurtosis": (("direction", "other"), found["kurtosis"]),
        "hessian_ratio": (("hessian_direction",), ratio),
        "block_losses": (("block",), checkpoint.block_losses),
        **{name: (("end",), v) for name, v in ends.items()},
        "motion": (("mover", "curvature_bin"), motion(points, model, images)),
        "bin_curvature": ("curvature_bin", by_curvature(squares, squares)),
        "bin_noise": ("curvature_bin", by_curvature(noise, squares)),
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
        "case": others,
    }
    attrs = {
        "dead_parameters": int(np.sum(squares == 0)),
        "loss": found["loss"],
        "trace": found["trace"],
        "fall": checkpoint.fall * config.watch / found["curvature"][0] / checkpoint.recipe.duration,
        "pretraining_steps": checkpoint.steps,
        "pretraining_block": checkpoint.recipe.block,
        "square": found["square"],
        "data": json.dumps(data),
        "config": provenance.to_json(asdict(config)),
    }
    return xr.Dataset(variables, coords=coords, attrs=attrs)
