"""Engines: the same bits from each; deaths of workers and parents, full and read-only disks."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import test_runner
import xarray as xr
from test_runner import GRID, WHOLE, run, stored, walk

from sgdescape.core.runs import engines, provenance
from sgdescape.core.runs import store as chunk_store
from sgdescape.core.runs import sweep as runner
from sgdescape.core.runs.engines import EngineError, executor
from sgdescape.core.runs.store import StoreError
from sgdescape.core.runs.sweep import ChunkError, sweep

HERE = Path(__file__).parent
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def wait_for(done, *, seconds=120):
    deadline = time.time() + seconds
    while not done():
        assert time.time() < deadline, "nothing happened"
        time.sleep(0.02)


def slow_run(**options):
    """`run` in 28 chunks that take a while each."""
    return run(chunk_size=1, options={"sleep": 0.1}, version="1", **options)


def process_id(replicas, *, seed, sleep=0.3):
    time.sleep(sleep)
    return {"pid": np.full(len(replicas), os.getpid()), "cwd": np.full(len(replicas), os.getcwd())}


def script(folder, text):
    """A file that can be run, with this folder's modules in reach."""
    path = folder / "main.py"
    path.write_text(f"import sys; sys.path.insert(0, {str(HERE)!r})\n" + text, encoding="utf-8")
    return [sys.executable, str(path)]


# --- serial and processes --------------------------------------------------------------------


def test_serial_computes_here():
    with executor("serial") as pool:
        assert pool is None
        xr.testing.assert_identical(run(executor=pool), WHOLE)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["processes", "dask"])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_gives_the_same_bits(engine, workers):
    if engine == "dask":
        pytest.importorskip("distributed")
    with executor(engine, workers=workers) as pool:
        for chunk_size in (1, 3, 100):
            found = run(chunk_size=chunk_size, executor=pool, version="1")
            xr.testing.assert_identical(found, WHOLE)


def test_killed_worker_process_then_resume(tmp_path):
    """Of a pool of processes every worker is lost with one; what is stored is not."""
    victims = []

    def kill_one():
        wait_for(lambda: len(stored(tmp_path)) >= 4)
        os.kill(victims[0], signal.SIGKILL)

    with (
        pytest.raises(ChunkError, match="the same call continues from the finished chunks"),
        executor("processes", workers=2) as pool,
    ):
        victims.append(sweep(process_id, {}, executor=pool).pid.item())
        killer = threading.Thread(target=kill_one)
        killer.start()
        slow_run(executor=pool, store=tmp_path)
    killer.join()
    done = len(stored(tmp_path))
    assert 4 <= done < 28 and not list(tmp_path.glob(".*.tmp"))
    xr.testing.assert_identical(slow_run(store=tmp_path), WHOLE)
    assert len(stored(tmp_path)) == 28


