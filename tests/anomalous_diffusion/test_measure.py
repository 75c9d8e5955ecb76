"""Measurements of chapter `anomalous_diffusion`: SGD's own steps, and its seeds."""

from dataclasses import replace

import numpy as np
import pytest

import sgdescape.anomalous_diffusion as ad
from sgdescape.anomalous_diffusion.measure import batch_orders, experiments

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
    "grid_samples": 64,
    "grid_modes": 3,
    "grid_replicas": 4,
    "grid_points": 5,
    "order_samples": 64,
    "order_size": 4,
    "order_burn_in": 20,
    "order_origins": 4,
    "order_replicas": 8,
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
