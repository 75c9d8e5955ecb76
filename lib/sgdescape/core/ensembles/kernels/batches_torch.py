"""Which samples a batch holds: the reference, batched over replicas, for every sampler.

Every draw is a function of (seed, step, replica): nothing is stored, also not a permutation.
"""

import math

import torch
from torch import Tensor

from sgdescape.core.ensembles.kernels.mixing import MIX, feistel_rounds
from sgdescape.core.random.philox import MASK, Stream, indices, torch_words


def batch_indices(n, batch_size, *, sampler, seed, step, replica: Tensor) -> Tensor:
    """Return the batch of each replica at this step (replicas, batch_size), int64 in [0, n).

    "iid": with replacement. "without_replacement": distinct within the batch, by Floyd's algorithm.
    "shuffle": the next stretch of the epoch's permutation; n mod batch_size samples sit out.
    """
    if sampler == "shuffle":
        a_round = n // batch_size
        epoch, place = divmod(step, a_round)
        position = torch.arange(place * batch_size, (place + 1) * batch_size, device=replica.device)
        return permuted(n, position, seed=seed, epoch=epoch, replica=replica)
    draw = torch.arange(-(-batch_size // 4), device=replica.device)
    counter = {"step": step, "draw": draw, "replica": replica[:, None], "stream": Stream.BATCH}
    words = torch_words(seed, **counter, device=replica.device).flatten(1)[:, :batch_size]
    if sampler == "iid":
        return indices(words, n)
    chosen = torch.empty_like(words)
    for b in range(batch_size):
        last = n - batch_size + b
        candidate = indices(words[:, b], last + 1)
        taken = (chosen[:, :b] == candidate[:, None]).any(1)
        chosen[:, b] = torch.where(taken, last, candidate)
    return chosen


def permuted(n, position: Tensor, *, seed, epoch, replica: Tensor) -> Tensor:
    """Return the image of each position under each replica's permutation (replicas, positions).

    A Feistel network on the a x b >= n pairs (l, r), a = ceil(sqrt n): l + F(r) mod a and
    r + F(l) mod b in turn, each a bijection. An image of n or more is sent through again.
    """
    draw = torch.arange(feistel_rounds(n) // 4, device=replica.device)
    counter = {"step": epoch, "draw": draw, "replica": replica[:, None]}
    keys = torch_words(seed, stream=Stream.PERMUTATION, **counter, device=replica.device).flatten(1)
    a = math.isqrt(n - 1) + 1
    b = -(-n // a)
    x = _feistel(position.expand(len(replica), -1), keys, a, b)
    while (outside := x >= n).any():
        x = torch.where(outside, _feistel(x, keys, a, b), x)
    return x


def _feistel(x, keys, a, b):
    left, right = x % a, x // a
    for i in range(keys.shape[1]):
        key = keys[:, i, None]
        if i % 2 == 0:
            left = (left + ((_mix(right ^ key) * a) >> 32)) % a
        else:
            right = (right + ((_mix(left ^ key) * b) >> 32)) % b
    return right * a + left


def _mix(h):
    h = ((h ^ (h >> 16)) * MIX[0]) & MASK
    h = ((h ^ (h >> 13)) * MIX[1]) & MASK
    return h ^ (h >> 16)
