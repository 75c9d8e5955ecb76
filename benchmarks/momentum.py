"""SGD with momentum on linear regression: the price of momentum and phase-space averages.

Each contestant makes replica-steps of one workload on one thread; contestants take turns, and a
rate is work per second of this process's own processor time, the median over rounds. With momentum
and weight decay every step adds to the averages of phase space: position, squares of position and
velocity, their product at half steps, the areal rate, and the loss. What that costs is seen against
`core.ensembles.regression` without momentum, which averages position and loss ("averages") or only
tests the loss ("first passage"), and first passages with momentum against those without. The peers
do the same work with momentum: a torch.optim.SGD loop, batched torch by hand, JAX vmap + scan, and
the package's torch reference. Ratios of one run are what to look at; absolute rates belong to the
machine.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import linear_regression as plain  # beside this file; sets one thread for everybody
import torch

from sgdescape.core.ensembles import phase_space, regression
from sgdescape.core.runs import provenance

D, ETA, BETA, DECAY = plain.D, plain.ETA, 0.9, 1e-3
MOTION = {"momentum": BETA, "weight_decay": DECAY}
OURS = "numba float32, every step recorded"
PASSAGE_RATIO = 0.7  # first passages with momentum over those without, at least
RATIOS = {  # ours over it, at least
    "no momentum: averages": 0.5,
    "no momentum: first passage": 0.5,
    "jax vmap + scan": 5.0,
    "torch batched, R=1,000": 4.0,
}


def optimizer_loop(data, batch_size):
    """The plain loop: nn.Linear, autograd, torch.optim.SGD, sums of phase space; one replica."""
    x = torch.tensor(data.inputs, dtype=torch.float32)
    y = torch.tensor(data.targets, dtype=torch.float32)[:, None]
    minimum = torch.tensor(data.minimum, dtype=torch.float32)

    def run(steps):
        model = torch.nn.Linear(D, 1, bias=False)
        weight = model.weight
        options = {"lr": ETA, "momentum": BETA, "weight_decay": DECAY}
        optimizer = torch.optim.SGD(model.parameters(), **options)
        sums, before = torch.zeros(5, D, dtype=torch.float64), torch.zeros(D)
        for _ in range(steps):
            index = torch.randint(len(x), (batch_size,))
            loss = 0.5 * (model(x[index]) - y[index]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                apart = weight[0] - minimum
                delta = -ETA * optimizer.state[weight]["momentum_buffer"][0]
                products = (apart, apart**2, delta**2, apart * delta, apart * before)
                sums += torch.stack(products)
                before = delta
        return steps

    return run


def batched(data, batch_size, replicas=1000):
    """Torch by hand: gather, products, sums of phase space; torch's own generator."""
    rows = torch.tensor(data.rows, dtype=torch.float32)
    offset = ETA * DECAY * torch.tensor(data.basis.T @ data.minimum, dtype=torch.float32)
    h = torch.tensor(data.curvatures, dtype=torch.float32)

    def run(steps):
        z, delta = torch.zeros(replicas, D), torch.zeros(replicas, D)
        sums = torch.zeros(5, replicas, D, dtype=torch.float64)
        loss = torch.zeros(replicas, dtype=torch.float64)
        for _ in range(steps):
            chosen = rows[torch.randint(len(rows), (replicas, batch_size))]
            x = chosen[..., :D]
            residual = torch.bmm(x, z[:, :, None])[..., 0] - chosen[..., D]
            gradient = torch.bmm(residual[:, None], x)[:, 0]
            before = delta
            delta = BETA * delta - ETA / batch_size * gradient - ETA * DECAY * z - offset
            z = z + delta
            loss += z**2 @ h
            for total, term in zip(sums, (z, z**2, delta**2, z * delta, z * before), strict=True):
                total += term
        return steps * replicas

    return run


