"""Predicted curves that no claim reads, against other ways to the same numbers."""

import numpy as np
import pytest
import xarray as xr
from scipy.linalg import sqrtm

import sgdescape.underdamped_langevin as ul
from sgdescape.underdamped_langevin import predictions
from sgdescape.underdamped_langevin.measure.single_modes import PAPER_MOMENTUM, PAPER_RATE


def test_the_curve_of_the_growth_goes_through_its_points(small):
    for step in small.growth_step.values[small.growth_step.values > 0]:
        point = small.growth_real.sel(growth_step=step, coordinate="position")
        np.testing.assert_allclose(small.growth_curve.isel(curve_step=int(step) - 1), point)


def test_half_a_step_twice_is_a_step_of_the_mean(small):
    """m(k + 1) = M m(k) in continuous time, so that the mean half a step on is M^(1/2) m(k)."""
    for mode in (0, 3):
        means = small.kick_sde.isel(mode=mode).values  # (steps, 2)
        step = np.linalg.solve(means[:2], means[1:3]).T
        half = small.kick_half_step.isel(mode=mode).values
        np.testing.assert_allclose(half, means @ np.real(sqrtm(step)).T, atol=1e-9)


def test_damping_of_the_papers_modes_is_one_at_the_critical_curvature(small):
    """The damping ratio falls as the root of the curvature."""
    critical = ul.critical_curvature(learning_rate=PAPER_RATE, momentum=PAPER_MOMENTUM)
    expected = np.sqrt(critical / small.paper_mode.values)
    np.testing.assert_allclose(small.paper_damping, expected)


def test_bands_of_the_spirals_are_those_of_one_mode_under_constant_noise(small):
    noise = 2.5
    steady = small.assign(local_noise=xr.full_like(small.local_noise, noise))
    found = predictions._predict_images(steady).spiral_variance
    config = predictions.provenance.settings(small)
    k, rho = small.spiral_step.values, float(small.image_curvature[0])
    for beta in small.spiral_momentum.values:
        at = {"learning_rate": float(small.image_rate), "momentum": float(beta)}
        full = ul.covariance(k, rho, noise, **at, batch_size=config.image_batch)
        expected = np.diagonal(full, axis1=1, axis2=2)
        got = found.sel(spiral_momentum=beta)
        np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-12 * expected.max())


def test_speed_on_images_is_the_step_law_of_the_whole_noise(small):
    config = predictions.provenance.settings(small)
    eta, beta = float(small.image_rate), config.momentum
    law = eta**2 / config.image_batch / (1 - beta**2) * float(small.image_noise.sum())
    assert float(small.image_speed_law) == pytest.approx(law)
