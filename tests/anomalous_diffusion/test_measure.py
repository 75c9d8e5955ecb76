"""Measurements of chapter `anomalous_diffusion`: SGD's own steps, and its seeds."""

from dataclasses import fields, replace

import numpy as np
import pytest
import xarray as xr

import sgdescape.anomalous_diffusion as ad
from sgdescape.anomalous_diffusion import experiment
from sgdescape.anomalous_diffusion.measure import batch_orders, experiments, memory

from .test_theory import kicks


def test_regression_has_its_curvatures_and_minimum():
    rho = np.array([1.0, 0.25, 0.1])
    problem = batch_orders.regression(rho, samples=300, seed=3)
    hessian = problem.inputs.T @ problem.inputs / 300
    np.testing.assert_allclose(hessian, np.diag(rho), atol=1e-12)
    np.testing.assert_allclose(problem.inputs.T @ problem.residuals, 0, atol=1e-9)


@pytest.mark.parametrize("sampler", batch_orders.SAMPLERS[1:])
def test_full_batches_are_gradient_descent_with_momentum(sampler):
    problem = batch_orders.regression(np.array([1.0, 0.3]), samples=20, seed=1)
    start = np.array([1.0, -2.0])
    options = {"learning_rate": 0.2, "momentum": 0.7, "batch_size": 20}
    ours = batch_orders.positions(
        problem, [0, 1, 9], replicas=2, seed=0, sampler=sampler, start=start, **options
    )
    for mode, h in enumerate((1.0, 0.3)):
        u = kicks(0.2 * h, 0.7, 10)
        path = start[mode] * (u[[1, 2, 10]] - 0.7 * u[[0, 1, 9]])
        np.testing.assert_allclose(ours[:, 0, mode], path, atol=1e-12)
        np.testing.assert_allclose(ours[:, 0], ours[:, 1], rtol=1e-12)


def test_first_steps_with_each_sampler_are_batch_gradients():
    problem = batch_orders.regression(np.array([1.0, 0.3]), samples=12, seed=1)
    single = -0.1 * problem.inputs * problem.residuals[:, None]  # steps from the minimum
    for sampler in batch_orders.SAMPLERS:
        path = batch_orders.positions(
            problem,
            [0, 1],
            learning_rate=0.1,
            momentum=0.9,
            batch_size=1,
            replicas=50,
            seed=3,
            sampler=sampler,
        )
        gaps = np.abs(path[1][:, None] - single).max(axis=2)
        assert gaps.min(axis=1).max() < 1e-12
        assert np.unique(gaps.argmin(axis=1)).size > 8


def test_a_fixed_order_comes_back():
    problem = batch_orders.regression(np.array([1.0, 0.3]), samples=12, seed=1)
    at = {"learning_rate": 0.1, "momentum": 0.5, "batch_size": 3, "replicas": 3, "seed": 0}
    path = batch_orders.positions(problem, [2000, 2001, 2004, 2008], sampler="fixed", **at)
    np.testing.assert_allclose(path[2], path[0], rtol=1e-9)
    np.testing.assert_allclose(path[3], path[0], rtol=1e-9)
    assert np.all(np.abs(path[1] - path[0]).max(axis=1) > 1e-4)


SMALL = {
    "samples": 128,
    "modes": 3,
    "replicas": 8,
    "burn_in": 20,
    "origins": 2,
    "origin_spacing": 50,
    "longest_lag": 64,
    "lags": 10,
    "growing": (4, 16, 64),
    "window_replicas": 8,
    "grid_samples": 64,
    "grid_modes": 3,
    "grid_replicas": 4,
    "grid_points": 5,
    "order_samples": 64,
    "order_size": 4,
    "order_burn_in": 20,
    "order_origins": 4,
    "order_replicas": 8,
    "window": (4, 32),
    "number_samples": (32, 64, 128),
    "memory_steps": 50,
    "memory_replicas": 16,
    "bowl_modes": 2,
    "bowl_steps": 40,
}


def test_dataset_is_a_function_of_the_seed_and_survives_netcdf(tmp_path):
    small = replace(ad.QUICK, **SMALL)
    first, second = ad.run(small), ad.run(small)
    for name in first.data_vars:
        np.testing.assert_array_equal(first[name], second[name])
    other = experiments.bowl(replace(small, seed=1))
    assert not np.array_equal(first.bowl_displacement, other.bowl_displacement)
    first.to_netcdf(tmp_path / "result.nc")


