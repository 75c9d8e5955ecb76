"""Simulations of chapter `random_time_change`: passages, stationary laws, growth, frozen clock.

Raw samples, no formula under test; the equations are those of `core.sde.bowl`.
"""

import numpy as np
import xarray as xr

from sgdescape.core.sde import bowl as sde
from sgdescape.random_time_change.measure.paths import bowl, derived, generator


def passages(config) -> xr.Dataset:
    """First passages of the loss to c L* from the minimum, by Eq. (12) and by Eq. (14).

    Args:
        config: the chapter's `Config`.

    Returns:
        ``passage`` (equation, clock, passing): each passage on both clocks. The two equations
        use different random numbers.
    """
    found = []
    for k, process in enumerate(("decoupled", "time_changed")):
        passed = sde.first_passage(
            bowl(config),
            thresholds=[config.loss_ratio],
            dt=config.passage_step,
            max_time=config.longest,
            replicas=range(config.passages),
            seed=derived(config, "passages", k),
            process=process,
        )
        both = (passed.times[:, 0], passed.clocks[:, 0])
        found.append(both[::-1] if process == "decoupled" else both)
        if np.isnan(found[-1]).any():
            raise RuntimeError(f"longest must let every run pass: {process} did not at its end")
    return xr.Dataset(
        {"passage": (("equation", "clock", "passing"), np.array(found))},
        coords={"equation": ["Eq. (12)", "Eq. (14)"], "clock": ["tau", "t"]},
    )


def stationary_samples(config) -> xr.Dataset:
    """Sample the stationary laws: Eq. (14) in tau, and Eq. (12) in t under three conventions.

    The three conventions differ in nothing but the point at which the amplitude of the noise is
    taken: at the start of the step (Euler), in its middle (the mean of start and predicted end,
    drift included: Heun) and at its predicted end.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``gibbs`` (chain, kept): theta in tau; ``stationary`` (convention, draw): theta in t.
    """
    count, process = config.stationary_samples, sde.bowl_sde(bowl(config))
    every = round(config.gibbs_time / (2 * config.gibbs_step * config.gibbs_kept))
    gibbs = sde.stationary(
        bowl(config),
        process="time_changed",
        dt=config.gibbs_step,
        burn_in=every * config.gibbs_kept,
        steps=every * config.gibbs_kept,
        keep_every=every,
        replicas=range(config.gibbs_chains),
        seed=derived(config, "gibbs"),
    )
    dt = config.stationary_step
    found = []
    for index, scheme in enumerate((_ito, _stratonovich, _anti_ito)):
        rng = generator(config, "conventions", index)
        state = np.zeros((count, 1))
        for _ in range(round(config.stationary_time / dt)):
            state = scheme(process, state, dt, np.sqrt(dt) * rng.standard_normal(state.shape))
        found.append(state[:, 0])
    return xr.Dataset(
        {
            "gibbs": (("chain", "kept"), gibbs.samples[:, :, 0].T),
            "stationary": (("convention", "draw"), np.array(found)),
        },
        coords={"convention": ["Ito", "Stratonovich", "anti-Ito"]},
    )


def infinite_mean(config) -> xr.Dataset:
    """Run Eq. (12) in so many dimensions that the mean loss is infinite, with its clock tau.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``long_tau`` (mark, run): tau at each ``mark`` of t; ``long_ratio`` (run): L/L* at the end.
    """
    valley = bowl(config, [config.curvature] * config.wide)
    process = sde.bowl_sde(valley)
    rng, dt = generator(config, "infinite mean"), config.long_step
    marks = np.round(np.geomspace(config.long_time / 16, config.long_time, 9) / dt).astype(int)
    theta, tau, kept = np.zeros((config.runs, config.wide)), np.zeros(config.runs), []
    for k in range(marks[-1]):
        noise = np.sqrt(dt) * rng.standard_normal(theta.shape)
        tau += dt * valley.loss(theta)
        theta = theta + process.drift(theta) * dt + process.noise(theta) * noise
        if k + 1 in marks:
            kept.append(tau.copy())
    return xr.Dataset(
        {
            "long_tau": (("mark", "run"), np.array(kept)),
            "long_ratio": ("run", valley.loss(theta) / config.minimum_loss),
        },
        coords={"mark": marks * dt},
    )