def jax_scan(data, batch_size, replicas=1000):
    """JAX: one replica's scan, vmapped and compiled; sums in float32, which favours it."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    x, r = (jnp.asarray(a, jnp.float32) for a in (data.rows[:, :D], data.rows[:, D]))
    offset = jnp.asarray(ETA * DECAY * data.basis.T @ data.minimum, jnp.float32)
    h = jnp.asarray(data.curvatures, jnp.float32)

    def one(key, steps):
        def step(carry, k):
            z, delta, sums, loss = carry
            index = jax.random.randint(jax.random.fold_in(key, k), (batch_size,), 0, len(x))
            chosen = x[index]
            gradient = (chosen @ z - r[index]) @ chosen
            new = BETA * delta - ETA / batch_size * gradient - ETA * DECAY * z - offset
            z = z + new
            sums = sums + jnp.stack((z, z**2, new**2, z * new, z * delta))
            return (z, new, sums, loss + h @ z**2), None

        start = (jnp.zeros(D), jnp.zeros(D), jnp.zeros((5, D)), 0.0)
        return jax.lax.scan(step, start, jnp.arange(steps))[0]

    many = jax.jit(jax.vmap(one, (0, None)), static_argnums=1)
    keys = jax.random.split(jax.random.key(0), replicas)

    def run(steps):
        jax.block_until_ready(many(keys, steps))
        return steps * replicas

    return run


def ours(data, batch_size, *, momentum=True, engine="numba", dtype="float32", replicas=32, **more):
    """The package's time averages, with momentum or without."""
    common = {"learning_rate": ETA, "batch_size": batch_size, "burn_in": 0, "seed": 1}
    place = {"engine": engine, "dtype": dtype, "device": "cpu", "threads": 1}

    def run(steps):
        options = {"steps": steps, "replicas": range(replicas), **common, **place, **more}
        if momentum:
            phase_space.averages(data, **MOTION, **options)
        else:
            regression.stationary(data, **options)
        return steps * replicas

    return run


def passage(data, batch_size, dtype, motion, replicas=32):
    """The package's first passages, far levels so that every step is made."""
    options = {"learning_rate": ETA, "batch_size": batch_size, "seed": 1, "dtype": dtype} | motion
    place = {"engine": "numba", "device": "cpu", "threads": 1}

    def run(steps):
        made = regression.first_passage(
            data, thresholds=[1e30], max_steps=steps, replicas=range(replicas), **options, **place
        )
        return int(made.last_step.sum())

    return run


def measure_passages(*, rounds):
    """Return one row a workload and precision: the best rate with momentum over that without."""
    rows = []
    for samples, batch_size in plain.WORKLOADS:
        data, steps = regression.gaussian_data(samples, D, seed=0), 100_000 // batch_size
        for dtype in ("float32", "float64"):
            best = {}
            for turn in range(rounds + 1):  # the first one compiles and warms up
                for name, motion in (("plain", {}), ("momentum", MOTION)):
                    run, begin = passage(data, batch_size, dtype, motion), time.process_time()
                    rate = run(steps) / (time.process_time() - begin)
                    if turn:
                        best[name] = max(rate, best.get(name, 0.0))
            ratio = best["momentum"] / best["plain"]
            row = {"samples": samples, "batch_size": batch_size, "dtype": dtype}
            row |= {f"{name}_replica_steps_per_second": rate for name, rate in best.items()}
            row |= {"momentum_over_plain": ratio, "target_ratio": PASSAGE_RATIO}
            rows.append(row | {"target_reached": ratio >= PASSAGE_RATIO})
    return rows


