"""Measurements of chapter `kramers_escape` against closed forms and against each other."""

import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.special import beta

import sgdescape.kramers_escape as ke
from sgdescape.core.fokker_planck import operators as fp
from sgdescape.core.fokker_planck import quadrature
from sgdescape.kramers_escape import measure
from sgdescape.kramers_escape.measure import exits, line, paths, plane
from sgdescape.kramers_escape.measure.choice import valley_shares

ONE = dict(learning_rate=0.1, batch_size=1, curvature_minimum=1.0, curvature_saddle=-1.0)


# Exact passage times


@pytest.mark.parametrize("a", [2.0, 10.0])
def test_passage_time_on_a_bowl_is_the_closed_asymptotic_form(a):
    c = 1e4
    found = quadrature.passage(
        lambda z: -z,
        lambda z: (0.5 + z**2 / 2) / a,
        0.0,
        left=-1e-9,  # one side by symmetry: reflecting at the minimum
        right=np.sqrt(c - 1),
    )
    closed = a / (2 * a + 1) * beta(0.5, a + 0.5) * c ** (a + 0.5)
    assert found.time == pytest.approx(closed, rel=10 * a / c)


def test_passage_times_survive_where_floats_do_not():
    beyond = line.log_times(ke.Landscape(), 1000.0)[2]
    assert 1000 * math.log(4) < beyond < 1000 * math.log(4) + 10


def test_times_on_the_axis_are_the_double_integral():
    shape, a = ke.Landscape(curvature_saddle=-0.8), 8.0
    z = np.linspace(-3 * shape.saddle, shape.crossing, 200_001)
    loss = ke.path_loss(shape, z)
    inner = np.cumsum(loss ** (-a - 1)) * (z[1] - z[0])
    inside = (z > 0) & (z < shape.crossing)
    direct = a * np.sum((loss**a * inner)[inside]) * (z[1] - z[0])
    assert np.exp(line.log_times(shape, a)[1]) == pytest.approx(direct, rel=1e-4)


def test_operator_gives_the_quadrature_in_one_dimension():
    shape, a = ke.Landscape(curvature_saddle=-0.8), 8.0
    log_time = line.log_times(shape, a)[1]

    def mean_time(cells):
        count = round(cells * 3 * shape.saddle / shape.crossing)
        edges = np.linspace(-count / cells * shape.crossing, shape.crossing, count + cells + 1)
        found = fp.operator_1d(
            lambda z: -ke.path_slope(shape, z),
            lambda z: ke.path_loss(shape, z) / a,
            edges,
            right="absorbing",
        )
        times = fp.mean_first_passage(found)
        return (times[count - 1] + times[count]) / 2

    coarse, fine = mean_time(200), mean_time(400)
    assert fine + (fine - coarse) / 3 == pytest.approx(np.exp(log_time), rel=1e-4)


def test_plane_with_a_separable_log_loss_escapes_as_one_dimension():
    shape = ke.Landscape(loss_ratio=3.0, transverse=(0.6,))
    # In tau the direction e does not know of the other; in t it does, through the clock 1/L.
    found = [
        plane.rate(shape, ke.separable_log_loss, noise=a, cells=(60, 20))[0] for a in (20.0, 40.0)
    ]
    single = [np.exp(-line.log_times(shape, a)[1]) for a in (20.0, 40.0)]
    ratios = np.array(found) / single
    assert abs(2 * ratios[1] - ratios[0] - 1) < 2e-3


def test_equal_curvatures_in_three_dimensions_are_the_theorem():
    shape = ke.Landscape(loss_ratio=3.0, transverse=(1.0, 1.0))
    found = [
        plane.rate(shape, ke.separable_loss, noise=a, cells=(80, 30))[0]
        / float(
            ke.escape_rate(
                3.0,
                **ONE | {"learning_rate": 1 / a, "curvature_saddle": -0.5},
                effective_dimension=3,
            )
        )
        for a in (20.0, 40.0)
    ]
    assert 2 * found[1] - found[0] == pytest.approx(1, abs=3e-3)


def test_grids_converge():
    shape = ke.Landscape(transverse=(0.5,))
    options = dict(shape=shape, loss=ke.separable_loss, noise=20.0)
    coarse, fine = (plane.rate(**options, cells=cells) for cells in ((60, 20), (120, 40)))
    assert coarse[0] == pytest.approx(fine[0], rel=1e-3)
    assert abs(coarse[0] - fine[0]) < coarse[1] + fine[1]  # their own bounds hold
    assert fine[1] < coarse[1]


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_higher_walls_change_nothing(monkeypatch, ratio):
    options = dict(shape=ke.Landscape(transverse=(ratio,)), loss=ke.separable_loss, noise=20.0)
    before, _ = plane.rate(**options, cells=(100, 30))
    monkeypatch.setattr(plane, "_NEGLIGIBLE", 26.0)
    assert plane.rate(**options, cells=(120, 34))[0] == pytest.approx(before, rel=1e-3)


def test_linear_barrier_time_is_kramers():
    shape, noise = ke.Landscape(loss_ratio=2.0), 40.0
    found = line.linear_barrier_time(shape, noise)
    rate = math.sqrt(0.5) / (2 * math.pi) * math.exp(-noise)
    assert found * rate == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("noise", [1.0, 3.0, 40.0])
def test_circle_is_exact_for_equal_curvatures(noise):
    assert ke.circle_slope(1.0, noise=noise, cells=200) == pytest.approx(noise, abs=1e-6)


def test_circle_converges_at_second_order_and_ends_at_one_direction():
    values = [ke.circle_slope(0.5, noise=20.0, cells=n) for n in (250, 500, 1000)]
    assert (values[0] - values[1]) / (values[1] - values[2]) == pytest.approx(4, abs=0.2)
    assert ke.circle_slope(1e-4, noise=20.0) == pytest.approx(20.5, abs=1e-3)


