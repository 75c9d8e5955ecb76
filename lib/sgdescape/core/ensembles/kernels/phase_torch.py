"""Positions and velocities of SGD in batched torch: the specification of all engines."""

import numpy as np
import torch

from sgdescape.core.ensembles.kernels.linear_torch import tensor, updates


def phase_space(plan, record_steps):
    """Return z and delta (records, replicas, d) after these many steps, and diverged_at (R,)."""
    step, z, delta, replica = updates(plan)
    h, diverged = tensor(plan, plan.curvatures), torch.full((len(z),), -1, device=z.device)
    kept, wanted = [], set(record_steps.tolist())
    for k in range(record_steps[-1] + 1):
        if k:
            z, delta = step(z, delta, k - 1, replica)
            z, delta, diverged = _checked(h, z, delta, k, diverged)
        if k in wanted:
            kept.append(torch.stack([z, delta]).double().cpu().numpy())
    z, delta = np.stack(kept, 1)
    return z, delta, diverged.cpu().numpy()


def moments(plan, times):
    """Return sums (R, 5, d) in float64, in the order of `linear_plan.SUMS`, diverged_at (R,)."""
    step, z, delta, replica = updates(plan)
    h, diverged = tensor(plan, plan.curvatures), torch.full((len(z),), -1, device=z.device)
    sums = torch.zeros(len(z), 5, z.shape[1], dtype=torch.float64, device=z.device)
    for k in range(1, times.burn_in + times.steps + 1):
        before = delta
        z, delta = step(z, delta, k - 1, replica)
        z, delta, diverged = _checked(h, z, delta, k, diverged)
        age = k - times.burn_in
        if age > 0 and age % times.record_every == 0:
            x, now, y = z.double(), delta.double(), before.double()
            sums += torch.stack([x, x * x, now * now, x * now, x * y], 1)
    return sums.cpu().numpy(), diverged.cpu().numpy()


def _checked(h, z, delta, k, diverged):
    """Return the state, NaN where the loss is not finite, and the step at which that was seen."""
    bad = ~torch.isfinite((h * z * z).sum(1))
    diverged = torch.where(bad & (diverged < 0), k, diverged)
    return *(torch.where(bad[:, None], torch.nan, t) for t in (z, delta)), diverged
