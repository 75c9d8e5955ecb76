"""Measurements and estimates of chapter `modified_loss` against their definitions."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from scipy import stats

import sgdescape.modified_loss as ml
from sgdescape.modified_loss import estimates
from sgdescape.modified_loss.measure import data, paths, single_direction, single_modes


def test_dataset_is_a_function_of_the_seed_and_survives_netcdf(config, small, tmp_path):
    again = ml.run(config)
    for name in small.data_vars:
        np.testing.assert_array_equal(small[name], again[name])
    other = ml.run(replace(config, seed=1))
    for name in (
        "square_position",
        "swirl_area",
        "turn_area",
        "growth",
        "toy_area",
        "edge_half",
        "arrow",
    ):
        assert not np.array_equal(small[name], other[name])
    small.to_netcdf(tmp_path / "result.nc")


def test_replicas_do_not_depend_on_chunks(config, small, monkeypatch):
    monkeypatch.setattr(data, "CHUNK", 8 * config.steps * 3 * 7.0)  # seven replicas
    again = xr.merge([f(config) for f in (data.regression, data.images)])
    for name in again.data_vars:
        np.testing.assert_allclose(small[name], again[name], rtol=1e-12, atol=1e-15)


def test_averages_are_those_of_their_definition():
    path = np.random.default_rng(5).normal(size=(7, 2, 1))
    found = paths.averages(path)
    x = path[:, 0, 0]
    step = np.diff(x)
    area = [x[k] * step[k] - x[k + 1] * step[k - 1] for k in range(1, 6)]
    assert found["area"][0, 0] == pytest.approx(np.mean(area))
    assert found["square_midpoint"][0, 0] == pytest.approx(np.mean((x[1:] / 2 + x[:-1] / 2) ** 2))


def test_figures_show_the_data(small):
    _, ax = plt.subplots()
    ml.figures.entropy(small, ax)
    assert any(
        np.allclose(bars.lines[0].get_ydata(), small.entropy.mean("chain"))
        for bars in ax.containers
    )
    _, ax = plt.subplots()
    ml.figures.rotation(small, ax)
    assert any(np.allclose(line.get_ydata()[0], -1.5) for line in ax.lines)
    options = {
        ml.figures.toy: {"modified": True},
        ml.figures.spectra: {"velocity": False},
        ml.figures.cloud: {"velocity": True},
        ml.figures.flow: {"commuting": False},
    }
    for plot in (
        *options,
        ml.figures.areas,
        ml.figures.mahalanobis,
        ml.figures.curvatures,
        ml.figures.edge,
        ml.figures.growth,
        ml.figures.images,
        ml.figures.arrow,
    ):
        assert plot(small, plt.subplots()[1], **options.get(plot, {})).get_xlabel()
    plt.close("all")


def test_cells_of_the_flow_are_means():
    rng = np.random.default_rng(6)
    x = rng.uniform(-1, 1, size=(40_000, 2))
    turn = np.stack([-x[:, 1], x[:, 0]], axis=1)
    cx, cy, u, v = estimates.flow(x, turn, bins=5, width=1.0)
    np.testing.assert_allclose(u, -cy, atol=0.02)
    np.testing.assert_allclose(v, cx, atol=0.02)


def test_slopes_are_weighted_fits(small):
    x = np.log(small.curvature.values)
    y = np.log(small.square_position.sel(run="quiet").mean("replica").values)
    found = estimates.log_slope(small, "square_position")
    assert found.value == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-9)
    assert stats.norm.isf(0.5) == 0 and found.low < found.value < found.high


def test_arrow_is_the_difference_of_third_powers_but_for_the_ends(config, monkeypatch):
    x = np.random.default_rng(0).normal(size=(40, 20, 1))

    class Made:
        position = x
        diverged_at = np.full(20, -1)

    monkeypatch.setattr(single_direction.phase_space, "states", lambda *a, **k: Made)
    found = single_direction.directions(config)
    now, after = x[:-1, :, 0], x[1:, :, 0]
    third = np.mean(now**3 * after - now * after**3, axis=0)
    ends = (x[0, :, 0] ** 4 - x[-1, :, 0] ** 4) / 2 / 39
    np.testing.assert_allclose(found.arrow[0], third - ends, atol=1e-12)
    np.testing.assert_allclose(found.arrow_square[0], np.mean(x[..., 0] ** 2, axis=0))


def test_walks_from_the_minimum_are_their_recursion(config):
    found = single_modes._growth(replace(config, walkers=1500))
    assert found.shape == (2, 2, 1500)
    at = {"learning_rate": config.learning_rate, "momentum": config.momentum}
    exact = ml.predictions.mode_covariance(
        np.array(config.times)[:, None], config.flat_curvatures, config.flat_curvatures, **at,
        batch_size=config.batch_size,
    )[..., 0, 0]  # fmt: skip
    np.testing.assert_allclose(found.mean(axis=-1), exact, rtol=0.2)


def test_shape_of_a_normal_cloud_is_that_of_chi_square():
    rng = np.random.default_rng(0)
    psi = np.sum(rng.normal(size=(300 * 50, 6)) ** 2, axis=1) / 2
    found = estimates.kurtosis_ratio(
        xr.Dataset({"kept_psi": ("state", psi), "of": ("replica", np.zeros(50))}), "kept_psi"
    )
    assert found.low < 8 / 6 < found.high and found.high - found.low < 0.1


def test_runs_that_diverge_are_named(config):
    wild = replace(config, learning_rate=0.9, fast_rate=0.9)
    words = r"run 'strong'.*2 are needed; diverged: replica 0 at step \d+, replica 1"
    with pytest.raises(FloatingPointError, match=words):
        data.regression(replace(wild, strong_batch=1, steepest=3.0, steps=3000, image_rate=0.001))


def test_a_replica_that_diverges_is_left_out_of_everything(config, small, monkeypatch):
    true = data.phase_space.states

    def lost(made):
        made.position[:, 3] = np.nan
        made.diverged_at[3] = 70
        return made

    monkeypatch.setattr(data.phase_space, "states", lambda *a, **k: lost(true(*a, **k)))
    with pytest.warns(RuntimeWarning, match="diverged and left out: replica 3 at step 70"):
        found = ml.run(config)
    others = np.delete(np.arange(small.sizes["replica"]), 3)
    np.testing.assert_array_equal(found.square_position, small.square_position[:, others])
    assert found.sizes["arrow_run"] == small.sizes["arrow_run"] - 1
    assert np.isfinite(found.kept_midpoint).all()
    instants = small.sizes["state"] // small.sizes["replica"]
    assert found.sizes["state"] == instants * found.sizes["replica"]
