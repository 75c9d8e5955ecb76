"""Positions and velocities of SGD on a GPU: the twin of `phase_torch`, in Triton.

Batches, blocks of replicas, the update and the split into launches are those of `linear_triton`.
"""

import numpy as np
import torch
import triton
import triton.language as tl

from sgdescape.core.ensembles.kernels.linear_triton import PLAIN, moved, require, setting

__all__ = ["BLOCK", "LAUNCH", "moments", "phase_space", "require"]

BLOCK = 64  # replicas a program
LAUNCH = 20_000  # steps a launch


@triton.jit(do_not_specialize=PLAIN)
def _path(
    states, deltas, replicas, count, diverged, wanted, t, positions, moves, first, until,
    vectors, rows, n, std, key0, key1, a, b,
    d: tl.constexpr, B: tl.constexpr, PADDED: tl.constexpr, MODE: tl.constexpr,
    LAW: tl.constexpr, ROUNDS: tl.constexpr, MOVING: tl.constexpr, WIDTH: tl.constexpr,
    LANES: tl.constexpr,
):  # fmt: skip
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    column = tl.arange(0, WIDTH)
    here = lane < count
    shape = lane[:, None] * WIDTH + column[None, :]
    z = tl.load(states + shape, mask=here[:, None], other=0.0)
    delta = tl.load(deltas + shape, mask=here[:, None], other=0.0)
    replica = tl.load(replicas + lane, mask=here, other=0)
    curvature = tl.load(vectors + WIDTH + column)
    alive = here & (tl.load(diverged + lane, mask=here, other=0) < 0)
    k, record = first.to(tl.int64), t.to(tl.int64)
    while (k < until) & (tl.max(alive.to(tl.int32), 0) > 0):
        new, new_delta = moved(
            z, delta, k, vectors, rows, n, std, key0, key1, replica, column, a, b,
            d, B, PADDED, MODE, LAW, ROUNDS, MOVING,
        )  # fmt: skip
        delta = tl.where(alive[:, None], new_delta, delta)
        z = tl.where(alive[:, None], new, z)
        k += 1
        excess = tl.sum(curvature[None, :] * z * z, 1)
        finite = tl.abs(excess) < float("inf")
        tl.store(diverged + lane, k + lane.to(tl.int64) * 0, mask=alive & (finite == 0))
        alive = alive & finite
        if k == tl.load(wanted + record):
            target = (record * count + lane[:, None]) * WIDTH + column[None, :]
            tl.store(positions + target, z, mask=alive[:, None])
            tl.store(moves + target, delta, mask=alive[:, None])
            record += 1
    tl.store(states + shape, z, mask=here[:, None])
    tl.store(deltas + shape, delta, mask=here[:, None])


