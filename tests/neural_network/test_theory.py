"""Formulas and bowls of chapter `neural_network` against exact answers."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import quad
from tests.core import explicit

import sgdescape.neural_network as net
from neural_network.imitation import small
from sgdescape.core.stats import intervals
from sgdescape.neural_network.measure import bowl, checkpoints

spectra = st.lists(st.floats(0.01, 100), min_size=2, max_size=12)


@given(st.integers(1, 30), st.floats(0.1, 10))
def test_equal_curvatures_count_one_each(n, h):
    values = np.full(n, h)
    for number in (net.participation_ratio, net.entropy_number, net.outlier_dimension):
        np.testing.assert_allclose(number(values), n, rtol=1e-6)


@given(spectra, st.floats(0.1, 10), st.randoms())
def test_dimensions_do_not_depend_on_unit_or_order(values, unit, random):
    mixed = [unit * v for v in values]
    random.shuffle(mixed)
    for number in (net.participation_ratio, net.entropy_number, net.outlier_dimension):
        found = number(values)
        np.testing.assert_allclose(number(mixed), found, rtol=1e-6)
        assert 1 - 1e-9 <= found <= len(values) + 1e-6
        np.testing.assert_allclose(number([*values, 0.0]), found, rtol=1e-9)


def test_outlier_dimension_is_the_fixed_point_of_the_transverse_width():
    # at large c the width g of direction j solves rho g^2 - (1 + rho) g + rho = 0, and adds rho g
    for rho in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        roots = np.roots([rho, -(1 + rho), rho])
        added = net.outlier_dimension([1.0, rho]) - 1
        np.testing.assert_allclose(added, rho * roots.min(), rtol=1e-10)
    # and the values of a two-dimensional simulation at B / eta = 100, to its error of 1 %
    known = {0.9: 1.648, 0.7: 1.369, 0.5: 1.192, 0.3: 1.074, 0.1: 1.009}
    for rho, value in known.items():
        assert abs(net.outlier_dimension([1.0, rho]) - value) < 0.01


def test_gauss_newton_spectrum_is_that_of_the_sum_of_outer_products():
    model, images = small()
    jacobian = explicit.output_jacobian(model, images.inputs)[:, 0].detach()
    dense = torch.linalg.eigvalsh(jacobian.T @ jacobian / len(jacobian)).numpy()[::-1]
    found = net.gauss_newton_spectrum(jacobian @ jacobian.T)
    np.testing.assert_allclose(found[:20], dense[:20], atol=1e-9 * dense[0])


def test_raised_loss_is_the_mean_of_the_bowl():
    h, counts, a = np.array([3.0, 1.0, 0.5]), np.array([1, 1, 20]), 4.0
    valley = bowl.decoupled(h, counts)
    decay, spread = bowl.continuous(valley, strength=1 / (a * h[0]), dt=0.02 / h[0])
    _, mean = bowl.first_passage(
        valley, decay, spread, levels=[1e9], steps=20_000, replicas=100, seed=0, bridge=False
    )
    found = intervals.mean_interval(mean)
    expected = net.raised_loss(a, trace_ratio=(h * counts).sum() / h[0])
    assert expected > 2.0
    assert found.low * 0.98 < expected < found.high * 1.02
    assert net.raised_loss(1.0, trace_ratio=4.0) == np.inf


@pytest.mark.parametrize("coupled", [False, True])
def test_direction_noise_is_exact_where_its_assumptions_hold(coupled):
    # every combination of independent values: odd moments and cross terms vanish exactly
    points = np.array(list(product((-2.0, -1.0, 1.0, 2.0), (-1.5, 0.0, 1.5), (-1.0, 1.0))))
    g, rest = points[:, :2], points[:, 2].copy()
    if coupled:
        rest *= np.abs(g[:, 0])  # loss and gradient not decoupled: rho is not 1
    h, star = (g**2).mean(0), 0.5 * (rest**2).mean()
    ratio = (rest[:, None] ** 2 * g**2).mean(0) / (2 * star * h)
    kurtosis = (g**2).T @ (g**2) / len(g) / np.outer(h, h)
    z = np.array([0.3, -0.8])
    per_sample = (rest + g @ z)[:, None] * g
    exact = (per_sample**2).mean(0) - per_sample.mean(0) ** 2
    found = net.direction_noise(
        [star, *0.5 * h * z**2], ratio=ratio, kurtosis=kurtosis, curvature=h
    )
    np.testing.assert_allclose(found, exact, rtol=1e-12)
    assert coupled == (not np.allclose(ratio, 1))


def test_escape_slope_broadcasts():
    np.testing.assert_allclose(net.escape_slope(np.array([6.0, 8.0]), dimension=4), [5.0, 7.0])


def exact_time(c, *, n, a, h):
    """Mean first passage of Eq. (12) with n equal curvatures, from the minimum, by quadrature."""

    def inner(u):
        return quad(lambda v: v ** (n / 2 - 1) * (1 + v) ** (-a - 1), 0, u)[0]

    outer = quad(lambda u: u ** (-n / 2) * (1 + u) ** a * inner(u), 0, c - 1)[0]
    return a / (2 * h) * outer


@pytest.mark.parametrize("counts", [[1], [1, 1, 1], [3]])
def test_continuous_bowl_has_the_exact_passage_times(counts):
    h, a, levels = 3.0, 4.0, [1.5, 2.5]
    valley = bowl.decoupled(np.full(len(counts), h), np.array(counts))
    decay, spread = bowl.continuous(valley, strength=1 / (a * h), dt=0.01 / h)
    options = dict(levels=levels, steps=10**6, replicas=1000, seed=1)
    passages, _ = bowl.first_passage(valley, decay, spread, **options, bridge=True)
    exact = np.array([exact_time(c, n=sum(counts), a=a, h=h) for c in levels])
    ratio = passages * 0.01 / h / exact
    error = ratio.std(0) / np.sqrt(len(ratio))
    assert (np.abs(ratio.mean(0) - 1) < 5 * error + (0.03 if counts != [3] else 0.15)).all()
    # without the bridge, looking at the ends alone, the times are clearly too long
    coarse = bowl.continuous(valley, strength=1 / (a * h), dt=0.1 / h)
    blind, _ = bowl.first_passage(valley, *coarse, **options, bridge=False)
    assert (blind * 0.1 / h / exact).mean() > 1.3


@pytest.mark.parametrize("law", ["decoupled", "constant", "measured"])
def test_kernel_follows_the_reference(law):
    h, counts = np.array([5.0, 2.0, 0.3]), np.array([1, 1, 12])
    noise = {"ratio": np.array([0.9, 1.1]), "kurtosis": np.array([[1.6, 1.2], [1.2, 3.0]])}
    valley = getattr(bowl, law)(h, counts, **(noise if law == "measured" else {}))
    decay, spread = bowl.discrete(valley, learning_rate=0.05, batch_size=2)
    losses = bowl.reference(valley, decay, spread, steps=300, replicas=6, seed=3)
    levels = [1.05, 1.2, 1.5, 40.0]
    passages, mean = bowl.first_passage(
        valley, decay, spread, levels=levels, steps=300, replicas=6, seed=3, bridge=False
    )
    for row, found in zip(losses, passages, strict=True):
        first = [np.flatnonzero(row >= c) for c in levels]
        assert found.tolist() == [int(k[0]) + 1 if k.size else -1 for k in first]
    np.testing.assert_allclose(mean, losses[:, 150:].mean(1), rtol=1e-9)


def test_a_group_is_its_directions():
    h, a, n = 1.0, 6.0, 40
    found = []
    for counts in (np.ones(n, dtype=np.int64), np.array([n])):
        valley = bowl.decoupled(np.full(len(counts), h), counts)
        decay, spread = bowl.discrete(valley, learning_rate=0.2, batch_size=10)
        spread = spread * (0.5 / a / 0.02)
        options = dict(levels=[2.5], steps=3000, replicas=200, seed=2, bridge=False)
        found.append(bowl.first_passage(valley, decay, spread, **options)[0][:, 0])
    assert (found[0] > 0).all() and (found[1] > 0).all()
    errors = [x.std() / np.sqrt(x.size) for x in found]
    assert abs(found[0].mean() - found[1].mean()) < 5 * np.hypot(*errors)


@given(spectra)
def test_grouping_keeps_the_trace(values):
    values = np.sort(np.array([*values, 0.02, 0.01]))[::-1]
    values = values[values > 2e-4 * values[0]]
    assume(len(values) > 1)
    h, m = bowl.grouped(values, singles=1, bins=4)
    assert h[0] == values[0] and m.sum() == len(values)
    np.testing.assert_allclose((h * m).sum(), values.sum(), rtol=1e-9)


def test_lumping_keeps_two_moments():
    values = np.concatenate([[50.0, 20.0], np.linspace(0.1, 3, 400)])
    h, m = bowl.lumped(values[:2], trace=values.sum(), square=(values**2).sum())
    np.testing.assert_allclose((h * m).sum(), values.sum(), rtol=1e-12)
    np.testing.assert_allclose((h**2 * m).sum(), (values**2).sum(), rtol=0.01)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: net.participation_ratio([-1.0, 2.0]), "spectrum must be non-negative"),
        (lambda: net.entropy_number([0.0, 0.0]), "spectrum must be non-negative and not zero"),
        (lambda: net.outlier_dimension([np.nan]), "spectrum must be finite"),
        (lambda: net.escape_slope(-1.0, dimension=2), "exponent must be positive"),
        (lambda: net.raised_loss(0.0, trace_ratio=2.0), "exponent must be positive"),
        (lambda: net.raised_loss(3.0, trace_ratio=0.5), "trace_ratio must be at least 1"),
        (lambda: bowl.grouped([2.0, 1.0], singles=2, bins=2), "singles must lie in"),
        (lambda: checkpoints.Recipe(dataset="letters"), "dataset must be one of"),
        (lambda: checkpoints.Recipe(drift=0.0), "drift must be positive"),
    ],
)
def test_formulas_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()
