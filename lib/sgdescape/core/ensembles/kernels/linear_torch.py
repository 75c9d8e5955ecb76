"""Ensembles of SGD on linear regression in batched torch: the specification of all engines."""

import torch

from sgdescape.core.ensembles.kernels.batches_torch import batch_indices
from sgdescape.core.ensembles.regression_data import input_values, words_per_block
from sgdescape.core.random import philox
from sgdescape.core.random.philox import Stream, torch_words

COMPACT_EVERY = 128  # steps between looks for finished replicas: each look waits for the device


def first_passage(plan, levels, max_steps):
    """Return steps (R, m), last_step (R,), diverged_at (R,), z (R, d) as NumPy arrays.

    ``levels`` (m,) ascending are of sum_i h_i z_i^2 = 2 (L - L*).
    """
    step, z, delta, replica = updates(plan)
    h, levels = tensor(plan, plan.curvatures), tensor(plan, levels)
    passage = torch.full((len(z), len(levels)), -1, device=z.device)
    last = torch.full((len(z),), max_steps, device=z.device)
    diverged, out, alive = torch.full_like(last, -1), z.clone(), torch.arange(len(z)).to(z.device)
    for k in range(1, max_steps + 1):
        z, delta = step(z, delta, k - 1, replica[alive])
        excess = (h * z * z).sum(1)
        bad = ~torch.isfinite(excess)
        reached = (excess[:, None] >= levels) | bad[:, None]
        active = passage[alive, -1] < 0
        new = reached & (passage[alive] < 0)
        passage[alive] = torch.where(new, k, passage[alive])
        ended = active & new[:, -1]
        last[alive] = torch.where(ended, k, last[alive])
        diverged[alive] = torch.where(active & bad, k, diverged[alive])
        out[alive] = torch.where(active[:, None], z, out[alive])
        if k % COMPACT_EVERY == 0:
            going = passage[alive, -1] < 0
            alive, z, delta = alive[going], z[going], delta[going]
            if not len(alive):
                break
    out[diverged >= 0] = torch.nan
    return tuple(t.cpu().numpy() for t in (passage, last, diverged, out))


def stationary(plan, schedule):
    """Return a dictionary of NumPy arrays: what `Stationary` holds, in terms of z."""
    step, z, delta, replica = updates(plan)
    h, weights = tensor(plan, plan.curvatures), tensor(plan, schedule.weights)
    edges = torch.as_tensor(schedule.edges, device=z.device)
    wide = {"dtype": torch.float64, "device": z.device}
    sums = torch.zeros(len(z), 2 * z.shape[1] + 1, **wide)
    counts = torch.zeros(len(edges) + 1, dtype=torch.int64, device=z.device)
    diverged, kept = torch.full((len(z),), -1, device=z.device), []
    for k in range(1, schedule.burn_in + schedule.steps + 1):
        z, delta = step(z, delta, k - 1, replica)
        excess = (h * z * z).sum(1)
        bad = ~torch.isfinite(excess)
        diverged = torch.where(bad & (diverged < 0), k, diverged)
        z = torch.where(bad[:, None], torch.nan, z)
        age = k - schedule.burn_in
        if age > 0 and age % schedule.record_every == 0:
            wide_z, wide_excess = z.double(), excess.double()[:, None]
            sums += torch.cat([wide_z, wide_z**2, wide_excess**2], 1)
            value = (weights * z * z).sum(1).double()[diverged < 0]
            counts += torch.bincount(
                torch.bucketize(value, edges, right=True), minlength=len(counts)
            )
        if age > 0 and schedule.keep_every and age % schedule.keep_every == 0:
            kept.append(z)
    samples = torch.stack(kept, 1).cpu().numpy() if kept else None
    arrays = {"sums": sums, "counts": counts, "diverged": diverged, "z": z}
    return {k: v.cpu().numpy() for k, v in arrays.items()} | {"samples": samples}


def updates(plan):
    """Return step, z, delta, replicas: what one update is, and the state before the first.

    step(z, delta, k, replica) returns z + delta', delta' with the new step delta' = beta delta -
    (eta / B) sum_b x_b (x_b.z - r_b) - eta lambda (z + basis^T theta*). Without momentum and weight
    decay z + delta' is z - (eta / B) sum_b ..., to the bit.
    """
    gradient, z, replica = _gradients(plan)
    motion = plan.motion
    scale, decay = plan.learning_rate / plan.batch_size, plan.learning_rate * motion.weight_decay
    offset = tensor(plan, decay * motion.minimum)

    def step(z, delta, k, replica):
        force = scale * gradient(z, k, replica) + decay * z + offset
        delta = motion.momentum * delta - force
        return z + delta, delta

    return step, z, tensor(plan, motion.start), replica


def _gradients(plan):
    """Return gradient, z, replicas; gradient(z, k, replica) is sum_b x_b (x_b.z - r_b)."""
    make = _finite if plan.rows is not None else _fresh
    batch = make(plan)

    def gradient(z, k, replica):
        x, r = batch(k, replica)
        residual = (x * z[:, None]).sum(-1) - r
        return (residual[..., None] * x).sum(1)

    replica = torch.tensor(plan.replicas, dtype=torch.int64, device=plan.device)
    return gradient, tensor(plan, plan.start), replica


def _finite(plan):
    rows, n = tensor(plan, plan.rows), len(plan.rows)
    drawn = {"sampler": plan.sampler, "seed": plan.seed}

    def batch(k, replica):
        chosen = rows[batch_indices(n, plan.batch_size, **drawn, step=k, replica=replica)]
        return chosen[..., :-1], chosen[..., -1]

    return batch


def _fresh(plan):
    size, d = plan.batch_size, len(plan.curvatures)

    def words(k, replica, stream, blocks):
        draw = torch.arange(blocks, device=plan.device)
        counter = {"step": k, "draw": draw, "replica": replica[:, None], "stream": stream}
        return torch_words(plan.seed, **counter, device=plan.device)

    def batch(k, replica):
        blocks = -(-size * d // words_per_block(plan.law))
        drawn = input_values(
            words(k, replica, Stream.INPUT, blocks), plan.law, dtype=plan.dtype
        ).flatten(1)
        noise = philox.normals(words(k, replica, Stream.TARGET, -(-size // 4)), dtype=plan.dtype)
        x = drawn[:, : size * d].reshape(-1, size, d)
        return x, plan.noise_std * noise.flatten(1)[:, :size]

    return batch


def tensor(plan, array):
    """Return the array in the plan's precision, on its device."""
    return torch.tensor(array, dtype=getattr(torch, plan.dtype), device=plan.device)
