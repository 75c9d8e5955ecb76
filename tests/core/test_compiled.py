"""Compiled kernels never outlive the sources they were made of."""

import os
import subprocess
import sys
from pathlib import Path

import numba as nb
import pytest

from sgdescape.core import compiled
from sgdescape.core.ensembles.kernels import linear_numba
from sgdescape.core.random import philox
from sgdescape.core.roots import PACKAGE


def test_every_byte_counts(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("a = 1\n", encoding="utf-8")
    two.write_text("b = 1\n", encoding="utf-8")
    first = compiled.fingerprint([one, two])
    assert compiled.fingerprint([two, one]) == first
    two.write_text("b = 2\n", encoding="utf-8")
    assert compiled.fingerprint([one, two]) != first
    assert compiled.fingerprint([one]) != first


def test_sources_of_a_kernel_are_all_that_it_imports():
    found = compiled.sources(Path(linear_numba.__file__))
    assert Path(philox.__file__) in found  # the constants, through philox_numba
    assert PACKAGE / "core" / "random" / "philox_numba.py" in found
    assert PACKAGE / "core" / "sde" / "bowl.py" not in found


def fake_package(folder):
    """A package with a kernel that takes a constant from a helper's helper, by relative import."""
    (folder / "deep").mkdir()
    for place in (folder, folder / "deep"):
        (place / "__init__.py").write_text("", encoding="utf-8")
    (folder / "constants.py").write_text("TWO = 2\n", encoding="utf-8")
    (folder / "deep" / "helper.py").write_text("from ..constants import TWO\n", encoding="utf-8")
    kernel = folder / "deep" / "kernel.py"
    kernel.write_text(f"def late():\n    from {folder.name}.deep import helper\n", encoding="utf-8")
    return kernel


def test_imports_are_followed_wherever_they_stand(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "PACKAGE", tmp_path)
    kernel = fake_package(tmp_path)
    names = {p.relative_to(tmp_path).as_posix() for p in compiled.sources(kernel)}
    assert {"deep/kernel.py", "deep/helper.py", "constants.py"} <= names


def test_cache_lies_in_the_folder_of_its_sources_and_numba_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "PACKAGE", tmp_path)
    helper = tmp_path / "helper.py"
    helper.write_text("x = 0\n", encoding="utf-8")
    monkeypatch.setattr(compiled, "sources", lambda path: {path, helper})
    before = nb.config.CACHE_DIR
    twice = compiled.kernel()(double)
    assert nb.config.CACHE_DIR == before
    assert twice(2) == 4
    kernels = tmp_path / "__pycache__" / "kernels"
    (folder,) = kernels.iterdir()
    assert list(folder.rglob("*.nbi"))
    helper.write_text("x = 1\n", encoding="utf-8")  # an edit
    compiled.kernel()(double)(2)
    assert len(list(kernels.iterdir())) == 2


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import sgdescape.core.compiled as compiled
from pathlib import Path
compiled.PACKAGE = Path(sys.argv[1]) / "nowhere" / "to write"  # as a read-only checkout
compiled.sources = lambda path: {path, path.with_name("constant.py")}
import user_kernel
print(user_kernel.value(0))
"""
KERNEL = """
from sgdescape.core import compiled
from constant import ADDED

@compiled.kernel()
def value(x):
    return x + ADDED
"""


def test_update_of_a_read_only_checkout_is_seen(tmp_path):
    # The package folder cannot be written: the cache goes to the user's folder, by fingerprint too.
    (tmp_path / "nowhere").write_text("a file where a folder should be", encoding="utf-8")
    (tmp_path / "user_kernel.py").write_text(KERNEL, encoding="utf-8")
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}

    def run():
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path)],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    for added in (5, 7):
        (tmp_path / "constant.py").write_text(f"ADDED = {added}\n", encoding="utf-8")
        assert run() == added
    assert list((tmp_path / "cache" / "sgdescape" / "kernels").rglob("*.nbi"))


def test_truncated_cache_is_rebuilt(tmp_path):
    (tmp_path / "nowhere").write_text("a file where a folder should be", encoding="utf-8")
    (tmp_path / "user_kernel.py").write_text(KERNEL, encoding="utf-8")
    (tmp_path / "constant.py").write_text("ADDED = 3\n", encoding="utf-8")
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    for left in (100, 1, 0, None):  # bytes that are left of each file before the next process
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0 and done.stdout == "3\n", done.stderr
        found = list((tmp_path / "cache").rglob("*.nb*"))
        assert len(found) == 2 and all(path.stat().st_size > 100 for path in found)  # made again
        for path in found:
            path.write_bytes(path.read_bytes()[:left])


def test_without_a_place_to_write_it_still_compiles(monkeypatch):
    monkeypatch.setattr(compiled, "cache_folder", lambda name: None)
    assert compiled.kernel()(double)(3) == 6


def test_typed_into_a_console_it_still_compiles():
    space = {}
    exec("def triple(x):\n    return 3 * x", space)
    assert compiled.kernel()(space["triple"])(3) == 9


def double(x):
    return 2 * x


TWICE = """
import hashlib, sys
from pathlib import Path
import numpy as np, torch
from sgdescape.core import compiled
compiled.cache_folder = lambda name: Path(sys.argv[1])
from sgdescape.core.ensembles import network
from sgdescape.core.networks import models
from sgdescape.neural_network.measure import bowl, linearised

torch.set_num_threads(1)
x = torch.randn(700, 5, generator=torch.Generator().manual_seed(0))
problem = network.problem(models.mlp((5, 6, 1), seed=0), x, torch.sign(x[:, 0]))
runs = network.run(problem, learning_rate=0.01, batch_size=5, max_steps=60, replicas=range(3),
                   seed=1, record_every=1, device="cpu", engine="numba")
gram = x @ x.T + 1
passages = linearised.first_passage(
    torch.sign(x[:, 0]), gram, learning_rate=0.8, batch_size=5, steps=200, replicas=range(3),
    levels=np.linspace(0.5, 2.0, 40), seed=1)
valley = bowl.Bowl(np.array([1.0, 0.5]), np.array([1, 20]), np.full(2, 0.1), np.full((2, 2), 0.1))
step = bowl.discrete(valley, learning_rate=0.1, batch_size=2)
losses = bowl.first_passage(
    valley, *step, levels=[50.0], steps=300, replicas=3, seed=1, bridge=False)[1]
for array in (runs.losses, passages, losses):
    print(hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest(), np.ptp(array) > 0)
"""


def test_compiled_and_found_on_the_disk_a_kernel_gives_the_same_bits(tmp_path):
    """Sums may be reordered, but alike: else the second run of a chapter differs from the first."""
    first, second = (
        subprocess.run(
            [sys.executable, "-c", TWICE, str(tmp_path)], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    )
    assert list(tmp_path.rglob("*.nbi"))  # the second run found them
    assert first == second and first.count("True") == 3


def test_parallel_loops_of_numba_are_refused():
    with pytest.raises(ValueError, match="parallel must be left out"):
        compiled.kernel(parallel=True)
    users = [p for p in PACKAGE.rglob("*.py") if "nb.prange" in p.read_text(encoding="utf-8")]
    assert not users


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_parts_cover_all_replicas_in_order(threads):
    parts = compiled.spread(lambda part: list(range(100)[part]), 23, threads)
    assert [i for part in parts for i in part] == list(range(23))
