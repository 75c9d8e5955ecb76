"""The command for a graphics card: tried to its end without one, what is equal, its record."""

import doctest
import importlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr

from sgdescape import cli_config
from sgdescape.core.roots import PROJECT
from sgdescape.network_limits.claims import resnet as claims

NOT_HERE = pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
QUICK_PARTS = ("device", "check: random", "check: training", "tests", "run")
"""Where Triton is installed, its interpreter would take minutes for the others."""


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "tools"))
    return importlib.import_module("gpu")


@pytest.fixture
def tiny(gpu):
    return gpu.Place("cpu", "none", True)


@pytest.fixture
def folders(gpu, tmp_path):
    return gpu.Folders(tmp_path, tmp_path / "store")


@NOT_HERE
def test_the_whole_command_runs_to_its_end_without_a_card(gpu, tiny, folders, monkeypatch):
    only = QUICK_PARTS if find_spec("triton") else ()
    command = [sys.executable, "tools/gpu.py", "--device", "cpu", "--tiny"]
    command += ["--results", str(folders.results), "--store", str(folders.store)]
    command += ["--only", *only] if only else []
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((folders.results / "gpu.json").read_text("utf-8"))
    assert record["card"] is None and record["device"] == "cpu" and record["tiny"]
    assert record["kernels"] == ("interpreter" if find_spec("triton") else "none")
    wanted = [n for n in gpu.parts(tiny=True) if not only or n.startswith(only)]
    assert list(record["parts"]) == wanted
    assert all(part["status"] == "done" and part["rows"] for part in record["parts"].values())
    assert record["parts"]["tests"]["said"] == "1 skipped"
    engines = {r["engine"] for n, p in record["parts"].items() if "check" in n for r in p["rows"]}
    assert only or engines >= {"numba", "torch", "autograd"}
    for name in ("network_limits", "noise_strength"):
        with xr.open_dataset(folders.results / f"gpu_{name}.nc") as dataset:
            assert dataset.attrs["chapter"] == name and dataset.attrs["device"] == "cpu"

    def again(*arguments):
        raise AssertionError("everything is done: nothing is to be made")

    monkeypatch.setattr(gpu, "watch", again)
    place = replace(tiny, kernels=record["kernels"])
    assert gpu.whole(place, folders, minutes=1, only=only, fresh=False) == 0


