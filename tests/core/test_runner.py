"""Runner: the same bits for any chunks, workers and interruptions; refusals that lose nothing."""

import errno
import os
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sgdescape.core.runs import store as chunk_store
from sgdescape.core.runs import sweep as runner
from sgdescape.core.runs.store import CorruptChunkWarning, StoreError
from sgdescape.core.runs.sweep import ChunkError, sweep

GRID = {"rate": [0.5, 1.5], "law": ["normal", "uniform"]}


def walk(replicas, *, seed, rate, law, steps=5, log=None, sleep=0.0):
    """A random walk a replica; each call leaves a line in the log."""
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{rate} {law} {replicas.start} {replicas.stop}\n")
    time.sleep(sleep)
    paths = []
    for replica in replicas:
        rng = np.random.default_rng([seed, replica])
        noise = rng.normal(size=steps) if law == "normal" else rng.uniform(-1, 1, steps)
        paths.append(np.cumsum(rate * noise))
    return {"path": np.array(paths), "end": np.array(paths)[:, -1]}


def failing(replicas, *, seed, rate):
    if rate == 2.0 and 3 in replicas:
        raise FloatingPointError("loss is nan at step 12")
    return {"a": np.arange(replicas.start, replicas.stop)}


def dying(replicas, *, seed, rate):
    os.kill(os.getpid(), signal.SIGKILL)


def run(**options):
    return sweep(walk, GRID, replicas=7, seed=3, dims={"path": ["step"]}, **options)


WHOLE = run()


def test_layout_of_the_result():
    assert WHOLE.path.dims == ("rate", "law", "replica", "step") and WHOLE.path.shape == (
        2,
        2,
        7,
        5,
    )
    assert WHOLE.law.values.tolist() == ["normal", "uniform"]
    one = walk(range(4, 5), seed=3, rate=1.5, law="uniform")
    np.testing.assert_array_equal(
        WHOLE.path.sel(rate=1.5, law="uniform", replica=4), one["path"][0]
    )


@given(st.integers(1, 20))
def test_any_chunk_size_gives_the_same_bits(chunk_size):
    xr.testing.assert_identical(run(chunk_size=chunk_size), WHOLE)