@pytest.mark.parametrize("sampler", batch_orders.SAMPLERS)
def test_buffers_are_those_of_the_recursion(sampler):
    gradients = np.random.default_rng(0).standard_normal((2, 6))
    drawn = memory._epoch(gradients, sampler, np.random.default_rng(1))
    same = np.sort(drawn, axis=1) if sampler != "iid" else np.sort(gradients, axis=1)
    np.testing.assert_array_equal(same, np.sort(gradients, axis=1))
    assert np.isin(drawn, gradients).all()
    config = replace(ad.QUICK, **SMALL, memory_epochs=40, memory_momenta=(0.0, 0.5))
    found = memory.buffers(config).buffer_square.sel(sampler=sampler).mean("buffer_replica")
    assert float(found[0]) == pytest.approx(1.0, rel=0.02)  # the gradients themselves
    assert float(found[1]) == pytest.approx(1 / 0.75, rel=0.1)


def test_a_diverged_replica_is_named_and_left_out():
    paths = np.zeros((3, 4, 2))
    paths[1:, 2] = np.inf
    with pytest.warns(RuntimeWarning, match="1 of 4 replicas diverged .* by step 5: replica 2"):
        kept = batch_orders._diverged(paths, np.array([0, 5, 9]), 0.1)
    assert np.isnan(kept[:, 2]).all() and np.isfinite(np.delete(kept, 2, axis=1)).all()
    with pytest.raises(FloatingPointError, match="4 of 4 replicas diverged"):
        batch_orders._diverged(np.full((3, 4, 2), np.nan), np.array([0, 5, 9]), 0.1)
    rows = ("run", "grid_replica", "epoch"), np.where(np.arange(4)[:, None] == 2, np.nan, 1.0)[None]
    other = ("run", "grid_replica"), np.arange(4.0)[None]
    dataset = experiment._finite(xr.Dataset({"a": rows, "b": other}))
    assert dataset.b.values.tolist() == [[0.0, 1.0, 3.0]]


BAD = [
    ("samples", -1), ("samples", 2.5), ("samples", "4096"), ("modes", 1), ("modes", True),
    ("spectrum_exponent", 2.0), ("spectrum_exponent", float("nan")), ("learning_rate", 3.9),
    ("learning_rate", 0.0), ("momentum", 1.0), ("momentum", "0.9"), ("batch_sizes", (4,)),
    ("batch_sizes", (4, 4)), ("batch_sizes", 4), ("batch_sizes", (0, 4)), ("replicas", 7),
    ("burn_in", -1), ("origins", 0), ("origin_spacing", float("inf")), ("longest_lag", 100),
    ("lags", 5), ("start_samples", 0.0), ("window", (200, 40)), ("window", (1, 2, 3)),
    ("window", (40, 10**6)), ("grid_samples", 17), ("grid_modes", 1), ("grid_rates", ()),
    ("grid_rates", (3.9,)), ("grid_sizes", (3,)), ("grid_momenta", (0.5, 1.0)),
    ("grid_replicas", 3), ("grid_points", 2), ("grid_drift", -1.0), ("order_samples", 10),
    ("order_size", 3), ("order_size", 2048), ("order_burn_in", -1), ("order_origins", 0),
    ("order_replicas", 0), ("number_samples", (512,)), ("number_samples", (510, 2048)),
    ("number_rate", 1.5), ("number_size", 0), ("number_momentum", -0.1), ("memory_momenta", (0.9,)),
    ("memory_steps", 1), ("memory_epochs", 0), ("memory_replicas", 1), ("bowl_modes", 0),
    ("near_samples", 0.0), ("window_momentum", 1.0), ("window_replicas", 7),
    ("growing", (32, 128)), ("growing", (128, 32, 1024)), ("growing", (32, 128, 10**6)),
    ("bowl_rate", 2.0), ("bowl_size", 0), ("bowl_steps", 5), ("seed", -1), ("seed", 2**64),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD, ids=lambda v: str(v)[:12])
def test_settings_are_refused_before_anything_runs(field, value):
    with pytest.raises((ValueError, TypeError), match=field):
        replace(ad.QUICK, **{field: value})


def test_every_setting_is_tried():
    assert {field for field, _ in BAD} == {field.name for field in fields(ad.Config)}
