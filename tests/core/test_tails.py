"""Exponents of power laws and tails: against scipy and other programs, by hand, coverage."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, signal, special, stats

from sgdescape.core.stats import tails
from sgdescape.core.stats.correlation import TooCorrelatedError
from sgdescape.core.stats.intervals import LEVEL
from sgdescape.core.stats.power_law import (
    UnboundedExponentError,
    exponent_of,
    power_law_exponent,
)
from sgdescape.core.stats.tails import (
    choose_discrete_minimum,
    choose_minimum,
    discrete_tail_exponent,
    hill,
)


def generator(key):
    return np.random.Generator(np.random.Philox(key=key))


def correlated_student(rng, nu, phi, *size):
    """Student's t with the ranks of a Gaussian AR(1)."""
    noise = rng.standard_normal((*size[:-1], size[-1] + 200))
    path = np.sqrt(1 - phi**2) * signal.lfilter([1.0], [1.0, -phi], noise)
    # A table of quantiles: ten times faster, and exact to 1e-6 in between.
    grid = np.linspace(-6, 6, 4001)
    quantiles = stats.t(nu).isf(stats.norm.sf(grid))
    return np.interp(path[..., 200:], grid, quantiles)


def power_law(rng, size, dimension, *, exponent, scale):
    """Radii of (1 + r^2 / scale^2)^(-exponent) in d dimensions."""
    top = rng.standard_gamma(dimension / 2, size)
    return scale * np.sqrt(top / rng.standard_gamma(exponent - dimension / 2, size))


# --- exponents of whole laws -----------------------------------------------------------------


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_laws_of_these_tests_are_scipys(dimension):
    x = power_law(generator(1), 5000, dimension, exponent=4.0, scale=1.5)
    law = stats.betaprime(dimension / 2, 4.0 - dimension / 2)  # of (r / scale)^2
    assert stats.kstest((x / 1.5) ** 2, law.cdf).pvalue > 1e-5


def test_exponent_is_the_likeliest():
    # (1 + x^2 / s^2)^-phi: Student's t with nu = 2 phi - 1, scale s / sqrt(nu)
    x = 2 * generator(2).standard_t(5, size=3000)
    found = power_law_exponent(x, scale=3.0).value
    log_likelihood = [
        stats.t(2 * phi - 1, scale=3 / np.sqrt(2 * phi - 1)).logpdf(x).sum()
        for phi in (found - 1e-3, found, found + 1e-3)
    ]
    assert np.argmax(log_likelihood) == 1


def test_only_the_ratio_to_the_scale_counts():
    x = generator(3).standard_t(5, size=3000)
    one, other = (power_law_exponent(c * x, scale=c * 2.0) for c in (1.0, 50.0))
    assert (one.low, one.value) == pytest.approx((other.low, other.value), rel=1e-9)


@given(st.floats(0.01, 1e4), st.integers(1, 30))
def test_exponent_of_inverts_its_equation(index, dimension):
    half = dimension / 2
    mean_log = special.digamma(index + half) - special.digamma(index)
    found = exponent_of(mean_log, dimension=dimension)
    assert found - half == pytest.approx(index, rel=1e-6)


def misses(intervals, truth):
    return sum(not i.low <= truth <= i.high for i in intervals)


@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_exponent_interval_covers(phi):
    # phi = 2.5 is nu = 4 and s = 2; 250 runs: standard error 1.9 %, and a tenth may be missed.
    samples = correlated_student(generator(5), 4.0, phi, 250, 6000) / 2
    found = [power_law_exponent(x, scale=1.0, level=0.9) for x in samples]
    assert 5 < misses(found, 2.5) < 50


def test_errors_of_independent_samples_would_be_wrong():
    samples = correlated_student(generator(6), 4.0, 0.9, 200, 20_000)
    honest = [power_law_exponent(x, scale=2.0, level=0.9) for x in samples[:60]]
    shuffled = [power_law_exponent(generator(7).permutation(x), scale=2.0, level=0.9)
                for x in samples[:60]]  # fmt: skip
    assert misses(honest, 2.5) < 20 < misses(shuffled, 2.5)


@pytest.mark.parametrize("dimension", [2, 10])
def test_exponent_in_more_dimensions(dimension):
    truth = {"exponent": dimension / 2 + 3, "scale": 2.0}
    x = power_law(generator(8), 40_000, dimension, **truth)
    found = power_law_exponent(x, dimension=dimension, scale=2.0)
    assert found.low < truth["exponent"] < found.high
    assert found.high - found.low < 0.25 * truth["exponent"]
    wrong = power_law_exponent(x, dimension=1, scale=2.0)
    assert not wrong.low < truth["exponent"] < wrong.high


