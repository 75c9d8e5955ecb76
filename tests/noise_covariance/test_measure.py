"""The experiment: samplers, input laws, paths through a network, doors, seeds."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import sgdescape.noise_covariance as nc
from sgdescape.core.networks import models
from sgdescape.noise_covariance.measure import batches as experiments
from sgdescape.noise_covariance.measure import laws, network

RNG = np.random.default_rng(0)


def test_real_sampler_gives_full_batches():
    gradients = RNG.normal(size=(6, 2))
    means = experiments.batch_means(
        gradients, batch_size=6, sampler="without_replacement", batches=3, seed=1
    )
    np.testing.assert_allclose(means, np.tile(gradients.mean(axis=0), (3, 1)))


@pytest.mark.parametrize(
    ("law", "value"),
    [("rademacher", 1), ("uniform", 1.8), ("three-point", 2), ("gaussian", 3), ("laplace", 6)],
)
def test_kurtosis_and_noise_of_each_law_by_quadrature(law, value):
    g, w = laws.nodes(law)
    assert w @ g == pytest.approx(0, abs=1e-12)
    assert w @ g**2 == pytest.approx(1)
    assert nc.kurtosis(g, weights=w) == pytest.approx(value)
    r, v = laws.nodes("gaussian")
    slopes, residuals = (a.ravel() for a in np.meshgrid(g, r, indexing="ij"))
    s0, s1, s2 = nc.line_noise(slopes, residuals, weights=np.outer(w, v).ravel())
    assert s1 == pytest.approx(0, abs=1e-12)
    for c in (1.0, 1.5, 4.0):  # 2 h L* = 1
        assert s0 + s2 * (c - 1) == pytest.approx(nc.kurtosis_noise(c, kurtosis=value))


@pytest.mark.parametrize("law", list(laws.LAWS))
def test_sampled_laws_have_the_moments_of_their_nodes(law):
    rng = np.random.Generator(np.random.Philox(key=[5, 5]))
    draws = laws.LAWS[law](rng, 200_000)
    g, w = laws.nodes(law)
    for power in (1, 2, 4):
        error = np.sqrt((w @ g ** (2 * power) - (w @ g**power) ** 2) / draws.size)
        assert abs(np.mean(draws**power) - w @ g**power) <= 5 * error + 1e-12


def test_outputs_along_a_direction_against_finite_differences():
    model = models.mlp((5, 3, 1), seed=0, dtype=torch.float64)
    x = torch.as_tensor(RNG.normal(size=(6, 5)))
    size = sum(p.numel() for p in model.parameters())
    e = torch.nn.functional.normalize(torch.as_tensor(RNG.normal(size=size)), dim=0)
    value, slope = network.outputs_along(model, x, e, 0.2)
    up, _ = network.outputs_along(model, x, e, 0.2 + 1e-6)
    np.testing.assert_allclose((up - value) / 1e-6, slope, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(
        network.outputs_along(model, x, e, 0.0)[0], model(x)[:, 0].detach()
    )


def test_divergence_of_the_training_is_reported():
    sizes = dict(images=60, eigenvectors=5, paths=2, steps=500, batch_size=20)
    with pytest.raises(FloatingPointError, match="diverged at step"):
        network.trained(replace(nc.QUICK, learning_rate=10.0, **sizes))


def test_dataset_is_a_function_of_the_seed_and_survives_netcdf(tmp_path):
    sizes = dict(images=80, eigenvectors=6, paths=2, steps=50, polish=5, draws=400, batches=20)
    small = replace(nc.QUICK, batch_size=20, line_images=50, **sizes)
    first, second = nc.run(small), nc.run(small)
    for name in first.data_vars:
        np.testing.assert_array_equal(first[name], second[name])
    other = nc.run(replace(small, seed=1))
    assert not np.array_equal(first["trace"], other["trace"])
    first.to_netcdf(tmp_path / "result.nc")


def test_importing_the_chapter_does_not_import_torch():
    code = "import sys, sgdescape.noise_covariance; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


NAN, INF = float("nan"), float("inf")
COUNT = (-1, 10**30, 1.5, NAN, True, "many")
FIELDS = {
    "samples": (1, *COUNT),
    "hidden": (0, *COUNT),
    "batch_sizes": ((), 5, (0, 5), (5, 11), (5, 1, 8), (5, True), "5"),
    "tested": (0, 3, *COUNT),
    "groups": (3, *COUNT),
    "batches": (3, *COUNT),
    "loss_ratios": ((), (1.0, 2.0), (0.5, 1.0, 1.5), (1.0, 2.0, 4.0), (1.0, NAN, 3.0), "1"),
    "draws": (99, *COUNT),
    "law_batch_size": (0, 10_001, *COUNT),
    "directions": ((), (0, 1), (2, 1, 3), (1, 1.5), 5, (1, 10**30)),
    "loss_ratio_d": (0.9, 0.0, -1.0, NAN, INF, 1e300, True, "3"),
    "line_images": (0, *COUNT),
    "learning_rates": ((), (0.5, 0.25), (0.0, 0.5, 1.0), (0.3, 0.2, 0.1), (0.5, INF, 0.1), 0.1),
    "images": (0, *COUNT),
    "units": (0, *COUNT),
    "learning_rate": (0.0, -1.0, NAN, INF, 1e300, True, "fast", 1j),
    "batch_size": (0, 2001, *COUNT),
    "steps": (0, *COUNT),
    "polish": COUNT,
    "eigenvectors": (0, 2001, *COUNT),
    "paths": (0, 41, *COUNT),
    "loss_ratios_n": ((), (1.0, 2.0), (2.0, 1.5, 3.0), (1.5, INF), 2.0, "2"),
    "seed": COUNT,
}


@pytest.mark.parametrize("field", FIELDS)
def test_config_refuses(field):
    assert set(FIELDS) == set(nc.Config.__dataclass_fields__)
    for value in FIELDS[field]:
        with pytest.raises((TypeError, ValueError), match=field):
            replace(nc.QUICK, **{field: value})
