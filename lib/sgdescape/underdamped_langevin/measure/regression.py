"""Measurements of chapter `underdamped_langevin` on synthetic regression: real SGD, no theory."""

import warnings

import numpy as np
import xarray as xr

from sgdescape.core.ensembles import phase_space
from sgdescape.core.ensembles.regression_data import FiniteData
from sgdescape.core.random import seeds
from sgdescape.underdamped_langevin.measure.correlations import autocovariances, grouped, normalised

STEM = "underdamped_langevin"


def problem(config) -> FiniteData:
    """Draw the regression: independent normal inputs of unequal variance, y = x.w + unit noise.

    Args:
        config: see `underdamped_langevin.Config`.

    Returns:
        N samples; their Hessian's eigenvalues are near ``config.curvatures``.
    """
    rng = _generator(config, "data")
    rho = np.array(config.curvatures)
    inputs = rng.normal(size=(config.samples, rho.size)) * np.sqrt(rho)
    weights = rng.normal(size=rho.size)
    return FiniteData(inputs, inputs @ weights + rng.normal(size=config.samples))


def sample_noise(data) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs in the eigenbasis, largest curvature first, and residuals x.mu - y.

    Args:
        data: the regression.

    Returns:
        Inputs (N, d) and residuals (N,); gradients at the minimum are their products.
    """
    rows = data.rows
    return rows[:, -2::-1], -rows[:, -1]


def growth(config, *, device="cpu") -> xr.Dataset:
    """Let chains spread from the minimum, where they start at rest.

    Args:
        config: see `underdamped_langevin.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``growth_square`` (growth_step, group, mode, coordinate): mean squares of position and
        velocity of each group of chains.
    """
    data = problem(config)
    steps = np.unique(np.geomspace(1, config.growth_last, config.growth_points).astype(int))
    made = phase_space.states(
        data,
        record_steps=steps,
        replicas=range(config.growth_replicas),
        seed=_seed(config, "growth"),
        device=device,
        **_optimiser(config),
    )
    kept = surviving(made)
    both = [y[:, kept, ::-1] ** 2 for y in (made.position, made.velocity)]
    squares = grouped(np.stack(both, axis=-1), axis=1)
    where = ("growth_step", "group", "mode", "coordinate")
    coords = {"growth_step": steps, "coordinate": ["position", "velocity"]}
    return xr.Dataset({"growth_square": (where, squares)}, coords=coords)


def ensemble(config, *, device="cpu") -> xr.Dataset:
    """Follow chains long after they are stationary; they start at the minimum, at rest.

    Args:
        config: see `underdamped_langevin.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``square_step`` (record, replica): |delta_k|^2; ``square_position``, ``square_velocity``
        and ``full_product`` (theta_k - mu) v_k (replica, mode): averages over all records;
        ``growth_of_square`` (replica, mode): (theta_K - mu)^2 - (theta_0 - mu)^2 over them, a step;
        ``acf`` (group, mode, lag) of positions; and the data's ``curvature``, ``noise`` (mode),
        ``inputs`` and ``gradients`` (sample, mode).
    """
    data = problem(config)
    made = phase_space.states(
        data,
        record_steps=np.arange(config.burn_in, config.burn_in + config.records),
        replicas=range(config.replicas),
        seed=_seed(config, "main"),
        device=device,
        **_optimiser(config),
    )
    kept = surviving(made)
    eta = config.learning_rate
    x, v = made.position[:, kept, ::-1], made.velocity[:, kept, ::-1]
    inputs, residuals = sample_noise(data)
    gradients = inputs * residuals[:, None]
    average = ("replica", "mode")
    variables = {
        "square_step": (("record", "replica"), eta**2 * np.sum(v**2, axis=-1)),
        "square_position": (average, np.mean(x**2, axis=0)),
        "square_velocity": (average, np.mean(v**2, axis=0)),
        "full_product": (average, np.mean(x * v, axis=0)),
        "growth_of_square": (average, (x[-1] ** 2 - (x[0] - eta * v[0]) ** 2) / len(x)),
        "acf": (("group", "mode", "lag"), normalised(autocovariances(x, config.lags))),
        "curvature": ("mode", data.curvatures[::-1]),
        "noise": ("mode", np.mean(gradients**2, axis=0)),
        "gradients": (("sample", "mode"), gradients),
        "inputs": (("sample", "mode"), inputs),
    }
    return xr.Dataset(variables, attrs={"minimum_loss": data.minimum_loss})


def kicks(config, *, device="cpu") -> xr.Dataset:
    """Follow chains that start away from the minimum, at rest: their mean is the kicked path.

    Args:
        config: see `underdamped_langevin.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``kick_position`` and ``kick_velocity`` (kick_step, replica, mode), and ``kick`` (mode).
    """
    data = problem(config)
    width = np.sqrt(config.learning_rate / (2 * config.batch_size * (1 - config.momentum)))
    start = np.full(data.dimension, config.kick * width)
    steps = np.arange(config.kick_steps + 1)
    made = phase_space.states(
        data,
        record_steps=steps,
        replicas=range(config.kick_replicas),
        seed=_seed(config, "kick"),
        start=data.minimum + data.basis @ start,
        device=device,
        **_optimiser(config),
    )
    kept = surviving(made)
    where = ("kick_step", "replica_kick", "mode")
    variables = {
        "kick_position": (where, made.position[:, kept, ::-1]),
        "kick_velocity": (where, made.velocity[:, kept, ::-1]),
        "kick": ("mode", start),
    }
    return xr.Dataset(variables, coords={"kick_step": steps})


def sweep(config, *, device="cpu") -> xr.Dataset:
    """Measure the speed at many learning rates, batch sizes and momenta, one varied at a time.

    Beside it, the same with the gradient replaced by its noise at the minimum, frozen: no Hessian.

    Args:
        config: see `underdamped_langevin.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``speed`` and ``free_speed`` (setting, replica): time averages of |delta_k|^2, NaN for a
        replica that diverged; coordinates ``learning_rate``, ``batch_size``, ``momentum`` and
        ``varied`` (setting).
    """
    data = problem(config)
    inputs, residuals = sample_noise(data)
    gradients = inputs * residuals[:, None]
    settings = _settings(config)
    speeds, free = [], []
    for index, (_, eta, size, beta) in enumerate(settings):
        at = {"learning_rate": eta, "batch_size": size, "momentum": beta}
        relax = int((1 - beta) / (eta * config.curvatures[-1]) + 5 / (1 - beta))
        made = phase_space.averages(
            data,
            steps=config.sweep_steps,
            burn_in=3 * relax,
            replicas=range(config.sweep_replicas),
            seed=_seed(config, "sweep", index),
            device=device,
            **at,
        )
        surviving(made)  # those that did not are NaN
        speeds.append(eta**2 * made.square_speed)
        rng = _generator(config, "free", index)
        free.append(_free_speed(gradients, rng, config, **at))
    names = ("varied", "learning_rate", "batch_size", "momentum")
    columns = zip(names, zip(*settings, strict=True), strict=True)
    return xr.Dataset(
        {
            "speed": (("setting", "replica_sweep"), np.array(speeds)),
            "free_speed": (("setting", "replica_free"), np.array(free)),
        },
        coords={f"setting_{name}": ("setting", list(column)) for name, column in columns},
    )


def _free_speed(gradients, rng, config, *, learning_rate, batch_size, momentum):
    """|delta_k|^2 (replicas,) when the gradient is noise alone: b <- beta b + n."""
    burn_in, steps = int(10 / (1 - momentum)), config.free_steps
    b = np.zeros((config.free_replicas, gradients.shape[1]))
    total = np.zeros(config.free_replicas)
    for k in range(burn_in + steps):
        chosen = rng.integers(len(gradients), size=(config.free_replicas, batch_size))
        b = momentum * b + gradients[chosen].mean(axis=1)
        if k >= burn_in:
            total += learning_rate**2 * np.sum(b * b, axis=1)
    return total / steps


def _settings(config):
    """(varied, eta, S, beta), the default first."""
    default = (config.learning_rate, config.batch_size, config.momentum)
    rows = [("default", *default)]
    rows += [("learning_rate", eta, *default[1:]) for eta in config.sweep_rates]
    rows += [("batch_size", default[0], size, default[2]) for size in config.sweep_sizes]
    return rows + [("momentum", *default[:2], beta) for beta in config.sweep_momenta]


def _optimiser(config):
    return {name: getattr(config, name) for name in ("learning_rate", "momentum", "batch_size")}


def surviving(made) -> np.ndarray:
    """Return which replicas stayed finite (replicas,); say which did not, and when.

    Args:
        made: of `core.ensembles.phase_space`, with ``diverged_at``.

    Raises:
        FloatingPointError: if none did.
    """
    at = made.diverged_at
    lost = np.flatnonzero(at >= 0)
    if lost.size == at.size:
        raise FloatingPointError(f"all {at.size} replicas diverged, the first at step {at.min()}")
    if lost.size:
        first = lost[np.argmin(at[lost])]
        warnings.warn(
            f"{lost.size} of {at.size} replicas diverged and are left out, the first is replica "
            f"{first} at step {at[first]}",
            stacklevel=3,
        )
    return at < 0


def _seed(config, purpose, index=0):
    return seeds.derive(config.seed, STEM, purpose, index)


def _generator(config, purpose, index=0):
    return np.random.Generator(np.random.Philox(key=_seed(config, purpose, index)))