@pytest.mark.slow
def test_exponent_interval_covers_far_in_the_tail():
    # 4,000 runs at level 0.999: 4 misses expected; above 20 by chance once in 10^8.
    rng, found = generator(9), []
    for _ in range(40):
        samples = correlated_student(rng, 5.0, 0.5, 100, 10_000)
        found += [power_law_exponent(x, scale=2.0, level=0.999) for x in samples]
    # s = sqrt(5), not 2: the exponent that describes t(5) best at s = 2
    mean = integrate.quad(lambda x: np.log1p(x**2 / 4) * stats.t(5).pdf(x), -200, 200)[0]
    assert misses(found, exponent_of(mean, dimension=1)) < 20


def test_samples_that_are_rarely_off_the_minimum_have_no_upper_end():
    x = np.zeros(5000)
    x[::1700] = 1.0
    with pytest.raises(UnboundedExponentError, match="cannot be told from a Gaussian") as caught:
        power_law_exponent(x, scale=1.0, level=0.999)
    assert 3 < caught.value.low < caught.value.estimate
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.low, str(copy)) == (caught.value.low, str(caught.value))


def test_known_scale_gives_even_a_near_gaussian_an_exponent():
    # mean log(1 + x^2 / s^2) = digamma(phi) - digamma(phi - 1/2): the linear-regression protocol
    # at small learning rate, phi = 101.
    x = power_law(generator(11), 100_000, 1, exponent=101.0, scale=1.0)
    found = power_law_exponent(x, scale=1.0)
    assert found.low < 101 < found.high < 106


# --- pure tails ------------------------------------------------------------------------------


def test_hill_by_hand_and_its_interval_is_exact():
    found = hill([16.0, 8.0, 4.0, 2.0, 1.0, 0.1], count=3, level=0.9)
    assert found.value == pytest.approx(3 / (6 * np.log(2)))  # log 2 + log 4 + log 8
    # k / (index x inverse estimate) of a Pareto law is a gamma variable.
    low, high = (stats.gamma(3).cdf(3 * end / found.value) for end in (found.low, found.high))
    assert (low, high) == pytest.approx((0.05, 0.95), rel=1e-9)


def test_hill_covers_the_index_of_student():
    # P(|t| > x) ~ x^-3 for 3 degrees of freedom: 200 largest of 100,000.
    x = generator(22).standard_t(3, size=100_000)
    found = hill(x, count=200)
    assert found.low < 3 < found.high and found.high - found.low < 3


def test_minimum_is_found_where_the_tail_begins():
    # Exponential up to 3, Pareto of density exponent 2.5 from there on, continuous at 3.
    rng = generator(23)
    tail = 3 * rng.pareto(1.5, size=4000) + 3
    bulk = rng.exponential(2.0, size=20_000)
    x = np.concatenate([tail, bulk[bulk < 3][:6000]])
    found = choose_minimum(x)
    assert 2.7 < found.minimum < 4.5 and 2.3 < found.exponent < 2.7
    assert found.count == np.sum(x >= found.minimum)
    at = hill(x, count=found.count - 1)
    assert at.low < 1.5 < at.high and at.value + 1 == pytest.approx(found.exponent, rel=0.02)


@pytest.mark.filterwarnings("ignore")
def test_minimum_agrees_with_another_program():
    """That one compares the law with the lower end of each step only: distances differ by 1 / n."""
    powerlaw = pytest.importorskip("powerlaw")
    x = generator(24).pareto(1.7, size=300) + 1
    x = np.where(x < 2, 1 + generator(25).random(300), x)
    theirs = powerlaw.Fit(x, verbose=False)
    ours = tails._tail(np.sort(x[x >= theirs.xmin]))
    assert ours.exponent == pytest.approx(theirs.alpha, rel=1e-6)
    assert abs(ours.distance - theirs.D) <= 1.001 / ours.count
    found = choose_minimum(x, candidates=300, least=10)
    assert found.distance <= ours.distance


# --- whole numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("truth", [1.6, 2.5, 3.5])
@pytest.mark.parametrize("minimum", [1, 4])
def test_discrete_exponent_covers_zipf(truth, minimum):
    x = generator(30).zipf(truth, size=40_000).astype(float)
    found = discrete_tail_exponent(x, minimum=minimum)
    assert found.low < truth < found.high and found.high - found.low < 0.35 * truth
    cents = discrete_tail_exponent(x / 100, minimum=minimum / 100, unit=0.01)
    assert (cents.value, cents.low) == pytest.approx((found.value, found.low), rel=1e-9)


