"""First passage and stationary averages in a `Bowl` on a GPU: twin of `sde_passage.bowl_reference`.

A replica's coordinates stay in registers for thousands of steps; one launch advances all replicas
that are still on their way, and those that have finished are dropped between launches. Coordinate
4 g + k sits in column g of block k, so that one Philox call serves four. Checked on a CPU by
Triton's interpreter (TRITON_INTERPRET=1).
"""

import torch
import triton
import triton.language as tl

from sgdescape.core.random import philox
from sgdescape.core.sde.bowl_reference import OWN_CLOCK, QUANTITIES
from sgdescape.core.sde.kernels.sde_steps_triton import (
    TURN,
    advance,
    coefficients,
    uniform,
    weighted_squares,
)
from sgdescape.core.sde.models import PROCESSES, Bowl
from sgdescape.core.sde.passage import bowl_levels

STEPS_A_LAUNCH = 4096  # about a tenth of a second for 10^6 replicas in ten dimensions
REPLICAS_A_BLOCK = 64
BRIDGE = tl.constexpr(int(philox.Stream.BRIDGE))


@triton.jit
def _row(rows, row: tl.constexpr, k: tl.constexpr, columns, D: tl.constexpr):
    """Constants of coordinates 4 g + k, zero beyond the last."""
    i = 4 * columns + k
    return tl.load(rows + row * D + i, mask=i < D, other=0)[None, :]


@triton.jit
def _place(row, columns, live, k: tl.constexpr, D: tl.constexpr):
    i = 4 * columns + k
    mask = live[:, None] & (i < D)[None, :]
    return row.to(tl.int64)[:, None] * D + i[None, :], mask


