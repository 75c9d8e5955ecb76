"""Train ResNet-18 on ImageNet, or a folder of its layout, on any number of processes.

    torchrun --nproc-per-node 8 -m sgdescape.network_limits.imagenet.train /data/imagenet runs/a

What is computed is a function of the `Config` alone. A batch is cut into ``shards``, each with
BatchNorm statistics of its own, as on so many devices (the authors of Kunin et al. trained on 8);
processes share the shards among them. So eight processes, or one that takes the eight shards in
turn, follow the same path up to the order of a sum, and a run that was interrupted continues it to
the last bit on the same machine. Weights, gradients and momentum are in single precision.
"""

import argparse
import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import DataLoader

from sgdescape.core import validate
from sgdescape.core.field_types import check_types
from sgdescape.core.networks.resnet import STEMS, resnet18
from sgdescape.core.training import sgd
from sgdescape.core.training.recorder import Recorder
from sgdescape.network_limits.imagenet import weights
from sgdescape.network_limits.imagenet.data_parallel import (
    Batches,
    evaluate,
    processes,
    together,
    update_step,
)
from sgdescape.network_limits.imagenet.reader import EvaluationImages, TrainingImages, read_folder

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Config:
    """What is trained, and how; the defaults are the usual ones for ImageNet.

    Args:
        epochs: passes over the training images, each floor(N / batch_size) updates.
        batch_size: images an update, over all processes.
        shards: parts of a batch with BatchNorm statistics of their own; a divisor of batch_size
            and a multiple of the number of processes.
        learning_rate: eta > 0, before it decays.
        decay_epochs: after each of them the learning rate is divided by 10.
        momentum: beta in [0, 1).
        weight_decay: lambda >= 0, on all parameters, inside the momentum buffer.
        sampler: "shuffle" (a fresh permutation each epoch), "iid" or "without_replacement".
        stem: of the network, see `resnet18`.
        width: of the network.
        size: side of the images in pixels.
        seed: of weights, batches and views.

    Raises:
        TypeError: if a field has the wrong type.
        ValueError: if a field lies outside its range, or shards do not divide batch_size.
    """

    epochs: int = 90
    batch_size: int = 256
    shards: int = 8
    learning_rate: float = 0.1
    decay_epochs: tuple[int, ...] = (30, 60)
    momentum: float = 0.9
    weight_decay: float = 1e-4
    sampler: str = "shuffle"
    stem: str = "imagenet"
    width: int = 64
    size: int = 224
    seed: int = 0

    def __post_init__(self):
        """Refuse values outside their range."""
        check_types(self)
        for name in ("epochs", "batch_size", "shards", "width", "size"):
            validate.count(name, getattr(self, name))
        validate.positive("learning_rate", self.learning_rate)
        validate.fraction("momentum", self.momentum)
        validate.non_negative("weight_decay", self.weight_decay)
        validate.one_of("sampler", self.sampler, sgd.SAMPLERS)
        validate.one_of("stem", self.stem, STEMS)
        validate.count("seed", self.seed, low=0, high=2**63 - 1)
        for epoch in self.decay_epochs:
            validate.count("decay_epochs", epoch)
        if self.batch_size % self.shards:
            raise ValueError(
                f"shards must divide batch_size = {self.batch_size}: got {self.shards}"
            )


@dataclass
class Progress:
    """All that a run has to know to go on; what a checkpoint holds."""

    step: int
    weights: dict[str, Tensor]  # the model's state, running statistics included
    buffers: list[Tensor]  # momentum, one a parameter
    start: Tensor  # weights at step 0 (P,), from which displacements are measured
    losses: list[Tensor] = field(default_factory=list)  # of the batches, over all processes
    evaluations: list[list[float]] = field(default_factory=list)  # step, mean loss, accuracy


