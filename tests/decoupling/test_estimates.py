"""How spectra are compared, against other libraries and exact cases."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from sgdescape import decoupling


def rng(seed=0):
    return np.random.Generator(np.random.Philox(key=seed))


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(1e-8, 1e4), min_size=1, max_size=40),
    fraction=st.floats(1e-3, 0.999),
)
def test_scale_is_the_inverse_of_dimension(values, fraction):
    scale = decoupling.scale_of(np.array(values), fraction)
    assert decoupling.dimension(values, scale) == pytest.approx(fraction, rel=1e-7)


def test_wasserstein_is_scipys():
    first, second = np.sort(rng(4).random((2, 50)), axis=1)[:, ::-1]
    expected = scipy.stats.wasserstein_distance(np.log10(first), np.log10(second))
    assert decoupling.wasserstein(first, second) == pytest.approx(expected)
    assert decoupling.wasserstein(first, first) == 0
    top = second > 0.5 * second[0]
    expected = scipy.stats.wasserstein_distance(np.log10(first[top]), np.log10(second[top]))
    assert decoupling.wasserstein(first, second, cut=0.5) == pytest.approx(expected)
    assert np.log10(decoupling.largest_factor(first, second)) >= decoupling.wasserstein(
        first, second
    )


def test_agreement_rank():
    reference = np.array([8.0, 4.0, 2.0, 1.0])
    assert decoupling.agreement_rank(reference, reference, factor=1.1) == 4
    assert decoupling.agreement_rank(reference * [1, 0.5, 0.9, 0.1], reference, factor=1.5) == 3
    assert decoupling.agreement_rank(reference / 10, reference, factor=1.5) == 0


def test_spectra_part_at_the_bottom_if_they_agree_and_at_the_top_if_not():
    reference = np.geomspace(1.0, 1e-8, 9)
    assert decoupling.parting(reference, reference, factor=1.5) == 1.0
    assert decoupling.parting(reference / 2, reference, factor=1.5) == 0.0
    half = np.where(np.arange(9) <= 4, reference, reference / 10)
    assert decoupling.parting(half, reference, factor=1.5) == pytest.approx(0.5)


def test_deviation_of_a_random_pairing_is_one_and_of_a_coupled_one_is_not():
    n, directions = 400, 10
    vectors = np.linalg.qr(rng(5).standard_normal((n, directions)))[0].T
    losses, weights = rng(6).exponential(size=n), vectors**2
    errors = decoupling.direction_error(losses, weights)
    value, freedom = decoupling.pairing_deviation(losses, weights, errors)
    assert 0.5 * directions < freedom <= 1.3 * directions
    tail = scipy.stats.chi2.ppf([1e-5, 1 - 1e-5], freedom) / freedom
    assert tail[0] < value < tail[1]
    order = np.empty(n, dtype=int)
    order[np.argsort(weights[0])] = np.argsort(losses)
    coupled, _ = decoupling.pairing_deviation(losses[order], weights, errors)
    assert coupled > 10


NAN = float("nan")
BAD = {
    "zero eigenvalue": (lambda: decoupling.wasserstein([1.0, 0.0], [1.0, 1.0]), "1 are not"),
    "shapes": (lambda: decoupling.wasserstein([1.0], [1.0, 1.0]), r"\(1,\), \(2,\)"),
    "cut": (lambda: decoupling.wasserstein([1.0], [1.0], cut=1.0), r"cut must be in \[0, 1\)"),
    "fraction 0": (lambda: decoupling.scale_of([1.0], 0.0), r"must lie in \(0, 1\): got 0.0"),
    "fraction of rank": (lambda: decoupling.scale_of([1.0, 0.0], 0.5), r"\(0, 0.5\): got 0.5"),
    "negative scale": (lambda: decoupling.dimension([2.0, 2.0], -0.5), "scale must be positive"),
    "NaN scale": (lambda: decoupling.dimension([2.0, 2.0], NAN), "scale must be finite"),
    "negative value": (lambda: decoupling.dimension([-2.0], 0.5), "spectrum must be at least 0"),
    "no factor": (lambda: decoupling.agreement_rank([1.0], [1.0], factor=NAN), "factor must be"),
    "flat": (lambda: decoupling.parting([1.0, 1.0], [1.0, 1.0], factor=2.0), "must fall"),
    "losses": (lambda: decoupling.direction_ratio([0.0, 0.0], [[1.0, 0.0]]), "mean of losses"),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()