def contestants(data, batch_size):
    """Return what to run and steps a turn, by name."""
    small = 10_000 // batch_size
    found = {
        "torch.optim.SGD loop": (optimizer_loop(data, batch_size), 100),
        "torch batched, R=1,000": (batched(data, batch_size), max(20, small // 10)),
        "jax vmap + scan": (jax_scan(data, batch_size), max(20, small // 5)),
        "torch reference": (ours(data, batch_size, engine="torch", replicas=1000), 20),
        "no momentum: first passage": (
            plain.ours(data, batch_size, engine="numba", replicas=32),
            10 * small,
        ),
        "no momentum: averages": (ours(data, batch_size, momentum=False), 10 * small),
        OURS: (ours(data, batch_size), 10 * small),
        "numba float32, every tenth step recorded": (
            ours(data, batch_size, record_every=10),
            10 * small,
        ),
        "no momentum, float64: averages": (
            ours(data, batch_size, momentum=False, dtype="float64"),
            10 * small,
        ),
        "numba float64, every step recorded": (
            ours(data, batch_size, dtype="float64"),
            10 * small,
        ),
    }
    return {name: made for name, made in found.items() if made[0] is not None}


def measure(samples, batch_size, *, rounds):
    """Return one row a contestant: replica-steps per second of processor time."""
    data = regression.gaussian_data(samples, D, seed=0)
    running = contestants(data, batch_size)
    rates = {name: [] for name in running}
    for turn in range(rounds + 1):  # the first one compiles and warms up
        for name, (run, steps) in running.items():
            begin = time.process_time()
            work = run(steps)
            spent = time.process_time() - begin
            if turn:
                rates[name].append(work / spent)
    assert torch.get_num_threads() == 1, "a contestant changed torch's threads"
    rows = []
    for name, values in rates.items():
        ratio = statistics.median(a / b for a, b in zip(rates[OURS], values, strict=True))
        row = {"samples": samples, "batch_size": batch_size, "contestant": name}
        row["replica_steps_per_second"] = statistics.median(values)
        row["momentum_float32_over_it"] = ratio
        if name in RATIOS and samples == plain.WORKLOADS[0][0]:
            row["target_ratio"], row["target_reached"] = RATIOS[name], ratio >= RATIOS[name]
        rows.append(row)
    return rows


def environment():
    """Return what a rate belongs to."""
    return {
        "processor": provenance.processor(),
        "logical_cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def show(rows, passages):
    """Print the tables."""
    marks = {True: "reached", False: "MISSED", None: ""}
    for r in rows:
        rate, ratio = r["replica_steps_per_second"], r["momentum_float32_over_it"]
        name = f"N={r['samples']:>6} B={r['batch_size']:>2}  {r['contestant']:<42}"
        mark = marks[r.get("target_reached")]
        print(f"{name}{rate:>10.3g}/s   momentum/it {ratio:>9.3g}   {mark}")
    for r in passages:
        name = f"N={r['samples']:>6} B={r['batch_size']:>2}  first passage, {r['dtype']:<27}"
        rate, ratio = r["momentum_replica_steps_per_second"], r["momentum_over_plain"]
        print(f"{name}{rate:>10.3g}/s   over plain {ratio:>10.2f}   {marks[r['target_reached']]}")


def main():
    """Measure, print the tables, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="interleaved repetitions")
    parser.add_argument(
        "--passages-only", action="store_true", help="leave the rest of the record as it is"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    path = Path(__file__).parent / "results" / "momentum.json"
    if arguments.passages_only:
        record = json.loads(path.read_text())
    else:
        rows = []
        for samples, batch_size in plain.WORKLOADS:
            rows += measure(samples, batch_size, rounds=arguments.rounds)
        record = {
            "workload": f"SGD on linear regression, d = {D}, momentum {BETA}, weight decay "
            f"{DECAY}, phase-space averages",
            "unit": "replica-steps per second of processor time, one thread",
            "rounds": arguments.rounds,
            **environment(),
            "rows": rows,
        }
    passages = measure_passages(rounds=arguments.rounds)
    record["first_passage"] = {
        "rate": "the best of the rounds",
        "rounds": arguments.rounds,
        **environment(),
        "rows": passages,
    }
    show([] if arguments.passages_only else record["rows"], passages)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