@triton.jit(do_not_specialize=PLAIN)
def _averages(
    states, deltas, replicas, count, diverged, sums, first, until, burn_in, record_every,
    vectors, rows, n, std, key0, key1, a, b,
    d: tl.constexpr, B: tl.constexpr, PADDED: tl.constexpr, MODE: tl.constexpr,
    LAW: tl.constexpr, ROUNDS: tl.constexpr, MOVING: tl.constexpr, WIDTH: tl.constexpr,
    LANES: tl.constexpr,
):  # fmt: skip
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    column = tl.arange(0, WIDTH)
    here = lane < count
    shape = lane[:, None] * WIDTH + column[None, :]
    own = sums + lane[:, None].to(tl.int64) * 5 * WIDTH + column[None, :]
    z = tl.load(states + shape, mask=here[:, None], other=0.0)
    delta = tl.load(deltas + shape, mask=here[:, None], other=0.0)
    replica = tl.load(replicas + lane, mask=here, other=0)
    curvature = tl.load(vectors + WIDTH + column)
    alive = here & (tl.load(diverged + lane, mask=here, other=0) < 0)
    s0 = tl.load(own, mask=here[:, None], other=0.0)
    s1 = tl.load(own + WIDTH, mask=here[:, None], other=0.0)
    s2 = tl.load(own + 2 * WIDTH, mask=here[:, None], other=0.0)
    s3 = tl.load(own + 3 * WIDTH, mask=here[:, None], other=0.0)
    s4 = tl.load(own + 4 * WIDTH, mask=here[:, None], other=0.0)
    k = first.to(tl.int64)
    while (k < until) & (tl.max(alive.to(tl.int32), 0) > 0):
        new, new_delta = moved(
            z, delta, k, vectors, rows, n, std, key0, key1, replica, column, a, b,
            d, B, PADDED, MODE, LAW, ROUNDS, MOVING,
        )  # fmt: skip
        before = delta
        delta = tl.where(alive[:, None], new_delta, delta)
        z = tl.where(alive[:, None], new, z)
        k += 1
        excess = tl.sum(curvature[None, :] * z * z, 1)
        finite = tl.abs(excess) < float("inf")
        tl.store(diverged + lane, k + lane.to(tl.int64) * 0, mask=alive & (finite == 0))
        alive = alive & finite
        age = k - burn_in
        if (age > 0) & (age % record_every == 0):
            x = tl.where(alive[:, None], z, 0.0).to(tl.float64)
            y = tl.where(alive[:, None], delta, 0.0).to(tl.float64)
            s0 += x
            s1 += x * x
            s2 += y * y
            s3 += x * y
            s4 += x * tl.where(alive[:, None], before, 0.0).to(tl.float64)
    tl.store(states + shape, z, mask=here[:, None])
    tl.store(deltas + shape, delta, mask=here[:, None])
    tl.store(own, s0, mask=here[:, None])
    tl.store(own + WIDTH, s1, mask=here[:, None])
    tl.store(own + 2 * WIDTH, s2, mask=here[:, None])
    tl.store(own + 3 * WIDTH, s3, mask=here[:, None])
    tl.store(own + 4 * WIDTH, s4, mask=here[:, None])


def phase_space(plan, record_steps):
    """Return what `phase_torch.phase_space` does."""
    shared, constants, z, delta, replicas, diverged = _setting(plan)
    d, count, total = len(plan.curvatures), len(z), int(record_steps[-1])
    shape = (len(record_steps), *z.shape)
    positions, moves = (torch.full(shape, torch.nan, dtype=z.dtype).to(z.device) for _ in range(2))
    if record_steps[0] == 0:
        positions[0], moves[0] = z, delta
    wanted = torch.tensor([*record_steps, -1], dtype=torch.int64, device=plan.device)
    for first in range(0, total, LAUNCH):
        made = int(np.searchsorted(record_steps, first, side="right"))
        _path[(triton.cdiv(count, BLOCK),)](
            z, delta, replicas, count, diverged, wanted, made, positions, moves, first,
            min(first + LAUNCH, total), *shared, **constants,
        )  # fmt: skip
    path = (t[..., :d].double().cpu().numpy() for t in (positions, moves))
    return *path, diverged.cpu().numpy()


def moments(plan, times):
    """Return what `phase_torch.moments` does."""
    shared, constants, z, delta, replicas, diverged = _setting(plan)
    count, total = len(z), times.burn_in + times.steps
    sums = torch.zeros(count, 5, z.shape[1], dtype=torch.float64, device=plan.device)
    for first in range(0, total, LAUNCH):
        _averages[(triton.cdiv(count, BLOCK),)](
            z, delta, replicas, count, diverged, sums, first, min(first + LAUNCH, total),
            times.burn_in, times.record_every, *shared, **constants,
        )  # fmt: skip
    return sums[..., : len(plan.curvatures)].cpu().numpy(), diverged.cpu().numpy()


def _setting(plan):
    """Return what `linear_triton.setting` does, and diverged_at."""
    shared, constants, z, delta, replicas = setting(plan)
    diverged = torch.full((len(z),), -1, dtype=torch.int64, device=plan.device)
    return shared, constants | {"LANES": BLOCK}, z, delta, replicas, diverged
