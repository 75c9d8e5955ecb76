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
from sgdescape import cli, cli_config, cli_output

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
    if config.images == 16:
        raise FloatingPointError("all runs diverged")
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
    (package / "fake_halves" / "__init__.py").write_text(CHAPTER, encoding="utf-8")
    (package / "fake_halves" / "claims.py").write_text(CLAIMS, encoding="utf-8")
    (package / "fake_helper.py").write_text(
        '"""No chapter: it has no PAPER."""\nQUICK = run = 1\n', encoding="utf-8"
    )
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
    (folder / "a.nc").write_text("mine", encoding="utf-8")
    refused = call("run", "fake_halves", "--out", "a.nc")
    assert refused.exit_code == 2 and "--overwrite" in refused.stderr
    failed = call("run", "fake_halves", "--out", "a.nc", "--overwrite", "--images", "13")
    assert failed.exit_code == 1 and (folder / "a.nc").read_text(encoding="utf-8") == "mine"
    assert call("run", "fake_halves", "--out", "a.nc", "--overwrite").exit_code == 0
    assert xr.open_dataset("a.nc").sizes["image"] == 10


@pytest.mark.parametrize(
    ("images", "code", "message"),
    [
        ("13", 1, "error: loss is nan at step 7"),
        ("15", 130, "interrupted"),
        ("16", 1, "error: all runs diverged"),
    ],
)
def test_failure_is_one_line_and_leaves_nothing(folder, images, code, message):
    result = call("run", "fake_halves", "--images", images)
    assert result.exit_code == code and os.listdir() == []
    assert message in result.stderr and "Traceback" not in result.stderr


def test_bug_keeps_its_traceback(folder):
    result = call("run", "fake_halves", "--images", "14")
    assert isinstance(result.exception, KeyError)


@pytest.mark.parametrize("words", [[], ["--overwrite"]])
def test_full_disk_leaves_no_half_file(folder, monkeypatch, words):
    def full(source, target):
        raise OSError(28, "No space left on device")

    for name in ("replace", "link"):
        monkeypatch.setattr(os, name, full)
    monkeypatch.setattr(cli_output, "open", full, raising=False)
    result = call("run", "fake_halves", *words)
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


@pytest.mark.parametrize("content", [None, "not netCDF"])
def test_show_refuses_what_is_no_result(folder, content):
    if content:
        (folder / "a.nc").write_text(content, encoding="utf-8")
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "inf"], "--images must be a whole number: got 'inf'"),
        (["--images", "nan"], "--images must be a whole number: got 'nan'"),
        (["--images", "1e400"], "--images must be a whole number: got '1e400'"),
        (["--widths", "inf,1"], "--widths must be a whole number, several separated by commas"),
        (["--stacks", "[[1e999, 3]]"], "--stacks must be"),
        (["--seed", "9" * 26], "--seed must lie in [0, 9223372036854775807]: got 9999999"),
        (["--device", "cuda:-1"], "--device must be"),
        (["--device", ""], "--device must be"),
        (["--out", "x" * 300], "--out must name a file: got xxx"),
        (["--out", "x" * 255 + "/a.nc"], "--out must name a file"),
        (["--out", "/dev/null", "--overwrite"], "--out must name a regular file: got /dev/null"),
        (["--out", "/dev/null/a.nc"], "--out must name a file in an existing folder"),
        (["--out", ""], "--out must name a file in an existing folder"),
    ],
)
def test_absurd_usage_is_refused_before_anything_runs(folder, arguments, message):
    result = call("run", "fake_halves", *arguments)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split()), result.stderr
    assert os.listdir() == []


def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(folder, monkeypatch):
    def refuse(*_, **__):  # root may write anywhere, whatever chmod says
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cli_output.tempfile, "TemporaryFile", refuse)
    result = call("run", "fake_halves", "--images", "13")
    assert result.exit_code == 2 and "(Permission denied)" in " ".join(result.stderr.split())


