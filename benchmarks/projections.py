"""What streaming projections add to a training step, for a small network and for ResNet-18.

Run: python benchmarks/projections.py   (about three minutes; prints a table, writes
results/projections.json)

Every step is recorded: positions and displacements along some directions, distances from two
references, and norms and θ·δ of every tensor, by whole blocks of the recorder. In one run, the
processor time of the updates (drawing the batch included) and that of the recorder are taken
apart, so that other load on the machine falls on both; the cost is their ratio, of the sums over
all turns but the first, which warms up, and the range is that of single turns. To save time, the
larger networks are updated only every so many steps; an update still counts once for each step
that is recorded. Target: under 5 %.
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

from sgdescape.core.networks.resnet import resnet18
from sgdescape.core.runs import provenance
from sgdescape.core.training import recorder as projections
from sgdescape.core.training import sgd, updates

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


CASES = {  # name: (network and inputs, batch size, directions, block, steps an update, turns)
    "32-24-10, B = 32": (small_network, 32, 60, 512, 1, 15),
    "ResNet-18, 8 channels, B = 64": (residual_network(8), 64, 30, 20, 2, 4),
    "ResNet-18, 64 channels, B = 256": (residual_network(64), 256, 30, 10, 10, 1),
}


def measure(name):
    """Return the seconds of an update and of the recorder, and their ratio."""
    make, batch_size, r, block, every, turns = CASES[name]
    model, inputs = make()
    size = sum(p.numel() for p in model.parameters())
    generator = torch.Generator().manual_seed(1)
    targets = torch.eye(10)[torch.randint(10, (len(inputs),), generator=generator)]
    buffers = [torch.zeros_like(p) for p in model.parameters()]
    options = {"learning_rate": 1e-4, "momentum": 0.9, "weight_decay": 1e-4}
    update = updates.autograd_update(model, buffers, loss=sgd.cross_entropy, **options)
    stream = sgd.batches(len(inputs), batch_size, sampler="iid", seed=0)
    directions = torch.randn(size, r, dtype=torch.float64, generator=generator)
    record = projections.Recorder(model, directions=directions, references=(0, 1), block=block)
    del directions  # the recorder has its own
    clock, step, seconds = time.process_time, 0, []
    tick = min(-clock() + clock() for _ in range(1000))  # what a look at the clock takes
    for _ in range(turns + 1):
        spent = [0.0, 0.0]
        for _ in range(block):
            begin = clock()
            record(step)
            middle = clock()
            spent[1] += middle - begin - tick
            if step % every == 0:
                index = next(stream)
                update(inputs[index], targets[index])
                spent[0] += every * (clock() - middle - tick)
            step += 1
        seconds.append([part / block for part in spent])
    ratios = [recorder / updating for updating, recorder in seconds[1:]]
    updating, recorder = (statistics.mean(part) for part in zip(*seconds[1:], strict=True))
    return {
        "case": name,
        "parameters": size,
        "directions": r,
        "steps": turns * block,
        "milliseconds_update": 1e3 * updating,
        "milliseconds_recorder": 1e3 * recorder,
        "cost": recorder / updating,
        "cost_range": [min(ratios), max(ratios)],
    }


def main():
    """Measure all cases, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = [measure(name) for name in arguments.cases]
    for r in rows:
        low, high = r["cost_range"]
        print(
            f"{r['case']:<32}{r['parameters']:>10,} parameters {r['directions']:>3} directions"
            f"{r['milliseconds_update']:>11.3f} ms{r['milliseconds_recorder']:>11.4f} ms"
            f"   {r['cost']:.1%} ({low:.1%}, {high:.1%})"
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
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"cost under {TARGET:.0%}: {reached}; written to {path}")


if __name__ == "__main__":
    main()
