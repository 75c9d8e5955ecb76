"""Splitting against plain Monte Carlo at equal error: how much less must be simulated.

Run: python benchmarks/rare_events.py   (ten seconds; prints a table, writes
results/rare_events.json)

A walk on whole numbers, up with chance 0.2, whose probabilities are known exactly. Both costs are
counted in steps of the chain, so that the machine does not matter: plain Monte Carlo needs
(1 - p) / (p error^2) runs for a relative error, splitting is measured at its own error.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from sgdescape.core.rare_events import probability

TARGETS = (6, 10, 14, 18, 22)
STEPS = 60


def walk(x, rng):
    """Return the next places: up with chance 0.2, else down, not below 0."""
    return np.maximum(x + np.where(rng.random(x.shape) < 0.2, 1.0, -1.0), 0.0)


def exact(target):
    """Return the chance to reach the target within `STEPS` steps."""
    matrix = np.zeros((target + 1, target + 1))
    for i in range(target):
        matrix[i, i + 1] += 0.2
        matrix[i, max(i - 1, 0)] += 0.8
    matrix[target, target] = 1
    return float(np.linalg.matrix_power(matrix, STEPS)[0, target])


def measure(target, repetitions):
    """Return probability, relative error, cost of splitting and of plain Monte Carlo at it."""
    start = time.perf_counter()
    found = probability(
        walk,
        np.zeros(1),
        lambda x: x[:, 0],
        target=target,
        steps=STEPS,
        replicas=400,
        repetitions=repetitions,
    )
    p = exact(target)
    error = found.estimates.std(ddof=1) / np.sqrt(repetitions) / p
    plain = STEPS * (1 - p) / (p * error**2)
    return {
        "target": target,
        "exact": p,
        "found": found.probability.value,
        "relative_error": float(error),
        "steps": found.steps,
        "steps_plain": float(plain),
        "factor": float(plain / found.steps),
        "seconds": round(time.perf_counter() - start, 2),
    }


def main():
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=20)
    rows = [measure(target, parser.parse_args().repetitions) for target in TARGETS]
    print("       p exact       found   rel. error   fewer steps by")
    for row in rows:
        print(
            f"{row['exact']:14.3e} {row['found']:11.3e} {row['relative_error']:12.3f} "
            f"{row['factor']:16.3g}"
        )
    target = Path(__file__).parent / "results" / "rare_events.json"
    target.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
