"""Measurements of chapter `modified_loss` on data: SGD with momentum, no theory in here."""

import json
import warnings
from dataclasses import replace

import numpy as np
import xarray as xr

from sgdescape.core.ensembles import phase_space
from sgdescape.core.ensembles.regression_data import FiniteData
from sgdescape.modified_loss.measure.paths import averages, generator, kept, log_ratio, stream

RUNS = ("quiet", "strong", "decayed", "fast")
CHUNK = 2e8
"""Bytes of one path; replicas are cut into chunks, which does not change them."""


def regression_data(config, *, samples=None) -> FiniteData:
    """Return N samples whose H is exactly diagonal, minimum at 0 and L* = 1/2.

    Normal inputs and normal label noise, made orthogonal on the sample.
    """
    count, d = samples or config.samples, config.modes
    rng = generator(config, "epoch data" if samples else "data")
    white = np.linalg.qr(rng.normal(size=(count, d + 1)))[0] * np.sqrt(count)
    curvatures = np.geomspace(config.flattest, config.steepest, d)
    return FiniteData(white[:, :d] * np.sqrt(curvatures), white[:, d])


def swirl_data(config) -> FiniteData:
    """Return two inputs with label noise of size |x_1/sqrt(h_1) + x_2/sqrt(h_2)| / sqrt(2).

    Its covariance Sigma does not commute with H.
    """
    rng = generator(config, "swirl data")
    white = np.linalg.qr(rng.normal(size=(config.samples, 2)))[0] * np.sqrt(config.samples)
    noise = rng.normal(size=config.samples) * white.sum(axis=1) / np.sqrt(2)
    noise = noise - white @ (white.T @ noise) / config.samples  # so that the minimum is 0
    return FiniteData(white * np.sqrt(config.swirl_curvatures), noise)


def regression(config, *, device="cpu") -> xr.Dataset:
    """Run SGD on synthetic data: small noise, strong noise, weight decay, large steps.

    Args:
        config: see `modified_loss.Config`.
        device: "cpu" or "cuda".

    Returns:
        Time averages of each replica and mode: ``square_position``, ``square_midpoint``,
        ``square_step``, ``area`` = x_k delta_(k+1) - x_(k+1) delta_k (run, replica, mode); of the
        first run ``kept_midpoint`` and ``kept_velocity`` (state, mode) and the path's log ratio
        ``quiet_entropy`` (replica), nats a step; ``curvature`` and ``noise``, Sigma.
    """
    data = regression_data(config)
    noise, size, decay = sample_noise(data), config.batch_size, config.weight_decay

    def quiet(path):
        ratio = log_ratio(path, data.curvatures, noise, config)
        return {**averages(path), "kept": kept(path, config), "entropy": ratio}

    at = {"device": device}
    first = _run(data, config, "quiet", quiet, batch_size=size, **at)
    second = _run(data, config, "strong", averages, batch_size=config.strong_batch, **at)
    third = _run(data, config, "decayed", averages, batch_size=size, weight_decay=decay, **at)
    large = replace(config, learning_rate=config.fast_rate)
    fourth = _run(data, large, "fast", averages, batch_size=size, **at)
    where = ("run", "replica", "mode")
    variables = {name: (where, np.array([run[name] for run in (first, second, third, fourth)]))
                 for name in second}  # fmt: skip
    midpoint, velocity = first["kept"]
    variables |= {
        "kept_midpoint": (("state", "mode"), midpoint),
        "kept_velocity": (("state", "mode"), velocity),
        "quiet_entropy": ("replica", first["entropy"], {"units": "nats a step"}),
        "curvature": ("mode", data.curvatures),
        "noise": (("mode", "mode_"), noise),
    }
    return xr.Dataset(variables, coords={"run": list(RUNS)})


def swirl(config, *, device="cpu") -> xr.Dataset:
    """Run SGD on `swirl_data`.

    Args:
        config: see `modified_loss.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``swirl_area``: x_1(k) x_2(k+1) - x_2(k) x_1(k+1) (replica), ``swirl_entropy`` (replica),
        ``swirl_midpoint`` and ``swirl_velocity`` (swirl_state, axis), and the data's covariance
        ``swirl_noise`` (axis, other_axis) and ``swirl_curvature``.
    """
    data = swirl_data(config)
    noise = sample_noise(data)

    def measured(path):
        before, after = path[:-1], path[1:]
        area = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
        ratio = log_ratio(path, data.curvatures, noise, config)
        return {"area": area.mean(axis=0), "entropy": ratio, "kept": kept(path, config)}

    found = _run(data, config, "swirl", measured, batch_size=config.batch_size, device=device)
    midpoint, velocity = found["kept"]
    return xr.Dataset(
        {
            "swirl_area": ("replica", found["area"], {"units": "a step"}),
            "swirl_entropy": ("replica", found["entropy"], {"units": "nats a step"}),
            "swirl_midpoint": (("swirl_state", "axis"), midpoint),
            "swirl_velocity": (("swirl_state", "axis"), velocity),
            "swirl_curvature": ("axis", data.curvatures),
            "swirl_noise": (("axis", "other_axis"), noise),
        }
    )


