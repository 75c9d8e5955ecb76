"""The three-hump camel: its landscape, the least action, Kramers' formula, passages, slopes."""

import numpy as np
import pytest
from scipy import optimize, special

import sgdescape.large_deviations as ld
from sgdescape.core import quasi_potential
from sgdescape.large_deviations.estimates.camel import passage_slope, slope
from sgdescape.large_deviations.measure.camel_runs import (
    camel_passages,
    normal_noise,
    skewed_noise,
)


def gradient(theta, h=1e-6):
    return [
        (ld.camel_loss(theta + h * e) - ld.camel_loss(theta - h * e)) / (2 * h) for e in np.eye(2)
    ]


@pytest.mark.parametrize("well, sign", [("right", 1), ("left", -1)])
def test_stationary_points(well, sign):
    minimum, saddle = ld.camel_stationary(well)
    assert np.sign(minimum[0]) == np.sign(saddle[0]) == sign
    for point in (minimum, saddle):
        assert gradient(point) == pytest.approx([0, 0], abs=1e-8)
    ring = 0.01 * np.stack([np.cos(a := np.linspace(0, 6.28, 40)), np.sin(a)], axis=-1)
    assert np.all(ld.camel_loss(minimum + ring) > ld.camel_loss(minimum))
    assert np.ptp(np.sign(ld.camel_loss(saddle + ring) - ld.camel_loss(saddle))) == 2
    found = optimize.minimize(ld.camel_loss, 0.95 * saddle, method="Nelder-Mead").x
    assert found == pytest.approx([0, 0], abs=1e-3)  # the other side is the deep well
    assert ld.camel_loss([0, 0]) == 0 < ld.camel_loss(minimum)


def test_weak_tilts_know_the_covariance_only():
    """The stronger the noise the smaller the tilt: what skewness adds falls as 1/sigma."""
    for well, sign in (("right", -1), ("left", 1)):
        rest = [
            ld.camel_barrier(skewed_noise(scale, 4), well=well, points=21)
            / ld.camel_gaussian_barrier(scale**2)
            - 1
            for scale in (20.0, 40.0)
        ]
        assert np.sign(rest).tolist() == [sign, sign]
        assert rest[0] / rest[1] == pytest.approx(2, rel=0.15)


def test_normal_noise_is_normal_as_far_as_it_is_tilted():
    tilt = np.linspace(0.01, 0.15, 8)  # twice the steepest slope, over the variance
    found = np.log(np.mean(np.exp(tilt[:, None] * normal_noise(4.0)), axis=1))
    assert found == pytest.approx(8 * tilt**2, rel=1e-3)


def test_least_action_agrees_with_dynamic_programming_in_the_plane():
    """A second solver, which knows no paths: the quasi-potential on a grid."""
    noise = skewed_noise(4.0, 8)
    large, small = noise[0], noise[1]

    def hamiltonian(theta, p):
        x, y = theta[..., 0], theta[..., 1]
        slope = np.stack([4 * x - 4.2 * x**3 + x**5 + y, x + 2 * y], axis=-1)
        mean = np.logaddexp(-np.log(8) - large * p, np.log(7 / 8) - small * p)
        return np.sum(mean - p * slope, axis=-1)

    def cost(theta, step):
        return np.maximum(quasi_potential.step_cost(hamiltonian, theta, step)[0], 0.0)

    minimum, saddle = ld.camel_stationary()
    step = (minimum[0] - saddle[0]) / 14
    x = minimum[0] + step * np.arange(-14, 3)
    y = minimum[1] + step / 2 * np.arange(-5, 20)
    plane = quasi_potential.plane_potential(cost, x, y, start=(14, 5), rings=(1,))
    top = np.interp(saddle[1], y, plane[0])
    assert top == pytest.approx(ld.camel_barrier(noise), rel=0.01)


def test_kramers_in_one_direction_is_exact_for_a_linear_recursion():
    """The current over a saddle, by quadrature of the step's own law."""
    for a in (1.05, 1.5):
        u = np.linspace(-7, 7, 2001)
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        ahead = special.ndtr(a * u[:, None] + np.sqrt(a * a - 1) * nodes)
        weights = weights / weights.sum()
        assert ahead @ weights == pytest.approx(special.ndtr(u), abs=1e-6)  # harmonic
        change = ahead**2 @ weights - special.ndtr(u) ** 2
        current = np.trapezoid(np.exp(u * u / 2) * change, u) / 2
        assert current == pytest.approx(np.log(a) / np.sqrt(2 * np.pi), rel=2e-3)


