"""Many SGD runs of 784-10-1 with the full loss at every step: this package against its peers.

    python benchmarks/network_ensembles.py [--repeats 3] [--seconds 4]

Every method runs in a process of its own on one thread, the methods in turn, ``repeats`` times
round, for each (images N, batch size B). A process first runs a few steps (imports, compilation),
then about ``seconds`` seconds, of which the CPU seconds count. Medians over the rounds, in steps of
one run (replica-steps) per CPU second, float32. Images are random: the speed does not depend on
them. Not counted: the Gram matrix, once for all runs.

Methods: sgdescape (numba kernel in sample space); "reference" (this package's batched autograd);
"torch loop" (nn.Module, autograd, one run); "torch.func" (vmap of grad over runs); "jax" (vmap of
grad, lax.scan over the steps, jit).

Target (performance of one core of a server of 2021): at least 12,000, 65,000 and 4,000 for
(1,000, 100), (1,000, 10) and (10,000, 10), at least 7, 25 and 13 times the reference.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from sgdescape.core.runs import provenance

RESULT = Path(__file__).parent / "results" / "network_ensembles.json"
SIZES = ((1000, 100), (1000, 10), (10_000, 10))
METHODS = ("sgdescape", "reference", "torch loop", "torch.func", "jax")
REPLICAS = {"sgdescape": 1, "reference": 50, "torch loop": 1, "torch.func": 50, "jax": 50}
TARGETS = {(1000, 100): 12_000, (1000, 10): 65_000, (10_000, 10): 4_000}
RATE = 0.01
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


def images(n):
    """Return n sparse random images and signs."""
    import torch

    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(n, 784, generator=generator)
    pixels *= torch.rand(n, 784, generator=generator) < 0.2
    return pixels, torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)


def package(engine, n, size):
    """Return a function of a number of steps that runs this package."""
    from sgdescape.core.ensembles import network
    from sgdescape.core.networks import models

    inputs, targets = images(n)
    problem = network.problem(models.mlp((784, 10, 1), seed=0), inputs, targets)
    replicas = range(REPLICAS["sgdescape" if engine == "numba" else "reference"])

    def run(steps):
        network.run(
            problem,
            learning_rate=RATE,
            batch_size=size,
            max_steps=steps,
            replicas=replicas,
            seed=0,
            record_every=1,
            engine=engine,
            device="cpu",
        )

    return run


def torch_loop(n, size):
    """Return one run as most would write it."""
    import torch

    from sgdescape.core.networks import models

    inputs, targets = images(n)
    model = models.mlp((784, 10, 1), seed=0)
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)

    def run(steps):
        for _ in range(steps):
            batch = torch.randint(n, (size,))
            optimiser.zero_grad()
            loss = 0.5 * ((model(inputs[batch])[:, 0] - targets[batch]) ** 2).mean()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                (0.5 * ((model(inputs)[:, 0] - targets) ** 2).mean()).item()

    return run


def torch_func(n, size):
    """Return vmap(grad(functional_call)) over the runs."""
    import torch

    from sgdescape.core.networks import models

    inputs, targets = images(n)
    model = models.mlp((784, 10, 1), seed=0)
    count = REPLICAS["torch.func"]

    def loss(parameters, x, y):
        outputs = torch.func.functional_call(model, parameters, (x,))[:, 0]
        return 0.5 * ((outputs - y) ** 2).mean()

    gradient = torch.func.vmap(torch.func.grad(loss))
    full = torch.func.vmap(loss, in_dims=(0, None, None))

    def run(steps):
        start = {k: p.detach().expand(count, *p.shape) for k, p in model.named_parameters()}
        with torch.no_grad():
            for _ in range(steps):
                batch = torch.randint(n, (count, size))
                slopes = gradient(start, inputs[batch], targets[batch])
                start = {k: start[k] - RATE * slopes[k] for k in start}
                full(start, inputs, targets)

    return run


def jax_scan(n, size):
    """Return vmap(grad) inside lax.scan, compiled; a call makes a fixed number of steps."""
    import jax
    import jax.numpy as jnp

    inputs, targets = (jnp.asarray(a.numpy()) for a in images(n))
    count, block = REPLICAS["jax"], 4
    key = jax.random.key(0)
    parameters = [
        0.05 * jax.random.normal(key, (count, 784, 10)),
        jnp.zeros((count, 10)),
        0.3 * jax.random.normal(key, (count, 10)),
        jnp.zeros((count,)),
    ]

    def loss(p, x, y):
        outputs = jax.nn.relu(x @ p[0] + p[1]) @ p[2] + p[3]
        return 0.5 * ((outputs - y) ** 2).mean()

    def step(p, key):
        batch = jax.random.randint(key, (count, size), 0, n)
        slopes = jax.vmap(jax.grad(loss))(p, inputs[batch], targets[batch])
        p = [a - RATE * g for a, g in zip(p, slopes, strict=True)]
        return p, jax.vmap(loss, (0, None, None))(p, inputs, targets)

    blocks = jax.jit(lambda p, key: jax.lax.scan(step, p, jax.random.split(key, block)))

    def run(steps):
        state = parameters
        for index in range(max(1, steps // block)):
            state, losses = blocks(state, jax.random.fold_in(key, index))
        losses.block_until_ready()

    run.block = block
    return run


def measure(method, n, size, seconds):
    """Return replica-steps per CPU second of one method, in this process."""
    if method != "jax":
        import torch

        torch.set_num_threads(1)
    run = {
        "sgdescape": lambda: package("numba", n, size),
        "reference": lambda: package("reference", n, size),
        "torch loop": lambda: torch_loop(n, size),
        "torch.func": lambda: torch_func(n, size),
        "jax": lambda: jax_scan(n, size),
    }[method]()
    block = getattr(run, "block", 1)
    run(2 * block)
    trial, spent = 2 * block, 0.0
    while spent < 0.3:  # long enough to tell how many steps take the time asked for
        trial *= 2
        start = time.process_time()
        run(trial)
        spent = time.process_time() - start
    steps = max(int(trial * seconds / spent) // block, 1) * block
    start = time.process_time()
    run(steps)
    return steps * REPLICAS[method] / (time.process_time() - start)


def main():
    """Measure all methods in turn and write the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--one", nargs=3, metavar=("METHOD", "N", "B"), help="internal")
    arguments = parser.parse_args()
    if arguments.one:
        method, n, size = arguments.one
        print(json.dumps(measure(method, int(n), int(size), arguments.seconds)))
        return
    found = {}
    for done in range(arguments.repeats):
        for n, size in SIZES:
            for method in METHODS:
                rate = in_process(method, n, size, arguments.seconds)
                if rate is not None:
                    found.setdefault((n, size, method), []).append(rate)
        write(found, done + 1)


