"""Runs of chapters that are struck: killed, interrupted, out of disk, on every engine.

Whatever hits a run, and whenever: it ends, leaves no process and no half-written file, and the
same command then gives the bits of a run that nothing hit.
"""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest
import xarray as xr

import sgdescape.linear_regression as lr
import sgdescape.neural_network as net
import sgdescape.noise_strength as ns
from sgdescape.core.runs import engines

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

TINY = {
    "linear_regression": replace(
        lr.QUICK, learning_rates=(1.0,), batch_sizes=(5,), records=20, replicas=51, dimensions=(1,),
        largest=(1.3,), slow_dimensions=(1,), slow_largest=(1.15,), law_ratios=(1.1, 1.2),
        samples=100, repetitions=50, runs=20, points=6, data_sets=4, stationary_samples=1000,
        barrier_rates=(0.2, 0.15, 0.12), barrier_ratio=1.3, jump_rates=(0.4, 0.3, 0.2),
        far_ratios=(10.0, 20.0, 40.0), zero_runs=100, zero_starts=(0.5, 0.25), spread_ratio=1.3,
        bins=10,
    ),
    "noise_strength": replace(
        ns.QUICK, images=40, cnn_images=40, hidden=(6, 5, 4), stacks=((2, 1), (3, 1)),
        batch_size=20, cnn_batch_size=20, mlp_epochs=60, cnn_epochs=60, entropy_epochs=60, marks=5,
        replicas=3, cnn_replicas=2, stop=None,
    ),
    "neural_network": replace(
        net.QUICK, exponents=(6.0,), replicas=2, bowl_paths=2, continuous_paths=2,
        path_replicas=1, motion_replicas=2, control_replicas=2,
    ),
}  # fmt: skip
PROGRAM = """
import sys
from sgdescape.cli import main
if __name__ == "__main__":
    main(sys.argv[1:])
"""
LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
"""


def options(stem):
    """The fields in which a tiny configuration differs, as they are typed."""
    config, usual = TINY[stem], sys.modules[f"sgdescape.{stem}"].QUICK
    for field in fields(config):
        value = getattr(config, field.name)
        if value != getattr(usual, field.name):
            text = json.dumps(value) if value is not None else "none"
            yield f"--{field.name.replace('_', '-')}={text}"


def command(folder, stem, engine, *, program=PROGRAM):
    main = folder / "main.py"
    main.write_text(program, encoding="utf-8")
    workers = [] if engine == "serial" else ["--workers", "2"]
    out = ["--out", str(folder / "a.nc"), "--store", str(folder / "store"), "--device", "cpu"]
    return [sys.executable, str(main), "run", stem, "--engine", engine, *workers, *out,
            *options(stem)]  # fmt: skip


def start(words, **more):
    environment = os.environ | {"NUMBA_THREADING_LAYER": "workqueue", "OMP_NUM_THREADS": "1"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, start_new_session=True, env=environment, **streams, **more)


def of_session(leader):
    """Processes of a session that still run: number -> number of the parent."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            state, *rest = Path(f"/proc/{entry}/stat").read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(rest[2]) == leader and state != "Z":
            found[int(entry)] = int(rest[0])
    return found


def wait_for(done, seconds=240):
    deadline = time.time() + seconds
    while not done():
        assert time.time() < deadline, "nothing happened"
        time.sleep(0.02)


def pieces(folder):
    return list((folder / "store").rglob("*.npz"))


