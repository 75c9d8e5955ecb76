"""Minimum action: processor seconds for a cheapest path, for Hamiltonians of several kinds.

Run: python benchmarks/quasi_potential.py   (a minute; prints a table, writes
results/quasi_potential.json)

No peer: no public Python tool takes a Hamiltonian that is not a diffusion's. Each row has the cost
found beside its exact value where one is known.
"""

import json
import time
from pathlib import Path

import numpy as np

from sgdescape import large_deviations as ld
from sgdescape.core import quasi_potential as qp


def cases():
    """Return name, Hamiltonian, first guess, points and the exact cost or None."""
    well = qp.diffusion_hamiltonian(lambda x: -x, lambda x: 2 * np.eye(x.shape[-1]))
    theta = np.array([0.6, 0.3])
    bent = np.array([[0, 0], [0.5, -0.2], theta])
    return [
        ("linear drift, 2 directions", well, np.array([[0, 0], [1, 1.5], [2, 0]]), 101, 4.0 / 2),
        ("linear drift, 3 directions", well, np.array([[0, 0, 0], [1, 1, 0], [2, 0, 0]]), 51, 2.0),
        ("Gaussian regression, all cumulants", ld.cumulant, bent, 51, float(theta @ theta)),
    ]


def main():
    """Measure, print, write."""
    rows = []
    for name, hamiltonian, guess, points, exact in cases():
        start = time.process_time()
        found = qp.minimum_action(hamiltonian, guess, points=points)
        seconds = time.process_time() - start
        row = {"case": name, "points": points, "cost": found.cost, "exact": exact}
        rows.append(row | {"gradient": found.gradient, "seconds": round(seconds, 2)})
        known = "" if exact is None else f"exactly {exact:.4f}"
        print(f"{name:36s} {points:4d} points {seconds:7.2f} s   {found.cost:.4f} {known}")
    target = Path(__file__).parent / "results" / "quasi_potential.json"
    target.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
