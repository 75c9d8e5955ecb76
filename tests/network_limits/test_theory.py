"""Theory of chapter `network_limits`: dense algebra, sampled epochs, its own recursion."""

import numpy as np
import pytest
from scipy import linalg

import sgdescape.network_limits as nl
from sgdescape.anomalous_diffusion import crossover_curvature, local_displacement
from sgdescape.modified_loss import areal_rate
from sgdescape.network_limits.estimates.lines import prony
from sgdescape.underdamped_langevin import autocorrelation, oscillating_band

RATES = {"learning_rate": 0.05, "momentum": 0.8}
AT = RATES | {"batch_size": 8}


def test_stationary_moments_solve_the_lyapunov_equation():
    eta, beta, h, noise, size = 0.3, 0.7, 1.3, 2.0, 8
    a = np.array([[1 + beta - eta * h, -beta], [1.0, 0.0]])
    cov = linalg.solve_discrete_lyapunov(a, np.diag([eta**2 * noise / size, 0.0]))
    at = {"learning_rate": eta, "momentum": beta, "batch_size": size}
    variance, square = nl.moments([h], [noise], steps=[600], **at)
    assert variance[0, 0] == pytest.approx(cov[0, 0])
    assert square[0, 0] == pytest.approx(2 * (cov[0, 0] - cov[0, 1]))
    assert local_displacement([h], [noise], **at) == pytest.approx(square[0, 0])
    both = {"learning_rate": eta, "momentum": beta}
    assert nl.equipartition(square[0, 0], variance[0, 0], h, **both) == pytest.approx(1)
    curve = autocorrelation(np.arange(4), h, **both)
    assert curve[1] == pytest.approx(cov[0, 1] / cov[0, 0])
    lag = a @ a @ cov
    assert curve[2] == pytest.approx(lag[0, 0] / cov[0, 0])
    area = 2 * (cov[0, 1] - lag[0, 0]) - (cov[0, 0] - lag[0, 0])
    direct = (cov[0, 1] - cov[0, 0]) * 0 + cov[0, 1] * 2 - cov[0, 0] - lag[0, 0]
    assert area == pytest.approx(direct)
    # x_k d_{k+1} - x_{k+1} d_k = x_{k+1} x_{k-1} - x_k^2
    assert areal_rate(square[0, 0], curvature=h, **both) == pytest.approx(lag[0, 0] - cov[0, 0])


def test_filtered_variance_is_that_of_sampled_epochs():
    rng = np.random.default_rng(1)
    samples, size, steps = 24, 4, 15
    values = rng.normal(size=samples)
    values -= values.mean()
    weights = rng.normal(size=(1, steps))
    totals = np.zeros(20_000)
    for k in range(len(totals)):
        noise = np.concatenate(
            [rng.permutation(values).reshape(-1, size).mean(1) for _ in range(3)]
        )
        totals[k] = weights[0] @ noise[:steps]
    found = nl.filtered_variance(weights, [values.var()], batch_size=size, samples=samples)[0]
    assert abs(totals.var() / found - 1) < 5 * np.sqrt(2 / len(totals))
    iid = nl.filtered_variance(weights, [values.var()], batch_size=size)[0]
    assert iid == pytest.approx(values.var() / size * (weights**2).sum())


def test_displacement_from_rest_is_the_variance_and_free_directions_diffuse():
    at = {"learning_rate": 0.1, "momentum": 0.5, "batch_size": 2}
    lags = np.array([1, 5, 40])
    for samples in (None, 32):
        found = nl.displacement([0.4], [3.0], start=0, lags=lags, samples=samples, **at)
        variance, _ = nl.moments([0.4], [3.0], steps=lags, samples=samples, **at)
        np.testing.assert_allclose(found, variance[:, 0])
    far = nl.displacement([0.0], [3.0], start=500, lags=[1000, 2000], **at)
    assert np.diff(far)[0] == pytest.approx(1000 * 0.01 * 3.0 / (2 * 0.25), rel=1e-6)
    stationary = nl.displacement([0.4], [3.0], start=500, lags=lags, **at)
    limit, _ = nl.moments([0.4], [3.0], steps=[800], **at)
    curve = autocorrelation(np.arange(41), 0.4, learning_rate=0.1, momentum=0.5)
    np.testing.assert_allclose(stationary, 2 * limit[0, 0] * (1 - curve[lags]), rtol=1e-9)