def growth(config) -> xr.Dataset:
    """Sample how log|theta| changes in a step of Eq. (12) far away, or at L* = 0, by dimension.

    There L = h |theta|^2 / 2, and a step changes |theta| by a factor whose law does not depend on
    theta: steps from |theta| = 1 are as good as long runs.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``growth`` (dimension, group): mean change of log|theta| per unit of t.
    """
    dt, h = config.growth_step, config.curvature
    scale = np.sqrt(dt * config.learning_rate * h / config.batch_size * h)
    dimensions = np.arange(1, config.most + 1)
    found = np.empty((len(dimensions), config.groups))
    for i, n in enumerate(dimensions):
        rng = generator(config, "growth", int(n))
        size = (config.groups, config.growth_steps)
        along = (1 - h * dt + scale * rng.standard_normal(size)) ** 2
        across = scale**2 * rng.chisquare(n - 1, size) if n > 1 else 0.0
        found[i] = 0.5 * np.log(along + across).mean(axis=1) / dt
    return xr.Dataset({"growth": (("dimension", "group"), found)}, coords={"dimension": dimensions})


def sgd_growth(config) -> xr.Dataset:
    """Sample how log|z| changes in a step of SGD itself, far from a minimum, by dimension.

    Regression on n independent Gaussian inputs of variance h with B fresh samples a step:
    z' = z - (eta/B) X^T X z far away, where X z is |z| sqrt(h) times B standard normal numbers and
    X is isotropic across z. The change does not depend on z.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``sgd_growth`` (sgd_dimension, group): mean change of log|z| a step.
    """
    batch, scale = config.sgd_batch_size, config.sgd_learning_rate * config.curvature
    size, found = (config.groups, config.growth_steps), []
    for n in config.sgd_dimensions:
        rng = generator(config, "growth of SGD", n)
        share = rng.chisquare(batch, size) / batch
        along = (1 - scale * share) ** 2
        across = scale**2 * share / batch * rng.chisquare(n - 1, size)
        found.append(0.5 * np.log(along + across).mean(axis=1))
    return xr.Dataset(
        {"sgd_growth": (("sgd_dimension", "group"), np.array(found))},
        coords={"sgd_dimension": list(config.sgd_dimensions)},
    )


def frozen(config) -> xr.Dataset:
    """Run Eq. (12) in one dimension with L* = 0 from theta = 1, until its clock tau stands.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``frozen_tau`` (life): tau at the end of the run.
    """
    rng, dt, h = generator(config, "frozen"), config.frozen_step, config.curvature
    process = sde.decoupled(
        lambda theta: 0.5 * h * (theta * theta).sum(-1),
        lambda theta: h * theta,
        (h,),
        learning_rate=config.learning_rate,
        batch_size=config.batch_size,
    )
    theta, tau = np.ones((config.lives, 1)), np.zeros(config.lives)
    for _ in range(round(config.frozen_time / dt)):
        dw = np.sqrt(dt) * rng.standard_normal(theta.shape)
        change = (
            process.drift(theta) * dt + process.noise(theta) * dw + process.milstein(theta, dw, dt)
        )
        tau += 0.25 * h * dt * (theta**2 + (theta + change) ** 2)[:, 0]
        theta = theta + change
    return xr.Dataset({"frozen_tau": ("life", tau)})


def _ito(process, theta, dt, dw):
    return theta + process.drift(theta) * dt + process.noise(theta) * dw


def _stratonovich(process, theta, dt, dw):
    end = _ito(process, theta, dt, dw)
    drift = 0.5 * (process.drift(theta) + process.drift(end))
    return theta + drift * dt + 0.5 * (process.noise(theta) + process.noise(end)) * dw


def _anti_ito(process, theta, dt, dw):
    return theta + process.drift(theta) * dt + process.noise(_ito(process, theta, dt, dw)) * dw
