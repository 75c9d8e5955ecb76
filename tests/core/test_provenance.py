"""Provenance: flat, complete, without paths, and accepted by netCDF."""

import getpass
import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from sgdescape.core import roots
from sgdescape.core.runs import provenance


@dataclass(frozen=True)
class Config:
    widths: tuple = (784, 10)
    rates: np.ndarray = field(default_factory=lambda: np.array([0.5, 1.0]))
    batch_size: int = np.int64(100)
    name: str = "Fashion — MNIST"
    dtype: torch.dtype = torch.float64
    seed: int = 3


def test_configuration_is_json():
    found = provenance.record(Config(), seconds=1.23456)
    assert json.loads(found["config"]) == {
        "widths": [784, 10],
        "rates": [0.5, 1.0],
        "batch_size": 100,
        "name": "Fashion — MNIST",
        "dtype": "torch.float64",
        "seed": 3,
    }
    assert found["seed"] == 3 and found["seconds"] == 1.235 and found["device"] == "cpu"


def test_attributes_are_flat_and_survive_netcdf(tmp_path):
    found = provenance.record(Config(), seconds=1.0)
    assert all(type(v) in (str, int, float) for v in found.values())
    xr.Dataset({"a": ("x", [1.0])}, attrs=found).to_netcdf(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc") as data:
        assert {k: data.attrs[k] for k in found} == found


def test_names_no_path_user_or_host():
    text = json.dumps(provenance.record(Config(), seconds=1.0))
    root = roots.PROJECT
    assert str(root) not in text and str(Path.home()) not in text.replace("/root", str(Path.home()))
    for private in (socket.gethostname(), getpass.getuser()):
        assert len(private) < 4 or private not in text


def test_versions_are_those_in_use():
    found = provenance.record(Config(), seconds=0.0)
    assert found["numpy"] == np.__version__
    # "+cu130" names a build of the same release, and not every package says it
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0]


def test_commit_without_git_is_the_release(monkeypatch):
    def refuse(*arguments, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(provenance.subprocess, "run", refuse)
    provenance.commit.cache_clear()
    try:
        assert provenance.commit() == "release " + provenance.package_version("sgdescape")
    finally:
        provenance.commit.cache_clear()


def test_commit_outside_a_checkout_is_the_release(monkeypatch, tmp_path):
    # An installed copy inside somebody's repository must not report that repository's commit.
    (tmp_path / "env" / ".git").mkdir(parents=True)
    monkeypatch.setattr(roots, "PROJECT", tmp_path / "env")
    provenance.commit.cache_clear()
    try:
        assert provenance.commit().startswith("release ")
    finally:
        provenance.commit.cache_clear()


@pytest.mark.parametrize(
    ("config", "seconds", "error", "message"),
    [
        ({"seed": 1}, 1.0, TypeError, "config must be a dataclass instance: got dict"),
        (Config, 1.0, TypeError, "config must be a dataclass instance: got type"),
        (Config(name=object()), 1.0, TypeError, "cannot hold a object"),
        (Config(), -1.0, ValueError, "seconds must be non-negative"),
    ],
)
def test_refusals(config, seconds, error, message):
    with pytest.raises(error, match=message):
        provenance.record(config, seconds=seconds)


def test_asking_for_the_commit_never_locks_the_checkout(tmp_path, monkeypatch):
    """`git status` may rewrite the index; killed meanwhile it would leave index.lock behind."""
    log = tmp_path / "log"
    fake = tmp_path / "git"
    fake.write_text(f'#!/bin/sh\necho "$@" >> {log}\necho 0123abc\n', encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    provenance._git(tmp_path, "status")
    assert log.read_text(encoding="utf-8").split()[0] == "--no-optional-locks"