@triton.jit
def _passage(
    theta, rows, constants, levels, alive, count, first, seed, step0, steps, m,
    times, clocks, clock_now, target_now, last, diverged,
    D: tl.constexpr, G: tl.constexpr, W: tl.constexpr,
    PROCESS: tl.constexpr, WITH_BRIDGE: tl.constexpr, REAL: tl.constexpr,
):  # fmt: skip
    lane = tl.program_id(0) * W + tl.arange(0, W)
    live = lane < count
    row = tl.load(alive + lane, mask=live, other=0)
    who = row + first
    columns = tl.arange(0, G)
    h0, h1 = _row(rows, 0, 0, columns, D), _row(rows, 0, 1, columns, D)
    h2, h3 = _row(rows, 0, 2, columns, D), _row(rows, 0, 3, columns, D)
    a0, a1 = _row(rows, 1, 0, columns, D), _row(rows, 1, 1, columns, D)
    a2, a3 = _row(rows, 1, 2, columns, D), _row(rows, 1, 3, columns, D)
    v0, v1, v2, v3 = h0 * a0, h1 * a1, h2 * a2, h3 * a3
    v0, v1, v2, v3 = v0 * v0, v1 * v1, v2 * v2, v3 * v3
    p0, mask0 = _place(row, columns, live, 0, D)
    p1, mask1 = _place(row, columns, live, 1, D)
    p2, mask2 = _place(row, columns, live, 2, D)
    p3, mask3 = _place(row, columns, live, 3, D)
    x0, x1 = tl.load(theta + p0, mask=mask0, other=0), tl.load(theta + p1, mask=mask1, other=0)
    x2, x3 = tl.load(theta + p2, mask=mask2, other=0), tl.load(theta + p3, mask=mask3, other=0)
    dt, minimum = tl.load(constants).to(REAL), tl.load(constants + 1).to(REAL)
    scale, dt64 = tl.load(constants + 2).to(REAL), tl.load(constants)
    clock = tl.load(clock_now + lane, mask=live, other=0)
    target = tl.load(target_now + row, mask=live, other=0)
    excess = weighted_squares(x0, x1, x2, x3, h0, h1, h2, h3) * 0.5
    before = tl.sqrt(2 * excess)
    k = 0
    while (k < steps) & (tl.sum(live.to(tl.int32), 0) > 0):
        s, f, rate = coefficients(excess, minimum, scale, dt, PROCESS)
        spread = weighted_squares(x0, x1, x2, x3, v0, v1, v2, v3)
        variance = s * s * spread / tl.where(excess > 0, 2 * excess, 1)  # spread is 0 if excess is
        step = who * 0 + (step0 + k)
        y0, y1, y2, y3 = advance(
            x0, x1, x2, x3, h0, h1, h2, h3, a0, a1, a2, a3, s, f, seed, step, who, REAL
        )
        x0, x1 = tl.where(live[:, None], y0, x0), tl.where(live[:, None], y1, x1)
        x2, x3 = tl.where(live[:, None], y2, x2), tl.where(live[:, None], y3, x3)
        excess = weighted_squares(x0, x1, x2, x3, h0, h1, h2, h3) * 0.5
        after = tl.sqrt(2 * excess)
        good = live & (after < float("inf"))
        lost = live & ((after < float("inf")) == 0)
        level = tl.load(levels + target, mask=good & (target < m), other=float("inf"))
        a, b, v = before.to(tl.float64), after.to(tl.float64), variance.to(tl.float64)
        top = b
        zero = (who * 0).to(tl.uint32)
        w0, w1, w2, w3 = zero, zero, zero, zero
        if WITH_BRIDGE:
            near = good & ((b >= level) | (2 * (level - a) * (level - b) < 23.0 * v))
            if tl.sum(near.to(tl.int32), 0) > 0:
                w0, w1, w2, w3 = tl.philox(
                    seed, zero + step.to(tl.uint32), zero, zero + who.to(tl.uint32), zero + BRIDGE
                )
                root = (b - a) * (b - a) - 2 * v * tl.log(uniform(w0, tl.float64))
                top = tl.where(near, tl.maximum(b, 0.5 * (a + b + tl.sqrt(root))), b)
        hit = good & (top >= level)
        while tl.sum(hit.to(tl.int32), 0) > 0:
            part = a * 0 + 1
            if WITH_BRIDGE:
                slope = tl.abs(level - b) / (level - a)
                n = tl.sqrt(-2 * tl.log(uniform(w1, tl.float64)))
                n = n * tl.cos(uniform(w2, tl.float64) * TURN)
                y = n * n * v / (2 * (level - a) * (level - a))
                large = slope + y + tl.sqrt(y * (y + 2 * slope))
                small = slope * slope / (large + 1e-300)
                pick = uniform(w3, tl.float64) * (large + slope) <= large
                part = 1 / (1 + tl.where(pick, large, small))
            place = row * m + target
            tl.store(times + place, dt64 * ((step0 + k) + part), mask=hit)
            tl.store(clocks + place, clock + rate.to(tl.float64) * dt64 * part, mask=hit)
            target += hit.to(target.dtype)
            level = tl.load(levels + target, mask=hit & (target < m), other=float("inf"))
            hit = hit & (top >= level)
        tl.store(last + row, (step0 + k + 1) + row * 0, mask=good)
        tl.store(diverged + row, (step0 + k + 1) + row * 0, mask=lost)
        live = good & (target < m)
        clock += rate.to(tl.float64) * dt64
        before = after
        k += 1
    inside = lane < count
    tl.store(theta + p0, x0, mask=mask0)
    tl.store(theta + p1, x1, mask=mask1)
    tl.store(theta + p2, x2, mask=mask2)
    tl.store(theta + p3, x3, mask=mask3)
    tl.store(clock_now + lane, clock, mask=inside)
    tl.store(target_now + row, target, mask=inside)


