"""What streaming projections add to a training step, for a small network and for ResNet-18.

Run: python benchmarks/projections.py   (about three minutes; prints a table, writes
results/projections.json)

The same steps are made with and without a `projections.Recorder` of positions and displacements
along some directions, distances from two references, and norms and θ·δ of every tensor. Both take
turns, whole blocks of the recorder at a time, so that other load falls on both. The cost is
(with - without) / without in processor time, from the quickest turn of each, which other load
disturbs least; the quartiles are of the ratio within a turn. Target: under 5 %.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import torch
from torch import nn

from sgdescape.core import projections, provenance, sgd, updates
from sgdescape.core.resnet import resnet18

TARGET = 0.05


def small_network():
    """Return the network of 1,042 parameters on which the limits of the theory are tested."""
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 24), nn.Tanh(), nn.Linear(24, 10))
    return model, torch.randn(4096, 32, generator=generator)


def residual_network(width):
    """Return a function giving a ResNet-18 of so many channels, and small grey images."""

    def make():
        generator = torch.Generator().manual_seed(0)
        return resnet18(seed=0, width=width, in_channels=1), torch.randn(
            512, 1, 28, 28, generator=generator
        )

    return make


CASES = {  # name: (network and inputs, batch size, directions, steps a turn, turns)
    "32-24-10, B = 32": (small_network, 32, 60, 512, 15),
    "ResNet-18, 8 channels, B = 64": (residual_network(8), 64, 30, 20, 7),
    "ResNet-18, 64 channels, B = 64": (residual_network(64), 64, 30, 6, 2),
}


def contestant(make, batch_size, r, block, *, recorded):
    """Return a function that trains one block of steps, and the number of parameters."""
    model, inputs = make()
    size = sum(p.numel() for p in model.parameters())
    generator = torch.Generator().manual_seed(1)
    targets = torch.eye(10)[torch.randint(10, (len(inputs),), generator=generator)]
    buffers = [torch.zeros_like(p) for p in model.parameters()]
    options = {"learning_rate": 1e-4, "momentum": 0.9, "weight_decay": 1e-4}
    update = updates.autograd_update(model, buffers, loss=sgd.cross_entropy, **options)
    stream = sgd.batches(len(inputs), batch_size, sampler="iid", seed=0)
    record, step = None, 0
    if recorded:
        directions = torch.randn(size, r, dtype=torch.float64, generator=generator)
        directions /= directions.norm(dim=0)
        longest = projections.BLOCK_BYTES // (4 * size)
        record = projections.Recorder(
            model, directions=directions, references=(0, 1), block=min(block, longest)
        )
        record(0)

    def steps():
        nonlocal step
        for _ in range(block):
            index = next(stream)
            update(inputs[index], targets[index])
            step += 1
            if record is not None:
                record(step)

    return steps, size


def measure(name):
    """Return the seconds of a step with and without the recorder, and the cost."""
    make, batch_size, r, block, turns = CASES[name]
    runs = [contestant(make, batch_size, r, block, recorded=flag) for flag in (False, True)]
    seconds = [[], []]
    for turn in range(turns + 1):  # the first one warms up
        for (run, _), own in zip(runs, seconds, strict=True):
            start = time.process_time()
            run()
            if turn:
                own.append((time.process_time() - start) / block)
    ratios = [(mine - bare) / bare for bare, mine in zip(*seconds, strict=True)]
    low, _, high = statistics.quantiles(ratios)
    return {
        "case": name,
        "parameters": runs[0][1],
        "directions": r,
        "turns": turns,
        "milliseconds": 1e3 * min(seconds[0]),
        "milliseconds_recorded": 1e3 * min(seconds[1]),
        "cost": min(seconds[1]) / min(seconds[0]) - 1,
        "cost_quartiles": [low, high],
    }


def main():
    """Measure all cases, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = [measure(name) for name in arguments.cases]
    for r in rows:
        low, high = r["cost_quartiles"]
        print(
            f"{r['case']:<32}{r['parameters']:>10,} parameters {r['directions']:>3} directions"
            f"{r['milliseconds']:>11.3f} ms{r['milliseconds_recorded']:>11.3f} ms"
            f"   {r['cost']:+.1%} ({low:+.1%}, {high:+.1%})"
        )
    reached = all(r["cost"] < TARGET for r in rows)
    record = {
        "workload": "SGD with momentum, float32, cross-entropy, one thread",
        "target": TARGET,
        "target_reached": reached,
        "processor": provenance.processor(),
        "logical_cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "rows": rows,
    }
    path = Path(__file__).parent / "results" / "projections.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(f"cost under {TARGET:.0%}: {reached}; written to {path}")


if __name__ == "__main__":
    main()
