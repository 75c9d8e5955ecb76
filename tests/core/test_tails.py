"""Laws and tails: densities against scipy, exact samples, coverage, power against rivals."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, signal, special, stats

from sgdescape.core.stats import laws, pure_tails, tails
from sgdescape.core.stats.correlation import TooCorrelatedError
from sgdescape.core.stats.intervals import LEVEL
from sgdescape.core.stats.tails import (
    UnboundedExponentError,
    choose_minimum,
    goodness_of_fit,
    hill,
    likelihood_ratio,
    power_law_exponent,
    tail_exponent,
)

EXAMPLES = {
    "power_law": {"exponent": 4.0, "scale": 1.5},
    "gaussian": {"deviation": 0.7},
    "stretched": {"shape": 0.8, "scale": 0.5},
}


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


# --- the laws themselves ---------------------------------------------------------------------


@pytest.mark.parametrize("law", EXAMPLES)
@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_density_integrates_to_the_distribution(law, dimension):
    parameters, functions = EXAMPLES[law], laws.LAWS[law]
    surface = 2 * np.pi ** (dimension / 2) / special.gamma(dimension / 2)

    def density(r):
        log = functions.log_density(np.array(r), dimension, **parameters)
        return surface * r ** (dimension - 1) * np.exp(log)

    total = integrate.quad(density, 0, np.inf, epsabs=1e-12)[0]
    assert total == pytest.approx(1, abs=1e-7)
    inside = integrate.quad(density, 0, 1.3, epsabs=1e-12)[0]
    assert functions.cdf(1.3, dimension, **parameters) == pytest.approx(inside, abs=1e-9)


@pytest.mark.parametrize("law", EXAMPLES)
@pytest.mark.parametrize("dimension", [1, 4])
def test_draws_follow_the_distribution(law, dimension):
    functions, parameters = laws.LAWS[law], EXAMPLES[law]
    radii = functions.draw(generator(1), 5000, dimension, **parameters)
    cdf = functions.cdf(radii, dimension, **parameters)
    assert stats.kstest(cdf, "uniform").pvalue > 1e-5


def test_laws_are_scipys_in_one_dimension():
    x = np.linspace(-3, 3, 13)
    power, stretched = laws.LAWS["power_law"], laws.LAWS["stretched"]
    # (1 + x^2 / s^2)^-phi: Student's t with nu = 2 phi - 1, scale s / sqrt(nu).
    expected = stats.t(7, scale=1.5 / np.sqrt(7)).logpdf(x)
    found = power.log_density(np.abs(x), 1, exponent=4.0, scale=1.5)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    expected = stats.gennorm(0.8, scale=0.5).logpdf(x)
    found = stretched.log_density(np.abs(x), 1, shape=0.8, scale=0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_fits_are_scipys():
    x = generator(2).standard_t(5, size=3000) * 2
    nu, _, width = stats.t.fit(x, floc=0)
    found = laws.fit("power_law", x).parameters
    assert found["exponent"] == pytest.approx((nu + 1) / 2, rel=1e-3)
    assert found["scale"] == pytest.approx(width * np.sqrt(nu), rel=1e-3)
    shape, _, scale = stats.gennorm.fit(x, floc=0)
    found = laws.fit("stretched", x).parameters
    assert (found["shape"], found["scale"]) == pytest.approx((shape, scale), rel=1e-3)
    deviation = laws.fit("gaussian", x).parameters["deviation"]
    assert deviation == pytest.approx(np.sqrt(np.mean(x**2)), rel=1e-12)


@given(st.floats(0.01, 1e4), st.integers(1, 30))
def test_exponent_of_inverts_its_equation(index, dimension):
    half = dimension / 2
    mean_log = special.digamma(index + half) - special.digamma(index)
    found = laws.exponent_of(mean_log, dimension=dimension)
    assert found - half == pytest.approx(index, rel=1e-6)


@given(st.sampled_from(sorted(EXAMPLES)), st.floats(0.01, 100), st.integers(1, 6))
def test_fits_scale_with_the_unit(law, unit, dimension):
    x = laws.LAWS[law].draw(generator(3), 300, dimension, **EXAMPLES[law])
    one, other = (laws.fit(law, c * x, dimension=dimension) for c in (1.0, unit))
    for name, value in one.parameters.items():
        factor = unit if name in ("scale", "deviation") else 1.0
        assert other.parameters[name] == pytest.approx(factor * value, rel=1e-3)
    shift = dimension * 300 * np.log(unit)
    total = other.log_density.sum() + shift
    assert total == pytest.approx(one.log_density.sum(), rel=1e-6, abs=1e-4)


def test_no_parameters_are_more_likely_than_the_fitted_ones():
    for law in EXAMPLES:
        x = laws.LAWS[law].draw(generator(4), 2000, 3, **EXAMPLES[law])
        fit = laws.fit(law, x, dimension=3)
        for name in fit.parameters:
            for factor in (0.99, 1.01):
                moved = fit.parameters | {name: factor * fit.parameters[name]}
                other = laws.LAWS[law].log_density(x, 3, **moved).sum()
                assert other < fit.log_density.sum()


# --- exponents of whole laws -----------------------------------------------------------------


def misses(intervals, truth):
    return sum(not i.low <= truth <= i.high for i in intervals)


@pytest.mark.parametrize("scale", [1.0, None])
@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_exponent_interval_covers(scale, phi):
    # phi = 2.5 is nu = 4 and s = 2; 250 runs: standard error 1.9 %, and a tenth may be missed.
    samples = correlated_student(generator(5), 4.0, phi, 250, 6000) / 2
    found = [power_law_exponent(x, scale=scale, level=0.9) for x in samples]
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
    x = laws.LAWS["power_law"].draw(generator(8), 40_000, dimension, **truth)
    for scale in (2.0, None):
        found = power_law_exponent(x, dimension=dimension, scale=scale)
        assert found.low < truth["exponent"] < found.high
        assert found.high - found.low < 0.25 * truth["exponent"]
    wrong = power_law_exponent(x, dimension=1, scale=2.0)
    assert not wrong.low < truth["exponent"] < wrong.high


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2.0, None])
def test_exponent_interval_covers_far_in_the_tail(scale):
    # 4,000 runs at level 0.999: 4 misses expected; above 20 by chance once in 10^8.
    rng, found = generator(9), []
    for _ in range(40):
        samples = correlated_student(rng, 5.0, 0.5, 100, 10_000)
        found += [power_law_exponent(x, scale=scale, level=0.999) for x in samples]
    truth = 3.0 if scale is None else np.nan
    if scale is not None:  # s = sqrt(5), not 2: the exponent that describes t(5) best at s = 2
        mean = integrate.quad(lambda x: np.log1p(x**2 / 4) * stats.t(5).pdf(x), -200, 200)[0]
        truth = laws.exponent_of(mean, dimension=1)
    assert misses(found, truth) < 20


def test_gaussian_samples_have_no_upper_end():
    x = generator(10).normal(size=5000)
    with pytest.raises(UnboundedExponentError, match="cannot be told from a Gaussian") as caught:
        power_law_exponent(x)
    assert 3 < caught.value.low < caught.value.estimate
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.low, str(copy)) == (caught.value.low, str(caught.value))


def test_known_scale_gives_even_a_near_gaussian_an_exponent():
    # mean log(1 + x^2 / s^2) = digamma(phi) - digamma(phi - 1/2): the linear-regression protocol
    # at small learning rate, phi = 101.
    x = laws.LAWS["power_law"].draw(generator(11), 100_000, 1, exponent=101.0, scale=1.0)
    found = power_law_exponent(x, scale=1.0)
    assert found.low < 101 < found.high < 106


# --- rivals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("truth", "rival"),  # never a Gaussian truth: both others hold it as a limit
    [(t, r) for t in ("power_law", "stretched") for r in EXAMPLES if r != t],
)
def test_the_true_law_is_favoured(truth, rival):
    x = laws.LAWS[truth].draw(generator(12), 60_000, 1, **EXAMPLES[truth])
    first, second = laws.fit(truth, x), laws.fit(rival, x)
    one, other = likelihood_ratio(first, second), likelihood_ratio(second, first)
    assert one.favoured == other.favoured == truth and one.p_value < 1e-5
    assert one.total == pytest.approx(-other.total)
    assert one.total == pytest.approx((first.log_density - second.log_density).sum())


def test_gaussian_is_favoured_over_a_power_law_of_known_scale():
    x = generator(13).normal(size=50_000)
    first = laws.fit("power_law", x, scale=2.0)
    assert likelihood_ratio(first, laws.fit("gaussian", x)).favoured == "gaussian"


def test_at_a_gaussian_neither_is_favoured():
    # 200 correlated runs at level 0.999, one-sided by construction: 0.2 expected by chance.
    rng, wrong = generator(14), 0
    for _ in range(200):
        x = signal.lfilter([1.0], [1.0, -0.5], rng.standard_normal(6000))
        for law in ("power_law", "stretched"):
            fits = laws.fit(law, x), laws.fit("gaussian", x)
            wrong += likelihood_ratio(*fits, level=0.999).favoured != "neither"
    assert wrong <= 8


def test_a_law_against_itself():
    x = generator(15).normal(size=1000)
    fit = laws.fit("gaussian", x)
    found = likelihood_ratio(fit, fit)
    assert (found.total, found.p_value, found.favoured) == (0, 1, "neither")


def test_correlation_is_part_of_the_ratio():
    x = correlated_student(generator(16), 12.0, 0.95, 100_000)
    pair = laws.fit("power_law", x), laws.fit("gaussian", x)
    shuffled = generator(17).permutation(x)
    naive = likelihood_ratio(laws.fit("power_law", shuffled), laws.fit("gaussian", shuffled))
    assert likelihood_ratio(*pair).p_value > 3 * naive.p_value


def test_goodness_of_fit_doubts_the_wrong_laws_only():
    x = laws.LAWS["power_law"].draw(generator(18), 3000, 2, exponent=2.5, scale=1.0)
    p = {law: goodness_of_fit(laws.fit(law, x, dimension=2), resamples=40) for law in EXAMPLES}
    assert p["power_law"].p_value > 0.05 and p["power_law"].stride == 1
    assert p["gaussian"].p_value == p["stretched"].p_value == pytest.approx(1 / 41)


def test_goodness_of_fit_thins_correlated_samples():
    x = correlated_student(generator(19), 5.0, 0.9, 60_000)
    found = goodness_of_fit(laws.fit("power_law", x), resamples=40)
    assert found.stride > 10 and found.p_value > 0.02
    assert goodness_of_fit(laws.fit("gaussian", x), resamples=40).p_value < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("law", EXAMPLES)
def test_goodness_of_fit_is_uniform_for_the_true_law(law):
    # numbers with which resamples that are not fitted again give p-values below 10^-9
    rng, p, runs = generator(20), [], 400 if law == "gaussian" else 120
    for seed in range(runs):
        x = laws.LAWS[law].draw(rng, 400, 1, **EXAMPLES[law])
        p.append(goodness_of_fit(laws.fit(law, x), resamples=40, seed=seed).p_value)
    assert stats.kstest(np.array(p) - rng.random(runs) / 41, "uniform").pvalue > 1e-5


# --- pure tails ------------------------------------------------------------------------------


def test_tail_exponent_by_hand():
    # 1 + n / sum log(x / 1) for 1, 2, 4, 8: 1 + 4 / (6 log 2); the value below 1 does not count.
    x = np.tile([1.0, 2.0, 4.0, 8.0, 0.5], 200) * (1 + 1e-13 * np.arange(1000))  # no ties
    found = tail_exponent(x, minimum=1.0, blocks=20)
    assert found.value == pytest.approx(1 + 4 / (6 * np.log(2)), rel=1e-9)


@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_tail_exponent_covers(phi):
    rng, found = generator(21), []
    for _ in range(250):
        path = np.sqrt(1 - phi**2) * signal.lfilter([1.0], [1.0, -phi], rng.normal(size=4200))
        x = stats.norm.sf(path[200:]) ** (-1 / 2.5)  # Pareto, density exponent 3.5, from 1 on
        found.append(tail_exponent(x, minimum=1.5, level=0.9))
    assert 5 < misses(found, 3.5) < 50


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
    at = tail_exponent(rng.permutation(x), minimum=found.minimum)
    assert at.low < 2.5 < at.high and at.value == pytest.approx(found.exponent, rel=0.02)


@pytest.mark.filterwarnings("ignore")
def test_minimum_agrees_with_another_program():
    """That one compares the law with the lower end of each step only: distances differ by 1 / n."""
    powerlaw = pytest.importorskip("powerlaw")
    x = generator(24).pareto(1.7, size=300) + 1
    x = np.where(x < 2, 1 + generator(25).random(300), x)
    theirs = powerlaw.Fit(x, verbose=False)
    ours = pure_tails._tail(np.sort(x[x >= theirs.xmin]))
    assert ours.exponent == pytest.approx(theirs.alpha, rel=1e-6)
    assert abs(ours.distance - theirs.D) <= 1.001 / ours.count
    found = choose_minimum(x, candidates=300, least=10)
    assert found.distance <= ours.distance


# --- whole numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("truth", [1.6, 2.5, 3.5])
@pytest.mark.parametrize("minimum", [1, 4])
def test_discrete_exponent_covers_zipf(truth, minimum):
    x = generator(30).zipf(truth, size=40_000).astype(float)
    found = tails.discrete_tail_exponent(x, minimum=minimum)
    assert found.low < truth < found.high and found.high - found.low < 0.35 * truth
    cents = tails.discrete_tail_exponent(x / 100, minimum=minimum / 100, unit=0.01)
    assert (cents.value, cents.low) == pytest.approx((found.value, found.low), rel=1e-9)


def test_discrete_exponent_is_the_likeliest():
    x = generator(31).zipf(2.5, size=2000)
    found = tails.discrete_tail_exponent(x, minimum=2, blocks=20).value
    tail = x[x >= 2].astype(float)
    log_likelihood = [
        -a * np.log(tail).sum() - tail.size * np.log(special.zeta(a, 2.0))
        for a in (found - 1e-3, found, found + 1e-3)
    ]
    assert np.argmax(log_likelihood) == 1


def test_discrete_intervals_cover():
    x = generator(32).zipf(2.2, size=(250, 3000)).astype(float)
    found = [tails.discrete_tail_exponent(row, minimum=1, level=0.9) for row in x]
    assert 5 < misses(found, 2.2) < 50


@pytest.mark.parametrize("unit", [1.0, 0.5])
@pytest.mark.parametrize(
    "call",
    [
        lambda x: tail_exponent(x, minimum=x.min()),
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
    found = tails.choose_discrete_minimum(x)
    assert 7 <= found.minimum <= 12 and abs(found.exponent - 2.5) < 0.1
    at = tails.discrete_tail_exponent(rng.permutation(x), minimum=found.minimum)
    assert at.value == pytest.approx(found.exponent, abs=1e-6)


X = np.arange(1.0, 101.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: laws.fit("cauchy", X), ValueError, "law must be one of 'power_law', 'gaussian'"),
        (lambda: laws.fit("gaussian", [1.0, 2.0]), ValueError, r"\(n >= 10,\) or"),
        (lambda: laws.fit("gaussian", [np.nan] * 20), ValueError, "20 of 20 values are NaN"),
        (lambda: laws.fit("gaussian", np.zeros(20)), ValueError, "must not all be zero"),
        (lambda: laws.fit("gaussian", X, dimension=0), ValueError, "dimension must be at least 1"),
        (lambda: laws.fit("gaussian", X, dimension=1.5), TypeError, "dimension must be an integer"),
        (lambda: laws.fit("gaussian", X, scale=1.0), ValueError, "for the power law only"),
        (lambda: laws.fit("power_law", X, scale=-1.0), ValueError, "scale must be positive"),
        (lambda: laws.exponent_of(0.0, dimension=1), ValueError, "mean_log must be positive"),
        (lambda: power_law_exponent(X[:30]), ValueError, "at least 50 for 50 blocks"),
        (lambda: power_law_exponent(X, level=1.0), TooCorrelatedError, "many autocorrelation"),
        (lambda: power_law_exponent([]), ValueError, "samples must not be empty"),
        (lambda: power_law_exponent(X.reshape(5, 5, 4)), ValueError, "replicas, n"),
        (lambda: likelihood_ratio(laws.fit("gaussian", X), laws.fit("stretched", X[:50])),
         ValueError, "the same samples"),
        (lambda: likelihood_ratio(laws.fit("gaussian", X),
                                  laws.fit("power_law", X, dimension=2)),
         ValueError, "the same dimension"),
        (lambda: goodness_of_fit(laws.fit("gaussian", X), resamples=5), ValueError, "at least 20"),
        (lambda: goodness_of_fit(laws.fit("gaussian", X), seed=-1), ValueError, "seed must be at"),
        (lambda: goodness_of_fit(laws.fit("gaussian", X)), TooCorrelatedError, "many autocorr"),
        (lambda: tail_exponent(X, minimum=0.0), ValueError, "minimum must be positive"),
        (lambda: tail_exponent(X, minimum=95.0), ValueError, "at least 10 values must reach"),
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
    assert tails.hill(X, count=50).level == LEVEL