def first_passage(
    bowl: Bowl, start, *, process, loss_ratios, diffusion, dt, steps, replicas, seed, bridge
) -> dict:
    """Triton twin of `sde_passage.bowl_reference`: same arguments, same paths up to rounding."""
    n, d = start.shape
    device, m = start.device, len(loss_ratios)
    rows, constants = _constants(bowl, process, diffusion, dt, start)
    level = torch.tensor(bowl_levels(bowl, loss_ratios), device=device).to(start.dtype).double()
    theta = start.clone().contiguous()
    times = torch.full((n, m), float("nan"), dtype=torch.float64, device=device)
    clocks = times.clone()
    radius = (bowl.gradient(theta) * theta).sum(-1).sqrt()
    beyond = radius[:, None] >= level.to(start.dtype)
    times[beyond] = 0.0
    clocks[beyond] = 0.0
    target = beyond.sum(1)
    last = torch.zeros(n, dtype=torch.int64, device=device)
    diverged = last - 1
    alive = torch.nonzero(target < m)[:, 0]
    clock = torch.zeros(len(alive), dtype=torch.float64, device=device)
    done = 0
    while done < steps and len(alive):
        now = min(STEPS_A_LAUNCH, steps - done)
        _passage[(triton.cdiv(len(alive), REPLICAS_A_BLOCK),)](
            theta, rows, constants, level, alive, len(alive), replicas.start, _signed(seed),
            done, now, m, times, clocks, clock, target, last, diverged,
            **_shape(d, process, start), WITH_BRIDGE=bool(bridge),
        )  # fmt: skip
        done += now
        open_ = (target[alive] < m) & (diverged[alive] < 0)
        alive, clock = alive[open_], clock[open_]
    if process == "gld":
        clocks = clocks + float("nan")
    arrays = {"last_time": dt * last.double(), "diverged_at": diverged, "theta": theta}
    # levels crossed within one step are put in order
    arrays |= {"times": times.cummax(1).values, "clocks": clocks.cummax(1).values}
    return {name: value.cpu().numpy() for name, value in arrays.items()}


