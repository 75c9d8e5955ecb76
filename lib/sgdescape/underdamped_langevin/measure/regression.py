"""Measurements of chapter `underdamped_langevin` on synthetic regression: real SGD, no theory."""

import numpy as np
import xarray as xr

from sgdescape.core.ensembles import momentum as momentum_ensembles
from sgdescape.core.ensembles.regression_data import FiniteData

_PARTS = ("data", "main", "kick", "sweep", "free", "scalar", "paper", "growth")
_SEEDS = {name: index for index, name in enumerate(_PARTS, 1)}
GROUPS = 40


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
    made = momentum_ensembles.phase_space(
        data,
        record_steps=steps,
        replicas=range(config.growth_replicas),
        seed=_seed(config, "growth"),
        device=device,
        **_optimiser(config),
    )
    _refuse(made)
    both = np.stack([made.position[..., ::-1] ** 2, made.velocity[..., ::-1] ** 2], axis=-1)
    grouped = both.reshape(steps.size, GROUPS, -1, data.dimension, 2).mean(axis=2)
    where = ("growth_step", "group", "mode", "coordinate")
    coords = {"growth_step": steps, "coordinate": ["position", "velocity"]}
    return xr.Dataset({"growth_square": (where, grouped)}, coords=coords)


def ensemble(config, *, device="cpu") -> xr.Dataset:
    """Follow chains long after they are stationary; they start at the minimum, at rest.

    Args:
        config: see `underdamped_langevin.Config`.
        device: "cpu" or "cuda".

    Returns:
        ``square_step`` (record, replica): |delta_k|^2; ``square_position``, ``square_velocity``,
        ``thin_square`` of the velocity, ``full_product`` (theta_k - mu) v_k and
        ``midpoint_product`` (theta_k - mu - delta_k/2) v_k (replica, mode): averages, the last
        three over records that lie apart; ``acf`` (group, mode, lag) of positions; ``final_step``
        (replica, mode): the last delta_k; and the data's ``curvature``, ``noise`` (mode),
        ``inputs`` and ``gradients`` (sample, mode).
    """
    data = problem(config)
    made = momentum_ensembles.phase_space(
        data,
        record_steps=np.arange(config.burn_in, config.burn_in + config.records),
        replicas=range(config.replicas),
        seed=_seed(config, "main"),
        device=device,
        **_optimiser(config),
    )
    _refuse(made)
    eta = config.learning_rate
    x, v = made.position[..., ::-1], made.velocity[..., ::-1]
    # consecutive midpoint products telescope: only records far apart say something
    apart = slice(None, None, config.spacing)
    middle = (x - eta * v / 2)[apart]
    inputs, residuals = sample_noise(data)
    gradients = inputs * residuals[:, None]
    average = ("replica", "mode")
    variables = {
        "square_step": (("record", "replica"), eta**2 * np.sum(v**2, axis=-1)),
        "square_position": (average, np.mean(x**2, axis=0)),
        "square_velocity": (average, np.mean(v**2, axis=0)),
        "full_product": (average, np.mean(x[apart] * v[apart], axis=0)),
        "midpoint_product": (average, np.mean(middle * v[apart], axis=0)),
        "thin_square": (average, np.mean(v[apart] ** 2, axis=0)),
        "final_step": (average, eta * v[-1]),
        "acf": (("group", "mode", "lag"), _correlations(x, config.lags)),
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
    made = momentum_ensembles.phase_space(
        data,
        record_steps=steps,
        replicas=range(config.kick_replicas),
        seed=_seed(config, "kick"),
        start=data.minimum + data.basis @ start,
        device=device,
        **_optimiser(config),
    )
    _refuse(made)
    where = ("kick_step", "replica_kick", "mode")
    variables = {
        "kick_position": (where, made.position[..., ::-1]),
        "kick_velocity": (where, made.velocity[..., ::-1]),
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
        ``speed`` and ``free_speed`` (setting, replica): time averages of |delta_k|^2;
        coordinates ``learning_rate``, ``batch_size``, ``momentum`` and ``varied`` (setting).
    """
    data = problem(config)
    inputs, residuals = sample_noise(data)
    gradients = inputs * residuals[:, None]
    settings = _settings(config)
    speeds, free = [], []
    for index, (_, eta, size, beta) in enumerate(settings):
        at = {"learning_rate": eta, "batch_size": size, "momentum": beta}
        relax = int((1 - beta) / (eta * config.curvatures[-1]) + 5 / (1 - beta))
        made = momentum_ensembles.stationary(
            data,
            steps=config.sweep_steps,
            burn_in=3 * relax,
            replicas=range(config.sweep_replicas),
            seed=_seed(config, "sweep") + 1000 * index,
            device=device,
            **at,
        )
        _refuse(made)
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


def scalar_modes(config) -> xr.Dataset:
    """Iterate single modes with independent normal noise, up to close to the stability edge.

    Args:
        config: see `underdamped_langevin.Config`.

    Returns:
        ``edge_square`` (momentum, edge, replica_edge, coordinate): averages of theta^2 and v^2, and
        ``paper_acf`` (group, paper_mode, paper_lag), ``paper_path`` (paper_mode, coordinate, k)
        for the two curvatures of `Config.paper_curvatures` at the paper's default setting.
    """
    rng, found = _generator(config, "scalar"), []
    for beta in config.edge_momenta:
        for x in config.edges:
            path = _modes(2 * (1 + beta) * x, 1.0, beta, rng, config.edge_replicas, 400, 2000)
            v = np.diff(path, axis=1)
            found.append(np.stack([np.mean(path**2, axis=1), np.mean(v**2, axis=1)], axis=-1))
    shape = (len(config.edge_momenta), len(config.edges), config.edge_replicas, 2)
    rng, eta, beta = _generator(config, "paper"), 1e-4, 0.9
    acf, paths = [], []
    for rho in config.paper_curvatures:
        path = _modes(rho, eta, beta, rng, config.paper_replicas, 1000, config.paper_steps)
        acf.append(_correlations(path[..., None].swapaxes(0, 1), config.paper_lags)[:, 0])
        v = np.diff(path, axis=1) / eta
        paths.append(np.stack([path[0, 1:2001], v[0, :2000]]))
    return xr.Dataset(
        {
            "edge_square": (
                ("edge_momentum", "edge", "replica_edge", "coordinate"),
                np.array(found).reshape(shape),
            ),
            "paper_acf": (("group", "paper_mode", "paper_lag"), np.stack(acf, axis=1)),
            "paper_path": (("paper_mode", "coordinate", "paper_step"), np.array(paths)),
        },
        coords={
            "edge_momentum": list(config.edge_momenta),
            "edge": list(config.edges),
            "paper_mode": list(config.paper_curvatures),
            "coordinate": ["position", "velocity"],
        },
    )


def _modes(h, eta, beta, rng, replicas, burn_in, steps):
    """AR(2) paths (replicas, steps) of one mode with unit noise variance."""
    from scipy import signal  # only this function needs it

    noise = rng.normal(size=(replicas, burn_in + steps))
    return signal.lfilter([-eta], [1, -(1 + beta - eta * h), beta], noise, axis=1)[:, burn_in:]


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


def _correlations(x, lags):
    """Autocorrelation of (steps, replicas, modes) up to a lag: (groups, modes, lags + 1)."""
    steps, replicas, modes = x.shape
    size = 1 << int(np.ceil(np.log2(steps + lags + 1)))
    spectrum = np.abs(np.fft.rfft(x, size, axis=0)) ** 2
    raw = (
        np.fft.irfft(spectrum, size, axis=0)[: lags + 1]
        / (steps - np.arange(lags + 1))[:, None, None]
    )
    grouped = raw.reshape(lags + 1, GROUPS, replicas // GROUPS, modes).mean(axis=2)
    scale = grouped[0].mean(axis=0)  # of all replicas: a ratio of means, not a mean of ratios
    return (grouped / scale).transpose(1, 2, 0)


def _settings(config):
    """(varied, eta, S, beta), the default first."""
    default = (config.learning_rate, config.batch_size, config.momentum)
    rows = [("default", *default)]
    rows += [("learning_rate", eta, *default[1:]) for eta in config.sweep_rates]
    rows += [("batch_size", default[0], size, default[2]) for size in config.sweep_sizes]
    return rows + [("momentum", *default[:2], beta) for beta in config.sweep_momenta]


def _optimiser(config):
    return {name: getattr(config, name) for name in ("learning_rate", "momentum", "batch_size")}


def _refuse(made):
    if np.any(made.diverged_at >= 0):
        raise FloatingPointError(f"{np.sum(made.diverged_at >= 0)} replicas diverged")


def _seed(config, name):
    """Independent streams for the parts of the chapter."""
    return 100 * config.seed + _SEEDS[name]


def _generator(config, name, index=0):
    return np.random.Generator(np.random.Philox(key=[_seed(config, name), index]))