@given(st.permutations(range(8)), st.integers(1, 7))
@settings(max_examples=20)
def test_any_order_of_completion_gives_the_same_bits(order, chunk_size):
    class Shuffled(Executor):
        """Runs everything at the first result, in another order: a caricature of a cluster."""

        def __init__(self):
            self.tasks = []

        def submit(self, function, *arguments):
            future = Future()
            self.tasks.append((future, function, arguments))
            if len(self.tasks) == 4 * -(-7 // chunk_size):
                for i in sorted(range(len(self.tasks)), key=lambda i: order[i % 8]):
                    task = self.tasks[i]
                    task[0].set_result(task[1](*task[2]))
            return future

    xr.testing.assert_identical(run(chunk_size=chunk_size, executor=Shuffled()), WHOLE)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_gives_the_same_bits(workers):
    with ThreadPoolExecutor(workers) as executor:
        xr.testing.assert_identical(run(chunk_size=2, executor=executor), WHOLE)


def threads_of_torch(replicas, *, seed):
    import torch

    return {"threads": np.full(len(replicas), torch.get_num_threads())}


def test_worker_processes_give_the_same_bits_with_one_thread_each(tmp_path):
    executor = runner.processes(2)
    try:
        found = run(chunk_size=2, executor=executor, store=tmp_path)
        xr.testing.assert_identical(found, WHOLE)
        with pytest.raises(
            ChunkError, match="replicas 0 to 0 at the only point: ZeroDivisionError"
        ):
            sweep(divide, {}, executor=executor)
        assert sweep(threads_of_torch, {}, executor=executor).threads.item() == 1
    finally:
        executor.shutdown()
    xr.testing.assert_identical(run(chunk_size=2, store=tmp_path), WHOLE)


def divide(replicas, *, seed):
    return {"a": [1 / seed]}


def test_in_this_process_torch_gets_its_threads_back():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert sweep(threads_of_torch, {}).threads.item() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def calls(log):
    return sorted(Path(log).read_text(encoding="utf-8").splitlines()) if Path(log).exists() else []


def stored(folder):
    return sorted(p.name for p in Path(folder).glob("*.npz"))


SCRIPT = """
import sys; sys.path.insert(0, {tests!r})
import test_runner as t
from sgdescape.core.runs import sweep as runner
if __name__ == "__main__":
    executor = runner.processes(2) if {pool} else None
    t.sweep(t.walk, t.GRID, replicas=7, seed=3, chunk_size=1, store={store!r}, version="1",
            options={{"sleep": 0.15}}, executor=executor)
"""


@pytest.mark.parametrize("pool", [False, True])
def test_kill_in_the_middle_then_resume_is_bit_identical(tmp_path, pool):
    store = tmp_path / "store"
    script = SCRIPT.format(tests=str(Path(__file__).parent), store=str(store), pool=pool)
    main = tmp_path / "main.py"
    main.write_text(script, encoding="utf-8")
    process = subprocess.Popen([sys.executable, str(main)], start_new_session=True)
    try:
        deadline = time.time() + 300
        while len(stored(store)) < 3:
            assert time.time() < deadline and process.poll() is None, "no chunk was written"
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the workers too
        process.wait()
    done = stored(store)
    assert 3 <= len(done) < 28
    recomputed = []

    def counted(i, *arguments, one=runner._one):
        recomputed.append(i)
        return one(i, *arguments)

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")  # no damaged file: each is whole or absent
        patch.setattr(runner, "_one", counted)
        found = sweep(
            walk, GRID, replicas=7, seed=3, chunk_size=1, store=store, version="1",
            options={"sleep": 0.15}, dims={"path": ["step"]},
        )  # fmt: skip
    assert len(recomputed) == 28 - len(done)
    assert set(done) <= set(stored(store)) and len(stored(store)) == 28
    xr.testing.assert_identical(found, WHOLE)


def test_second_call_computes_nothing_and_a_larger_grid_only_what_is_new(tmp_path):
    log, store = tmp_path / "log", tmp_path / "store"
    options = {"log": str(log)}
    first = run(store=store, options=options, chunk_size=4)
    assert len(calls(log)) == 8
    xr.testing.assert_identical(run(store=store, options=options, chunk_size=4), first)
    assert len(calls(log)) == 8
    sweep(walk, GRID | {"rate": [0.5, 1.5, 2.5]}, replicas=7, seed=3, store=store,
          options=options, chunk_size=4)  # fmt: skip
    assert len(calls(log)) == 12


@dataclass(frozen=True)
class Size:
    steps: int = 5


@pytest.mark.parametrize(
    "changes",
    [{"seed": 4}, {"version": "2"}, {"options": {"steps": 6}}, {"chunk_size": 3}],
)
def test_whatever_changes_the_result_changes_the_name(tmp_path, changes):
    base = {"replicas": 7, "seed": 3, "version": "1", "store": tmp_path, "options": {"steps": 5}}
    sweep(walk, GRID, **base)
    before = set(stored(tmp_path))
    sweep(walk, GRID, **(base | changes))
    assert not before & (set(stored(tmp_path)) - before) and len(stored(tmp_path)) > len(before)


def sized(replicas, *, seed, size):
    return {"a": np.full((len(replicas), size.steps), seed)}


def test_options_may_be_a_configuration(tmp_path):
    for steps in (5, 6):
        found = sweep(sized, {}, options={"size": Size(steps)}, store=tmp_path)
        assert found.a.shape == (1, steps)


def test_version_follows_the_source():
    assert runner.code_version(walk) == runner.code_version(failing)  # same module
    assert runner.code_version(walk) != runner.code_version(chunk_store.read)


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "truncated":
        data = data[: len(data) // 2]
    elif how == "empty":
        data = b""
    elif how == "pickle":
        np.savez(path, a=np.array([{"b": 1}], dtype=object))
        return
    elif how == "another":
        other = next(p for p in sorted(path.parent.glob("*.npz")) if p != path)
        data = other.read_bytes()
    elif how == "flipped":
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        arrays["end"] = arrays["end"] + 1e-12  # a valid archive: only the checksum can tell
        np.savez(path, **arrays)
        return
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["truncated", "empty", "pickle", "another", "flipped"])
def test_damaged_chunk_is_named_and_computed_again(tmp_path, how):
    run(store=tmp_path)
    path = tmp_path / stored(tmp_path)[0]
    damage(path, how)
    with pytest.warns(CorruptChunkWarning, match=f"{path.name} is damaged"):
        found = run(store=tmp_path)
    xr.testing.assert_identical(found, WHOLE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        xr.testing.assert_identical(run(store=tmp_path), WHOLE)


@given(st.integers(0, 10**6), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_no_changed_byte_is_ever_believed(tmp_path_factory, position, value):
    folder = tmp_path_factory.mktemp("store")
    arrays = {"a": np.arange(5.0), "b": np.array(["x", "yz"])}
    path = chunk_store.write(folder, "identity", arrays)
    data = bytearray(path.read_bytes())
    data[position % len(data)] = value
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = chunk_store.read(folder, "identity")
    if found is not None:  # a byte of the archive's own padding, or the same value
        assert found.keys() == arrays.keys()
        assert all(np.array_equal(found[k], arrays[k]) for k in arrays)


def test_full_disk_is_reported_and_loses_nothing(tmp_path, monkeypatch):
    real, written = os.replace, []

    def full(source, target):
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(target)
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreError, match="No space left on device; the pieces already there are"):
        run(store=tmp_path)
    monkeypatch.setattr(os, "replace", real)
    assert len(stored(tmp_path)) == 2 and not list(tmp_path.glob(".*.tmp"))
    xr.testing.assert_identical(run(store=tmp_path), WHOLE)


def test_store_under_a_file_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    log = tmp_path / "log"
    for store in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StoreError, match="store must be a folder that can be written"):
            run(store=store, options={"log": str(log)})
    assert calls(log) == [] and (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_only_old_leftovers_are_dropped(tmp_path):
    old, new = tmp_path / ".a.b.tmp", tmp_path / ".c.d.tmp"
    for path in (old, new):
        path.write_text("", encoding="utf-8")
    os.utime(old, (1, 1))
    chunk_store.open_store(tmp_path)
    assert not old.exists() and new.exists()  # the new one may belong to a run in progress


@pytest.mark.parametrize("workers", [None, 1])
def test_failure_names_replicas_and_parameters_and_keeps_the_rest(tmp_path, workers):
    executor = ThreadPoolExecutor(workers) if workers else None
    message = r"replicas 2 to 3 at rate=2.0: FloatingPointError: loss is nan at step 12"
    with pytest.raises(ChunkError, match=message):
        sweep(failing, {"rate": [1.0, 2.0]}, replicas=6, chunk_size=2, store=tmp_path,
              executor=executor)  # fmt: skip
    assert len(stored(tmp_path)) >= 4


def test_dead_worker_is_an_error_not_a_hang():
    executor = runner.processes(1)
    try:
        with pytest.raises(ChunkError, match="no result for replicas 0 to 0 at rate=1.0"):
            sweep(dying, {"rate": [1.0]}, executor=executor)
    finally:
        executor.shutdown(kill_workers=True)


def test_progress_goes_to_stderr_only(capsys):
    run(progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "4/4" in err
    run()
    assert capsys.readouterr().err == ""


WRONG = {
    "rows": (lambda r, seed: {"a": np.zeros(len(r) + 1)}, ChunkError, "'a' must have 1 rows"),
    "scalar": (lambda r, seed: {"a": 1.0}, ChunkError, "'a' must have 1 rows"),
    "objects": (lambda r, seed: {"a": [{}]}, ChunkError, "got objects"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_returns(case):
    function, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        sweep(function, {})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sweep(walk, GRID, replicas=0), ValueError, "replicas must be at least 1: got 0"),
        (lambda: sweep(walk, GRID, chunk_size=0), ValueError, "chunk_size must be at least 1"),
        (lambda: sweep(walk, GRID, seed=-1), ValueError, "seed must be at least 0"),
        (lambda: sweep(walk, [1, 2]), TypeError, "grid must map parameters to values: got list"),
        (lambda: sweep(walk, {"rate": []}), ValueError, "grid axis 'rate' must be a list"),
        (lambda: sweep(walk, {"rate": [1, "a"]}), ValueError, "must not mix texts and numbers"),
        (lambda: sweep(walk, {"rate": [1, 1]}), ValueError, "'rate' must not repeat a value"),
        (lambda: sweep(walk, {"rate": 3}), ValueError, "grid axis 'rate' must be a list"),
        (lambda: sweep(walk, {"rate": [(1, 2)]}), ValueError, "grid axis 'rate' must be a list"),
        (lambda: sweep(walk, GRID, options={"log": object()}), TypeError, "cannot hold a object"),
        (lambda: sweep(walk, GRID, dims={"path": ["a", "b"]}), ValueError, "dims must name 1 axes"),
        (lambda: sweep(lambda r, seed: {}, {}, store="x"), TypeError, "at the top of a module"),
        (lambda: runner.processes(0), ValueError, "workers must be at least 1: got 0"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