def finished(folder, stem, engine="serial"):
    """The result of the same command, let alone."""
    run = start(command(folder, stem, engine))
    said = run.communicate(timeout=900)[1]
    assert run.returncode == 0, said
    with xr.open_dataset(folder / "a.nc") as opened:
        return opened.load().drop_attrs()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Stem -> result of a run that nothing hits, computed when first asked for."""
    known = {}

    def of(stem):
        if stem not in known:
            known[stem] = finished(tmp_path_factory.mktemp(stem), stem)
        return known[stem]

    return of


def strike(run, blow, folder, moment):
    """Hit a run, or one of its workers, some time after it has begun to store pieces."""
    wait_for(lambda: len(pieces(folder)) >= moment.randrange(1, 3) or run.poll() is not None)
    time.sleep(moment.random())
    victim = run.pid
    if blow == "worker":
        workers = [pid for pid in of_session(run.pid) if pid != run.pid]
        victim = moment.choice(workers) if workers else run.pid
    number = signal.SIGKILL if blow in ("worker", "parent") else signal.Signals[blow]
    try:
        os.kill(victim, number)
    except ProcessLookupError:  # it was faster
        pass


QUICK = {("noise_strength", "serial", "parent")}
CASES = [
    pytest.param(*case, marks=[] if case in QUICK else pytest.mark.slow)
    for case in (
        (stem, engine, blow)
        for stem in TINY
        for engine in engines.ENGINES
        for blow in ("SIGINT", "SIGTERM", "parent", "worker")
        if not (engine == "serial" and blow == "worker")
    )
]


@pytest.mark.parametrize(("stem", "engine", "blow"), CASES)
def test_a_run_that_is_struck_ends_and_continues_with_the_same_bits(
    stem, engine, blow, tmp_path, whole
):
    if engine == "dask":
        pytest.importorskip("distributed")
    run = start(command(tmp_path, stem, engine))
    try:
        strike(run, blow, tmp_path, random.Random(f"{stem} {engine} {blow}"))
        said = run.communicate(timeout=300)[1]
        wait_for(lambda: not of_session(run.pid))
    finally:
        for left in of_session(run.pid):
            os.kill(left, signal.SIGKILL)
    assert run.returncode in (0, 1, 130, -signal.SIGTERM, -signal.SIGKILL), said
    if blow == "SIGINT" and run.returncode:
        assert run.returncode == 130 and said.rstrip().endswith("interrupted")
    assert pieces(tmp_path)
    if run.returncode == 0:  # Dask goes on without a worker, or the run was faster
        with xr.open_dataset(tmp_path / "a.nc") as opened:
            xr.testing.assert_identical(opened.load().drop_attrs(), whole(stem))
        (tmp_path / "a.nc").unlink()
    xr.testing.assert_identical(finished(tmp_path, stem), whole(stem))
    assert not list((tmp_path / "store").rglob(".*.tmp"))


@pytest.mark.parametrize(
    ("stem", "engine"),
    [pytest.param(s, e, marks=pytest.mark.slow) for s in TINY for e in engines.ENGINES],
)
def test_a_full_disk_ends_a_run_and_loses_nothing(stem, engine, tmp_path, whole):
    """No file may be longer than 200 bytes: no piece can be written."""
    if engine == "dask":
        pytest.importorskip("distributed")
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    assert hard == resource.RLIM_INFINITY or hard > 200
    run = start(command(tmp_path, stem, engine, program=LIMITED + PROGRAM))
    said = run.communicate(timeout=300)[1]
    assert run.returncode == 1, said
    wait_for(lambda: not of_session(run.pid))
    assert "File too large" in said and "Traceback" not in said
    assert not pieces(tmp_path) and not list((tmp_path / "store").rglob(".*.tmp"))
    xr.testing.assert_identical(finished(tmp_path, stem), whole(stem))


@pytest.mark.parametrize("stem", [pytest.param(s, marks=pytest.mark.slow) for s in TINY])
def test_a_read_only_store_serves_what_it_holds(stem, tmp_path, whole):
    isolated = ["unshare", "--user", "--map-root-user", "--mount"]
    store = tmp_path / "store"
    store.mkdir()
    mount = f"mount --bind {store} {store} && mount -o remount,ro,bind {store}"
    try:
        allowed = subprocess.run([*isolated, "sh", "-c", mount]).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("this system does not let users mount in a name space of their own")

    def read_only():
        run = start([*isolated, "sh", "-c", f'{mount} && exec "$@"', "sh",
                     *command(tmp_path, stem, "serial")])  # fmt: skip
        return run, run.communicate(timeout=900)[1]

    run, said = read_only()
    assert run.returncode == 1 and "store must be a folder that can be written" in said
    expected = finished(tmp_path, stem)
    (tmp_path / "a.nc").unlink()
    run, said = read_only()
    assert run.returncode == 0, said
    with xr.open_dataset(tmp_path / "a.nc") as opened:
        xr.testing.assert_identical(opened.load().drop_attrs(), expected)
    xr.testing.assert_identical(expected, whole(stem))
