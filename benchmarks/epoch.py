"""One training epoch of the 784-2000-2000-2000-10 network against its bare matrix products.

Run: python benchmarks/epoch.py   (about two minutes; prints a table, writes results/epoch.json)

An epoch draws and gathers its batches, computes losses and updates all weights; the floor is the
same number of matrix products of the same shapes, into memory already there: of each layer
the forward product, the weight gradient and (but for the first) the gradient of its input. All
are timed in turn, a few steps at a time, and the ratio is taken within each turn, so that other
load on the machine falls on all of them; medians over turns, by the clock and by processor time
(which other load disturbs less). Target: training at >= 90 % of the floor's floating-point rate.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import torch

from sgdescape.core.networks import models
from sgdescape.core.runs import provenance
from sgdescape.core.training import sgd, updates

WIDTHS = models.PAPER_MLP_FASHION
BATCH_SIZE = 100
TARGET = 0.9


def flops_per_step(widths, batch_size):
    """Return multiplications and additions of the matrix products of one step."""
    shapes = list(zip(widths[:-1], widths[1:], strict=True))
    forward = sum(2 * batch_size * a * b for a, b in shapes)
    return 3 * forward - 2 * batch_size * shapes[0][0] * shapes[0][1]


def bare_products(widths, batch_size):
    """Return a function that does the matrix products of one step and nothing else."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.rand(shape, generator=generator)

    shapes = list(zip(widths[:-1], widths[1:], strict=True))
    weights = [random(b, a) for a, b in shapes]
    inputs = [random(batch_size, a) for a, _ in shapes]
    deltas = [random(batch_size, b) for _, b in shapes]
    outputs = [torch.empty_like(d) for d in deltas]
    gradients = [torch.empty_like(w) for w in weights]
    backward = [torch.empty_like(x) for x in inputs]

    def step():
        for i, weight in enumerate(weights):
            torch.mm(inputs[i], weight.t(), out=outputs[i])
        for i, weight in reversed(list(enumerate(weights))):
            torch.mm(deltas[i].t(), inputs[i], out=gradients[i])
            if i:
                torch.mm(deltas[i], weight, out=backward[i])

    return step


def epoch_with(rule, inputs, targets):
    """Return a function that trains one epoch with an update rule, batches drawn and gathered."""
    model = models.mlp(WIDTHS, seed=0)
    update = rule(
        model, [], loss=sgd.square_loss, learning_rate=0.01, momentum=0.0, weight_decay=0.0
    )
    stream = sgd.batches(len(inputs), BATCH_SIZE, sampler="shuffle", seed=0)
    losses = torch.empty(len(inputs) // BATCH_SIZE)

    def epoch():
        for step in range(len(losses)):
            index = next(stream)
            losses[step] = update(inputs[index], targets[index])

    return epoch


def measure(threads, *, steps, turns):
    """Return rates and ratios to the floor of ``turns`` times ``steps`` batches on ``threads``."""
    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(1)
    n = steps * BATCH_SIZE
    inputs = torch.rand(n, WIDTHS[0], generator=generator)
    labels = torch.randint(WIDTHS[-1], (n,), generator=generator)
    targets = torch.nn.functional.one_hot(labels, WIDTHS[-1]).float()
    product = bare_products(WIDTHS, BATCH_SIZE)

    def floor():
        for _ in range(steps):
            product()

    contestants = {
        "bare products": floor,
        "autograd update": epoch_with(updates.autograd_update, inputs, targets),
        "dense update": epoch_with(updates.dense_update, inputs, targets),
    }
    clocks = {"ratio": time.perf_counter, "processor_ratio": time.process_time}
    seconds = {name: [] for name in contestants}  # a pair of durations a turn
    for turn in range(turns + 1):  # the first one warms up
        for name, run in contestants.items():
            start = [clock() for clock in clocks.values()]
            run()
            if turn:
                ends = zip(clocks.values(), start, strict=True)
                seconds[name].append([clock() - begin for clock, begin in ends])
    work = steps * flops_per_step(WIDTHS, BATCH_SIZE) / 1e9
    rows = []
    for name, own in seconds.items():
        row = {"threads": threads, "contestant": name}
        row["gflop_per_second"] = work / statistics.median(wall for wall, _ in own)
        for k, clock in enumerate(clocks):
            pairs = zip(seconds["bare products"], own, strict=True)
            quartiles = statistics.quantiles(bare[k] / mine[k] for bare, mine in pairs)
            row[clock], row[f"{clock}_quartiles"] = quartiles[1], [quartiles[0], quartiles[2]]
        rows.append(row)
    return rows


def main():
    """Measure on one thread and on all, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10, help="batches a turn")
    parser.add_argument("--turns", type=int, default=21, help="interleaved repetitions, >= 5")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count()])
    arguments = parser.parse_args()
    rows = []
    for threads in dict.fromkeys(arguments.threads):
        rows += measure(threads, steps=arguments.steps, turns=arguments.turns)
    print(f"{'threads':>7}  {'':<16}{'GFLOP/s':>8}   ratio (quartiles)     by processor time")
    for r in rows:
        line = f"{r['threads']:>7}  {r['contestant']:<16}{r['gflop_per_second']:>8.1f}"
        for clock in ("ratio", "processor_ratio"):
            low, high = r[f"{clock}_quartiles"]
            line += f"   {r[clock]:.3f} ({low:.3f}, {high:.3f})"
        print(line)
    dense = [r for r in rows if r["contestant"] == "dense update"]
    reached = all(r["ratio"] >= TARGET for r in dense)
    record = {
        "workload": f"{'-'.join(map(str, WIDTHS))}, B = {BATCH_SIZE}, float32, square loss",
        "steps": arguments.steps,
        "turns": arguments.turns,
        "target_ratio": TARGET,
        "target_reached": reached,
        "processor": provenance.processor(),
        "logical_cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "rows": rows,
    }
    path = Path(__file__).parent / "results" / "epoch.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"target {TARGET} reached: {reached}; written to {path}")


if __name__ == "__main__":
    main()
