"""Simulations of chapter `random_time_change` that follow both clocks of a path; raw samples.

Eqs. (12) and (14) themselves are `core.sde.bowl.decoupled` and `time_changed`; here are the loops
that put them on one Brownian motion or stop them on the other's clock.
"""

import numpy as np
import xarray as xr

from sgdescape.core.random import seeds
from sgdescape.core.sde import bowl as sde
from sgdescape.core.sde import passage

_KNOTS = 64  # steps of Eq. (14) on the example path
_COMPACT = 25  # steps after which replicas that have arrived leave the arrays

SCHEMES = ("time-changed", "not rescaled", "Euler", "Milstein")
"""Eq. (14) on its own grid; the same with dW in place of sqrt(L) . dW; two schemes of Eq. (12)."""


def generator(config, purpose: str, index: int = 0) -> np.random.Generator:
    """Return the generator of one use of random numbers; different uses are unrelated."""
    return np.random.Generator(np.random.Philox(key=derived(config, purpose, index)))


def derived(config, purpose: str, index: int = 0) -> int:
    """Return the seed of one use of random numbers."""
    return seeds.derive(config.seed, "random_time_change", purpose, index)


def bowl(config, curvatures=None) -> sde.Bowl:
    """Return the quadratic valley of the configuration, one-dimensional unless said."""
    return sde.Bowl(
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
    process = sde.bowl_sde(valley)
    dt, span = config.fine_step, config.path_time / config.minimum_loss
    steps = round(span / dt)
    rng = generator(config, "paths")
    shape = (steps + 1, config.paths)
    state, tau, driver, noise = (np.zeros(shape) for _ in range(4))
    state[0] = config.start
    amplitude = np.sqrt(2 * config.learning_rate * config.curvature / config.batch_size)
    for k in range(steps):
        theta, dw = state[k, :, None], np.sqrt(dt) * rng.standard_normal((config.paths, 1))
        change = (
            process.drift(theta) * dt + process.noise(theta) * dw + process.milstein(theta, dw, dt)
        )
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
    changed, decoupled = (sde.bowl_sde(valley, p) for p in ("time_changed", "decoupled"))
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
    last = float(tau[-1, 0])  # the example is one path to the end of its time
    shown = _first_beyond(tau[:, :1], last * (np.arange(_KNOTS + 1) / _KNOTS))
    dtau, dw = (np.diff(a[shown, [0]], axis=0) for a in (tau, driver))
    every = max(1, (len(state) - 1) // 1024)
    return xr.Dataset(
        {
            "strong_error": (("scheme", "level", "path"), errors),
            "strong_step": (("scheme", "level"), config.path_time / cells),
            "example_state": ("moment", state[::every, 0]),
            "example_tau": ("moment", tau[::every, 0]),
            "example_time": ("moment", config.fine_step * np.arange(len(state))[::every]),
            "example_changed": ("knot", _euler(changed, config, dtau, dw)[:, 0]),
            "example_changed_tau": ("knot", tau[shown[:, 0], 0]),
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
            push = passage.apply_noise(process.noise(now), np.sqrt(part)[:, None] * draws)
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
    changed = sde.bowl_sde(valley, "time_changed")
    start = np.full((config.samples, 1), config.start)
    rng = generator(config, "law")
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
        sde.bowl_sde(wide, "time_changed"),
        np.tile(config.bowl_start, (config.samples, 1)),
        lambda theta: 1 / wide.loss(theta),
        step=config.step,
        end=config.bowl_time,
        rng=generator(config, "unequal curvatures"),
    )
    parts = {
        "direct": direct,
        "mapped": np.abs(mapped[:, 0]),
        "driver_fixed_t": fixed_t,
        "driver_fixed_tau": fixed_tau,
        "bowl_loss": wide.loss(ended),
    }
    return xr.Dataset({name: ("sample", values) for name, values in parts.items()})


def _first_beyond(clock, values):
    """Index (values, paths) of the first point of each path whose clock has reached a value."""
    return np.stack([np.searchsorted(column, values) for column in clock.T], axis=1)


def _euler(process, config, steps, increments, *, milstein=False):
    """States (1 + steps, paths) of a one-dimensional scheme on given increments."""
    theta = np.full((steps.shape[1], 1), config.start)
    states = [theta[:, 0]]
    for dt, dw in zip(steps[..., None], increments[..., None], strict=True):
        change = process.drift(theta) * dt + process.noise(theta) * dw
        theta = theta + change + (process.milstein(theta, dw, dt) if milstein else 0.0)
        states.append(theta[:, 0])
    return np.array(states)


def _driver(config, *, fixed, rng):
    """|theta| and the integral of sqrt(L) . dW by Euler for Eq. (12), up to a fixed t or tau."""
    valley, plain = bowl(config), sde.bowl_sde(bowl(config))

    def drift(state):  # of theta and of the driver, which has no drift
        return np.concatenate([plain.drift(state[:, :1]), 0 * state[:, 1:]], axis=1)

    def noise(state):  # both from one Brownian motion
        level = np.sqrt(valley.loss(state[:, :1]))[:, None]
        return np.stack([plain.noise(state[:, :1]), level], axis=1)

    both = sde.Sde(drift, noise, noises=1, name="Eq. (12) with its driver")
    rates = {"tau": lambda state: valley.loss(state[:, :1]), "t": lambda state: 1 + 0 * state[:, 0]}
    start = np.tile([config.start, 0.0], (config.samples, 1))
    end = config.driver_time if fixed == "tau" else config.law_time
    state, _ = run_to(both, start, rates[fixed], step=config.step, end=end, rng=rng)
    return np.abs(state[:, 0]), state[:, 1]