def test_time_tends_to_the_continuous_formula():
    minimum, saddle = ld.camel_stationary()

    def curvatures(theta, h=1e-4):
        rows = [
            [
                (a - b) / (2 * h)
                for a, b in zip(gradient(theta + h * e), gradient(theta - h * e), strict=True)
            ]
            for e in np.eye(2)
        ]
        return np.linalg.eigvalsh(rows)

    low, high = curvatures(minimum), curvatures(saddle)
    kramers = 2 * np.pi / -high[0] * np.sqrt(-np.prod(high) / np.prod(low))
    found = ld.camel_time(learning_rate=1e-6, barrier=2e-6)
    assert found == pytest.approx(kramers * np.exp(2), rel=1e-3)
    assert ld.camel_time(learning_rate=0.02, barrier=0.0) > 1.1 * kramers


def test_bad_input():
    with pytest.raises(ValueError, match="noise must be .* of mean 0"):
        ld.camel_barrier([1.0, 2.0])
    with pytest.raises(ValueError, match="noise must be"):
        ld.camel_barrier([0.0, 0.0])
    with pytest.raises(ValueError, match="well must be one of"):
        ld.camel_stationary("middle")
    with pytest.raises(ValueError, match="learning_rate must lie in"):
        ld.camel_time(learning_rate=0.2, barrier=1.0)
    with pytest.raises(ValueError, match="noise must be 2\\^k values"):
        camel_passages(np.array([1.0, -1.0, 0.0]), learning_rate=0.01, runs=2, seed=0)


# --- noise and passages


def test_noise_has_its_moments():
    normal, skewed = normal_noise(3.0), skewed_noise(3.0, 8)
    for values in (normal, skewed):
        assert np.mean(values) == pytest.approx(0, abs=1e-12)
        assert np.var(values) == pytest.approx(9)
    assert np.mean(normal**4) / 81 == pytest.approx(3, rel=0.01)
    assert np.mean(skewed**3) / 27 == pytest.approx(6 / np.sqrt(7))


def reference(noise, eta, sign, seed, replica, most):
    """One run, step by step, with the counters of the kernel."""
    from sgdescape.core.random import philox

    theta = sign * np.array([1.75, -0.875])
    for k in range(1, most + 1):
        words = philox.words(
            seed, step=(k - 1) // 4, draw=0, replica=replica, stream=philox.Stream.NOISE
        )
        word = int(np.ravel(words)[(k - 1) % 4])
        x, y = theta
        slope = np.array([4 * x - 4.2 * x**3 + x**5 + y, x + 2 * y])
        picked = noise[[(word & 0xFFFF) % noise.size, (word >> 16) % noise.size]]
        theta = theta - eta * (slope + picked)
        if np.hypot(*theta) <= 0.5:
            return k
    return -1


def test_kernel_is_its_reference():
    noise = skewed_noise(4.0, 8)
    found = camel_passages(noise, learning_rate=0.05, runs=5, well="left", seed=3, max_steps=400)
    assert found.tolist() == [reference(noise, 0.05, -1, 3, r, 400) for r in range(5)]
    assert np.any(found > 0)


def test_runs_that_blow_up_or_take_too_long_are_given_up():
    steps = camel_passages(normal_noise(4.0), learning_rate=0.3, runs=4, seed=0)
    assert np.all((steps == -1) | (steps > 0)) and np.any(steps == -1)
    assert (
        camel_passages(normal_noise(4.0), learning_rate=0.01, runs=2, seed=0, max_steps=3).max() < 0
    )


# --- slopes


def test_slope_of_exponential_times_has_its_level():
    rates = np.array([0.1, 0.05, 0.04])
    mean = 3 * np.exp(0.2 / rates)
    rng, inside = np.random.default_rng(1), 0
    for _ in range(400):
        found = passage_slope(rng.exponential(mean[:, None], (3, 120)), rates, level=0.95)
        inside += found.low <= 0.2 <= found.high
    assert 0.92 < inside / 400 < 0.98
    assert slope(mean, rates) == pytest.approx(0.2)
    with pytest.raises(ValueError, match="times must"):
        passage_slope(np.array([[1.0, -1.0], [2.0, 3.0]]), [0.1, 0.05])
