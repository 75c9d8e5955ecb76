"""Simulations of chapter `random_time_change`: raw samples, no formula under test.

Eqs. (12) and (14) themselves are `core.sde_models.decoupled` and `time_changed`; here are the loops
that put them on one Brownian motion, carry the other clock along, or place the noise elsewhere.
"""

from enum import IntEnum

import numpy as np
import xarray as xr

from sgdescape.core import sde, sde_models, sde_passage

_COMPACT = 25  # steps after which replicas that have arrived leave the arrays


SCHEMES = ("time-changed", "not rescaled", "Euler", "Milstein")
"""Eq. (14) on its own grid; the same with dW in place of sqrt(L) . dW; two schemes of Eq. (12)."""


class Use(IntEnum):
    """What a stream of random numbers is for: second half of the Philox key."""

    PATHS = 31
    LAW = 32
    BOWL = 33
    GIBBS = 34
    CONVENTION = 35
    LONG = 36
    GROWTH = 37
    FROZEN = 38


def generator(seed: int, use: Use, index: int = 0) -> np.random.Generator:
    """Return the generator of one use; different indices never overlap."""
    return np.random.Generator(np.random.Philox(key=[seed, use], counter=[0, 0, 0, index]))


def bowl(config, curvatures=None) -> sde_models.Bowl:
    """Return the quadratic valley of the configuration, one-dimensional unless said."""
    return sde_models.Bowl(
        (config.curvature,) if curvatures is None else tuple(curvatures),
        minimum_loss=config.minimum_loss,
        learning_rate=config.learning_rate,
        batch_size=config.batch_size,
    )


def one_path(config) -> xr.Dataset:
    """Follow Eq. (12) on a fine grid of t, together with tau and the new Brownian motion.

    The step is Milstein's; tau is summed by the trapezoid rule and dW' = sqrt(L) . dW by the
    rule of the same order.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``state``, ``tau``, ``driver`` and ``noise`` (dW' and dW summed) over (fine, path).
    """
    valley = bowl(config)
    sde = sde_models.bowl_sde(valley)
    dt, span = config.fine_step, config.path_time / config.minimum_loss
    steps = round(span / dt)
    rng = generator(config.seed, Use.PATHS)
    shape = (steps + 1, config.paths)
    state, tau, driver, noise = (np.zeros(shape) for _ in range(4))
    state[0] = config.start
    amplitude = np.sqrt(2 * config.learning_rate * config.curvature / config.batch_size)
    for k in range(steps):
        theta, dw = state[k, :, None], np.sqrt(dt) * rng.standard_normal((config.paths, 1))
        change = sde.drift(theta) * dt + sde.noise(theta) * dw + sde.milstein(theta, dw, dt)
        state[k + 1] = (theta + change)[:, 0]
        left, right = valley.loss(theta), valley.loss(theta + change)
        slope = valley.gradient(theta)[:, 0]
        tau[k + 1] = tau[k] + 0.5 * (left + right) * dt
        second = 0.25 * amplitude * slope * (dw[:, 0] ** 2 - dt)
        driver[k + 1] = driver[k] + np.sqrt(left) * dw[:, 0] + second
        noise[k + 1] = noise[k] + dw[:, 0]
    parts = {"state": state, "tau": tau, "driver": driver, "noise": noise}
    return xr.Dataset({name: (("fine", "path"), values) for name, values in parts.items()})