def processes_of_session(leader):
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            state, *rest = (
                Path(f"/proc/{entry}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            )
        except OSError:
            continue
        if int(rest[2]) == leader and state != "Z":
            found.append(int(entry))
    return found


@linux
def test_killed_parent_leaves_no_orphans_and_resumes(tmp_path):
    store = tmp_path / "store"
    command = script(tmp_path, f"""
import test_engines
from sgdescape.core.runs.engines import executor
if __name__ == "__main__":
    with executor("processes", workers=2) as pool:
        test_engines.slow_run(executor=pool, store={str(store)!r})
""")  # fmt: skip
    parent = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: len(stored(store)) >= 3)
        parent.kill()  # the parent alone
        parent.wait()
        wait_for(lambda: not processes_of_session(parent.pid), seconds=30)
    finally:
        for left in processes_of_session(parent.pid):
            os.kill(left, signal.SIGKILL)
    assert 3 <= len(stored(store)) < 28
    xr.testing.assert_identical(slow_run(store=store), WHOLE)


def test_worker_with_other_sources_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_package_digest", lambda: b"edited since")
    chunks = runner._chunks(walk, "1", ("", ""), {}, {}, 0, 1, 1)
    monkeypatch.undo()
    stale = runner._Chunk(**(vars(chunks[0]) | {"sources": b"edited since".hex()}))
    with pytest.raises(ChunkError, match="the worker .* has other sources of this package"):
        runner._one(walk, stale, {"rate": 1.0, "law": "normal"}, tmp_path)
    assert stored(tmp_path) == []
    asked = []
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(pool, "submit", lambda f, g, chunk, *a: asked.append(chunk.sources))
        for options in ({}, {"version": "1"}):
            with pytest.raises(AttributeError):  # nobody computes
                run(executor=pool, **options)
    assert asked[0] and len(asked) == 8 and set(asked[4:]) == {""}


def test_a_pool_that_is_closed_is_an_error_of_the_chunk():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(ChunkError, match="no result for replicas 0 to 6 at rate=0.5, law='normal'"):
        run(executor=pool)


# --- Dask ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler and two workers, each a process of its own, started from the command line.

    Without nannies: nobody brings a worker back that was killed.
    """
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("cluster")
    file, environment = folder / "scheduler.json", os.environ | {"PYTHONPATH": str(HERE)}
    quiet = {"cwd": folder, "env": environment, "stderr": subprocess.DEVNULL}

    def start(tool, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.dask_{tool}", *arguments]
        return subprocess.Popen(command, **quiet)

    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                      "--scheduler-file", str(file))  # fmt: skip
    started = [scheduler]

    def worker():
        started.append(start("worker", "--scheduler-file", str(file), "--nthreads", "1",
                             "--no-nanny", "--no-dashboard", "--death-timeout", "30"))  # fmt: skip
        return started[-1]

    try:
        worker(), worker()
        wait_for(file.is_file)
        yield str(file), worker, started
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_cluster_gives_the_same_bits_and_its_workers_stand_elsewhere(
    cluster, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with executor("dask", address=cluster[0]) as pool:
        found = run(chunk_size=2, executor=pool, store="relative", version="1")
        xr.testing.assert_identical(found, WHOLE)
        there = sweep(process_id, {}, replicas=4, chunk_size=1, executor=pool, version="1")
        with pytest.raises(ChunkError, match="replicas 0 to 0 at the only point: ZeroDivision"):
            sweep(test_runner.divide, {}, executor=pool, version="1")
    assert len(stored(tmp_path / "relative")) == 16  # the caller's folder, not the workers'
    assert set(there.cwd.values.ravel()) == {str(Path(cluster[0]).parent)}
    assert os.getpid() not in there.pid.values and np.unique(there.pid).size == 2


def test_cluster_survives_the_death_of_a_worker(cluster, tmp_path):
    address, worker, started = cluster
    worker()  # the third, so that two are left for others

    def kill_one():
        wait_for(lambda: len(stored(tmp_path)) >= 4)
        started[1].kill()

    killer = threading.Thread(target=kill_one)
    with executor("dask", address=address) as pool:
        killer.start()
        found = slow_run(executor=pool, store=tmp_path)
    killer.join()
    assert started[1].wait() == -signal.SIGKILL and started[2].poll() is None
    xr.testing.assert_identical(found, WHOLE)
    assert len(stored(tmp_path)) == 28


@pytest.mark.slow
def test_local_cluster_replaces_its_workers_and_gives_up_on_a_deadly_chunk(tmp_path):
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        executor("dask", workers=2) as pool,
    ):
        with pytest.raises(ChunkError, match="no result for replicas 0 to 0 at rate=1.0: Killed"):
            sweep(test_runner.dying, {"rate": [1.0]}, executor=pool, version="1")
        victim = sweep(process_id, {}, executor=pool, version="1").pid.item()

        def kill_one():
            wait_for(lambda: len(stored(tmp_path)) >= 4)
            os.kill(victim, signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        xr.testing.assert_identical(slow_run(executor=pool, store=tmp_path), WHOLE)
        killer.join()


# --- disks -----------------------------------------------------------------------------------

IN_A_SMALL_DISK = """
import errno, json, os, pathlib, subprocess, test_engines
from sgdescape.core.runs.store import StoreError
from sgdescape.core.runs.sweep import sweep

store = pathlib.Path({store!r})
store.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", store], check=True)

def attempt(size):
    try:
        sweep(test_engines.sized, {{}}, replicas=3, chunk_size=1, store=store,
              options={{"size": size}})
    except StoreError as error:
        return [error.errno, str(error)]
    return "done"

said = [attempt(100), attempt(4000), attempt(100)]
subprocess.run(["mount", "-o", "remount,ro", store], check=True)
said += [attempt(100), attempt(200)]
subprocess.run(["mount", "-o", "remount,rw,size=1m", store], check=True)
files = sorted(p.name for p in store.iterdir())
said += [attempt(4000)]
print(json.dumps([said, files, sorted(p.name for p in store.iterdir())]))
"""


def sized(replicas, *, seed, size):
    draws = [np.random.default_rng([seed, r]).random(size) for r in replicas]
    return {"a": np.array(draws)}


@linux
def test_really_full_and_really_read_only_disk(tmp_path):
    """A file system of 64 kB in a name space of its own: pieces of 32 kB fill it at the second."""
    isolated = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        allowed = subprocess.run([*isolated, "mount", "-t", "tmpfs", "t", tmp_path]).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("this system does not let users mount in a name space of their own")
    command = script(tmp_path, IN_A_SMALL_DISK.format(store=str(tmp_path / "disk")))
    done = subprocess.run([*isolated, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (small, large, again, complete, read_only, after), before, files = json.loads(done.stdout)
    assert small == again == complete == "done"  # a complete store may be read-only
    assert large[0] == 28 and "No space left on device; the pieces already there" in large[1]
    assert "store must be a folder that can be written" in read_only[1]
    assert "Read-only file system" in read_only[1]
    assert len(before) == 4 and all(name.endswith(".npz") for name in before)  # 3 small, 1 large
    assert after == "done" and len(files) == 6 and set(before) < set(files)


LIMITED = """
import resource, test_engines
from sgdescape.core.runs.sweep import sweep
resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000))
sweep(test_engines.sized, {{"size": [10, 20, 4000, 30]}}, store={store!r}, version="1")
"""


@linux
def test_file_size_limit_is_reported_and_loses_nothing(tmp_path):
    store = tmp_path / "store"
    command = script(tmp_path, LIMITED.format(store=str(store)))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "File too large; the pieces already there" in done.stderr
    assert len(stored(store)) == 2 and not list(store.glob(".*.tmp"))
    for size in (10, 20):
        expected = sized(range(1), seed=0, size=size)["a"]
        kept = [chunk_store.about(p)["identity"]["parameters"] for p in store.glob("*.npz")]
        assert [["size", size]] in kept
        found = sweep(sized, {"size": [size]}, store=store, version="1")
        np.testing.assert_array_equal(found.a[0], expected)
    assert len(stored(store)) == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do anything")
def test_read_only_folder(tmp_path):
    run(store=tmp_path)
    tmp_path.chmod(0o500)
    try:
        xr.testing.assert_identical(run(store=tmp_path), WHOLE)  # complete
        with pytest.raises(StoreError, match="store must be a folder that can be written"):
            run(store=tmp_path, chunk_size=2)
    finally:
        tmp_path.chmod(0o700)


# --- the command line ------------------------------------------------------------------------

CHAPTER = '''"""A fake chapter that runs in chunks."""
from dataclasses import dataclass
import numpy as np
from sgdescape.core.runs import sweep as runner

@dataclass(frozen=True)
class Config:
    """Sizes.

    Args:
        paths: number of them.
        seed: of all.
    """
    paths: int = 3
    seed: int = 0

QUICK = PAPER = Config()

def walk(replicas, *, seed):
    return {"a": [np.random.default_rng([seed, r]).random() for r in replicas]}

def run(config, *, device="cpu", executor=None, store=None, progress=False):
    print(type(executor).__name__)
    return runner.sweep(walk, {}, replicas=config.paths, seed=config.seed, chunk_size=1,
                        store=store, progress=progress, executor=executor and Borrowed(executor))

class Borrowed:
    """Shows that the engine works; no worker process can import this file."""
    def __init__(self, executor):
        self.executor = executor
    def submit(self, function, *arguments):
        assert self.executor.submit(len, "ab").result() == 2
        future = type(self.executor.submit(len, ""))()
        future.set_result(function(*arguments))
        return future
'''


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command line in a folder of its own, with that chapter in the package's reach."""
    from typer.testing import CliRunner

    import sgdescape
    from sgdescape import cli

    (tmp_path / "fake_chunks.py").write_text(CHAPTER, encoding="utf-8")
    monkeypatch.setattr(sgdescape, "__path__", [*sgdescape.__path__, str(tmp_path)])
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        arguments = ["run", "fake_chunks", "--overwrite", *arguments]
        return CliRunner().invoke(cli.build(arguments), arguments, prog_name="sgdescape")

    yield call
    sys.modules.pop("sgdescape.fake_chunks", None)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [([], "ProcessPoolExecutor"), (["--engine", "serial"], "NoneType"),
     (["--workers", "1"], "ProcessPoolExecutor")],
)  # fmt: skip
def test_command_line_chooses_the_engine(command, arguments, name):
    result = command(*arguments, "--out", "a.nc", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert name in result.stdout and "3/3" in result.stderr
    with xr.open_dataset("a.nc") as found:
        expected = [np.random.default_rng([0, r]).random() for r in range(3)]
        assert found.a.values.tolist() == expected


def test_command_line_continues_from_its_store(command):
    for _ in range(2):
        assert command("--engine", "serial", "--store", "chunks").exit_code == 0
    assert len(stored("chunks")) == 3
    result = command("--engine", "serial", "--store", "chunks", "--paths", "5")
    assert len(stored("chunks")) == 5 and "3/5" in result.stderr  # starts from what is there


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--engine", "ray"], 2, "engine must be one of"),
        (["--engine", "serial", "--workers", "3"], 2, "workers must be 1 for the serial engine"),
        (["--workers", "0"], 2, "workers must be at least 1: got 0"),
        (["--address", "nowhere.json"], 1, "no file nowhere.json"),
        (["--engine", "serial", "--store", "fake_chunks.py"], 1, "store must be a folder"),
    ],
)
def test_command_line_refuses(command, arguments, code, message):
    result = command(*arguments, "--out", "b.nc")
    assert result.exit_code == code, result.output
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not Path("b.nc").exists()


