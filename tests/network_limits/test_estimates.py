"""Estimates and predictions of chapter `network_limits` on made-up paths."""

import json

import numpy as np
import pytest
import xarray as xr

import sgdescape.network_limits as nl
from sgdescape.network_limits.estimates import lines, narrow, resnet


def test_a_ring_first_passes_zero_where_its_recursion_does():
    eta, beta, h, decay = 0.1, 0.9, 1.8, 1e-3
    x = [1.0, 1 - eta * (h + decay)]
    while x[-1] > 0:
        x.append((1 + beta - eta * (h + decay)) * x[-1] - beta * x[-2])
    expected = len(x) - 1 - x[-1] / (x[-1] - x[-2])
    (track,) = nl.released([h], 40, learning_rate=eta, momentum=beta, weight_decay=decay)
    assert lines.first_crossing(track) == pytest.approx(expected)
    with pytest.raises(ValueError, match="must pass zero: got a least value of 0.4"):
        lines.first_crossing([1.0, 0.4])


def test_equipartition_of_a_run_finds_the_curvature():
    rng, eta, beta, h, steps = np.random.default_rng(3), 0.05, 0.8, np.array([0.5, 2.0]), 40_000
    x, v, track = np.zeros(2), np.zeros(2), np.zeros((steps + 1, 2))
    for k in range(1, steps + 1):
        v = beta * v - eta * (h * x + rng.normal(size=2))
        x = x + v
        track[k] = x
    dims = ("residual_run", "residual_step", "residual_mode")
    config = {"residual_runs": [[eta, beta, 1, steps]], "weight_decay": 0.0}
    ds = xr.Dataset(
        {
            "residual_position": (dims, track[None, 1:]),
            "residual_move": (dims, np.diff(track, axis=0)[None]),
            "residual_curvature": ("residual_mode", h),
        },
        attrs={"config": json.dumps(config)},
    )
    np.testing.assert_allclose(nl.mode_equipartition(ds, 0), 1, atol=0.1)
    ds["residual_curvature"] = 2 * ds.residual_curvature
    assert (nl.mode_equipartition(ds, 0) < 0.6).all()


def test_growth_of_a_scale_invariant_weight_is_balanced():
    """A path whose force is at right angles to the weights, with weight decay."""
    rng, eta, beta, decay, steps = np.random.default_rng(0), 0.05, 0.8, 0.01, 300
    theta, b, norms, moves = rng.normal(size=40), np.zeros(40), [], []
    for _ in range(steps):
        force = rng.normal(size=40)
        force -= theta * (force @ theta) / (theta @ theta)
        b = beta * b + force + decay * theta
        theta = theta - eta * b
        norms.append(theta @ theta)
        moves.append(eta**2 * (b @ b))
    dims = ("residual_run", "residual_step")
    config = {"residual_runs": [[eta, beta, 1, steps]], "weight_decay": decay}
    ds = xr.Dataset(
        {"residual_norm": (dims, [norms]), "residual_norm_speed": (dims, [moves])},
        attrs={"config": json.dumps(config)},
    )
    measured, balanced = resnet.norm_growth(ds, 0)
    assert measured == pytest.approx(balanced, rel=1e-9)
    seats = resnet.settled(ds, 0)
    drift = nl.norm_drift(
        np.mean(norms[seats.start : -1]),
        np.mean(moves[seats.start + 1 :]),
        learning_rate=eta, momentum=beta, weight_decay=decay,
    )  # fmt: skip
    assert measured == pytest.approx(drift, rel=0.3)  # the ends of a short path


def test_mean_of_a_path_counts_independent_samples():
    rng, phi, n = np.random.default_rng(1), 0.8, 4000
    x = np.zeros(n)
    for k in range(1, n):
        x[k] = phi * x[k - 1] + rng.normal()
    found = lines.mean_of_path(x, level=0.95)
    error = (found.high - found.low) / 2 / 1.96
    assert error == pytest.approx(np.sqrt((1 + phi) / (1 - phi) / (1 - phi**2) / n), rel=0.25)
    with pytest.raises(ValueError, match="3 independent samples"):
        lines.mean_of_path(np.arange(20.0) ** 2)


