"""Estimates and predictions of chapter `network_limits` on made-up paths."""

import json

import numpy as np
import pytest
import xarray as xr

import sgdescape.network_limits as nl
from sgdescape.network_limits import estimates


def test_a_ring_first_passes_zero_where_its_recursion_does():
    eta, beta, h, decay = 0.1, 0.9, 1.8, 1e-3
    x = [1.0, 1 - eta * (h + decay)]
    while x[-1] > 0:
        x.append((1 + beta - eta * (h + decay)) * x[-1] - beta * x[-2])
    expected = len(x) - 1 - x[-1] / (x[-1] - x[-2])
    (track,) = nl.released([h], 40, learning_rate=eta, momentum=beta, weight_decay=decay)
    assert estimates.first_crossing(track) == pytest.approx(expected)
    with pytest.raises(ValueError, match="must pass zero: got a least value of 0.4"):
        estimates.first_crossing([1.0, 0.4])


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
    measured, balanced = estimates.norm_growth(ds, 0)
    assert measured == pytest.approx(balanced, rel=1e-9)
    seats = estimates.settled(ds, 0)
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
    found = estimates.mean_of_path(x, level=0.95)
    error = (found.high - found.low) / 2 / 1.96
    assert error == pytest.approx(np.sqrt((1 + phi) / (1 - phi) / (1 - phi**2) / n), rel=0.25)
    with pytest.raises(ValueError, match="3 independent samples"):
        estimates.mean_of_path(np.arange(20.0) ** 2)


def test_exponents_need_two_lags():
    assert estimates.line_exponent([1, 2, 4], [1.0, 4.0, 16.0], 1, 4) == pytest.approx(2)
    with pytest.raises(ValueError, match="lags must hold two between 3 and 5: got 1"):
        estimates.line_exponent([1, 2, 4], [1.0, 4.0, 16.0], 3, 5)
