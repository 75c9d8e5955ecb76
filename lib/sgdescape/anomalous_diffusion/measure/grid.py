"""Grids of runs from a fixed start, two epochs each, as in the paper; no theory in here."""

import numpy as np
import xarray as xr

from sgdescape.anomalous_diffusion.measure.batch_orders import (
    positions,
    power_law_spectrum,
    regression,
)
from sgdescape.core.random import seeds

_SQUARE = {"units": "parameter^2"}


def drawn(config, samples, modes):
    """Return samples of regression whose curvatures fall as the configuration's power law.

    Args:
        config: see `anomalous_diffusion.Config`.
        samples: N.
        modes: number of parameters.
    """
    rho = power_law_spectrum(modes, config.spectrum_exponent)
    seed = seeds.derive(config.seed, "anomalous_diffusion", "data")
    return regression(rho, samples=samples, seed=seed)


def sweep(config) -> xr.Dataset:
    """Repeat the grid of 27 runs: two epochs from a fixed start, one line through the second.

    Args:
        config: see `anomalous_diffusion.Config`.

    Returns:
        ``grid_displacement`` (run, grid_replica, epoch): |theta_k - theta_0|^2 at times in
        epochs within the second; ``grid_fixed`` (run, grid_replica, fixed_step): the same at
        steps that are the second epoch of the middle batch size, in every run; the settings of
        each run; ``grid_curvature``, ``grid_noise``, ``grid_offset`` (grid_mode).
    """
    problem = drawn(config, config.grid_samples, config.grid_modes)
    offset = _offset(config, problem)
    settings = [
        (eta, size, beta)
        for eta in config.grid_rates
        for size in config.grid_sizes
        for beta in config.grid_momenta
    ]
    epochs = np.linspace(1, 2, config.grid_points)
    middle = sorted(config.grid_sizes)[len(config.grid_sizes) // 2]
    fixed = _steps(epochs, config.grid_samples, middle)
    by_epoch, by_step = [], []
    for number, (eta, size, beta) in enumerate(settings):
        steps = _steps(epochs, config.grid_samples, size)
        wanted = np.unique(np.concatenate([[0], steps, fixed]))
        path = positions(
            problem,
            wanted,
            learning_rate=eta,
            momentum=beta,
            batch_size=size,
            replicas=config.grid_replicas,
            seed=_seed(config, "sweep", number),
            start=offset,
        )
        square = np.sum((path - path[0]) ** 2, axis=-1).T  # (replicas, steps)
        by_epoch.append(square[:, np.searchsorted(wanted, steps)])
        by_step.append(square[:, np.searchsorted(wanted, fixed)])
    columns = np.array(settings).T
    return xr.Dataset(
        {
            "grid_displacement": (("run", "grid_replica", "epoch"), np.array(by_epoch), _SQUARE),
            "grid_fixed": (("run", "grid_replica", "fixed_step"), np.array(by_step), _SQUARE),
            "grid_rate": ("run", columns[0]),
            "grid_size": ("run", columns[1].astype(int)),
            "grid_momentum": ("run", columns[2]),
            "grid_curvature": ("grid_mode", problem.curvatures),
            "grid_noise": ("grid_mode", problem.noise),
            "grid_offset": ("grid_mode", offset),
        },
        coords={"epoch": epochs, "fixed_step": fixed},
    )


def numbers(config) -> xr.Dataset:
    """Vary the number of samples N, at one temperature eta/(S (1 - beta)) and at one tau_ep.

    Args:
        config: see `anomalous_diffusion.Config`.

    Returns:
        ``number_displacement`` (kept, samples, grid_replica, time), at times in epochs, where
        "temperature" keeps eta and "epoch time" keeps eta N; ``number_rate`` (kept, samples);
        ``number_noise`` (samples, grid_mode) of each set of samples. The start is that of
        `sweep`.
    """
    offset = _offset(config, drawn(config, config.grid_samples, config.grid_modes))
    times, kept = np.geomspace(0.25, 2, config.grid_points), ["temperature", "epoch time"]
    middle = sorted(config.number_samples)[len(config.number_samples) // 2]
    problems = [drawn(config, n, config.grid_modes) for n in config.number_samples]
    rates = config.number_rate * np.array(
        [np.ones(len(problems)), [middle / n for n in config.number_samples]]
    )
    rows = np.empty((*rates.shape, config.grid_replicas, times.size))
    for index in np.ndindex(rates.shape):
        samples = config.number_samples[index[1]]
        path = positions(
            problems[index[1]],
            np.append(0, _steps(times, samples, config.number_size)),
            learning_rate=rates[index],
            momentum=config.number_momentum,
            batch_size=config.number_size,
            replicas=config.grid_replicas,
            seed=_seed(config, f"numbers, {kept[index[0]]}", index[1]),
            start=offset,
        )
        rows[index] = np.sum((path[1:] - path[0]) ** 2, axis=-1).T
    return xr.Dataset(
        {
            "number_displacement": (("kept", "samples", "grid_replica", "time"), rows, _SQUARE),
            "number_rate": (("kept", "samples"), rates),
            "number_noise": (("samples", "grid_mode"), np.array([p.noise for p in problems])),
        },
        coords={"time": times, "kept": kept, "samples": list(config.number_samples)},
    )


def _offset(config, problem):
    """Start whose drift is so many times the noise after one short epoch."""
    offset = problem.curvatures**-0.25  # flat modes start farther away
    noise = problem.noise.sum() / config.grid_samples
    drift = np.sum((offset * problem.curvatures) ** 2)
    return offset * np.sqrt(config.grid_drift * noise / drift)


def _steps(epochs, samples, size):
    return np.round(epochs * samples / size).astype(int)


def _seed(config, purpose, index):
    return seeds.derive(config.seed, "anomalous_diffusion", purpose, index)
