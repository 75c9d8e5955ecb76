"""Where theory meets measurement: `predict` puts beside each measurement what is expected.

Everything comes from the curvatures and noises measured at the minimum; nothing is fitted.
"""

import numpy as np
import xarray as xr

from sgdescape.anomalous_diffusion import crossover_curvature, free_displacement, local_displacement
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.modified_loss import areal_rate, excess_loss
from sgdescape.network_limits.estimates.lines import first_crossing
from sgdescape.network_limits.estimates.resnet import settled
from sgdescape.network_limits.theory.balance import equipartition, force_balance, norm_drift
from sgdescape.network_limits.theory.filtered import displacement, moments, released, ring
from sgdescape.underdamped_langevin import autocorrelation, square_step

PHASES = 8
"""Of the last epoch, over which moments by epochs are averaged."""

MEMORY_PHASES = 9
"""Ends of the parts of an epoch at which the step of a long memory is predicted."""


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: of `network_limits.experiment.measurements`.

    Returns:
        A new dataset with ``speed_exact`` and ``speed_unforced``; ``variance_exact`` and
        ``step_exact`` (sampler, mode) with ``variance_unforced`` (mode); ``start_exact`` and
        ``later_exact`` (sampler, lag); ``excess_exact`` (sampler, snapshot), ``excess_rule`` and
        ``force_exact`` and ``force_balance`` (sampler, replica), ``energy_exact`` (sampler) and
        ``energy_unforced``;
        ``sweep_speed_exact`` (point), ``sweep_exact`` (point, sweep_lag), ``sweep_early_exact``
        (point, early_step); ``memory_exact`` (order) and ``memory_law``; ``areal_exact`` (mode);
        ``autocorrelation_exact`` (swing_lag, mode); ``ring_decay_exact``, ``ring_period_exact``
        (ring_mode); ``early_exact`` (early, mode); ``strong_exact``; ``decay_exact`` and
        ``decay_plain`` (flat_mode); the ResNet's ``residual_quarter`` (norm_mode),
        ``residual_law`` and ``residual_drift`` (residual_run).
    """
    ds, config = dataset.copy(), settings(dataset)
    at = rates(config)
    _speed(ds, config, at)
    _moments(ds, config, at)
    _displacement(ds, config, at)
    _energy(ds, config, at)
    _oscillation(ds, config, at)
    _decay(ds, config)
    _memory(ds, config)
    _residual(ds, config)
    return ds


def rates(config, which="") -> dict:
    """Return the hyper-parameters of the main runs, or of "swing", as arguments of the theory."""
    if which == "swing":
        names = {"learning_rate": "swing_rate", "momentum": "swing_momentum"}
        names |= {"weight_decay": "weight_decay", "batch_size": "swing_batch"}
    else:
        names = {n: n for n in ("learning_rate", "momentum", "weight_decay", "batch_size")}
    return {name: getattr(config, field) for name, field in names.items()}


def crossover(config) -> float:
    """Return the crossover curvature of the main runs, Eq. (network-crossover)."""
    return crossover_curvature(
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        steps_per_epoch=config.samples // config.batch_size,
    )


def _samples(config, sampler):
    return config.samples if sampler == "shuffle" else None


def _without_batch(at):
    return {name: value for name, value in at.items() if name != "batch_size"}


def _speed(ds, config, at):
    modes = ds.all_curvature.values, ds.all_noise.values
    ds["speed_exact"] = (), float(local_displacement(*modes, **at))
    unforced = at | {"weight_decay": 0.0}
    ds["speed_unforced"] = (), float(local_displacement(0 * modes[0], modes[1], **unforced))
    points = [
        {"learning_rate": eta, "momentum": beta, "batch_size": size}
        for eta, beta, size in config.sweep
    ]
    decay = {"weight_decay": config.weight_decay}
    laws = [float(local_displacement(*modes, **point, **decay)) for point in points]
    ds["sweep_speed_exact"] = "point", laws
    lags = ds.sweep_lag.values
    curves = [displacement(*modes, start=0, lags=lags, **point, **decay) for point in points]
    ds["sweep_exact"] = ("point", "sweep_lag"), np.array(curves)
    steps = np.arange(1, ds.sizes["early_step"] + 1)
    early = [moments(*modes, steps=steps, **point, **decay)[1].sum(1) for point in points]
    ds["sweep_early_exact"] = ("point", "early_step"), np.array(early)
    eta, beta, size = config.strong
    strong = {"learning_rate": eta, "momentum": beta, "batch_size": size}
    ds["strong_exact"] = (), square_step([0.0], [ds.attrs["trace_noise"]], **strong, discrete=False)


def _moments(ds, config, at):
    modes = ds.curvature.values, ds.noise.values
    epoch, last = config.samples // config.batch_size, config.steps
    steps = np.unique(np.linspace(last - epoch, last, PHASES + 1)[:-1].astype(int))
    found = [
        [m.mean(0) for m in moments(*modes, steps=steps, samples=_samples(config, name), **at)]
        for name in ds.sampler.values
    ]
    for index, name in enumerate(("variance_exact", "step_exact")):
        ds[name] = ("sampler", "mode"), np.array([pair[index] for pair in found])
    plain = {k: v for k, v in at.items() if k != "weight_decay"}
    free = [free_displacement(steps, s, **plain).mean() for s in modes[1]]
    ds["variance_unforced"] = "mode", np.array(free)
    early, _ = moments(*modes, steps=ds.early.values, **at)
    ds["early_exact"] = ("early", "mode"), early
    area = areal_rate(1.0, curvature=modes[0], **_without_batch(at))
    ds["areal_exact"] = "mode", np.asarray(area)


def _displacement(ds, config, at):
    modes, lags = (ds.all_curvature.values, ds.all_noise.values), ds.lag.values
    for name, start in (("start_exact", 0), ("later_exact", config.burn_in)):
        seen = lags <= config.steps - start
        rows = np.full((ds.sizes["sampler"], lags.size), np.nan)
        for row, sampler in zip(rows, ds.sampler.values, strict=True):
            row[seen] = displacement(
                *modes, start=start, lags=lags[seen], samples=_samples(config, sampler), **at
            )
        ds[name] = ("sampler", "lag"), rows


def _energy(ds, config, at):
    h = ds.all_curvature.values + config.weight_decay
    shots = ds.snapshot_step.values
    found = []
    for sampler in ds.sampler.values:
        variance, _ = moments(
            ds.all_curvature.values,
            ds.all_noise.values,
            steps=shots,
            samples=_samples(config, sampler),
            **at,
        )
        found.append((h * variance).sum(1) / 2)
    ds["excess_exact"] = ("sampler", "snapshot"), np.array(found)
    eta, beta = config.learning_rate, config.momentum
    rule = excess_loss(ds.speed.values, learning_rate=eta, momentum=beta)
    ds["excess_rule"] = ds.speed.dims, np.asarray(rule)
    ds["force_exact"] = 2 * ds.excess_rule - (1 - beta) / (2 * eta) * ds.growth
    pair = {"learning_rate": eta, "momentum": beta}
    balance = force_balance(*(ds.work.sel(moment=m).values for m in ds.moment.values), **pair)
    ds["force_balance"] = ds.speed.dims, balance
    stiff = ds.curvature + config.weight_decay
    kinetic, potential = ds.step_exact.sum("mode"), (stiff * ds.variance_exact).sum("mode")
    energy = equipartition(kinetic.values, potential.values, 1.0, **pair)
    ds["energy_exact"] = "sampler", energy
    free = float((stiff * ds.variance_unforced).sum())
    steady = float(kinetic.sel(sampler="iid"))
    ds["energy_unforced"] = (), float(equipartition(steady, free, 1.0, **pair))


def _oscillation(ds, config, at):
    lags = np.arange(config.swing_lags + 1)
    swing = _without_batch(rates(config, "swing"))
    curves = autocorrelation(lags[:, None], ds.curvature.values, **swing)
    ds["autocorrelation_exact"] = ("swing_lag", "mode"), np.asarray(curves)
    decay, period = ring(
        ds.curvature.values[: ds.sizes["ring_mode"]],
        learning_rate=config.ring_rate,
        momentum=config.ring_momentum,
        weight_decay=config.weight_decay,
    )
    ds["ring_decay_exact"], ds["ring_period_exact"] = ("ring_mode", decay), ("ring_mode", period)


def _decay(ds, config):
    steps = np.linspace(config.decay_steps // 3, config.decay_steps, 4).astype(int)
    rho, noise, size = ds.decay_curvature.values, ds.decay_noise.values, config.batch_size
    at = {"learning_rate": config.decay_rate, "momentum": config.momentum, "batch_size": size}
    variance, _ = moments(rho, noise, steps=steps, weight_decay=config.strong_decay, **at)
    plain = config.decay_rate * noise / (2 * size * (1 - config.momentum) * rho)
    ds["decay_exact"], ds["decay_plain"] = ("flat_mode", variance.mean(0)), ("flat_mode", plain)


def _memory(ds, config):
    """Squared steps at a long memory, mean over the last epoch, both orders of the data."""
    eta, beta, size, epochs = config.memory
    length = config.samples // size
    steps = np.round(np.linspace((epochs - 1) * length, epochs * length, MEMORY_PHASES)).astype(int)
    modes = ds.all_curvature.values, ds.all_noise.values
    at = {"learning_rate": eta, "momentum": beta, "batch_size": size}
    found = []
    for samples in (None, config.samples):
        _, square = moments(
            *modes, steps=steps[1:], samples=samples, weight_decay=config.weight_decay, **at
        )
        found.append(square.sum(1).mean())
    ds["memory_exact"] = "order", found
    ds["memory_law"] = (), eta**2 * ds.attrs["trace_noise"] / (size * (1 - beta**2))


def _residual(ds, config):
    eta, beta, *_ = config.residual_ring
    at = {"learning_rate": eta, "momentum": beta, "weight_decay": config.weight_decay}
    tracks = released(ds.residual_mode_curvature.values, 400, **at)
    ds["residual_quarter"] = "norm_mode", [first_crossing(track) for track in tracks]
    noise, laws, drifts = [float(ds.residual_noise.mean())], [], []
    for run, (eta, beta, size, _) in enumerate(config.residual_runs):
        pair = {"learning_rate": eta, "momentum": beta}
        laws.append(square_step([0.0], noise, **pair, batch_size=size, discrete=False))
        seen, seats = ds.isel(residual_run=run), settled(ds, run)
        drifts.append(
            norm_drift(
                float(seen.residual_norm[seats][:-1].mean()),
                float(seen.residual_norm_speed[seats][1:].mean()),
                **pair,
                weight_decay=config.weight_decay,
            )
        )
    ds["residual_law"], ds["residual_drift"] = ("residual_run", laws), ("residual_run", drifts)
