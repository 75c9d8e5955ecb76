"""The chapter's kept result: only as it was, only for its settings, and made again in pieces."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import xarray as xr

import sgdescape.network_limits as nl
from sgdescape.core.runs import provenance
from sgdescape.network_limits import kept_result
from sgdescape.network_limits.config import Follow
from sgdescape.network_limits.measure import narrow

TINY = Follow(
    runs=((0.005, 0.9, 32, 40, 2), (0.005, 0.9, 4, 32, 1)),
    modes=2,
    images=64,
    iterations=4,
    marks=2,
    test_images=64,
    batches=(4, 32),
    draws=3,
    ends=2,
    plane_points=3,
)


def test_the_kept_file_is_that_of_these_settings():
    dataset = nl.load_result()
    follow = Follow()
    assert kept_result.FILE.stat().st_size < 3e6
    assert all(dataset.attrs[name] for name in ("cost", "processor", "torch", "commit", "seconds"))
    np.testing.assert_array_equal(dataset.narrow_at, follow.runs)
    shape = (len(follow.runs), max(run[4] for run in follow.runs), follow.runs[0][3])
    assert dataset.narrow_speed.shape == shape
    for k, (*_, steps, runs) in enumerate(follow.runs):
        seen = np.isfinite(dataset.narrow_speed.values[k])
        assert seen[:runs, :steps].all() and seen.sum() == runs * steps
    assert dataset.narrow_noise.shape == (len(follow.batches), follow.draws)
    assert dataset.narrow_mode_noise.sizes["narrow_mode"] == follow.modes
    assert kept_result.of(nl.QUICK, dataset).attrs == {}
    kept_result.of(replace(nl.QUICK, short_replicas=5), dataset)  # nothing that is kept uses it
    with pytest.raises(ValueError, match=r"made with seed = 0, not 1"):
        kept_result.of(replace(nl.QUICK, seed=1), dataset)


def test_another_file_is_refused(tmp_path):
    other = xr.Dataset(attrs={"config": provenance.to_json(asdict(nl.QUICK)), "cost": "none"})
    other.to_netcdf(tmp_path / "other.nc")
    with pytest.raises(ValueError, match="is not the result that this version"):
        nl.load_result(tmp_path / "other.nc")
    with pytest.raises(ValueError, match="made with follow = None"):
        nl.load_result(tmp_path / "other.nc", sha256=None)


@pytest.mark.slow
def test_a_narrow_run_is_found_again_and_made_again(tmp_path, monkeypatch):
    made = narrow.follow(TINY, store=tmp_path)
    assert made.narrow_speed.shape == (2, 2, 40)
    assert np.isnan(made.narrow_speed.values[1, 1]).all()  # that setting has one run
    piece = narrow.piece(TINY, setting=0, replica=1, steps=10)
    np.testing.assert_array_equal(piece, made.narrow_speed.values[0, 1, :10])
    # in the directions of the Hessian a path is no longer than as a whole
    inside = (made.narrow_position**2).sum("narrow_mode").values
    assert np.all(inside <= made.narrow_distance.values[0] * (1 + 1e-5))
    monkeypatch.setattr(narrow, "_path", lambda *a, **k: pytest.fail("made again"))
    xr.testing.assert_identical(made, narrow.follow(TINY, store=tmp_path))


@pytest.mark.slow
def test_the_kept_runs_begin_as_they_do_here():
    assert nl.agree(nl.load_result())
