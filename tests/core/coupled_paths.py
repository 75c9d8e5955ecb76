"""Paths of several discretisations driven by one Brownian motion: what orders are measured with."""

from types import SimpleNamespace

import numpy as np

from sgdescape.core.random import brownian
from sgdescape.core.sde import bowl as sde
from sgdescape.core.sde import passage

BLOCK = 256  # steps whose increments are drawn together


def coupled(process, start, *, dt, steps, levels, seed, replicas, scheme="euler"):
    """Return step sizes dt, dt/2, ..., dt/2^levels, and end states (replicas, d) of the same paths.

    The Brownian motion's own end is the sum of `brownian.increments` with these arguments.
    """
    sizes = np.ldexp(dt, -np.arange(levels + 1))
    ends = [
        sde.simulate(
            process, start, dt=float(size), steps=steps << level, record_every=steps << level,
            substeps=1 << (levels - level), seed=seed, replicas=replicas, scheme=scheme,
        ).theta
        for level, size in enumerate(sizes)
    ]  # fmt: skip
    return sizes, ends


def coupled_clocks(slow, fast, loss, start, *, dt, steps, tau_step, records, seed, replicas):
    """Drive Eq. (12) and Eq. (14) by the same Brownian motion, path by path: Eq. (13).

    Eq. (12) runs on the grid of dt and gives tau = sum L dt and the Brownian motion of the new
    clock, sum sqrt(L) dW. Eq. (14) then runs on its own states with steps of tau that end where
    tau first passes a multiple of ``tau_step``; its increments are those sums over the step, so no
    interpolation enters. For tau_step -> 0 at fixed dt both are the same numbers, because Euler's
    scheme for Eq. (14) is that for Eq. (12) with steps dt = dtau / L.

    Returns records of tau, t, t_back (of the second path), slow, fast, brownian; the first is the
    start.
    """
    n, d = len(replicas), len(start)
    theta = np.tile(np.asarray(start, float), (n, 1))
    shapes = {"tau": (), "t": (), "t_back": (), "slow": (d,), "fast": (d,), "brownian": (d,)}
    out = {name: np.zeros((records + 1, n, *shape)) for name, shape in shapes.items()}
    out["slow"][0] = out["fast"][0] = theta
    tau, w = np.zeros(n), np.zeros((n, d))
    tau_then, w_then, t_back = tau.copy(), w.copy(), np.zeros(n)
    done, moving = np.zeros(n, dtype=np.int64), theta.copy()
    for step in range(steps):
        if step % BLOCK == 0:
            block = range(step, step + BLOCK)
            draws = brownian.increments(seed, steps=block, dt=dt, replicas=replicas, noises=d)
        dw = draws[step % BLOCK]
        level = loss(theta)
        theta = theta + slow.drift(theta) * dt + passage.apply_noise(slow.noise(theta), dw)
        tau, w = tau + level * dt, w + np.sqrt(level)[:, None] * dw
        hit = (tau >= (done + 1) * tau_step * (1 - 1e-12)) & (done < records)
        if not hit.any():
            continue
        size, before = (tau - tau_then)[hit], moving[hit]
        push = passage.apply_noise(fast.noise(before), (w - w_then)[hit])
        t_back[hit] += size / loss(before)
        moving[hit] = before + fast.drift(before) * size[:, None] + push
        tau_then[hit], w_then[hit] = tau[hit], w[hit]
        done = done + hit
        place = done[hit], np.flatnonzero(hit)
        now = {"tau": tau, "t": dt * (step + 1) * np.ones(n), "t_back": t_back, "slow": theta}
        for name, value in (now | {"fast": moving, "brownian": w}).items():
            out[name][place] = value[hit]
        if (done == records).all():
            return SimpleNamespace(**out)
    raise AssertionError(f"after {steps} steps of {dt} the slowest path is at tau = {tau.min():g}")