def strong_errors(config) -> xr.Dataset:
    """Compare coarse runs with the fine path of `one_path`, all on the same Brownian motion.

    Eq. (14) is run by Euler's scheme on a grid of tau with the increments of the driver, and
    compared where its clock ends. Eq. (12) is run by Euler's and Milstein's scheme on a grid of t.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``strong_error`` (scheme, level, path): distance at the end; ``example_*``: one path.
    """
    fine = one_path(config)
    state, tau, driver, noise = (fine[name].values for name in ("state", "tau", "driver", "noise"))
    valley = bowl(config)
    changed, decoupled = (sde_models.bowl_sde(valley, p) for p in ("time_changed", "decoupled"))
    levels = np.arange(config.levels[0], config.levels[1] + 1)
    cells = np.array([2**levels, 2**levels, 2 ** (levels + 3), 2 ** (levels + 3)])
    errors = np.empty((*cells.shape, config.paths))
    column = np.arange(config.paths)
    for j, count in enumerate(cells[0]):
        index = _first_beyond(tau, config.path_time * np.arange(count + 1) / count)
        dtau, dw, plain = (np.diff(a[index, column], axis=0) for a in (tau, driver, noise))
        end = state[index[-1], column]
        for row, increments in enumerate((dw, plain)):
            errors[row, j] = np.abs(_euler(changed, config, dtau, increments)[-1] - end)
    for j, count in enumerate(cells[2]):
        stride = round(config.path_time / config.fine_step) // count
        grid = stride * np.arange(count + 1)
        dw = np.diff(noise[grid], axis=0)
        dt = np.full_like(dw, stride * config.fine_step)
        for row in (2, 3):
            ends = _euler(decoupled, config, dt, dw, milstein=row == 3)[-1]
            errors[row, j] = np.abs(ends - state[grid[-1]])
    shown = _first_beyond(tau, config.path_time * np.arange(33) / 32)
    dtau, dw = (np.diff(a[shown, column], axis=0)[:, :1] for a in (tau, driver))
    every = max(1, round(config.path_time / config.fine_step) // 1024)
    return xr.Dataset(
        {
            "strong_error": (("scheme", "level", "path"), errors),
            "strong_step": (("scheme", "level"), config.path_time / cells),
            "example_state": ("moment", state[::every, 0]),
            "example_tau": ("moment", tau[::every, 0]),
            "example_time": ("moment", config.fine_step * np.arange(len(state))[::every]),
            "example_changed": ("knot", _euler(changed, config, dtau, dw)[:, 0]),
            "example_changed_tau": ("knot", tau[shown[:, 0], 0]),
            "example_changed_time": ("knot", config.fine_step * shown[:, 0]),
        },
        coords={"scheme": list(SCHEMES)},
    )


def run_to(process, start, clock_rate, *, step, end, rng):
    """Run Euler's scheme of an SDE until its *other* clock shows ``end``, to the dot.

    The other clock gains ``clock_rate`` times the step; the last step of each replica is cut so
    that the clock ends exactly.

    Args:
        process: the `Sde`, in its own clock.
        start: states (replicas, d).
        clock_rate: maps states to the rate (replicas,) of the other clock, positive.
        step: of the SDE's own clock.
        end: of the other clock.
        rng: a NumPy generator.

    Returns:
        Final states (replicas, d) and the SDE's own time at the end (replicas,).
    """
    theta, own = np.array(start, dtype=float), np.zeros(len(start))
    rows, left = np.arange(len(start)), np.full(len(start), float(end))
    now, spent = theta.copy(), own.copy()
    while len(rows):
        for _ in range(_COMPACT):  # who has arrived makes steps of length zero
            rate = clock_rate(now)
            part = np.minimum(step, left / rate)
            draws = rng.standard_normal((len(now), process.noises or now.shape[1]))
            push = sde_passage.apply_noise(process.noise(now), np.sqrt(part)[:, None] * draws)
            now = now + process.drift(now) * part[:, None] + push
            spent += part
            left = np.maximum(left - rate * part, 0.0)
        theta[rows], own[rows] = now, spent
        open_ = left > 1e-12 * end
        rows, left, now, spent = (a[open_] for a in (rows, left, now, spent))
    return theta, own


def law_at_time(config) -> xr.Dataset:
    """Sample Eq. (12) at a time t, and Eq. (14) where its clock shows the same t; and the driver.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``direct``, ``mapped`` (sample): |theta| at t = law_time; ``driver_fixed_tau``,
        ``driver_fixed_t`` (sample): the integral of sqrt(L) . dW up to fixed tau and fixed t;
        ``bowl_loss`` (sample): L at bowl_time from Eq. (14) on a valley with unequal curvatures.
    """
    valley = bowl(config)
    changed = sde_models.bowl_sde(valley, "time_changed")
    start = np.full((config.samples, 1), config.start)
    rng = generator(config.seed, Use.LAW)
    direct, fixed_t = _driver(config, fixed="t", rng=rng)
    _, fixed_tau = _driver(config, fixed="tau", rng=rng)
    mapped, _ = run_to(
        changed,
        start,
        lambda theta: 1 / valley.loss(theta),
        step=config.step,
        end=config.law_time,
        rng=rng,
    )
    wide = bowl(config, config.bowl_curvatures)
    ended, _ = run_to(
        sde_models.bowl_sde(wide, "time_changed"),
        np.tile(config.bowl_start, (config.samples, 1)),
        lambda theta: 1 / wide.loss(theta),
        step=config.step,
        end=config.bowl_time,
        rng=generator(config.seed, Use.BOWL),
    )
    parts = {
        "direct": direct,
        "mapped": np.abs(mapped[:, 0]),
        "driver_fixed_t": fixed_t,
        "driver_fixed_tau": fixed_tau,
        "bowl_loss": wide.loss(ended),
    }
    return xr.Dataset({name: ("sample", values) for name, values in parts.items()})


def passages(config) -> xr.Dataset:
    """First passages of the loss to c L* from the minimum, by Eq. (12) and by Eq. (14).

    Args:
        config: the chapter's `Config`.

    Returns:
        ``passage`` (equation, clock, run): each passage in the clocks t and tau. The two equations
        use different random numbers.
    """
    found = []
    for k, process in enumerate(("decoupled", "time_changed")):
        passed = sde.first_passage(
            bowl(config),
            thresholds=[config.loss_ratio],
            dt=config.passage_step,
            max_time=config.longest,
            replicas=range(k * config.passages, (k + 1) * config.passages),
            seed=config.seed,
            process=process,
        )
        both = (passed.times[:, 0], passed.clocks[:, 0])
        found.append(both[::-1] if process == "decoupled" else both)
        if np.isnan(found[-1]).any():
            raise RuntimeError(f"longest must let every run pass: {process} did not at its end")
    return xr.Dataset(
        {"passage": (("equation", "clock", "run"), np.array(found))},
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
        ``gibbs`` (sample): theta in tau; ``stationary`` (convention, sample): theta in t.
    """
    valley, count = bowl(config), config.stationary_samples
    changed, sde = (sde_models.bowl_sde(valley, p) for p in ("time_changed", "decoupled"))
    rng = generator(config.seed, Use.GIBBS)
    theta, step = np.zeros((count, 1)), config.gibbs_step
    for _ in range(round(config.gibbs_time / step)):
        noise = np.sqrt(step) * rng.standard_normal(theta.shape)
        theta = theta + changed.drift(theta) * step + changed.noise(theta) * noise
    dt = config.stationary_step
    found = []
    for index, scheme in enumerate((_ito, _stratonovich, _anti_ito)):
        rng = generator(config.seed, Use.CONVENTION, index)
        state = np.zeros((count, 1))
        for _ in range(round(config.stationary_time / dt)):
            state = scheme(sde, state, dt, np.sqrt(dt) * rng.standard_normal(state.shape))
        found.append(state[:, 0])
    return xr.Dataset(
        {"gibbs": ("draw", theta[:, 0]), "stationary": (("convention", "draw"), np.array(found))},
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
    sde = sde_models.bowl_sde(valley)
    rng, dt = generator(config.seed, Use.LONG), config.long_step
    marks = np.round(np.geomspace(config.long_time / 16, config.long_time, 9) / dt).astype(int)
    theta, tau, kept = np.zeros((config.runs, config.wide)), np.zeros(config.runs), []
    for k in range(marks[-1]):
        noise = np.sqrt(dt) * rng.standard_normal(theta.shape)
        tau += dt * valley.loss(theta)
        theta = theta + sde.drift(theta) * dt + sde.noise(theta) * noise
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
        rng = generator(config.seed, Use.GROWTH, int(n))
        size = (config.groups, config.growth_steps)
        along = (1 - h * dt + scale * rng.standard_normal(size)) ** 2
        across = scale**2 * rng.chisquare(n - 1, size) if n > 1 else 0.0
        found[i] = 0.5 * np.log(along + across).mean(axis=1) / dt
    return xr.Dataset({"growth": (("dimension", "group"), found)}, coords={"dimension": dimensions})


def frozen(config) -> xr.Dataset:
    """Run Eq. (12) in one dimension with L* = 0 from theta = 1, until its clock tau stands.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``frozen_tau`` (life): tau at the end of the run.
    """
    rng, dt, h = generator(config.seed, Use.FROZEN), config.frozen_step, config.curvature
    sde = sde_models.decoupled(
        lambda theta: 0.5 * h * (theta * theta).sum(-1),
        lambda theta: h * theta,
        (h,),
        learning_rate=config.learning_rate,
        batch_size=config.batch_size,
    )
    theta, tau = np.ones((config.lives, 1)), np.zeros(config.lives)
    for _ in range(round(config.frozen_time / dt)):
        dw = np.sqrt(dt) * rng.standard_normal(theta.shape)
        change = sde.drift(theta) * dt + sde.noise(theta) * dw + sde.milstein(theta, dw, dt)
        tau += 0.25 * h * dt * (theta**2 + (theta + change) ** 2)[:, 0]
        theta = theta + change
    return xr.Dataset({"frozen_tau": ("life", tau)})


def _first_beyond(clock, values):
    """Index (values, paths) of the first point of each path whose clock has reached a value."""
    return np.stack([np.searchsorted(column, values) for column in clock.T], axis=1)


def _euler(sde, config, steps, increments, *, milstein=False):
    """States (1 + steps, paths) of a one-dimensional scheme on given increments."""
    theta = np.full((steps.shape[1], 1), config.start)
    states = [theta[:, 0]]
    for dt, dw in zip(steps[..., None], increments[..., None], strict=True):
        change = sde.drift(theta) * dt + sde.noise(theta) * dw
        theta = theta + change + (sde.milstein(theta, dw, dt) if milstein else 0.0)
        states.append(theta[:, 0])
    return np.array(states)


def _driver(config, *, fixed, rng):
    """|theta| and the integral of sqrt(L) . dW by Euler for Eq. (12), up to a fixed t or tau."""
    valley, plain = bowl(config), sde_models.bowl_sde(bowl(config))

    def drift(state):  # of theta and of the driver, which has no drift
        return np.concatenate([plain.drift(state[:, :1]), 0 * state[:, 1:]], axis=1)

    def noise(state):  # both from one Brownian motion
        level = np.sqrt(valley.loss(state[:, :1]))[:, None]
        return np.stack([plain.noise(state[:, :1]), level], axis=1)

    both = sde_models.Sde(drift, noise, noises=1, name="Eq. (12) with its driver")
    rates = {"tau": lambda state: valley.loss(state[:, :1]), "t": lambda state: 1 + 0 * state[:, 0]}
    start = np.tile([config.start, 0.0], (config.samples, 1))
    end = config.driver_time if fixed == "tau" else config.law_time
    state, _ = run_to(both, start, rates[fixed], step=config.step, end=end, rng=rng)
    return np.abs(state[:, 0]), state[:, 1]


def _ito(sde, theta, dt, dw):
    return theta + sde.drift(theta) * dt + sde.noise(theta) * dw


def _stratonovich(sde, theta, dt, dw):
    end = _ito(sde, theta, dt, dw)
    drift = 0.5 * (sde.drift(theta) + sde.drift(end))
    return theta + drift * dt + 0.5 * (sde.noise(theta) + sde.noise(end)) * dw


def _anti_ito(sde, theta, dt, dw):
    return theta + sde.drift(theta) * dt + sde.noise(_ito(sde, theta, dt, dw)) * dw