@triton.jit
def _average(
    theta, rows, constants, edges, bins, first, count, seed, steps, burn_in, record_every,
    keep_every, sums, counts, samples, diverged,
    D: tl.constexpr, G: tl.constexpr, W: tl.constexpr, PROCESS: tl.constexpr,
    REAL: tl.constexpr, WEIGHTED: tl.constexpr, RADIUS: tl.constexpr, HALVINGS: tl.constexpr,
):  # fmt: skip
    row = (tl.program_id(0) * W + tl.arange(0, W)).to(tl.int64)
    live = row < count
    who = row + first
    columns = tl.arange(0, G)
    h0, h1 = _row(rows, 0, 0, columns, D), _row(rows, 0, 1, columns, D)
    h2, h3 = _row(rows, 0, 2, columns, D), _row(rows, 0, 3, columns, D)
    a0, a1 = _row(rows, 1, 0, columns, D), _row(rows, 1, 1, columns, D)
    a2, a3 = _row(rows, 1, 2, columns, D), _row(rows, 1, 3, columns, D)
    p0, mask0 = _place(row, columns, live, 0, D)
    p1, mask1 = _place(row, columns, live, 1, D)
    p2, mask2 = _place(row, columns, live, 2, D)
    p3, mask3 = _place(row, columns, live, 3, D)
    x0, x1 = tl.load(theta + p0, mask=mask0, other=0), tl.load(theta + p1, mask=mask1, other=0)
    x2, x3 = tl.load(theta + p2, mask=mask2, other=0), tl.load(theta + p3, mask=mask3, other=0)
    dt, minimum = tl.load(constants).to(REAL), tl.load(constants + 1).to(REAL)
    scale = tl.load(constants + 2).to(REAL)
    weights, losses = tl.zeros([W], tl.float64), tl.zeros([W], tl.float64)
    squares, radii = tl.zeros([W], tl.float64), tl.zeros([W], tl.float64)
    broken = row * 0 - 1
    for k in range(0, burn_in + steps):
        excess = weighted_squares(x0, x1, x2, x3, h0, h1, h2, h3) * 0.5
        s, f, rate = coefficients(excess, minimum, scale, dt, PROCESS)
        if k >= burn_in:
            since = k - burn_in
            loss = (minimum + excess).to(tl.float64)
            square = tl.sum(x0 * x0 + x1 * x1 + x2 * x2 + x3 * x3, 1).to(tl.float64)
            weight = loss * 0 + 1
            if WEIGHTED:
                weight = rate.to(tl.float64)
            weights += weight
            losses += weight * loss
            squares += weight * loss * loss
            radii += weight * square
            if since % record_every == 0:
                value = loss / minimum.to(tl.float64)
                if RADIUS:
                    value = tl.sqrt(square)
                low, high = row * 0, row * 0 + bins
                for _ in range(HALVINGS):  # how many edges are at most the value
                    middle = (low + high) // 2
                    open_ = low < high
                    less = value < tl.load(edges + middle, mask=open_, other=float("inf"))
                    high = tl.where(open_ & less, middle, high)
                    low = tl.where(open_ & (less == 0), middle + 1, low)
                tl.atomic_add(counts + low, weight, mask=live)
            if keep_every > 0:
                if since % keep_every == 0:
                    shift = (since // keep_every).to(tl.int64) * count * D
                    tl.store(samples + shift + p0, x0, mask=mask0)
                    tl.store(samples + shift + p1, x1, mask=mask1)
                    tl.store(samples + shift + p2, x2, mask=mask2)
                    tl.store(samples + shift + p3, x3, mask=mask3)
        x0, x1, x2, x3 = advance(
            x0, x1, x2, x3, h0, h1, h2, h3, a0, a1, a2, a3, s, f, seed, who * 0 + k, who, REAL
        )
        fine = weighted_squares(x0, x1, x2, x3, h0, h1, h2, h3) < float("inf")
        broken = tl.where((broken < 0) & (fine == 0), k + 1, broken)
    tl.store(sums + row, weights, mask=live)
    tl.store(sums + count + row, losses, mask=live)
    tl.store(sums + 2 * count + row, squares, mask=live)
    tl.store(sums + 3 * count + row, radii, mask=live)
    tl.store(diverged + row, broken, mask=live)
    tl.store(theta + p0, x0, mask=mask0)
    tl.store(theta + p1, x1, mask=mask1)
    tl.store(theta + p2, x2, mask=mask2)
    tl.store(theta + p3, x3, mask=mask3)


def stationary(
    bowl: Bowl,
    start,
    *,
    process,
    diffusion,
    clock,
    dt,
    steps,
    burn_in,
    replicas,
    seed,
    record_every,
    edges,
    quantity,
    keep_every,
) -> dict:
    """Triton twin of `sde_bowl.stationary_reference`: same arguments, same paths up to rounding."""
    n, d = start.shape
    device = start.device
    rows, constants = _constants(bowl, process, diffusion, dt, start)
    theta, double = start.clone().contiguous(), {"dtype": torch.float64, "device": device}
    kept = -(-steps // keep_every) if keep_every else 0
    arrays = {
        "sums": torch.zeros((4, n), **double),
        "counts": torch.zeros(len(edges) + 1, **double),
        "samples": torch.zeros((kept, n, d), dtype=start.dtype, device=device),
        "diverged_at": torch.full((n,), -1, dtype=torch.int64, device=device),
    }
    _average[(triton.cdiv(n, REPLICAS_A_BLOCK),)](
        theta, rows, constants, torch.tensor(edges, **double), len(edges), replicas.start, n,
        _signed(seed), steps, burn_in, record_every, keep_every, *arrays.values(),
        **_shape(d, process, start), WEIGHTED=clock != OWN_CLOCK[process],
        RADIUS=quantity == QUANTITIES[1], HALVINGS=len(edges).bit_length() + 1,
    )  # fmt: skip
    return {name: value.cpu().numpy() for name, value in (arrays | {"theta": theta}).items()}


def _constants(bowl, process, diffusion, dt, start):
    """Return rows (2, d) of curvatures and noise amplitudes; dt, L*, noise scale in float64."""
    h = torch.tensor(bowl.curvatures, dtype=torch.float64)
    amplitude = torch.ones_like(h) if process == "gld" else h.sqrt()
    scale = 2 * (diffusion if process == "gld" else bowl.learning_rate / bowl.batch_size)
    rows = torch.stack([h, amplitude]).to(start.dtype).to(start.device)
    constants = torch.tensor([dt, bowl.minimum_loss, scale * dt], dtype=torch.float64)
    return rows.contiguous(), constants.to(start.device)


def _shape(d, process, start):
    return {
        "D": d,
        "G": triton.next_power_of_2(-(-d // 4)),
        "W": REPLICAS_A_BLOCK,
        "PROCESS": PROCESSES.index(process),
        "REAL": tl.float64 if start.dtype == torch.float64 else tl.float32,
    }


def _signed(seed):
    """Return the seed as the int64 of the same bits, which is what a launch takes."""
    return seed - 2**64 if seed >= 2**63 else seed