def test_options_are_those_of_chapters_that_run_in_chunks(command):
    import inspect

    from sgdescape import cli_run, decoupling, noise_strength

    names = {True: {"engine", "workers", "address", "store"}, False: set()}
    for module, has in ((noise_strength, True), (decoupling, False)):
        options = {p.name for p in cli_run.options(module)}
        assert "executor" not in options and options & names[True] == names[has]
        assert ("executor" in inspect.signature(module.run).parameters) == has


# --- provenance, refusals --------------------------------------------------------------------


def test_a_chunk_says_where_it_comes_from(tmp_path):
    run(store=tmp_path)
    told = chunk_store.about(tmp_path / stored(tmp_path)[0])
    identity = told.pop("identity")
    assert identity["function"] == "test_runner.walk" and identity["seed"] == 3
    assert identity["replicas"] == [0, 7] and dict(identity["parameters"]).keys() == GRID.keys()
    assert told.keys() == {"seconds", "processor", "commit", "sgdescape", "python", "numpy",
                           "torch"}  # fmt: skip
    assert str(tmp_path) not in json.dumps(told) and told["seconds"] >= 0
    assert told["commit"] == provenance.commit()


def test_pieces_of_an_earlier_release_are_read(tmp_path):
    arrays = {"a": np.arange(3.0)}
    path = chunk_store.write(tmp_path, "identity", arrays)
    with np.load(path) as file:
        old = {name: file[name] for name in file.files if name != "__about__"}
    np.savez(path, **old)
    np.testing.assert_array_equal(chunk_store.read(tmp_path, "identity")["a"], arrays["a"])


