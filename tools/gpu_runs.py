"""Tests on a card, and runs at the papers' sizes: the longer parts of ``tools/gpu.py``."""

import contextlib
import inspect
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

from gpu_checks import Place

ROOT = Path(__file__).resolve().parent.parent

ON_BOTH = (
    "tests/core/test_projections.py::test_a_path_on_a_gpu_is_measured_as_on_the_cpu",
    "tests/core/test_module_products.py::test_products_on_a_gpu_are_those_on_the_cpu",
)
"""Tests that a card makes run; elsewhere they are skipped."""
KERNELS = tuple(f"tests/core/test_{name}triton.py" for name in ("", "phase_", "sde_"))
"""Tests that a card makes compile the kernels; elsewhere they take Triton's interpreter minutes."""

_OUTCOMES = {"PASSED", "FAILED", "SKIPPED", "ERROR"}

RUNS = {
    "neural_network": {"images": "5000"},
    "noise_strength": {"accept-subset": "true", "cnn-data": "fashion_mnist", "cnn-images": "5000"},
    "linear_regression": {},
    "underdamped_langevin": {"image-set": "fashion_mnist", "images": "5000"},
    "modified_loss": {},
    "decoupling": {"images": "5000"},
}
"""Chapters whose ensembles or networks run on a card, the most valuable first, with what keeps
their `PAPER` sizes to the bundled 5,000 images."""
TINY = {
    "noise_strength": {
        "images": "40",
        "cnn-images": "40",
        "hidden": "6,5,4",
        "stacks": "[[2,1],[3,1]]",
        "pool": "2",
        "cnn-data": "fashion_mnist",
        "batch-size": "20",
        "cnn-batch-size": "20",
        "mlp-epochs": "8",
        "cnn-epochs": "6",
        "entropy-epochs": "5",
        "marks": "5",
        "replicas": "2",
        "cnn-replicas": "2",
    }
}
"""The same path through a chapter that keeps its chunks, in seconds."""


def outcome(line: str) -> dict | None:
    """Return what a line of ``pytest -v`` says of a test, None for other lines.

    Args:
        line: as pytest writes it, with pytest-xdist or without.

    Example:
        >>> outcome("tests/test_a.py::test_b[x-1] PASSED   [ 50%]")
        {'test': 'tests/test_a.py::test_b[x-1]', 'outcome': 'passed'}
        >>> outcome("[gw1] [ 50%] FAILED tests/test_a.py::test_b")
        {'test': 'tests/test_a.py::test_b', 'outcome': 'failed'}
        >>> outcome("FAILED tests/test_a.py::test_b - assert 1 == 2") is None
        True
    """
    line = re.sub(r"^\[gw\d+\]\s*(\[\s*\d+%\])?\s*(?=[A-Z])", "\0", line.strip())
    parallel, line = line.startswith("\0"), line.lstrip("\0")
    words = line.split(" ")
    if parallel and words[0] in _OUTCOMES and "::" in line:
        return {"test": " ".join(words[1:]), "outcome": words[0].lower()}
    found = re.match(r"(\S+\.py::.+?) (PASSED|FAILED|SKIPPED|ERROR)\b", line)
    return {"test": found[1], "outcome": found[2].lower()} if found else None