def test_circle_is_where_a_moment_neither_grows_nor_decays():
    """The generator of the moment itself, not made symmetric, has the largest eigenvalue zero."""
    ratio, a, cells = 0.5, 3.0, 400
    p, step = 2 * ke.circle_slope(ratio, noise=a, cells=4000), math.pi / 2 / cells
    angle = (np.arange(cells) + 0.5) * step
    cos, sin = np.cos(angle), np.sin(angle)
    m, k = cos**2 + ratio**2 * sin**2, cos**2 + ratio * sin**2
    drift, rate = (1 - ratio) * sin * cos / (2 * step), m / (2 * a * step**2)
    up, down = rate + drift, rate - drift
    matrix = np.diag(m * p**2 / (2 * a) - k * p - 2 * rate)
    matrix += np.diag(up[:-1], 1) + np.diag(down[1:], -1)
    matrix[0, 0] += down[0]
    matrix[-1, -1] += up[-1]
    assert np.linalg.eigvals(matrix).real.max() == pytest.approx(0, abs=1e-4)


# Paths


def test_sde_has_the_drift_and_noise_of_the_landscape():
    shape = ke.Landscape(transverse=(0.5,))
    sde = paths.landscape_sde(shape, learning_rate=0.2, batch_size=4)
    theta = np.array([[0.3, -0.7], [1.0, 0.4]])
    loss = ke.separable_loss(shape, theta[:, 0], theta[:, 1])
    np.testing.assert_allclose(sde.noise(theta) ** 2, 0.1 * loss[:, None] * np.array([1.0, 0.5]))
    np.testing.assert_allclose(
        sde.drift(theta), -np.stack([ke.path_slope(shape, theta[:, 0]), 0.5 * theta[:, 1]], axis=1)
    )


def test_escape_times_depend_on_seed_and_replica_alone():
    shape = ke.Landscape(loss_ratio=1.5)
    common = dict(learning_rate=0.4, batch_size=1, dt=0.05, max_time=20.0)
    few, last, lost = paths.escapes(shape, **common, replicas=5, seed=3)
    more, _, _ = paths.escapes(shape, **common, replicas=9, seed=3)
    np.testing.assert_array_equal(few, more[:5])
    assert (lost == -1).all() and (last > 0).all()
    seen = ~np.isnan(more).any(axis=1)
    assert (more[seen, 0] < more[seen, 1]).all()


# The dataset


TINY = replace(
    ke.QUICK,
    noises=(5.0, 10.0, 20.0),
    plane_cells=(24, 8),
    ratios=(0.5, 1.0, 2.0),
    line_cells=100,
    replicas=20,
    max_time=20.0,
)


def test_bowl_times_have_closed_forms_in_two_and_four_dimensions(measured):
    c = measured.level.values
    two = (c - 1) ** 2 / 4 + (c - 1)
    np.testing.assert_allclose(measured.bowl_time.sel(dimension=2), two, rtol=1e-5)
    np.testing.assert_allclose(measured.bowl_time.sel(dimension=4), (c - 1) / 2, rtol=1e-5)


def test_dataset_is_a_function_of_the_seed_and_survives_netcdf(tmp_path):
    first, second = ke.run(TINY), measure.measure(TINY)
    for name in second.data_vars:
        np.testing.assert_array_equal(first[name], second[name])
    other = measure.simulate(replace(TINY, seed=1))
    assert not np.array_equal(first["passage"], other["passage"], equal_nan=True)
    first.to_netcdf(tmp_path / "result.nc")
    xr.testing.assert_equal(first, xr.load_dataset(tmp_path / "result.nc"))


@pytest.mark.slow
def test_paper_scale_grids_agree_with_quick(measured):
    config = replace(ke.PAPER, replicas=20, max_time=1.0, ratios=(0.5, 1.0, 2.0))
    fine = measure.in_plane(config).plane_rate
    np.testing.assert_allclose(measured.plane_rate.sel(ratio=fine.ratio), fine, rtol=2e-3)


def test_equal_valleys_are_visited_alike():
    share = valley_shares(
        (1.0, 1.0),
        directions=0,
        learning_rate=0.5,
        variance=3.0,
        width=0.25,
        time=400.0,
        replicas=60,
        seed=1,
    )
    assert abs(share.mean() - 0.5) < 5 * share.std() / np.sqrt(60)
    again = valley_shares(
        (1.0, 1.0),
        directions=0,
        learning_rate=0.5,
        variance=3.0,
        width=0.25,
        time=400.0,
        replicas=20,
        seed=1,
    )
    np.testing.assert_array_equal(share[:20], again)  # a run does not depend on how many there are


def test_shares_are_those_of_the_exact_chain():
    share = valley_shares(
        (1.0, 0.6),
        directions=0,
        learning_rate=0.8,
        variance=2.0,
        width=0.25,
        time=4000.0,
        replicas=100,
        seed=2,
    )
    odds = ke.chain_log_odds(3.0, learning_rate=0.8, curvatures=(1.0, 0.6), width=0.25)
    error = share.std() / np.sqrt(100)
    assert error < 0.005
    assert abs(share.mean() - 1 / (1 + np.exp(-odds))) < 4.5 * error


def test_slow_mode_of_a_parabola_is_as_wide_as_the_diffusion_says():
    # weak noise: variances eta L*/B in both directions, whatever the curvatures
    config = replace(ke.QUICK, plane_noises=(40.0, 80.0, 160.0), plane_cells=(60, 20))
    width = exits(config).width.sel(direction="across").values
    np.testing.assert_allclose(width[-1], 1, rtol=0.02)