def opened(engine, **options):
    with executor(engine, **options):
        pass


def test_dask_that_is_not_installed_is_named_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match=r'needs Dask: python -m pip install "sgdescape\[clust'):
        opened("dask")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "missing.json", "nonsense://x"])
def test_no_scheduler_there(address, monkeypatch, tmp_path):
    pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engines, "_PATIENCE", 1)
    with pytest.raises(EngineError, match="address must be that of a running Dask scheduler"):
        opened("dask", address=address)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: opened("ray"), ValueError, "engine must be one of 'serial', 'processes', 'dask'"),
        (lambda: opened("processes", workers=0), ValueError, "workers must be at least 1: got 0"),
        (lambda: opened("processes", workers=1.5), TypeError, "workers must be an integer"),
        (lambda: opened("serial", workers=2), ValueError, "workers must be 1 for the serial"),
        (lambda: opened("processes", address="tcp://a:1"), ValueError, "for the dask engine only"),
        (lambda: opened("serial", address="tcp://a:1"), ValueError, "for the dask engine only"),
        (lambda: opened("dask", address="tcp://a:1", workers=2), ValueError, "either workers or"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- every run ends --------------------------------------------------------------------------

ENDS = """
import test_engines
from sgdescape.core.runs.engines import executor
from sgdescape.core.runs.sweep import ChunkError, sweep
if __name__ == "__main__":
    try:
        with executor({engine!r}, workers=None if {engine!r} == "serial" else 2) as pool:
            print("ready", flush=True)
            sweep(test_engines.failing, {{}}, replicas=60, chunk_size=1, executor=pool, version="1",
                  store={store!r}, options={{"fails_at": {fails_at}}})
    except ChunkError as error:
        raise SystemExit(str(error))
    except KeyboardInterrupt:
        raise SystemExit(130)
"""


def failing(replicas, *, seed, fails_at):
    time.sleep(0.1)
    if fails_at in replicas:
        raise ValueError("learning_rate must lie in (0, 2): got 50")
    return {"x": np.zeros(len(replicas))}


def start(tmp_path, engine, fails_at):
    text = ENDS.format(engine=engine, store=str(tmp_path / "store"), fails_at=fails_at)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(script(tmp_path, text), start_new_session=True, **streams)


@linux
@pytest.mark.parametrize("engine", engines.ENGINES)
def test_failing_chunk_ends_the_run_at_once(tmp_path, engine):
    if engine == "dask":
        pytest.importorskip("distributed")
    run = start(tmp_path, engine, fails_at=3)
    said = run.communicate(timeout=240)[1]
    assert run.returncode == 1
    lines = [line for line in said.splitlines() if line.strip()]
    assert "replicas 3 to 3" in lines[-1] and "learning_rate must lie in (0, 2)" in lines[-1]
    assert "InvalidStateError" not in said and "CommClosed" not in said
    wait_for(lambda: not processes_of_session(run.pid))
    assert len(stored(tmp_path / "store")) < 60  # what waited was dropped
    assert not list((tmp_path / "store").glob(".*.tmp"))


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("engine", engines.ENGINES)
def test_signal_ends_the_run_and_its_workers(tmp_path, engine, number):
    if engine == "dask":
        pytest.importorskip("distributed")
    run = start(tmp_path, engine, fails_at=-1)
    store = tmp_path / "store"
    wait_for(lambda: store.is_dir() and len(stored(store)) >= 2)
    run.send_signal(number)
    said = run.communicate(timeout=240)[1]
    assert run.returncode == (130 if number == signal.SIGINT else -signal.SIGTERM)
    assert "InvalidStateError" not in said
    wait_for(lambda: not processes_of_session(run.pid))
    assert len(stored(store)) < 60


# --- names in the working directory ----------------------------------------------------------

ELSEWHERE = """
import test_engines
from test_runner import WHOLE, run
from sgdescape.core.runs.engines import executor
if __name__ == "__main__":
    with executor({engine!r}, workers=1) as pool:
        assert run(executor=pool, version="1").identical(WHOLE)
    print("the same")
"""


@pytest.mark.parametrize("engine", ["processes", "dask"])
def test_files_of_the_working_directory_are_not_imported(tmp_path, engine):
    if engine == "dask":
        pytest.importorskip("distributed")
    work = tmp_path / "work"
    work.mkdir()
    for name in ("signal", "random", "queue", "numpy", "select"):
        text = f"raise SystemExit('{name}.py of the user was imported')"
        (work / f"{name}.py").write_text(text, encoding="utf-8")
    command = script(tmp_path, ELSEWHERE.format(engine=engine))
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0 and done.stdout.strip() == "the same", done.stderr
    assert "of the user" not in done.stderr


def test_the_environment_is_left_as_it_was(monkeypatch):
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    for engine in ("serial", "processes"):
        with executor(engine):
            pass
        assert "PYTHONSAFEPATH" not in os.environ


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"address": 3}', "\x00"])
def test_files_that_are_no_scheduler_files(tmp_path, text):
    pytest.importorskip("distributed")
    file = tmp_path / "bad.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EngineError, match="address must be that of a running Dask scheduler: "):
        opened("dask", address=str(file))


def test_absurd_numbers_of_workers_are_refused():
    for engine in ("processes", "dask"):
        with pytest.raises(ValueError, match=r"workers must lie in \[1, \d+\]: got 1000000000000"):
            opened(engine, workers=10**12)


@linux
def test_what_a_killed_run_left_goes_with_the_next(tmp_path):
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True).stdout.strip()  # fmt: skip
    names = {
        "of a process that is gone": f".a.{chunk_store._machine()}.{gone}.u.tmp",
        "of this one": f".b.{chunk_store._machine()}.{os.getpid()}.u.tmp",
        "of another machine": f".c.{'0' * 12}.{gone}.u.tmp",
    }
    for name in names.values():
        (tmp_path / name).write_text("", encoding="utf-8")
    chunk_store.open_store(tmp_path)
    left = {path.name for path in tmp_path.glob(".*.tmp")}
    assert left == {names["of this one"], names["of another machine"]}