def tests(place: Place, folders) -> Iterator[dict]:
    """Run the tests that need a card, one row a test as each ends."""
    del folders
    card = place.device != "cpu"
    which = ON_BOTH[:1] if place.tiny else (*KERNELS, *ON_BOTH)
    command = [sys.executable, "-u", "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    if card and find_spec("xdist") and (os.cpu_count() or 1) >= 8:
        command += ["-p", "xdist.plugin", "-n", "4"]
    done = subprocess.Popen(
        [*command, *which],
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # seconds, and strangers' own
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    last, count = [], 0
    for line in done.stdout:
        last = [*last[-29:], line.rstrip()]
        if row := outcome(line):
            count += 1
            yield row
    if done.wait() or not count:
        raise RuntimeError("pytest failed:\n" + "\n".join(last))


def residual_config(place: Place):
    """Return the sizes of the ResNet-18 of full width on the bundled Fashion-MNIST images."""
    from sgdescape.network_limits import QUICK

    if place.tiny:
        return replace(
            QUICK,
            residual_images=128,
            residual_width=1,
            residual_schedule=((0.05, 1),),
            residual_hessian_images=32,
            residual_modes=2,
            residual_iterations=3,
            residual_batches=2,
            residual_runs=((0.002, 0.5, 32, 8), (0.002, 0.0, 32, 8)),
            residual_ring=(0.005, 0.9, 2, 0.02),
        )
    return replace(
        QUICK,
        residual_images=5000,
        residual_width=64,
        residual_schedule=((0.05, 12), (0.01, 8), (0.002, 8)),
        residual_hessian_images=512,
        residual_modes=16,
        residual_iterations=96,
        residual_batches=64,
        residual_ring=(0.005, 0.9, 20, 0.02),
        # Three momenta first; then half the learning rate, and batches of another size.
        residual_runs=tuple(
            (eta, beta, size, 4000)
            for eta, beta, size in (
                (0.002, 0.9, 32),
                (0.002, 0.5, 32),
                (0.002, 0.98, 32),
                (0.001, 0.9, 32),
                (0.002, 0.9, 128),
                (0.004, 0.9, 32),
            )
        ),
    )


CLAIMS = ("speed", "norm", "mode", "batch", "isotropic", "velocities", "equipartition")
"""Claims on the ResNet-18 that need its own measurements only."""


def residual_network(place: Place, folders) -> Iterator[dict]:
    """Follow a ResNet-18 of full width from its plateau, and judge the claims on it."""
    from sgdescape.core.runs import provenance
    from sgdescape.network_limits.measure import resnet

    config, begin = residual_config(place), time.perf_counter()
    dataset = resnet.measure(config, device=place.device, store=folders.store)
    seconds = time.perf_counter() - begin
    dataset.attrs = provenance.record(config, seconds=seconds, device=place.device)
    dataset.attrs |= {"chapter": "network_limits", "part": "the ResNet-18 alone"}
    target = folders.results / "gpu_network_limits.nc"
    saved(dataset, target, cost=f"{seconds:.0f} s on {dataset.device}")
    yield {"file": target.name, "bytes": target.stat().st_size, "seconds": round(seconds, 1)}
    yield from judged(dataset)


def saved(dataset, target: Path, *, cost: str) -> None:
    """Write a result, its long arrays in single precision; without netCDF4 in the older format.

    Args:
        dataset: with its provenance.
        target: of the file, replaced whole or not at all.
        cost: on what, and how long, in words.
    """
    from sgdescape.core.runs import kept

    part = target.with_suffix(".part")
    long = [name for name in dataset if dataset[name].size > 10_000]
    if find_spec("netCDF4"):
        half = {name: {"dtype": "float32"} for name in long}
        kept.save(dataset, part, cost=cost, encoding=half)
    else:  # by SciPy, which does not compress: better than losing a card's minutes
        plain = dataset.assign({name: dataset[name].astype("float32") for name in long})
        plain.assign_attrs(cost=cost).to_netcdf(part, engine="scipy", format="NETCDF3_64BIT")
    os.replace(part, target)


def judged(dataset) -> Iterator[dict]:
    """Yield a row a claim on the ResNet-18: identifier, verdict, value and interval."""
    from sgdescape.core.claims import ClaimError
    from sgdescape.network_limits.claims import resnet as claims

    for name in CLAIMS:
        check = getattr(claims, f"resnet_{name}")
        row = {"claim": f"network_limits.resnet_{name}"}
        try:
            claim = check(dataset)
        except ClaimError as error:  # a finding: the page has another verdict, of a narrow network
            claim = error.claim
            row["note"] = str(error)
        except (ValueError, ArithmeticError, LookupError, AttributeError) as error:
            yield row | {"note": f"cannot be judged: {error}"}
            continue
        if claim is not None:
            row |= {"verdict": claim.verdict, "predicted": claim.predicted}
            row |= {"measured": asdict(claim.measured) if claim.measured else None}
        yield row


def command(stem: str, place: Place, folders, *, keeps: bool) -> list[str]:
    """Return the arguments of ``sgdescape`` for a chapter at the papers' size.

    Args:
        stem: of the chapter.
        place: device and sizes.
        folders: of results and store.
        keeps: whether the chapter keeps finished chunks.
    """
    sizes = (TINY if place.tiny else RUNS)[stem]
    words = ["run", stem, "--scale", "paper", "--device", place.device, "--overwrite"]
    words += ["--out", str(folders.results / f"gpu_{stem}.nc")]
    words += ["--store", str(folders.store), "--engine", "serial"] if keeps else []
    return words + [word for name, text in sizes.items() for word in (f"--{name}", text)]


def chapter(stem: str, place: Place, folders) -> Iterator[dict]:
    """Run a chapter by the command line; what it keeps is found again by the next call."""
    import importlib

    from sgdescape import cli

    run = importlib.import_module(f"sgdescape.{stem}").run
    keeps = "executor" in inspect.signature(run).parameters
    words, said = command(stem, place, folders, keeps=keeps), io.StringIO()
    begin = time.perf_counter()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            cli.main(words)
        except SystemExit as end:
            code = end.code or 0
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise RuntimeError(f"sgdescape ended with {code}:\n{said.getvalue()[-2000:]}")
    target = folders.results / f"gpu_{stem}.nc"
    seconds = round(time.perf_counter() - begin, 1)
    yield {"file": target.name, "bytes": target.stat().st_size, "seconds": seconds}
