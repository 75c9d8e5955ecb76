"""Triton's SDE kernels against the reference: on a GPU where there is one, else interpreted.

Triton decides between compiler and interpreter when it is imported, so each comparison runs in an
interpreter process of its own.
"""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("triton")

SCRIPT = """
import pickle, sys
from sgdescape.core.sde import bowl as sde
results = []
for kind, curvatures, options in pickle.loads(sys.stdin.buffer.read()):
    bowl = sde.Bowl(curvatures, minimum_loss=0.5, learning_rate=0.1, batch_size=1)
    run = getattr(sde, kind)
    results.append([vars(run(bowl, engine=e, **options)) for e in ("reference", "triton")])
sys.stdout.buffer.write(pickle.dumps(results))
"""


def compare(*tasks):
    """Run tasks (function, d, options) on both engines, check them, return what Triton found."""
    environment = dict(os.environ)
    if not torch.cuda.is_available():
        environment["TRITON_INTERPRET"] = "1"
    named = [(kind, tuple(np.linspace(1, 0.5, d)), options) for kind, d, options in tasks]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=pickle.dumps(named),
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    results = pickle.loads(done.stdout)
    for (a, b), (_, _, options) in zip(results, tasks, strict=True):
        rounding = 1e-12 if options["dtype"] == "float64" else 2e-5
        for name in a:
            close = np.allclose(a[name], b[name], rtol=rounding, atol=rounding, equal_nan=True)
            assert close, (name, options)
    return [b for _, b in results]


def passage(process, d, dtype="float64", **more):
    start = np.full(d, 0.05)
    own = {"thresholds": [1.03, 1.1, 4.0], "max_time": 1.0, "start": start}
    return "first_passage", d, {**common(process, dtype), **own, **more}


def average(process, d, dtype="float64", **more):
    own = {"steps": 13, "burn_in": 3, "keep_every": 6, "record_every": 4, "clock": "t"}
    own["edges"] = np.linspace(1, 2, 6)
    return "stationary", d, {**common(process, dtype), **own, **more}


def common(process, dtype):
    diffusion = 0.05 if process == "gld" else None
    named = {"process": process, "diffusion": diffusion, "dtype": dtype, "dt": 0.05}
    return {**named, "replicas": range(5, 75), "seed": 2**63 + 3}


def test_kernels_follow_the_reference():
    first, second, third, fourth = compare(
        passage("decoupled", 1),
        passage("gld", 3, bridge=False, max_time=0.5),
        average("time_changed", 10, "float32"),
        average("decoupled", 2, quantity="radius"),
    )
    for found in (first, second):
        assert 0 < np.isfinite(found["times"]).sum() < found["times"].size
    assert third["samples"].shape == (3, 70, 10) and fourth["duration"].shape == (70,)


@pytest.mark.slow
def test_every_process_and_dimension():
    processes = ("decoupled", "time_changed", "gld")
    tasks = [(make, p, d) for make in (passage, average) for p in processes for d in (1, 4, 10)]
    compare(*(make(p, d) for make, p, d in tasks), passage("decoupled", 10, "float32"))


@pytest.mark.slow
def test_many_steps():
    block = {"replicas": range(64)}
    number = 1000 if torch.cuda.is_available() else 250  # the interpreter takes 0.1 s a step
    many = {"max_time": 0.05 * number, "thresholds": [1.5, 9.0]}
    steps = {"steps": number - 100, "burn_in": 100, "record_every": 50}
    compare(passage("decoupled", 1, **many, **block), average("time_changed", 3, **steps, **block))


def test_importing_the_module_does_not_import_triton():
    code = "import sys; import sgdescape.core.sde.bowl; assert 'triton' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
