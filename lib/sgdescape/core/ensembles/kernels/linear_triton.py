"""Ensembles of SGD on linear regression on a GPU: the twin of `linear_torch`, in Triton.

A program holds a block of replicas, their state in registers, and makes many steps in one launch;
it ends early when all its replicas have. Between launches finished replicas are dropped. Checked on
the CPU by Triton's interpreter (TRITON_INTERPRET=1 before this module is imported).
"""

import math
import os

import numpy as np
import torch
import triton
import triton.language as tl

from sgdescape.core.ensembles.kernels.batches_triton import fresh_row, permuted, philox
from sgdescape.core.ensembles.kernels.mixing import feistel_rounds
from sgdescape.core.ensembles.regression_data import INPUTS
from sgdescape.core.random import philox as reference

BLOCK = 64  # replicas a program
LAUNCH = 20_000  # steps a launch
PLAIN = ("first", "until", "number", "t", "n", "key0", "key1", "a", "b")  # 1 is no constant here
_CODES = {"iid": 0, "without_replacement": 1, "shuffle": 2}
_FRESH = 3


def require(place):
    """Raise RuntimeError unless kernels can run on this device."""
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    if not (place.startswith("cuda") or interpreted):
        raise RuntimeError(
            f"engine 'triton' needs a CUDA device: got device {place!r}; use engine='numba', or "
            "set TRITON_INTERPRET=1 before Python starts to run it, slowly, by Triton's interpreter"
        )


@triton.jit
def _gain(z, gradient, row):
    return gradient + tl.sum(z * row, 1)[:, None] * row