@NOT_HERE
def test_without_a_card_it_says_so(gpu, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    with pytest.raises(SystemExit) as end:
        gpu.main()
    assert end.value.code == 2
    assert "finds no CUDA device here; --device cpu --tiny" in capsys.readouterr().err


def test_a_missing_package_is_named(gpu, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "NEEDED", ("numpy", "no_such_package"))
    with pytest.raises(SystemExit) as end:
        gpu.place_of("cpu", tiny=True)
    assert end.value.code == 2 and "missing packages: no_such_package" in capsys.readouterr().err


def test_parts_without_their_packages_are_passed_over(gpu, tiny, folders, monkeypatch):
    part = gpu.Part(lambda *_: iter(()), needs=("no_such_package",))
    monkeypatch.setattr(gpu, "parts", lambda tiny: {"a": part})
    assert gpu.whole(tiny, folders, minutes=1, only=(), fresh=False) == 1
    entry = gpu.read(folders.results / "gpu.json")["parts"]["a"]
    assert entry == {"status": "missing", "said": "needs no_such_package"}


def test_a_result_is_written_without_netcdf4_too(gpu, tmp_path, monkeypatch):
    long = np.linspace(0, 1, 20_000)
    dataset = xr.Dataset({"x": ("step", long), "y": ("mode", [1, 2])}, {"mode": ["a", "bc"]})
    dataset.attrs = {"config": "{}", "seed": 7}
    written = []
    for here in (True, None):
        monkeypatch.setattr(gpu.gpu_runs, "find_spec", lambda name, here=here: here)
        gpu.gpu_runs.saved(dataset, tmp_path / "a.nc", cost="7 s on a card")
        with xr.open_dataset(tmp_path / "a.nc", engine="netcdf4") as found:
            written.append(found.load())
    assert (tmp_path / "a.nc").read_bytes()[:3] == b"CDF" and len(list(tmp_path.iterdir())) == 1
    for found in written:
        assert np.array_equal(found.x, long.astype("float32")) and found.x.dtype == "float32"
        assert found.y.values.tolist() == [1, 2] and found.mode.values.tolist() == ["a", "bc"]
        assert found.attrs == dataset.attrs | {"cost": "7 s on a card"}


def test_a_record_names_the_card_that_the_machine_names(gpu, monkeypatch):
    told = {"name": "A Card", "total_memory": 2**30, "multi_processor_count": 3}
    monkeypatch.setattr(
        torch.cuda,
        "get_device_properties",
        lambda device: SimpleNamespace(**told, major=9, minor=0),
    )
    monkeypatch.setattr(gpu, "driver", lambda: "580.1")
    found = gpu.machine(gpu.Place("cuda", "compiled", False))["card"]
    assert (found["name"], found["capability"], found["driver"]) == ("A Card", "9.0", "580.1")
    assert gpu.machine(gpu.Place("cpu", "none", False))["card"] is None


def test_examples_of_the_tools(gpu):
    for name in ("gpu", "gpu_checks", "gpu_rates", "gpu_runs"):
        found = doctest.testmod(importlib.import_module(name))
        assert found.attempted and not found.failed, name


@pytest.mark.parametrize(
    "here, there, agree, same",
    [
        ([1.0, 2.0], [1.0, 2.0], True, True),
        ([1.0, 2.0], [1.0, 2.0 + 1e-7], True, False),
        ([1.0, 2.0], [1.0, 2.1], False, False),
        ([1.0, np.nan], [1.0, np.nan], True, True),
        ([1.0, np.nan], [1.0, 2.0], False, False),
        ([1.0, 2.0], [np.inf, 2.0], False, False),
        ([1, 2, 3], [1, 2, 3], True, True),
        ([1, 2, 3], [1, 2, 4], False, False),
        ([1.0, 2.0], [1.0], False, False),
        ([], [], False, False),
    ],
)
def test_what_counts_as_equal(gpu, here, there, agree, same):
    row = gpu.gpu_checks.compared("x", here, there, tolerance=1e-6)
    assert (row["agree"], row["same_bits"]) == (agree, same)


@dataclass
class Passages:
    steps: np.ndarray
    last_step: np.ndarray
    theta: np.ndarray


def test_a_wrong_engine_is_seen(gpu, tiny):
    """A step too many, a state that is off; replicas that stopped elsewhere are not compared."""

    def engine(problem, *, engine, device, dtype, steps=5, off=0.0):
        wrong = engine != "torch"
        theta = np.array([[1.0], [2.0 + off * wrong]])
        last = np.array([5, steps if wrong else 5])
        return Passages(last[:, None], last, theta)

    def agreeing(**changes):
        cases = [(engine, changes, ("float64",))]
        rows = list(gpu.gpu_checks._ensembles(tiny, None, cases, {}))
        return {row["quantity"]: row["agree"] for row in rows}

    assert agreeing() == {"steps": True, "last_step": True, "theta": True}
    assert agreeing(off=1e-3) == {"steps": True, "last_step": True, "theta": False}
    assert agreeing(steps=6, off=1e-3) == {"steps": False, "last_step": False, "theta": True}


def test_a_failing_part_is_recorded_and_the_next_one_begun(gpu, tiny, folders, monkeypatch):
    def broken(*_):
        yield {"row": 1}
        raise RuntimeError("CUDA error: an illegal memory access")

    def interrupted(*_):
        yield {"row": 1}
        raise KeyboardInterrupt

    made = {
        "broken": gpu.Part(broken),
        "apart": gpu.Part(lambda *_: iter([{"agree": True}, {"agree": False}])),
        "good": gpu.Part(lambda *_: iter([{"row": 1}])),
        "interrupted": gpu.Part(interrupted),
    }
    monkeypatch.setattr(gpu, "parts", lambda tiny: made)
    path = folders.results / "gpu.json"

    def worker(command, names, limits, end, path):
        gpu.work(names, tiny, folders, path)

    monkeypatch.setattr(gpu, "watch", worker)
    assert gpu.whole(tiny, folders, minutes=1, only=(), fresh=False) == 1
    found = gpu.read(path)["parts"]
    assert [found[n]["status"] for n in made] == ["failed", "failed", "done", "stopped"]
    assert found["broken"]["rows"] == [{"row": 1}]
    assert found["broken"]["said"] == "RuntimeError: CUDA error: an illegal memory access"
    assert found["broken"]["traceback"][-1] == found["broken"]["said"]
    assert str(PROJECT) not in path.read_text("utf-8")
    assert found["apart"]["said"] == "1 of 2 comparisons outside their tolerance"
    assert gpu.remaining(made, {"parts": found}) == ["broken", "apart", "interrupted"]


HANGS = """
import json, pathlib, sys, time
path = pathlib.Path(sys.argv[1])
path.write_text(json.dumps({"parts": {"a": {"status": "running", "begin": 0, "rows": [1]}}}))
time.sleep(600)
"""


def test_a_part_that_takes_too_long_is_ended(gpu, tmp_path):
    path = tmp_path / "gpu.json"
    command = [sys.executable, "-c", HANGS, str(path)]
    gpu.watch(command, ["a", "b"], {"a": 1, "b": 1}, time.time() + 600, path)
    found = gpu.read(path)["parts"]
    assert list(found) == ["a"] and found["a"]["status"] == "failed" and found["a"]["rows"] == [1]
    assert found["a"]["said"].startswith("its process ended with")


def test_a_record_goes_on_only_where_it_was_made(gpu):
    old = {"card": {"name": "one"}, "sources": "a", "commit": "1", "parts": {"x": {}}}
    new = {"card": {"name": "one"}, "sources": "a", "commit": "2", "parts": {}}
    assert gpu.continued(old, new) is old
    for change in ({"card": {"name": "other"}}, {"card": None}, {"sources": "b"}):
        assert gpu.continued(old, new | change) == new | change
    assert gpu.continued({}, new) is new


def test_only_compiled_kernels_are_called_compiled(gpu):
    options = {"installed": True, "interpreted": False}
    assert gpu.kernels("cuda", **options) == "compiled"
    assert gpu.kernels("cuda", **options | {"interpreted": True}) == "interpreter"
    assert gpu.kernels("cuda:1", **options | {"installed": False}) == "none"


def test_sizes_of_a_card_are_settings_that_the_chapters_take(gpu):
    card = gpu.Place("cuda", "compiled", False)
    for stem, sizes in gpu.gpu_runs.RUNS.items():
        paper = importlib.import_module(f"sgdescape.{stem}.config").PAPER
        named = {name.replace("-", "_"): text for name, text in sizes.items()}
        replace(paper, **{n: cli_config.parse(paper, n, text) for n, text in named.items()})
    config = gpu.gpu_runs.residual_config(card)
    steps, modes = claims.LONG
    long = [run for run in config.residual_runs if run[3] >= steps]
    assert len(long) >= claims.FEWEST and config.residual_modes >= modes
    assert len({momentum for _, momentum, *_ in long[:3]}) == 3


def test_tests_for_a_card_are_there(gpu):
    for place in (*gpu.gpu_runs.KERNELS, *gpu.gpu_runs.ON_BOTH):
        file, _, name = place.partition("::")
        assert f"def {name or 'test_'}" in (PROJECT / file).read_text("utf-8")
