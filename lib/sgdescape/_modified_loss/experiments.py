"""Measurements of chapter `modified_loss`: paths of SGD and of toys, no theory in here."""

import numpy as np
import xarray as xr
from scipy import signal

from sgdescape.core import momentum_ensembles
from sgdescape.core.linear_data import FiniteData

TOY_DRIFT = np.array([[2.5, -1.5], [-1.5, 2.5]])
TOY_DIFFUSION = np.diag([4.0, 1.0])
TOY_CENTRE = np.array([-0.04375, -0.00625])
TOY_START, TOY_STEP, TOY_STEPS = np.array([0.09, 0.0]), 1e-4, 100_000
"""Fig. 3's process, from the authors' published code: noise a step is step x cholesky(D) normal."""

RUNS = ("quiet", "strong", "decayed")
_SEEDS = {
    "data": 1,
    "quiet": 2,
    "strong": 3,
    "decayed": 4,
    "swirl data": 5,
    "swirl": 6,
    "rotation": 7,
    "edge": 8,
    "entropy": 9,
    "growth": 10,
    "toy": 11,
}


def regression_data(config) -> FiniteData:
    """Return N samples whose H is exactly diagonal, minimum at 0 and L* = 1/2.

    Normal inputs and normal label noise, made orthogonal on the sample.
    """
    rng, d = _rng(config, "data"), config.modes
    raw = rng.normal(size=(config.samples, d + 1))
    white = np.linalg.qr(raw)[0] * np.sqrt(config.samples)
    curvatures = np.geomspace(config.flattest, config.steepest, d)
    return FiniteData(white[:, :d] * np.sqrt(curvatures), white[:, d])


def swirl_data(config) -> FiniteData:
    """Return two inputs with label noise of size |x_1/sqrt(h_1) + x_2/sqrt(h_2)| / sqrt(2).

    Its covariance Sigma does not commute with H.
    """
    rng = _rng(config, "swirl data")
    white = np.linalg.qr(rng.normal(size=(config.samples, 2)))[0] * np.sqrt(config.samples)
    noise = rng.normal(size=config.samples) * white.sum(axis=1) / np.sqrt(2)
    noise = noise - white @ (white.T @ noise) / config.samples  # so that the minimum is 0
    return FiniteData(white * np.sqrt(config.swirl_curvatures), noise)


def regression(config, *, device="cpu") -> xr.Dataset:
    """Run SGD with small batches: small noise, strong noise (a smaller batch), weight decay.

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
    settings = {
        "quiet": (config.batch_size, 0.0),
        "strong": (config.strong_batch, 0.0),
        "decayed": (config.batch_size, config.weight_decay),
    }
    names = ("square_position", "square_midpoint", "square_step", "area")
    found = {name: [] for name in names}
    for run, (size, decay) in settings.items():
        path = sgd_path(data, config, run, batch_size=size, weight_decay=decay, device=device)
        for name, value in averages(path).items():
            found[name].append(value)
        if run == "quiet":
            kept = _kept(path, config)
            entropy = log_ratio(path, data.curvatures, sample_noise(data), config)
    where = ("run", "replica", "mode")
    variables = {name: (where, np.array(rows)) for name, rows in found.items()}
    variables |= {
        "kept_midpoint": (("state", "mode"), kept[0]),
        "kept_velocity": (("state", "mode"), kept[1]),
        "quiet_entropy": ("replica", entropy, {"units": "nats a step"}),
        "curvature": ("mode", data.curvatures),
        "noise": (("mode", "mode_"), sample_noise(data)),
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
        ``swirl_noise`` (axis, axis_) and ``swirl_curvature``.
    """
    data = swirl_data(config)
    path = sgd_path(data, config, "swirl", batch_size=config.batch_size, device=device)
    before, after = path[:-1], path[1:]
    area = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
    midpoint, velocity = _kept(path, config)
    noise = sample_noise(data)
    return xr.Dataset(
        {
            "swirl_area": ("replica", area.mean(axis=0), {"units": "a step"}),
            "swirl_entropy": ("replica", log_ratio(path, data.curvatures, noise, config)),
            "swirl_midpoint": (("swirl_state", "axis"), midpoint),
            "swirl_velocity": (("swirl_state", "axis"), velocity),
            "swirl_curvature": ("axis", data.curvatures),
            "swirl_noise": (("axis", "axis_"), noise),
        }
    )