@triton.jit
def _batch_gradient(
    z, k, rows, n, std, key0, key1, replica, column, a, b,
    d: tl.constexpr, B: tl.constexpr, PADDED: tl.constexpr, MODE: tl.constexpr,
    LAW: tl.constexpr, ROUNDS: tl.constexpr,
):  # fmt: skip
    """Return sum_b x_b (x_b.z - r_b) of each replica's batch in step k."""
    gradient = z * 0
    width: tl.constexpr = z.shape[1]
    if MODE == 3:
        for s in range(B):
            row = fresh_row(z, k, s, key0, key1, replica, column, std, d, LAW)
            gradient = _gain(z, gradient, row)
    elif MODE == 2:
        a_round = n // B
        epoch = k // a_round
        for s in range(B):
            position = (k - epoch * a_round) * B + s
            x = permuted(position, epoch, key0, key1, replica, n, a, b, ROUNDS).to(tl.int64)
            row = tl.load(rows + x[:, None] * width + column[None, :])
            gradient = _gain(z, gradient, row)
    else:
        place = tl.arange(0, PADDED)
        taken = tl.full([z.shape[0], PADDED], -1, tl.int64)
        for q in range((B + 3) // 4):
            draw = replica * 0 + q
            w = philox(key0, key1, k, draw, replica, 0)
            for t in tl.static_range(4):
                s = 4 * q + t
                if MODE == 0:
                    x = ((w[t].to(tl.uint64) * n.to(tl.uint64)) >> 32).to(tl.int64)
                else:
                    last = (n - B + s).to(tl.int64)
                    x = ((w[t].to(tl.uint64) * (last + 1).to(tl.uint64)) >> 32).to(tl.int64)
                    double = tl.max((taken == x[:, None]).to(tl.int32), 1) > 0
                    x = tl.where(double, last, x)
                    taken = tl.where((place == s)[None, :], x[:, None], taken)
                there = rows + x[:, None] * width + column[None, :]
                row = tl.load(there, mask=(column[None, :] * 0 + s) < B, other=0.0)
                gradient = _gain(z, gradient, row)
    return gradient


@triton.jit
def moved(
    z, delta, k, vectors, rows, n, std, key0, key1, replica, column, a, b,
    d: tl.constexpr, B: tl.constexpr, PADDED: tl.constexpr, MODE: tl.constexpr,
    LAW: tl.constexpr, ROUNDS: tl.constexpr, MOVING: tl.constexpr,
):  # fmt: skip
    """Return z and delta after one more step; ``vectors`` are those of `setting`."""
    scale = tl.load(vectors + column)[None, :]
    gradient = _batch_gradient(
        z, k, rows, n, std, key0, key1, replica, column, a, b, d, B, PADDED, MODE, LAW, ROUNDS
    )  # fmt: skip
    width: tl.constexpr = z.shape[1]
    if MOVING:
        decay = tl.load(vectors + 2 * width + column)[None, :]
        offset = tl.load(vectors + 3 * width + column)[None, :]
        beta = tl.load(vectors + 4 * width + column)[None, :]
        force = scale * gradient + decay * z + offset
        new_delta = beta * delta - force
        new = z + new_delta
    else:
        new = z - scale * gradient
        new_delta = new - z
    return new, new_delta


@triton.jit(do_not_specialize=PLAIN)
def _passages(
    states, deltas, replicas, count, levels, number, passage, last, diverged, reached_at,
    first, until, vectors, rows, n, std, key0, key1, a, b,
    d: tl.constexpr, B: tl.constexpr, PADDED: tl.constexpr, MODE: tl.constexpr,
    LAW: tl.constexpr, ROUNDS: tl.constexpr, MOVING: tl.constexpr, WIDTH: tl.constexpr,
    LANES: tl.constexpr,
):  # fmt: skip
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    column = tl.arange(0, WIDTH)
    here = lane < count
    shape = lane[:, None] * WIDTH + column[None, :]
    z = tl.load(states + shape, mask=here[:, None], other=0.0)
    delta = z * 0
    if MOVING:
        delta = tl.load(deltas + shape, mask=here[:, None], other=0.0)
    replica = tl.load(replicas + lane, mask=here, other=0)
    reached = tl.load(reached_at + lane, mask=here, other=0)
    curvature = tl.load(vectors + WIDTH + column)
    alive = here & (reached < number)
    k = first.to(tl.int64)
    while (k < until) & (tl.max(alive.to(tl.int32), 0) > 0):
        new, new_delta = moved(
            z, delta, k, vectors, rows, n, std, key0, key1, replica, column, a, b,
            d, B, PADDED, MODE, LAW, ROUNDS, MOVING,
        )  # fmt: skip
        z = tl.where(alive[:, None], new, z)
        if MOVING:
            delta = tl.where(alive[:, None], new_delta, delta)
        k += 1
        excess = tl.sum(curvature[None, :] * z * z, 1)
        finite = tl.abs(excess) < float("inf")
        level = tl.load(levels + reached, mask=alive, other=0.0)
        hit = alive & ((excess >= level) | (finite == 0))
        tl.store(diverged + lane, k + reached * 0, mask=alive & (finite == 0))
        while tl.max(hit.to(tl.int32), 0) > 0:
            tl.store(passage + lane * number + reached, k + reached * 0, mask=hit)
            reached = reached + hit.to(reached.dtype)
            ended = hit & (reached == number)
            tl.store(last + lane, k + reached * 0, mask=ended)
            level = tl.load(levels + reached, mask=hit & (reached < number), other=0.0)
            hit = hit & (reached < number) & ((excess >= level) | (finite == 0))
        alive = here & (reached < number)
    tl.store(states + shape, z, mask=here[:, None])
    if MOVING:
        tl.store(deltas + shape, delta, mask=here[:, None])
    tl.store(reached_at + lane, reached, mask=here)


@triton.jit(do_not_specialize=PLAIN)
def _averages(
    states, deltas, replicas, count, sums, squares, fourths, counts, edges, bins, samples, kept,
    diverged, first, until, burn_in, record_every, keep_every, weights,
    vectors, rows, n, std, key0, key1, a, b,
    d: tl.constexpr, B: tl.constexpr, PADDED: tl.constexpr, MODE: tl.constexpr,
    LAW: tl.constexpr, ROUNDS: tl.constexpr, MOVING: tl.constexpr, WIDTH: tl.constexpr,
    LANES: tl.constexpr, HALVINGS: tl.constexpr,
):  # fmt: skip
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    column = tl.arange(0, WIDTH)
    here = lane < count
    shape = lane[:, None] * WIDTH + column[None, :]
    z = tl.load(states + shape, mask=here[:, None], other=0.0)
    delta = z * 0
    if MOVING:
        delta = tl.load(deltas + shape, mask=here[:, None], other=0.0)
    replica = tl.load(replicas + lane, mask=here, other=0)
    fell = tl.load(diverged + lane, mask=here, other=0)
    s1 = tl.load(sums + shape, mask=here[:, None], other=0.0)
    s2 = tl.load(squares + shape, mask=here[:, None], other=0.0)
    s4 = tl.load(fourths + lane, mask=here, other=0.0)
    curvature = tl.load(vectors + WIDTH + column)
    weight = tl.load(weights + column)
    alive = here & (fell < 0)
    k = first.to(tl.int64)
    while (k < until) & (tl.max(alive.to(tl.int32), 0) > 0):
        new, new_delta = moved(
            z, delta, k, vectors, rows, n, std, key0, key1, replica, column, a, b,
            d, B, PADDED, MODE, LAW, ROUNDS, MOVING,
        )  # fmt: skip
        z = tl.where(alive[:, None], new, z)
        if MOVING:
            delta = tl.where(alive[:, None], new_delta, delta)
        k += 1
        excess = tl.sum(curvature[None, :] * z * z, 1)
        finite = tl.abs(excess) < float("inf")
        tl.store(diverged + lane, k + lane.to(tl.int64) * 0, mask=alive & (finite == 0))
        alive = alive & finite
        age = k - burn_in
        if (age > 0) & (age % record_every == 0):
            wide = tl.where(alive[:, None], z, 0.0).to(tl.float64)
            s1 += wide
            s2 += wide * wide
            energy = tl.where(alive, excess, 0.0).to(tl.float64)
            s4 += energy * energy
            value = tl.sum(weight[None, :] * z * z, 1).to(tl.float64)
            at = lane * 0
            for h in tl.static_range(HALVINGS):
                further = at + (1 << (HALVINGS - 1 - h))
                edge = tl.load(edges + further - 1, mask=further <= bins, other=float("inf"))
                at = tl.where((further <= bins) & (edge <= value), further, at)
            tl.atomic_add(counts + at, (lane * 0 + 1).to(tl.int64), mask=alive)
        if keep_every > 0:
            if (age > 0) & (age % keep_every == 0):
                number = age // keep_every - 1
                target = samples + (lane[:, None].to(tl.int64) * kept + number) * WIDTH
                tl.store(target + column[None, :], z, mask=alive[:, None])
    tl.store(states + shape, z, mask=here[:, None])
    if MOVING:
        tl.store(deltas + shape, delta, mask=here[:, None])
    tl.store(sums + shape, s1, mask=here[:, None])
    tl.store(squares + shape, s2, mask=here[:, None])
    tl.store(fourths + lane, s4, mask=here)


def first_passage(plan, levels, max_steps):
    """Return what `linear_torch.first_passage` does."""
    shared, constants, z, delta, replicas = setting(plan)
    number, count = len(levels), len(z)
    levels = tensor(plan, levels)
    whole = {"dtype": torch.int64, "device": plan.device}
    passage = torch.full((count, number), -1, **whole)
    last, diverged = torch.full((count,), max_steps, **whole), torch.full((count,), -1, **whole)
    reached, alive = torch.zeros(count, **whole), torch.arange(count, device=plan.device)
    for first in range(0, max_steps, LAUNCH):
        moving = (z, delta, passage, last, diverged, reached)
        parts = [t[alive] for t in moving]
        _passages[(triton.cdiv(len(alive), BLOCK),)](
            *parts[:2], replicas[alive], len(alive), levels, number, *parts[2:],
            first, min(first + LAUNCH, max_steps), *shared, **constants,
        )  # fmt: skip
        for whole_tensor, part in zip(moving, parts, strict=True):
            whole_tensor[alive] = part
        alive = alive[reached[alive] < number]
        if not len(alive):
            break
    theta = z[:, : len(plan.curvatures)].clone()
    theta[diverged >= 0] = torch.nan
    return tuple(t.cpu().numpy() for t in (passage, last, diverged, theta))


def stationary(plan, schedule):
    """Return what `linear_torch.stationary` does."""
    shared, constants, z, delta, replicas = setting(plan)
    count, d = len(z), len(plan.curvatures)
    wide = {"dtype": torch.float64, "device": plan.device}
    sums, squares, fourths = torch.zeros_like(z, **wide), torch.zeros_like(z, **wide), None
    fourths = torch.zeros(count, **wide)
    bins = len(schedule.edges)
    edges = torch.tensor(np.append(schedule.edges, np.inf), **wide)
    counts = torch.zeros(bins + 1, dtype=torch.int64, device=plan.device)
    diverged = torch.full((count,), -1, dtype=torch.int64, device=plan.device)
    kept = schedule.steps // schedule.keep_every if schedule.keep_every else 0
    samples = torch.full((count, max(kept, 1), z.shape[1]), torch.nan, dtype=z.dtype).to(z.device)
    weights = torch.zeros(z.shape[1], dtype=z.dtype, device=z.device)
    weights[:d] = tensor(plan, schedule.weights)
    total = schedule.burn_in + schedule.steps
    for first in range(0, total, LAUNCH):
        _averages[(triton.cdiv(count, BLOCK),)](
            z, delta, replicas, count, sums, squares, fourths, counts, edges, bins, samples,
            max(kept, 1), diverged, first, min(first + LAUNCH, total), schedule.burn_in,
            schedule.record_every, schedule.keep_every, weights, *shared,
            HALVINGS=bins.bit_length(), **constants,
        )  # fmt: skip
    theta = z[:, :d].clone()
    theta[diverged >= 0] = torch.nan
    joined = torch.cat([sums[:, :d], squares[:, :d], fourths[:, None]], 1)
    arrays = {"sums": joined, "counts": counts, "diverged": diverged, "z": theta}
    made = {k: v.cpu().numpy() for k, v in arrays.items()}
    return made | {"samples": samples[..., :d].cpu().numpy() if kept else None}


def setting(plan):
    """Return arguments and constants that all launches share, padded z and delta, replica indices.

    Constants of the update are vectors in memory, in the order of `moved`: learning_rate / B,
    curvatures, learning_rate weight_decay, that times basis^T theta*, momentum. A number that
    Python hands to a kernel would be rounded to float32.
    """
    d, finite, motion = len(plan.curvatures), plan.rows is not None, plan.motion
    width = triton.next_power_of_2(d + 1)
    rows = np.zeros((len(plan.rows) if finite else 1, width))
    if finite:
        rows[:, : d + 1] = plan.rows
    decay = plan.learning_rate * motion.weight_decay
    vectors = np.zeros((5, width))
    for vector, value in zip(vectors, (
        plan.learning_rate / plan.batch_size, plan.curvatures, decay, decay * motion.minimum,
        motion.momentum,
    ), strict=True):  # fmt: skip
        vector[:d] = value
    z, delta = np.zeros((2, len(plan.replicas), width))
    z[:, :d], z[:, d], delta[:, :d] = plan.start, -1, motion.start
    n = len(rows)
    a = math.isqrt(n - 1) + 1
    shared = (
        tensor(plan, vectors), tensor(plan, rows), n, tensor(plan, [plan.noise_std]),
        *reference.key(plan.seed), a, -(-n // a),
    )  # fmt: skip
    constants = {
        "d": d,
        "B": plan.batch_size,
        "PADDED": triton.next_power_of_2(plan.batch_size),
        "MODE": _CODES[plan.sampler] if finite else _FRESH,
        "LAW": INPUTS.index(plan.law) if not finite else 0,
        "ROUNDS": feistel_rounds(n),
        "MOVING": not motion.plain,
        "WIDTH": width,
        "LANES": BLOCK,
    }
    replicas = torch.tensor(plan.replicas, dtype=torch.int64, device=plan.device)
    return shared, constants, tensor(plan, z), tensor(plan, delta), replicas


def tensor(plan, array):
    """Return the array in the plan's precision, on its device."""
    return torch.tensor(array, dtype=getattr(torch, plan.dtype), device=plan.device)