def test_a_bend_is_how_much_steeper_a_curve_gets():
    k = np.arange(1.0, 101)
    assert lines.bend(k, np.where(k < 10, k, k**2 / 10), 1, 10, 100) == pytest.approx(1)


def narrow_runs(*, power=1.0, noise=2.0, steps=320, seed=0):
    """Runs of three settings whose squared steps scatter about noise eta^2/(S (1 - beta^2))."""
    rng = np.random.default_rng(seed)
    at = np.array([[0.01, 0.9, 32], [0.02, 0.9, 32], [0.01, 0.9, 4]])
    law = noise * at[:, 0] ** 2 / (at[:, 2] * (1 - at[:, 1] ** 2))
    speeds = law[:, None, None] ** power * rng.gamma(9, 1 / 9, (3, 2, steps))
    k = np.arange(1.0, steps + 1)
    ends = noise * rng.gamma(9, 1 / 9, (3, 2, 400))
    ends[2, 1] = np.nan
    ds = xr.Dataset(
        {
            "narrow_speed": (("setting", "narrow_replica", "narrow_step"), speeds),
            "narrow_distance": (("setting", "narrow_replica", "narrow_step"), 0 * speeds + k**1.2),
            "narrow_at": (("setting", "narrow_number"), at),
            "narrow_end_noise": (("setting", "narrow_replica", "narrow_end"), ends),
        },
    )
    ds.narrow_speed[2, 1] = np.nan  # one run at that setting
    return ds, law


def test_long_runs_give_back_what_they_were_made_with():
    ds, law = narrow_runs()
    slope = narrow.narrow_speed_slope(ds, [0, 1], law[:2], level=0.95)
    assert slope.low < 1 < slope.high and slope.high - slope.low < 0.6
    found = narrow.narrow_over_noise(ds, 2, level=0.95)
    assert found.low < 1 < found.high and found.high - found.low < 0.6
    assert narrow.narrow_blocks(ds, 2).shape == (256 // narrow.BLOCK,)
    assert narrow.narrow_power(ds).value == pytest.approx(1.2)
    assert narrow.narrow_growth(ds) == pytest.approx(1.2 * np.log(10))
    trend = narrow.narrow_trend(ds, level=0.99)
    assert trend.low < 0 < trend.high
    steep, law = narrow_runs(power=2.0)
    assert narrow.narrow_speed_slope(steep, [0, 1], law[:2], level=0.95).low > 1.5


def test_variances_of_short_paths_are_put_right():
    """A path a few memories long, whose mean and trend take half of the variance with them."""
    rng, eta, beta, h = np.random.default_rng(2), 0.01, 0.9, np.array([0.4, 1.6])
    steps, runs = 320, 60
    place, move = np.zeros((runs, 2)), np.zeros((runs, 2))
    paths = np.zeros((2, runs, steps, 2))
    for k in range(-600, steps):
        move = beta * move - eta * (h * place + np.sqrt(h) * rng.normal(size=place.shape))
        place = place + move
        if k >= 0:
            paths[:, :, k] = place, move
    dims = ("narrow_replica", "narrow_step", "narrow_mode")
    ds = xr.Dataset(
        {
            "narrow_position": (dims, paths[0]),
            "narrow_move": (dims, paths[1]),
            "narrow_curvature": ("narrow_mode", h),
            "narrow_at": (("setting", "narrow_number"), [[eta, beta, 1.0]]),
        }
    )
    exact = eta / (2 * (1 - beta))  # a round cloud, up to a term in eta h
    found = narrow.narrow_variances(ds, "narrow_position").mean(0)
    np.testing.assert_allclose(found / exact, 1, atol=0.15)
    slope = narrow.narrow_mode_slope(ds, "narrow_move", level=0.99)
    assert slope.low < 1 < slope.high
    energy = narrow.narrow_energy(ds, level=0.99)
    assert energy.low < 1 < energy.high and energy.high - energy.low < 0.3


def test_exponents_need_two_lags():
    assert lines.line_exponent([1, 2, 4], [1.0, 4.0, 16.0], 1, 4) == pytest.approx(2)
    with pytest.raises(ValueError, match="lags must hold two between 3 and 5: got 1"):
        lines.line_exponent([1, 2, 4], [1.0, 4.0, 16.0], 3, 5)