def modes(config) -> xr.Dataset:
    """Follow single modes with normal noise: rotation, the edge, entropy production, flat modes.

    Returns:
        ``turn_area``, ``turn_step`` (momentum, step_curvature, chain); ``edge_full``, ``edge_half``
        (edge, chain), variances; ``entropy`` (entropy_momentum, chain), nats a step; ``growth``
        (time, flat_mode, walker), theta^2 from a start at the minimum.
    """
    eta, chains = config.learning_rate, config.chains
    turn = {"area": [], "square_step": []}
    for beta in config.momenta:
        h = np.array(config.step_curvatures) / eta
        made = averages(gaussian_path(config, "rotation", h, np.eye(h.size), beta, chains))
        for name, rows in turn.items():
            rows.append(made[name].T)
    h = np.array(config.edges) / eta
    edge = averages(gaussian_path(config, "edge", h, np.eye(h.size), config.momentum, chains))
    h, noise = np.array(config.swirl_curvatures), correlated(config)
    entropy = []
    for beta in config.entropy_momenta:
        path = gaussian_path(config, "entropy", h, noise, beta, chains)
        entropy.append(log_ratio(path, h, noise, config, momentum=beta))
    where = ("momentum", "step_curvature", "chain")
    return xr.Dataset(
        {
            "turn_area": (where, np.array(turn["area"])),
            "turn_step": (where, np.array(turn["square_step"])),
            "edge_full": (("edge", "chain"), edge["square_position"].T),
            "edge_half": (("edge", "chain"), edge["square_midpoint"].T),
            "entropy": (("entropy_momentum", "chain"), np.array(entropy)),
            "growth": (("time", "flat_mode", "walker"), _growth(config)),
        },
        coords={
            "momentum": list(config.momenta),
            "step_curvature": list(config.step_curvatures),
            "edge": list(config.edges),
            "entropy_momentum": list(config.entropy_momenta),
            "time": list(config.times),
            "flat_mode": list(config.flat_curvatures),
        },
    )


def toy(config) -> xr.Dataset:
    """Follow Fig. 3's process: one path as in the authors' code, and many for the current.

    Returns:
        ``toy_path`` (instant, axis) with the code's step and noise; in units with kappa = 1
        ``toy_area`` (chain), z_1 dz_2 - z_2 dz_1 a time, and ``toy_entropy`` (chain), nats a time.
    """
    rng, dt = _rng(config, "toy"), config.toy_step
    values, vectors = np.linalg.eigh(TOY_DRIFT)
    root = np.linalg.cholesky(TOY_DIFFUSION)
    kicks = TOY_STEP * rng.normal(size=(TOY_STEPS, 2)) @ root.T @ vectors
    start = (TOY_START - TOY_CENTRE) @ vectors
    columns = []
    for a, kick, first in zip(values, kicks.T, start, strict=True):
        keep = 1 - TOY_STEP * a
        columns.append(signal.lfilter([1.0], [1.0, -keep], kick, zi=[keep * first])[0])
    path = np.array(columns).T @ vectors.T + TOY_CENTRE
    burn, steps, shape = round(8 / dt), config.toy_steps, (config.toy_chains, 2)
    kicks = np.sqrt(2 * dt) * rng.normal(size=(burn + steps, *shape)) @ root.T @ vectors
    for i, a in enumerate(values):
        kicks[..., i] = signal.lfilter([1.0], [1.0, -(1 - dt * a)], kicks[..., i], axis=0)
    z = kicks[burn:] @ vectors.T
    before, after = z[:-1], z[1:]
    area = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
    step, inverse = np.eye(2) - dt * TOY_DRIFT, np.linalg.inv(2 * dt * TOY_DIFFUSION)
    forward, backward = after - before @ step.T, before - after @ step.T
    ratio = _quadratic(backward, inverse) - _quadratic(forward, inverse)
    return xr.Dataset(
        {
            "toy_path": (("instant", "axis"), path[::20]),
            "toy_area": ("toy_chain", area.mean(axis=0) / dt),
            "toy_entropy": ("toy_chain", ratio.mean(axis=0) / (2 * dt)),
        }
    )