def epochs(config, *, device="cpu") -> xr.Dataset:
    """Run SGD on fewer samples, batches from shuffled epochs.

    Args:
        config: see `modified_loss.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``epoch_position`` and ``epoch_step``: mean squares (replica, mode).
    """
    data = regression_data(config, samples=config.epoch_steps * config.batch_size)
    at = {"batch_size": config.batch_size, "sampler": "shuffle", "device": device}
    found = _run(data, config, "epoch", averages, **at)
    where = ("replica", "mode")
    return xr.Dataset(
        {
            "epoch_position": (where, found["square_position"]),
            "epoch_step": (where, found["square_step"]),
        }
    )


def image_data(config) -> FiniteData:
    """Return regression of even against odd class on principal components of Fashion-MNIST."""
    from sgdescape.core.data import image_sets as data

    found = data.load("fashion_mnist", n=config.image_samples, task="parity")
    x, y = found.inputs.double().numpy(), found.targets.double().numpy()
    x = x - x.mean(axis=0)
    vectors = np.linalg.eigh(x.T @ x)[1][:, -config.image_modes :]
    return FiniteData(x @ vectors, y - y.mean())


def images(config, *, device="cpu") -> xr.Dataset:
    """Run SGD on `image_data`, batches drawn with replacement.

    Args:
        config: see `modified_loss.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``image_turn``: x_i(k) x_j(k+1) - x_j(k) x_i(k+1) (replica, image_mode, other_image_mode),
        ``image_entropy`` (replica), ``image_curvature`` and the data's ``image_noise``.
    """
    data = image_data(config)
    slow = replace(config, learning_rate=config.image_rate)
    noise = sample_noise(data)

    def measured(path):
        by_replica = path.transpose(1, 0, 2)
        lag = by_replica[:, :-1].transpose(0, 2, 1) @ by_replica[:, 1:] / (len(path) - 1)
        ratio = log_ratio(path, data.curvatures, noise, slow)
        return {"turn": lag - lag.transpose(0, 2, 1), "entropy": ratio}

    found = _run(data, slow, "images", measured, batch_size=config.batch_size, device=device)
    where = ("image_mode", "other_image_mode")
    origin = {"fashion_mnist": image_origin(config)}
    return xr.Dataset(
        {
            "image_turn": (("replica", *where), found["turn"], {"units": "a step"}),
            "image_entropy": ("replica", found["entropy"], {"units": "nats a step"}),
            "image_curvature": ("image_mode", data.curvatures),
            "image_noise": (where, noise),
        },
        attrs={"data": json.dumps(origin)},
    )


def image_origin(config) -> dict:
    """Return where the images of `image_data` come from."""
    from sgdescape.core.data import image_sets

    return image_sets.origin(image_sets.load("fashion_mnist", n=config.image_samples))


def sgd_path(data, config, name, *, replicas, **options) -> tuple[np.ndarray, np.ndarray]:
    """Return theta - theta* in H's eigenbasis after the burn-in (steps, replicas, d).

    Eq. (2.1) of Kunin et al.: b <- beta b + g + lambda theta, theta <- theta - eta b, from b = 0
    at the minimum. Options: batch_size, weight_decay, sampler, device.

    Returns:
        The path, NaN throughout for a replica that diverged, and the step (replicas,) at which it
        did, -1 for the others.
    """
    made = phase_space.states(
        data,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        record_steps=np.arange(config.burn_in + 1, config.burn_in + config.steps + 1),
        replicas=replicas,
        seed=stream(config, name),
        **options,
    )
    path, lost = made.position, made.diverged_at
    path[:, lost >= 0] = np.nan
    return path, lost


def tell(lost, name, config) -> None:
    """Warn of replicas that diverged, each with its step.

    Args:
        lost: step at which each replica diverged, or -1 (replicas,).
        name: of the run.
        config: with the learning rate, for the message.

    Raises:
        FloatingPointError: if fewer than two are left.
    """
    named = ", ".join(f"replica {r} at step {lost[r]}" for r in np.flatnonzero(lost >= 0))
    left = int((lost < 0).sum())
    if left < 2:
        raise FloatingPointError(
            f"run {name!r}: learning rate {config.learning_rate:g} is too large, {left} of "
            f"{len(lost)} replicas did not diverge, 2 are needed; diverged: {named}"
        )
    if named:
        warnings.warn(f"run {name!r}, diverged and left out: {named}", RuntimeWarning, stacklevel=4)


def sample_noise(data) -> np.ndarray:
    """Return Sigma: covariance of the per-sample gradients at the minimum, in H's eigenbasis."""
    gradients = data.rows[:, :-1] * data.rows[:, -1:]
    return gradients.T @ gradients / len(gradients)


def _run(data, config, name, measure, **options):
    """Return what ``measure`` makes of the paths, chunk by chunk of replicas, joined.

    A replica that diverged is NaN in it; `modified_loss.run` leaves it out of everything.
    """
    size = max(1, int(CHUNK // (8 * config.steps * data.dimension)))
    starts = range(0, config.replicas, size)
    parts, lost = [], []
    for i in starts:
        some = range(i, min(i + size, config.replicas))
        path, at = sgd_path(data, config, name, replicas=some, **options)
        parts.append(measure(path))
        lost.append(at)
    tell(np.concatenate(lost), name, config)
    joined = {}
    for key in parts[0]:
        if key == "kept":  # instants first, then replicas, flat
            blocks = zip(*(part[key] for part in parts), strict=True)
            joined[key] = [np.concatenate(b, axis=1).reshape(-1, data.dimension) for b in blocks]
        else:
            joined[key] = np.concatenate([part[key] for part in parts])
    return joined
