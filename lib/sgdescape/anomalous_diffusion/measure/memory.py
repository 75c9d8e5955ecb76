"""The momentum's buffer along a free direction, with three ways to draw the same batches.

Along a free direction a sample's gradient does not change, so SGD is the filter b <- beta b + g of
a row of numbers, and each replica is a direction of its own.
"""

import numpy as np
import xarray as xr
from scipy.signal import lfilter

from sgdescape.anomalous_diffusion.measure.batch_orders import SAMPLERS
from sgdescape.core.random import seeds

REPLICAS_AT_ONCE = 128


def buffers(config) -> xr.Dataset:
    """Measure E b^2 with independent batches, shuffled epochs and one fixed order.

    Args:
        config: see `anomalous_diffusion.Config`.

    Returns:
        ``buffer_square`` (sampler, memory, buffer_replica): mean of b^2 over the epochs after the
        first, in units of the variance of one batch's gradient.
    """
    rows = []
    for sampler in SAMPLERS:
        parts = [
            _squares(config, sampler, count, _seed(config, sampler, chunk))
            for chunk, count in enumerate(_chunks(config.memory_replicas))
        ]
        rows.append(np.concatenate(parts, axis=1))
    return xr.Dataset(
        {"buffer_square": (("sampler", "memory", "buffer_replica"), np.array(rows))},
        coords={"sampler": list(SAMPLERS), "memory": list(config.memory_momenta)},
    )


def _squares(config, sampler, replicas, seed):
    """Mean of b^2 (momenta, replicas) after the first epoch."""
    random = np.random.Generator(np.random.Philox(key=seed))
    gradients = random.standard_normal((replicas, config.memory_steps))
    gradients -= gradients.mean(axis=1, keepdims=True)
    gradients /= gradients.std(axis=1, keepdims=True)
    ends = [np.zeros((replicas, 1)) for _ in config.memory_momenta]
    sums = np.zeros((len(ends), replicas))
    for epoch in range(config.memory_epochs + 1):
        drawn = _epoch(gradients, sampler, random)
        for index, beta in enumerate(config.memory_momenta):
            b, ends[index] = lfilter([1.0], [1.0, -beta], drawn, axis=1, zi=ends[index])
            sums[index] += np.mean(b**2, axis=1) if epoch else 0.0
    return sums / config.memory_epochs


def _epoch(gradients, sampler, random):
    """One epoch's gradients in the order in which they are drawn (replicas, steps)."""
    if sampler == "fixed":  # any order, the same in every epoch
        return gradients
    if sampler == "shuffle":
        return random.permuted(gradients, axis=1)
    return np.take_along_axis(gradients, random.integers(0, gradients.shape[1], gradients.shape), 1)


def _chunks(replicas):
    whole, rest = divmod(replicas, REPLICAS_AT_ONCE)
    return [REPLICAS_AT_ONCE] * whole + [rest] * (rest > 0)


def _seed(config, sampler, chunk):
    return seeds.derive(config.seed, "anomalous_diffusion", f"memory, {sampler}", chunk)