def test_a_missing_netcdf_is_noticed_before_anything_runs(folder, monkeypatch):
    monkeypatch.setattr(cli_output.importlib.util, "find_spec", lambda name: None)
    result = call("run", "fake_halves", "--images", "13")
    assert result.exit_code == 2 and "--out needs the package netCDF4" in result.stderr


def kept(result):
    name = " ".join(result.stderr.split()).partition("the result is kept as ")[2].split()[0]
    with xr.open_dataset(name) as opened:
        return name, opened.load()


def test_of_two_runs_to_one_name_none_is_lost(folder, monkeypatch):
    run = importlib.import_module("sgdescape.fake_halves").run

    def other_was_faster(config, **options):
        (folder / "a.nc").write_text("the other's", encoding="utf-8")
        return run(config, **options)

    monkeypatch.setattr(sys.modules["sgdescape.fake_halves"], "run", other_was_faster)
    result = call("run", "fake_halves", "--out", "a.nc")
    assert result.exit_code == 1 and "--out exists by now: a.nc" in result.stderr
    assert (folder / "a.nc").read_text(encoding="utf-8") == "the other's"
    name, dataset = kept(result)
    assert dataset.sizes["image"] == 10
    assert sorted(os.listdir()) == sorted(["a.nc", os.path.basename(name)])
    assert call("run", "fake_halves", "--out", "a.nc", "--overwrite").exit_code == 0
    assert xr.open_dataset("a.nc").sizes["image"] == 10


@pytest.mark.parametrize("links", [True, False])
def test_no_name_is_taken_from_another_file(tmp_path, monkeypatch, links):
    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "mine.nc").write_text("mine", encoding="utf-8")
    data = xr.Dataset({"a": 1.0})
    with pytest.raises(FileExistsError):
        cli.save(data, tmp_path / "mine.nc", overwrite=False)
    cli.save(data, tmp_path / "new.nc", overwrite=False)
    assert sorted(os.listdir(tmp_path)) == ["mine.nc", "new.nc"]
    assert (tmp_path / "mine.nc").read_text(encoding="utf-8") == "mine"


def test_a_link_stays_one(folder):
    (folder / "store").mkdir()
    (folder / "store" / "real.nc").write_text("old", encoding="utf-8")
    (folder / "a.nc").symlink_to(folder / "store" / "real.nc")
    assert call("run", "fake_halves", "--out", "a.nc", "--overwrite").exit_code == 0
    assert (folder / "a.nc").is_symlink()
    assert xr.open_dataset(folder / "store" / "real.nc").sizes["image"] == 10


def test_a_result_that_cannot_be_written_is_kept_elsewhere(folder, monkeypatch, tmp_path):
    real = xr.Dataset.to_netcdf

    def full(self, path, **options):
        if path.parent == folder:
            raise RuntimeError("NetCDF: HDF error")
        return real(self, path, **options)

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    monkeypatch.setattr(cli_output.tempfile, "gettempdir", lambda: str(tmp_path))
    result = call("run", "fake_halves", "--out", "a.nc")
    assert result.exit_code == 1 and "Traceback" not in result.stderr
    assert "cannot be written (NetCDF: HDF error): is the disk full?" in result.stderr
    assert kept(result)[1].sizes["image"] == 10 and os.listdir() == []


def test_a_claim_that_cannot_be_judged_is_named(folder):
    call("run", "fake_halves", "--images", "1", "--out", "a.nc")  # an interval needs two
    result = call("show", "a.nc")
    assert result.exit_code == 1
    assert "Claim fake_halves.half: cannot be judged on this result: " in result.stdout


def test_interruption_during_imports_is_no_traceback(folder, monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "build", interrupted)
    with pytest.raises(SystemExit) as caught:
        cli.main(["run", "fake_halves"])
    assert caught.value.code == 130 and capsys.readouterr().err == "interrupted\n"


def test_the_bar_counts_the_time_left(capsys, monkeypatch):
    from sgdescape.core.runs.sweep import _bar

    with _bar(4, 1, True) as bar:
        bar.start_t -= 10
        bar.update()
        bar.refresh()
    assert "[00:10<00:20" in capsys.readouterr().err