def sgd_path(data, config, name, *, batch_size, weight_decay=0.0, device="cpu") -> np.ndarray:
    """Return theta - theta* in H's eigenbasis after the burn-in (steps, replicas, d), iid batches.

    Eq. (2.1) of Kunin et al.: b <- beta b + g + lambda theta, theta <- theta - eta b, from b = 0
    at the minimum.
    """
    return momentum_ensembles.phase_space(
        data,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        batch_size=batch_size,
        weight_decay=weight_decay,
        record_steps=np.arange(config.burn_in + 1, config.burn_in + config.steps + 1),
        replicas=range(config.replicas),
        seed=16 * config.seed + _SEEDS[name],
        device=device,
    ).position


def gaussian_path(config, name, curvature, noise, momentum, chains) -> np.ndarray:
    """Return the modes' path (steps, chains, d) with normal noise of covariance Sigma/S."""
    eta, rng = config.learning_rate, _rng(config, name)
    steps, burn = config.mode_steps, round(20 * (1 + momentum) / (1 - momentum)) + 2000
    root = np.linalg.cholesky(np.asarray(noise) / config.batch_size)
    kicks = -eta * rng.normal(size=(burn + steps, chains, len(root))) @ root.T
    for i, h in enumerate(curvature):
        poles = [1.0, -(1 + momentum - eta * h), momentum]
        kicks[..., i] = signal.lfilter([1.0], poles, kicks[..., i], axis=0)
    return kicks[burn:]


def averages(path) -> dict[str, np.ndarray]:
    """Return time averages (replicas, d) of a path (steps, replicas, d)."""
    step = np.diff(path, axis=0)
    middle = path[1:] - step / 2
    area = path[1:-1] * step[1:] - path[2:] * step[:-1]
    return {
        "square_position": np.mean(path**2, axis=0),
        "square_midpoint": np.mean(middle**2, axis=0),
        "square_step": np.mean(step**2, axis=0),
        "area": np.mean(area, axis=0),
    }


def log_ratio(path, curvature, noise, config, *, momentum=None) -> np.ndarray:
    """Return log(chance of the path / chance of its reversal) a step, of each replica.

    The chances are those of normal noise of covariance Sigma / S, independent from step to step.
    """
    eta, beta = config.learning_rate, config.momentum if momentum is None else momentum
    keep = 1 + beta - eta * np.asarray(curvature)
    before, now, after = path[:-2], path[1:-1], path[2:]
    inverse = np.linalg.inv(eta**2 * np.asarray(noise) / config.batch_size)
    forward = after - keep * now + beta * before
    backward = before - keep * now + beta * after
    ratio = _quadratic(backward, inverse) - _quadratic(forward, inverse)
    return ratio.mean(axis=0) / 2


def sample_noise(data) -> np.ndarray:
    """Return Sigma: covariance of the per-sample gradients at the minimum, in H's eigenbasis."""
    gradients = data.rows[:, :-1] * data.rows[:, -1:]
    return gradients.T @ gradients / len(gradients)


def correlated(config) -> np.ndarray:
    """Return a noise of two modes, Sigma_ii = rho_i, correlated."""
    h = np.array(config.swirl_curvatures)
    mix = np.array([[1.0, config.correlation], [config.correlation, 1.0]])
    return np.sqrt(np.outer(h, h)) * mix


def _growth(config):
    h, eta, beta = np.array(config.flat_curvatures), config.learning_rate, config.momentum
    rng, found = _rng(config, "growth"), []
    for one in h:
        kicks = rng.normal(size=(max(config.times), config.walkers))
        kicks *= eta * np.sqrt(one / config.batch_size)  # Sigma = sigma^2 H with sigma = 1
        walk = signal.lfilter([1.0], [1.0, -(1 + beta - eta * one), beta], kicks, axis=0)
        found.append(walk[np.array(config.times) - 1] ** 2)
    return np.stack(found, axis=1)


def _kept(path, config):
    every = config.keep_every
    now, before = path[every::every], path[every - 1 :: every][: len(path[every::every])]
    shape = (-1, path.shape[-1])
    velocity = (now - before) / config.learning_rate
    return ((now + before) / 2).reshape(shape), velocity.reshape(shape)


def _quadratic(vectors, matrix):
    return np.sum((vectors @ matrix) * vectors, axis=-1)


def _rng(config, name):
    return np.random.Generator(np.random.Philox(key=[config.seed, _SEEDS[name]]))
