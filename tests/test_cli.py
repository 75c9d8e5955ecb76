"""Command line: generated from chapters, refusing before it runs, writing whole files only."""

import importlib
import json
import os
import subprocess
import sys

import pytest
import xarray as xr
from typer.testing import CliRunner

import sgdescape
from sgdescape import cli, cli_config
from sgdescape.core import claims as core_claims

CHAPTER = '''
"""A fake chapter: halves. More text."""
from dataclasses import dataclass
from typing import Literal
import numpy as np
import xarray as xr

@dataclass(frozen=True)
class Config:
    """Sizes.

    Args:
        images: number of images
            in two lines.
        rate (float): step length.
        widths: of the layers.
        stacks: nested.
        limit: of the norm.
        sampler: of batches.
        fast: skip half.
        seed: of all.
    """
    images: int = 10
    rate: float = 0.5
    widths: tuple[int, ...] = (3, 2)
    stacks: tuple[tuple[int, int], ...] = ((64, 3),)
    limit: float | None = None
    sampler: Literal["iid", "shuffle"] = "iid"
    fast: bool = False
    seed: int = 0

    def __post_init__(self):
        if self.images < 1:
            raise ValueError(f"images must be at least 1: got {self.images}")

QUICK = Config()
PAPER = Config(images=10_000)

def cost(config):
    return f"{config.images} ms"

def run(config, *, device="cpu"):
    if config.images == 13:
        raise RuntimeError("loss is nan at step 7")
    if config.images == 14:
        raise KeyError("a bug")
    if config.images == 15:
        raise KeyboardInterrupt
    rng = np.random.Generator(np.random.Philox(key=config.seed))
    half = 0.5 + 1e-3 * rng.normal(size=config.images)
    return xr.Dataset(
        {"half": ("image", half, {"units": "loss"}), "good": ("image", half > 0)},
        attrs={"yes": True, "widths": config.widths, "nothing": None},
    )
'''

