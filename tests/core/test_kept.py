"""Kept results: read back only as they were written, anything else is named."""

import json

import numpy as np
import pytest
import xarray as xr

from sgdescape.core.runs import kept


@pytest.fixture
def dataset():
    attrs = {"config": json.dumps({"sizes": [1, 2], "seed": 7})}
    return xr.Dataset({"time": (("replica",), np.arange(300.0))}, attrs=attrs)


def test_a_kept_result_comes_back_with_what_it_cost(dataset, tmp_path):
    digest = kept.save(dataset, tmp_path / "a.nc", cost="one minute on one core")
    again = kept.load(tmp_path / "a.nc", sha256=digest)
    np.testing.assert_array_equal(again.time, dataset.time)
    assert again.attrs["cost"] == "one minute on one core"
    assert (tmp_path / "a.nc").stat().st_size < 12_000


def test_another_file_in_its_place_is_refused(dataset, tmp_path):
    digest = kept.save(dataset, tmp_path / "a.nc", cost="little")
    kept.save(dataset + 1e-9, tmp_path / "a.nc", cost="little")
    with pytest.raises(ValueError, match=f"SHA-256 must be {digest}, got .*restore it with git"):
        kept.load(tmp_path / "a.nc", sha256=digest)


def test_what_is_no_result_is_named(dataset, tmp_path):
    with pytest.raises(FileNotFoundError, match="part of a checkout"):
        kept.load(tmp_path / "none.nc", sha256=None)
    (tmp_path / "a.nc").write_text("version https://git-lfs.github.com/spec/v1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a.nc is no netCDF file"):
        kept.load(tmp_path / "a.nc", sha256=None)
    bare = dataset.drop_attrs()
    with pytest.raises(ValueError, match="no attribute 'config'"):
        kept.save(bare, tmp_path / "b.nc", cost="little")


def test_other_settings_are_named(dataset):
    kept.same_settings(dataset, {"sizes": (1, 2), "seed": 8}, except_for=("seed",))
    with pytest.raises(ValueError, match=r"made with sizes = \[1, 2\], not \[1, 3\]"):
        kept.same_settings(dataset, {"sizes": (1, 3), "seed": 7})