def train(
    config: Config,
    *,
    data: str | Path,
    out: str | Path,
    start: str | Path | None = None,
    directions: str | Path | None = None,
    record: bool = False,
    device: str = "auto",
    workers: int = 4,
    save_every: int = 1000,
    stop: int | None = None,
) -> Progress:
    """Train until the last epoch, from the checkpoint in ``out`` if there is one.

    Started by torchrun, the processes do it together. The folder ``out`` then holds the
    checkpoint and, with ``record``, path-<first>-<last>.npz files: each the arrays of a
    `projections.Path`, its first step the last of the file before.

    Args:
        config: what is computed.
        data: folder in ImageNet's layout with "train" and "val".
        out: folder of the run, created if needed.
        start: file of weights to start from, see `weights.load_foreign`; None draws them.
        directions: file of a tensor (P, r) to project the path on; implies ``record``.
        record: keep displacements and norms of every step.
        device: "auto", "cpu" or "cuda"; of several, each process takes its own.
        workers: processes that load images, for each process that trains; 0 for none.
        save_every: updates between checkpoints, besides one after each epoch.
        stop: update after which to leave early; None for the end.

    Returns:
        Where the run stands.

    Raises:
        ValueError: if data or checkpoint do not fit, or the loss is not finite.
    """
    validate.count("save_every", save_every)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with processes(device) as (rank, world, device):
        images, held_out = _images(config, data)
        options = {"num_workers": workers, "pin_memory": device.type == "cuda"}
        batches = _batches(config, len(images), rank, world)
        loader = DataLoader(images, batch_sampler=batches, **options)
        classes = images.folder.classes
        network = {"seed": config.seed, "width": config.width, "classes": len(classes)}
        model = resnet18(config.stem, device=device, **network)
        identity = asdict(config) | {"images": len(images), "classes": list(classes)}
        progress = _begin(model, out, identity, start)
        recorder = None
        if (record or directions is not None) and rank == 0:
            recorder = _Recorder(model, progress, out, directions)

        def epoch_ends():
            share = {"rank": rank, "world": world, "workers": workers}
            found = evaluate(model, held_out, chunk=config.batch_size // config.shards, **share)
            progress.evaluations.append([float(progress.step), *found])

        def save():
            _settle(progress, pending, world)
            if recorder is not None:
                recorder.save()
            if rank == 0:
                _save(model, progress, out, identity)

        step = update_step(
            together(model, device) if world > 1 else model,
            progress.buffers,
            shards=config.shards,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
        last = config.epochs * batches.per_epoch
        stop = last if stop is None else min(stop, last)
        pending: list[Tensor] = []  # losses since the last checkpoint
        while progress.step < stop:
            epoch, first = divmod(progress.step, batches.per_epoch)
            batches.set_epoch(epoch, first=first)
            rate = _rate(config, epoch)
            for inputs, labels in loader:
                pending.append(step(inputs.to(device), labels.to(device), rate))
                progress.step += 1
                if recorder is not None:
                    recorder(progress.step)
                done = progress.step % batches.per_epoch == 0
                if done:
                    epoch_ends()
                if done or progress.step % save_every == 0 or progress.step == stop:
                    save()
                if progress.step == stop:
                    break
        return progress


def _images(config, data):
    """Training and held-out images; both splits have the same classes."""
    folder = read_folder(data, "train")
    held_out = read_folder(data, "val", classes=folder.classes)
    images = TrainingImages(folder, size=config.size, seed=config.seed)
    return images, EvaluationImages(held_out, size=config.size)


def _batches(config, n, rank, world):
    stream = {"shards": config.shards, "sampler": config.sampler, "seed": config.seed}
    return Batches(n, config.batch_size, rank=rank, world=world, **stream)


def _rate(config, epoch):
    return config.learning_rate * 0.1 ** sum(epoch >= at for at in config.decay_epochs)


def _settle(progress, pending, world):
    """Average the losses of the steps since the last time over the processes, and keep them."""
    losses = torch.stack(pending)
    if world > 1:
        dist.all_reduce(losses)
    losses = (losses / world).cpu()
    bad = torch.nonzero(~torch.isfinite(losses)).flatten()
    if bad.numel():
        step = progress.step - len(losses) + int(bad[0])
        raise ValueError(f"loss must be finite: got {losses[bad[0]]} at step {step}")
    progress.losses.append(losses)
    pending.clear()


def _begin(model, out, identity, start):
    """Fresh weights, those of a file, or the checkpoint's: written into the model."""
    device = next(model.parameters()).device
    path = out / CHECKPOINT
    if path.is_file():
        found = weights.read_checkpoint(path, device=device)
        ours, theirs = json.loads(json.dumps(identity)), json.loads(found.pop("identity"))
        if different := [k for k in ours if ours[k] != theirs.get(k)]:
            raise ValueError(
                f"checkpoint {path} is of another run: "
                + ", ".join(f"{k} {theirs.get(k)!r}, not {ours[k]!r}" for k in different)
            )
        progress = Progress(**found)
        progress.losses = [progress.losses[0].cpu()]
        model.load_state_dict(progress.weights)
        return progress
    if start is not None:
        weights.load_foreign(model, start)
    flat = torch.cat([p.detach().flatten() for p in model.parameters()])
    buffers = [torch.zeros_like(p) for p in model.parameters()]
    return Progress(step=0, weights={}, buffers=buffers, start=flat)


def _save(plain, progress, out, identity):
    """Write the checkpoint: tensors, numbers and text only."""
    progress.weights = plain.state_dict()
    progress.losses = [torch.cat(progress.losses)]
    content = vars(progress) | {"identity": json.dumps(identity)}
    weights.write_checkpoint(out / CHECKPOINT, content)


class _Recorder:
    """A `Recorder` from one checkpoint to the next, each stretch a file of its own."""

    def __init__(self, model: nn.Module, progress: Progress, out: Path, directions):
        if directions is not None:
            directions = torch.load(directions, weights_only=True)
        options = {"directions": directions, "references": (progress.start,)}
        self.make, self.out, self.first = lambda: Recorder(model, **options), out, progress.step
        self.recorder = self.make()
        self.recorder(progress.step)

    def __call__(self, step):
        self.recorder(step)

    def save(self):
        path = self.recorder.path()
        last = int(path.steps[-1])
        file = self.out / f"path-{self.first:08d}-{last:08d}.npz"
        weights.write_whole(file, lambda opened: np.savez(opened, **vars(path)))
        self.first, self.recorder = last, self.make()
        self.recorder(last)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every field of `Config` is an option."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        epilog="Start by torchrun for several processes; the same call continues a run.",
    )
    parser.add_argument("data", help="folder with train/<class>/*.JPEG and val/<class>/*.JPEG")
    parser.add_argument("out", help="folder of the run: checkpoint and paths")
    for one in fields(Config):
        kind = int if isinstance(one.default, tuple) else type(one.default)
        options = {"nargs": "*"} if isinstance(one.default, tuple) else {}
        name = f"--{one.name.replace('_', '-')}"
        parser.add_argument(name, type=kind, default=one.default, help=f"{one.default}", **options)
    parser.add_argument("--start", help="weights to start from")
    parser.add_argument("--directions", help="tensor (P, r) to project the path on")
    parser.add_argument("--record", action="store_true", help="keep displacements of every step")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--workers", type=int, default=4, help="that load images, a process")
    parser.add_argument("--save-every", type=int, default=1000, help="updates, and each epoch")
    parser.add_argument("--stop", type=int, help="leave after this update")
    given = vars(parser.parse_args(arguments))
    names = {one.name for one in fields(Config)}
    given["decay_epochs"] = tuple(given["decay_epochs"])
    config = Config(**{name: given.pop(name) for name in names})
    progress = train(config, **given)
    if int(os.environ.get("RANK", 0)) == 0:
        for step, loss, accuracy in progress.evaluations:
            print(f"step {step:.0f}: held-out loss {loss:.4f}, accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