CLAIMS = """
from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats.intervals import mean_interval

@claim
def half(dataset) -> Claim:
    return check("Half.", source="this book", predicted=0.5, expected="confirmed",
                 measured=mean_interval(dataset.half.values), rivals={"one": 1.0})
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with a chapter `fake_halves` in the package's reach."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "fake_halves").mkdir()
    (package / "fake_halves" / "__init__.py").write_text(CHAPTER)
    (package / "fake_halves" / "claims.py").write_text(CLAIMS)
    (package / "fake_helper.py").write_text('"""No chapter: it has no PAPER."""\nQUICK = run = 1\n')
    monkeypatch.setattr(sgdescape, "__path__", [*sgdescape.__path__, str(package)])
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield work
    sys.modules.pop("sgdescape.fake_halves", None)
    sys.modules.pop("sgdescape.fake_halves.claims", None)
    importlib.invalidate_caches()


def call(*arguments):
    return CliRunner().invoke(cli.build(list(arguments)), list(arguments), prog_name="sgdescape")


def test_list_names_chapters_only(folder):
    result = call("list")
    assert result.exit_code == 0
    assert "fake_halves" in result.stdout and "A fake chapter: halves." in result.stdout
    assert "fake_helper" not in result.stdout and "cli" not in result.stdout.split()
    assert "sgdescape.fake_halves" not in sys.modules  # listing imports nothing


def test_list_is_every_module_with_the_three_names():
    for stem in cli.chapters():
        module = importlib.import_module(f"sgdescape.{stem}")
        assert callable(module.run) and type(module.QUICK) is type(module.PAPER)
        assert cli_config.describe(module.QUICK, module.PAPER)


def test_help_shows_every_field_with_its_text_type_and_values(folder):
    text = " ".join(call("run", "fake_halves", "--help").stdout.split())
    assert "--images INTEGER number of images in two lines. [quick: 10, paper: 10000]" in text
    assert "--rate NUMBER step length. [0.5]" in text
    assert "--widths INTEGER,... of the layers. [3,2]" in text
    assert "--sampler iid|shuffle" in text and "--limit NUMBER|none" in text
    assert text.count("--seed") == 1


def test_run_writes_result_with_provenance(folder):
    result = call("run", "fake_halves", "--device", "cpu", "--seed", "4", "--images", "1e2")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == "fake_halves-quick-seed4.nc"  # stdout: the file, nothing else
    assert os.listdir() == ["fake_halves-quick-seed4.nc"]
    with xr.open_dataset("fake_halves-quick-seed4.nc") as dataset:
        config = json.loads(dataset.attrs["config"])
        assert config["images"] == 100 and config["seed"] == 4 == dataset.attrs["seed"]
        assert dataset.attrs["chapter"] == "fake_halves" and dataset.attrs["scale"] == "quick"
        assert dataset.attrs["yes"] == 1 and dataset.attrs["widths"] == "[3, 2]"
        assert dataset.half.attrs["units"] == "loss" and dataset.good.dtype == bool
        assert dataset.sizes["image"] == 100 and dataset.attrs["seconds"] >= 0


def test_paper_scale_says_its_size_first(folder):
    result = call("run", "fake_halves", "--scale", "paper", "--out", "a.nc")
    assert "paper scale: images 10 -> 10000" in result.stderr
    assert "expected: 10000 ms" in result.stderr
    with xr.open_dataset("a.nc") as dataset:
        assert dataset.sizes["image"] == 10_000


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("images", "10_000", 10000),
        ("rate", "1e-3", 1e-3),
        ("widths", "4,5,6", (4, 5, 6)),
        ("widths", "[7]", (7,)),
        ("stacks", "[[64, 3], [128, 3]]", ((64, 3), (128, 3))),
        ("limit", "none", None),
        ("limit", "2", 2.0),
        ("sampler", "shuffle", "shuffle"),
        ("fast", "true", True),
        ("fast", "0", False),
    ],
)
def test_overrides_reach_the_configuration(folder, name, text, value):
    module = importlib.import_module("sgdescape.fake_halves")
    found = cli_config.parse(module.QUICK, name, text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "2.5"], "--images must be a whole number: got '2.5'"),
        (["--images", "0"], "images must be at least 1: got 0"),
        (["--rate", "fast"], "--rate must be a number: got 'fast'"),
        (["--widths", "1,x"], "--widths must be a whole number, several separated by commas"),
        (["--limit", "big"], "--limit must be a number or none: got 'big'"),
        (["--sampler", "all"], "--sampler must be one of iid, shuffle: got 'all'"),
        (["--fast", "maybe"], "--fast must be true or false: got 'maybe'"),
        (["--stacks", "[[64"], "--stacks must be"),
        (["--seed", "-1"], "--seed must be at least 0: got -1"),
        (["--scale", "huge"], "--scale must be one of 'quick', 'paper': got 'huge'"),
        (["--device", "tpu"], "--device must be auto, cpu, cuda or cuda:N: got 'tpu'"),
        (["--device", "mps"], "--device must be auto, cpu, cuda or cuda:N: got 'mps'"),
        (["--device", "cuda:99"], "CUDA devices here"),
        (["--out", "no/such/folder/a.nc"], "--out must name a file in an existing folder"),
        (["--out", "."], "--out must name a file in an existing folder"),
        (["--rates", "1"], "No such option"),
    ],
)
def test_wrong_usage_is_refused_before_anything_runs(folder, arguments, message):
    result = call("run", "fake_halves", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert os.listdir() == []


def test_existing_file_is_kept_unless_told(folder):
    (folder / "a.nc").write_text("mine")
    refused = call("run", "fake_halves", "--out", "a.nc")
    assert refused.exit_code == 2 and "--overwrite" in refused.stderr
    failed = call("run", "fake_halves", "--out", "a.nc", "--overwrite", "--images", "13")
    assert failed.exit_code == 1 and (folder / "a.nc").read_text() == "mine"
    assert call("run", "fake_halves", "--out", "a.nc", "--overwrite").exit_code == 0
    assert xr.open_dataset("a.nc").sizes["image"] == 10


@pytest.mark.parametrize(
    ("images", "code", "message"),
    [("13", 1, "error: loss is nan at step 7"), ("15", 130, "interrupted")],
)
def test_failure_is_one_line_and_leaves_nothing(folder, images, code, message):
    result = call("run", "fake_halves", "--images", images)
    assert result.exit_code == code and os.listdir() == []
    assert message in result.stderr and "Traceback" not in result.stderr


def test_bug_keeps_its_traceback(folder):
    result = call("run", "fake_halves", "--images", "14")
    assert isinstance(result.exception, KeyError)


def test_full_disk_leaves_no_half_file(folder, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    result = call("run", "fake_halves")
    assert result.exit_code == 1 and "No space left on device" in result.stderr
    assert os.listdir() == []


def test_show_checks_the_claims(folder):
    call("run", "fake_halves", "--images", "200", "--out", "a.nc")
    result = call("show", "a.nc")
    assert result.exit_code == 0 and "a.nc: image=200" in result.stdout
    assert "half (loss): image" in result.stdout
    assert "Claim fake_halves.half: confirmed" in result.stdout
    assert "\u2060" not in result.stdout  # a mark for notebooks: terminals may show it
    assert "Claim" not in call("show", "a.nc", "--no-claims").stdout
    with xr.open_dataset("a.nc") as opened:
        doubled = opened.load().assign(half=2 * opened.half)
    doubled.to_netcdf("b.nc")
    result = call("show", "b.nc")
    assert result.exit_code == 1
    text = "not borne out: fake_halves.half: verdict 'refuted', expected 'confirmed'"
    assert text in result.stdout


def test_show_says_which_claims_a_small_result_cannot_judge(folder, monkeypatch):
    call("run", "fake_halves", "--images", "200", "--out", "a.nc")

    def too_small(dataset):
        raise ValueError("needs 18 runs: got 2")

    too_small.__name__ = "half"
    monkeypatch.setattr(core_claims, "declared", lambda stem: (too_small,))
    result = call("show", "a.nc")
    assert result.exit_code == 0, result.output
    assert "Claim not judged: fake_halves.half: needs 18 runs: got 2" in result.stdout


@pytest.mark.parametrize("content", [None, "not netCDF"])
def test_show_refuses_what_is_no_result(folder, content):
    if content:
        (folder / "a.nc").write_text(content)
    result = call("show", "a.nc")
    assert result.exit_code == 1 and result.stderr.startswith("error: ")


def test_data_names_every_set(folder):
    result = call("data")
    assert result.exit_code == 0
    assert "mnist: bundled" in result.stdout.splitlines()
    assert "cifar10:" in result.stdout


def test_download_passes_name_and_folder(folder, monkeypatch):
    from sgdescape.core.data import sources

    asked = []
    monkeypatch.setattr(sources, "download", lambda *a: asked.append(a) or folder / "mnist")
    assert call("download", "mnist", "--folder", str(folder)).exit_code == 0
    assert asked == [("mnist", folder)]
    refused = call("download", "imagenet")
    assert refused.exit_code == 2 and "mnist, fashion_mnist, cifar10" in refused.stderr


@pytest.mark.parametrize(("arguments", "code"), [(["list"], 0), (["run", "nope"], 2), ([], 2)])
def test_installed_program_and_its_exit_codes(arguments, code):
    program = [sys.executable, "-c", "from sgdescape.cli import main; main()", *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert done.returncode == code and "Traceback" not in done.stderr