def test_crossover_is_where_epochs_halve_the_variance():
    at = {"learning_rate": 0.001, "momentum": 0.5, "batch_size": 16}
    h = [crossover_curvature(learning_rate=0.001, momentum=0.5, steps_per_epoch=256)]
    steps = np.arange(2560, 2816, 8)
    epochs, _ = nl.moments(h, [1.0], steps=steps, samples=16 * 256, **at)
    white, _ = nl.moments(h, [1.0], steps=steps, **at)
    assert epochs.mean() / white.mean() == pytest.approx(0.54, abs=0.02)


def test_impulse_and_release_are_the_recursion():
    at = {"learning_rate": 0.05, "momentum": 0.97, "weight_decay": 0.01}
    for h in (0.0, 0.003, 0.5, 30.0):
        e, kicked, let_go = 0.05 * (h + 0.01), [1.0], [1.0]
        kicked.append(1 + 0.97 - e)
        let_go.append(1 - e)
        for track in (kicked, let_go):
            while len(track) < 200:
                track.append((1 + 0.97 - e) * track[-1] - 0.97 * track[-2])
        np.testing.assert_allclose(nl.impulse([h], 200, **at)[0], kicked, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(nl.released([h], 199, **at)[0], let_go, rtol=1e-8, atol=1e-7)


def test_ring_is_what_linear_prediction_finds():
    eta, beta, h = 0.05, 0.97, 0.5
    x = [1.0, 1 - eta * h]
    for _ in range(200):
        x.append((1 + beta - eta * h) * x[-1] - beta * x[-2])
    decay, period = prony(np.array(x)[:, None])
    predicted = nl.ring([h], learning_rate=eta, momentum=beta)
    np.testing.assert_allclose([decay[0], period[0]], np.ravel(predicted), rtol=1e-8)
    critical, _ = oscillating_band(learning_rate=eta, momentum=beta)
    with pytest.raises(ValueError, match="where modes oscillate"):
        nl.ring([0.99 * critical], learning_rate=eta, momentum=beta)
    _, slow = nl.ring([1.01 * critical], learning_rate=eta, momentum=beta)
    assert slow[0] > 1000


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nl.noise_ratio(-1.0, **AT), "trace must be non-negative"),
        (lambda: nl.noise_ratio(np.nan, **AT), "trace must be non-negative and finite"),
        (lambda: nl.impulse([1.0], 0, **RATES), "length must be at least 1"),
        (lambda: nl.moments([1.0], [1.0], steps=[0.5], **AT), "steps must be at least 1"),
        (lambda: nl.moments([1.0], [1.0], steps=[1.5], **AT), "steps must be a whole number"),
        (lambda: nl.moments([1.0], [-1.0], steps=[3], **AT), "noise must lie in"),
        (lambda: nl.moments([1.0], [1.0], steps=[3], samples=12, **AT), "samples must be at least"),
        (lambda: nl.moments([1.0], [1.0], steps=[3], samples=17, **AT), "must divide the 17"),
        (lambda: nl.moments(["1"], [1.0], steps=[3], **AT), "curvature must hold real numbers"),
        (lambda: nl.displacement([1.0], [1.0], start=-1, lags=[3], **AT), "start must be at least"),
        (lambda: nl.norm_drift(1.0, -1.0, weight_decay=0.0, **RATES), "square_step must lie in"),
        (lambda: nl.ring([1.0], learning_rate=0.1, momentum=0.0), "momentum must be positive"),
        (lambda: nl.equipartition(1.0, 0.0, 1.0, **RATES), "variance must lie in"),
    ],
)
def test_bad_input_is_refused_with_its_value(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()