def test_discrete_exponent_is_the_likeliest():
    x = generator(31).zipf(2.5, size=2000)
    found = discrete_tail_exponent(x, minimum=2, blocks=20).value
    tail = x[x >= 2].astype(float)
    log_likelihood = [
        -a * np.log(tail).sum() - tail.size * np.log(special.zeta(a, 2.0))
        for a in (found - 1e-3, found, found + 1e-3)
    ]
    assert np.argmax(log_likelihood) == 1


def test_discrete_intervals_cover():
    x = generator(32).zipf(2.2, size=(250, 3000)).astype(float)
    found = [discrete_tail_exponent(row, minimum=1, level=0.9) for row in x]
    assert 5 < misses(found, 2.2) < 50


@pytest.mark.parametrize("unit", [1.0, 0.5])
@pytest.mark.parametrize(
    "call",
    [
        lambda x: hill(x, count=5000),
        lambda x: choose_minimum(x),
    ],
)
def test_whole_numbers_are_refused_with_the_way_out(call, unit):
    x = unit * generator(33).zipf(2.5, size=10_000)
    with pytest.raises(ValueError, match=r"repeat another.*use (discrete_tail|choose_discrete)"):
        call(x)
    with pytest.raises(ValueError, match="repeat another"):
        call(np.round(1 + generator(34).pareto(1.5, size=10_000), 1))


def test_discrete_minimum_is_found_where_the_tail_begins():
    rng = generator(35)
    tail = rng.zipf(2.5, size=400_000)
    x = np.concatenate([tail[tail >= 8], rng.integers(1, 8, size=20_000)])
    found = choose_discrete_minimum(x)
    assert 7 <= found.minimum <= 12 and abs(found.exponent - 2.5) < 0.1
    at = discrete_tail_exponent(rng.permutation(x), minimum=found.minimum)
    assert at.value == pytest.approx(found.exponent, abs=1e-6)


X = np.arange(1.0, 101.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: power_law_exponent([1.0, 2.0], scale=1.0), ValueError, r"\(n >= 10,\) or"),
        (lambda: power_law_exponent([np.nan] * 20, scale=1.0), ValueError, "20 of 20 values are"),
        (lambda: power_law_exponent(np.zeros(20), scale=1.0), ValueError, "must not all be zero"),
        (lambda: power_law_exponent(X, scale=1.0, dimension=0), ValueError, "must be at least 1"),
        (lambda: power_law_exponent(X, scale=1.0, dimension=1.5), TypeError, "must be an integer"),
        (lambda: power_law_exponent(X, scale=-1.0), ValueError, "scale must be positive"),
        (lambda: exponent_of(0.0, dimension=1), ValueError, "mean_log must be positive"),
        (lambda: power_law_exponent(X[:30], scale=1.0), ValueError, "at least 50 for 50 blocks"),
        (lambda: power_law_exponent(X, scale=1.0, level=1.0), TooCorrelatedError, "many auto"),
        (lambda: power_law_exponent([], scale=1.0), ValueError, "samples must not be empty"),
        (lambda: power_law_exponent(X.reshape(5, 5, 4), scale=1.0), ValueError, "replicas, n"),
        (lambda: hill(X, count=1), ValueError, r"count must lie in \[2, 99\]: got 1"),
        (lambda: hill(X, count=100), ValueError, r"count must lie in \[2, 99\]: got 100"),
        (lambda: hill(np.ones(9), count=3), ValueError, "must be positive and differ"),
        (lambda: hill([X], count=3), ValueError, r"samples must be \(n,\), n >= 3"),
        (lambda: hill(X, count=3, level=0.0), ValueError, r"level must lie in \(0, 1\)"),
        (lambda: choose_minimum(X, least=5), ValueError, "least must be at least 10: got 5"),
        (lambda: choose_minimum(X, candidates=0), ValueError, "candidates must be at least 1"),
        (lambda: choose_minimum(X[:20]), ValueError, "must hold 50 positive, distinct values"),
        (lambda: choose_minimum(np.ones(99)), ValueError, "distinct values"),
    ],
)  # fmt: skip
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_default_level_is_that_of_claims():
    assert hill(X, count=50).level == LEVEL
