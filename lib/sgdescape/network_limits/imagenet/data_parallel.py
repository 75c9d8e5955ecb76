"""Training by several processes that share each batch, and give what one process gives.

The unit of work is a shard, a part of a batch with BatchNorm statistics of its own; processes take
equal numbers of shards. Which samples a batch holds is a function of (seed, step), so nothing of
the data's order has to be saved, and each epoch has a permutation of its own.
"""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset

from sgdescape.core import validate
from sgdescape.core.training import sgd


class Batches:
    """The share of one process in each batch, for a `DataLoader`: lists of (epoch, index).

    Args:
        n: number of samples.
        batch_size: of all processes together.
        shards: parts of a batch, a divisor of batch_size and a multiple of ``world``.
        sampler: as in `sgd.batches`.
        seed: as in `sgd.batches`.
        rank: of this process, in [0, world).
        world: number of processes.

    Raises:
        ValueError: if the numbers do not fit.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        *,
        shards: int,
        sampler: str,
        seed: int,
        rank: int = 0,
        world: int = 1,
    ):
        """Share the batches of `sgd.batches` between ``world`` processes."""
        validate.count("batch_size", batch_size, high=n)
        if batch_size % shards:
            raise ValueError(f"shards must divide batch_size = {batch_size}: got {shards}")
        if shards % world:
            raise ValueError(
                f"shards must be a multiple of the number of processes, {world}: got {shards}"
            )
        own = shards // world
        self.n, self.batch_size = n, batch_size
        self.options = {"sampler": sampler, "seed": seed}
        self.shards, self.own = shards, range(rank * own, (rank + 1) * own)
        self.per_epoch = n // batch_size
        self.epoch, self.first = None, 0

    def set_epoch(self, epoch: int, *, first: int = 0) -> None:
        """Turn to an epoch, from its batch ``first`` on: each epoch has another permutation."""
        self.epoch, self.first = epoch, first

    def __len__(self) -> int:
        """Return the number of batches left in this epoch."""
        return self.per_epoch - self.first

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Yield the keys of this process's shards, batch after batch.

        Raises:
            RuntimeError: if `set_epoch` was not called: every epoch would be the same.
        """
        if self.epoch is None:
            raise RuntimeError("set_epoch must be called before each epoch")
        epoch, self.epoch, count = self.epoch, None, len(self)
        start = epoch * self.per_epoch + self.first
        stream = sgd.batches(self.n, self.batch_size, start=start, **self.options)
        for _, index in zip(range(count), stream, strict=False):
            mine = torch.cat([index[shard :: self.shards] for shard in self.own])
            yield [(epoch, i) for i in mine.tolist()]


def together(model: nn.Module, device: torch.device) -> DistributedDataParallel:
    """Return the model with gradients averaged over all processes, and buffers left to each.

    Args:
        model: the same network in every process.
        device: on which it lives.
    """
    known = inspect.signature(DistributedDataParallel).parameters
    name = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    ids = [device.index] if device.type == "cuda" else None
    return DistributedDataParallel(model, device_ids=ids, **{name: False})


def update_step(
    model: nn.Module,
    buffers: list[Tensor],
    *,
    shards: int,
    momentum: float,
    weight_decay: float,
) -> Callable[[Tensor, Tensor, float], Tensor]:
    """Return one step of Kunin et al. (2.1) on a batch cut into shards, over all processes.

    Each shard passes the network by itself, with BatchNorm statistics of its own. The gradient is
    the mean over all shards, and so are the running statistics, each shard's starting from the
    same ones. The result does not depend on which process took which shard, but for the order
    of the sums over them (none with two).

    Args:
        model: the network, or what `together` makes of it.
        buffers: momentum b, one tensor a parameter.
        shards: parts of the batch, over all processes.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0.

    Returns:
        A function of (this process's inputs, their labels, learning rate) that makes the step and
        returns the mean cross-entropy of its shards before it.
    """
    world = dist.get_world_size() if isinstance(model, DistributedDataParallel) else 1
    plain = model.module if world > 1 else model
    parameters = list(plain.parameters())
    statistics = [b for b in plain.buffers() if b.is_floating_point()]
    counters = [b for b in plain.buffers() if not b.is_floating_point()]
    own = shards // world

    def step(inputs, labels, rate):
        model.train()
        before = [s.clone() for s in statistics]
        sums = [torch.zeros_like(s) for s in statistics]
        total = torch.zeros((), dtype=torch.float64, device=inputs.device)
        pieces = zip(inputs.chunk(own), labels.chunk(own), strict=True)
        for shard, (x, y) in enumerate(pieces):
            together = world == 1 or shard == own - 1  # gradients meet once a step
            with nullcontext() if together else model.no_sync():
                loss = F.cross_entropy(model(x), y) / own
                loss.backward()
            total += loss.detach()
            torch._foreach_add_(sums, statistics)
            torch._foreach_copy_(statistics, before)
        if statistics:
            merged = torch.cat([s.flatten() for s in sums])
            if world > 1:
                dist.all_reduce(merged)
            merged /= shards
            parts = merged.split([s.numel() for s in statistics])
            torch._foreach_copy_(statistics, list(parts))
        for counter in counters:
            counter -= own - 1
        with torch.no_grad():
            gradients = [p.grad for p in parameters]
            torch._foreach_add_(gradients, parameters, alpha=weight_decay)
            torch._foreach_mul_(buffers, momentum)
            torch._foreach_add_(buffers, gradients)
            torch._foreach_add_(parameters, buffers, alpha=-rate)
        model.zero_grad(set_to_none=True)
        return total

    return step


@torch.no_grad()
def evaluate(
    model: nn.Module, images: Dataset, *, chunk: int, rank: int, world: int, workers: int = 0
) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy over images, with running statistics.

    Args:
        model: the network itself.
        images: (view, label) by index.
        chunk: images a pass.
        rank: of this process, which takes every ``world``-th image.
        world: number of processes; their sums are added.
        workers: processes that load images.
    """
    model, device = model.eval(), next(model.parameters()).device
    share = range(rank, len(images), world)
    loader = DataLoader(images, batch_size=chunk, sampler=share, num_workers=workers)
    sums = torch.zeros(2, dtype=torch.float64, device=device)
    for inputs, labels in loader:
        outputs, labels = model(inputs.to(device)), labels.to(device)
        sums[0] += F.cross_entropy(outputs, labels, reduction="sum")
        sums[1] += (outputs.argmax(1) == labels).sum()
    if world > 1:
        dist.all_reduce(sums)
    loss, accuracy = (sums / len(images)).tolist()
    return loss, accuracy


@contextmanager
def processes(device: str) -> Iterator[tuple[int, int, torch.device]]:
    """Join the processes that torchrun started, if it did: (rank, their number, device)."""
    device = validate.device(device)
    if "RANK" not in os.environ:
        yield 0, 1, device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield dist.get_rank(), dist.get_world_size(), device
    finally:
        dist.destroy_process_group()