def in_process(method, n, size, seconds):
    """Return the rate measured in a process of its own, None if it failed (said why)."""
    command = [sys.executable, __file__, "--one", method, str(n), str(size)]
    command += ["--seconds", str(seconds)]
    environment = os.environ | ONE_THREAD
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(f"{method} {n} {size}: {done.stderr.strip().splitlines()[-1]}", flush=True)
        return None
    rate = json.loads(done.stdout.splitlines()[-1])
    print(f"N={n:6d} B={size:4d} {method:12} {rate:10.0f} /s", flush=True)
    return rate


def write(found, rounds):
    """Write medians and ranges of what was found so far."""
    rows = []
    for (n, size, method), rates in found.items():
        ours = statistics.median(found[n, size, "sgdescape"])
        rate = statistics.median(rates)
        rows.append(
            {
                "images": n,
                "batch_size": size,
                "method": method,
                "replica_steps_per_cpu_second": round(rate),
                "range": [round(min(rates)), round(max(rates))],
                "sgdescape_over_this": round(ours / rate, 1),
            }
        )
    RESULT.parent.mkdir(exist_ok=True)
    record = {
        "unit": "steps of one run per CPU second, one thread, float32, full loss at every step",
        "targets": {f"N={n}, B={b}": value for (n, b), value in TARGETS.items()},
        "replicas_run_together": REPLICAS,
        "rounds": rounds,
        "processor": provenance.processor(),
        "python": platform.python_version(),
        "rows": rows,
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
