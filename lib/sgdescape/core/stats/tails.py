"""Tail exponents with honest errors, goodness of fit, and which of two laws the data prefer.

Two kinds of question. Of a whole law (`core.stats.laws`): `power_law_exponent` is phi of
P ~ (1 + r^2 / scale^2)^(-phi), `likelihood_ratio` tells rival laws apart and `goodness_of_fit` says
whether the winner is any good. Of the far tail alone, where nothing is known about the bulk:
`tail_exponent` above a given minimum, `hill` from the largest values, `choose_minimum`, and their
twins for whole numbers (`core.stats.pure_tails`).
Samples of one run are correlated: where errors are given they come from blocks or replicas
(`core.stats.correlation`); what needs independent samples says so.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.stats import laws
from sgdescape.core.stats.correlation import BLOCKS, block_means, correlated_mean, integrated_time
from sgdescape.core.stats.intervals import LEVEL, Interval, mean_interval
from sgdescape.core.stats.pure_tails import (
    Tail,
    choose_discrete_minimum,
    choose_minimum,
    discrete_tail_exponent,
    distance_from,
    hill,
    tail_exponent,
)

__all__ = [
    "GoodnessOfFit",
    "LikelihoodRatio",
    "Tail",
    "UnboundedExponentError",
    "choose_discrete_minimum",
    "choose_minimum",
    "discrete_tail_exponent",
    "goodness_of_fit",
    "hill",
    "likelihood_ratio",
    "power_law_exponent",
    "tail_exponent",
]


class UnboundedExponentError(RuntimeError):
    """The data allow every exponent above some value: they cannot tell the law from a Gaussian.

    Args:
        message: says so.
        estimate: the maximum-likelihood exponent.
        low: lower end of its interval.
    """

    def __init__(self, message, estimate=float("nan"), low=float("nan")):
        super().__init__(message, estimate, low)
        self.estimate, self.low = float(estimate), float(low)

    def __str__(self):
        return self.args[0]


@dataclass(frozen=True)
class LikelihoodRatio:
    """How much better one law describes the samples than another (Vuong 1989).

    Args:
        first: name of the law in whose favour positive values speak.
        second: name of its rival.
        total: difference of the maximised log likelihoods, over all samples.
        per_sample: mean of the difference with its interval, between blocks.
        p_value: two-sided, that the laws are equally good.
        favoured: name of the law that the interval favours, or "neither".
    """

    first: str
    second: str
    total: float
    per_sample: Interval
    p_value: float
    favoured: str


@dataclass(frozen=True)
class GoodnessOfFit:
    """Kolmogorov-Smirnov distance between samples and a fitted law, and how usual it is.

    Args:
        distance: largest difference of the distribution functions.
        p_value: share of synthetic samples of the fitted law, fitted anew, that lie further from
            their fit; never below 1 / (resamples + 1), so it can doubt a law but cannot refute
            it at `LEVEL`.
        resamples: number of synthetic samples.
        stride: every how many-th sample was used, to make them independent.
    """

    distance: float
    p_value: float
    resamples: int
    stride: int


@door
def power_law_exponent(
    samples,
    *,
    scale: float | None = None,
    dimension: int = 1,
    blocks: int = BLOCKS,
    level: float = LEVEL,
) -> Interval:
    """Exponent phi of P(theta) ~ (1 + r^2 / scale^2)^(-phi) by maximum likelihood.

    At a known scale the estimate is a function of the mean of log(1 + r^2 / scale^2) alone, whose
    interval between blocks is carried over. At a fitted scale the error is the sandwich of
    blocked scores, and the interval is symmetric in 1 / phi, which is what stays normal on the
    way to the Gaussian (1 / phi = 0).

    Args:
        samples: theta - theta* (d = 1) or |theta - theta*|, (n,) or (replicas, n), each row in
            the order of time.
        scale: positive if known: sqrt(2 L* / h) for the loss L = L* + h r^2 / 2; None fits it.
        dimension: d of theta; phi lies above d / 2.
        blocks: smallest number of blocks, see `correlation.block_means`.
        level: of the interval, in (0, 1).

    Returns:
        The exponent with its interval.

    Raises:
        UnboundedExponentError: if the interval reaches the Gaussian.
        TooCorrelatedError: if the blocks are too short for the correlation of the samples.
        ValueError: as in `laws.fit`.

    Example:
        >>> samples = np.random.default_rng(0).standard_t(4, size=20_000)
        >>> found = power_law_exponent(samples)
        >>> found.low < 2.5 < found.high
        True
    """
    fit = laws.fit("power_law", samples, dimension=dimension, scale=scale)
    half, exponent = dimension / 2, fit.parameters["exponent"]
    ratios = (fit.radii / fit.parameters["scale"]) ** 2
    if scale is not None:
        mean = correlated_mean(np.log1p(ratios), blocks=blocks, level=level)
        low = laws.exponent_of(mean.high, dimension=dimension)
        if mean.low <= 0:
            raise _unbounded(exponent, low, level)
        high = laws.exponent_of(mean.low, dimension=dimension)
        return Interval(exponent, min(low, exponent), max(high, exponent), level, mean.method)
    inner = ratios / (1 + ratios)
    trend = special.digamma(exponent) - special.digamma(exponent - half)
    scores = [trend - np.log1p(ratios), 2 * exponent * inner - dimension]  # of phi and log scale
    means = np.array([block_means(score, blocks=blocks) for score in scores])
    curve = special.polygamma(1, exponent) - special.polygamma(1, exponent - half)
    cross = 2 * inner.mean()
    curvature = np.array([[curve, cross], [cross, -4 * exponent * np.mean(inner / (1 + ratios))]])
    influence = np.linalg.solve(curvature, means)[0] / exponent**2  # of 1 / phi, a block
    spread = mean_interval(influence, level=level)
    width = (spread.high - spread.low) / 2
    low = 1 / (1 / exponent + width)
    if width >= 1 / exponent:
        raise _unbounded(exponent, low, level)
    high = 1 / (1 / exponent - width)
    return Interval(exponent, low, high, level, f"between {means.shape[1]} blocks, fitted scale")


@door
def likelihood_ratio(
    first: laws.Fit, second: laws.Fit, *, blocks: int = BLOCKS, level: float = LEVEL
) -> LikelihoodRatio:
    """Which of two fitted laws describes the samples better, and whether that is more than chance.

    Vuong's test: the mean difference of the log densities, with its error between blocks, so that
    it holds for correlated samples. No correction for the number of parameters. If one law holds
    the other as a limit (a power law of free scale, or a stretched one, and the Gaussian) and that
    limit is the truth, the ratio is not normal; the answer is then "neither", as it should be.

    Args:
        first: from `laws.fit`.
        second: another law fitted to the same samples.
        blocks: smallest number of blocks.
        level: at which a law is favoured, in (0, 1).

    Returns:
        Ratio, interval, p-value and the favoured law.

    Raises:
        TooCorrelatedError: if the blocks are too short for the correlation of the samples.
        ValueError: if the samples or the dimensions differ.

    Example:
        >>> samples = np.random.default_rng(0).standard_t(3, size=5000)
        >>> power, normal = laws.fit("power_law", samples), laws.fit("gaussian", samples)
        >>> likelihood_ratio(power, normal).favoured
        'power_law'
    """
    if first.dimension != second.dimension or not np.array_equal(first.radii, second.radii):
        raise ValueError("both laws must be fitted to the same samples in the same dimension")
    difference = first.log_density - second.log_density
    means = block_means(difference, blocks=blocks)
    interval = mean_interval(means, level=level)
    error = means.std(ddof=1) / np.sqrt(means.size)
    # Equal laws differ by rounding only: no evidence, whatever its own scatter says.
    rounding = 1e-12 * np.mean(np.abs(first.log_density))
    equal = abs(interval.value) <= rounding
    p_value = 1.0 if equal else 2 * stats.t.sf(abs(interval.value) / error, means.size - 1)
    favoured = "neither"
    if not equal and interval.low > 0:
        favoured = first.law
    if not equal and interval.high < 0:
        favoured = second.law
    total = float(difference.sum())
    return LikelihoodRatio(first.law, second.law, total, interval, float(p_value), favoured)


@door
def goodness_of_fit(fit: laws.Fit, *, resamples: int = 200, seed: int = 0) -> GoodnessOfFit:
    """Is the fitted law a good description? Kolmogorov-Smirnov with a parametric bootstrap.

    Correlated samples are thinned to every ceil(2 tau)-th first, tau their integrated time.

    Args:
        fit: from `laws.fit`.
        resamples: number of synthetic samples, at least 20.
        seed: of the synthetic samples.

    Returns:
        Distance and p-value.

    Raises:
        TooCorrelatedError: if the rows are too short to know their correlation.
        ValueError: for too few resamples or too few independent samples.

    Example:
        >>> samples = np.random.default_rng(0).uniform(-1, 1, size=2000)
        >>> goodness_of_fit(laws.fit("gaussian", samples)).p_value < 0.01
        True
    """
    validate.count("resamples", resamples, low=20)
    rng = np.random.Generator(np.random.Philox(key=validate.count("seed", seed, low=0)))
    time = integrated_time(fit.radii)
    stride = 1 if time < 1.5 else int(np.ceil(2 * time))
    radii, law = fit.radii[..., ::stride].ravel(), laws.LAWS[fit.law]

    def fitted(values):
        parameters = law.fit(values, fit.dimension, fit.fixed_scale)
        return parameters, distance_from(law.cdf(np.sort(values), fit.dimension, **parameters))

    parameters, distance = fitted(radii)
    further = sum(
        fitted(law.draw(rng, radii.size, fit.dimension, **parameters))[1] >= distance
        for _ in range(resamples)
    )
    return GoodnessOfFit(float(distance), (further + 1) / (resamples + 1), resamples, stride)


def _unbounded(exponent, low, level):
    return UnboundedExponentError(
        f"the exponent has no upper end at level {level:g}: the samples cannot be told from a "
        f"Gaussian; estimate {exponent:.4g}, above {low:.4g}",
        exponent,
        low,
    )
