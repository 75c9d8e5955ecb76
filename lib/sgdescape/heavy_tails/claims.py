"""The claims of chapter `heavy_tails`: each takes the dataset of `run`."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.core.stats.intervals import computed, mean_interval, proportion_interval
from sgdescape.heavy_tails.estimates import chain_index, coverage, fitted_wave, tail_index

OWN = "this book"
_CHAIN = 0.5  # eta of the chain on which published indices are compared


@claim
def chain(ds) -> Claim:
    """Kesten's index against the exact stationary law, no sampling."""
    at = _published(ds)
    return check(
        "One input, eta = 0.5, B = 1: far out the stationary law of discrete SGD has the index "
        "$a$ of Kesten's root.",
        source="Kesten (1973)",
        predicted=at["exact"],
        measured=chain_index(ds, _CHAIN, 60.0, 600.0),
        rivals={
            "equal variances (Ziyin et al.)": at["discrete"],
            "one jump, leading order": at["jump"],
            "Eq. (17)": at["paper"],
        },
        resolution=0.02,
        expected="confirmed",
    )


@claim
def paper(ds) -> Claim:
    """Eq. (17) at the same place."""
    at = _published(ds)
    return check(
        "One input, eta = 0.5, B = 1: far out $P(L>cL^*)$ falls as $c^{-(\\phi-1/2)}$ with "
        "$\\phi=1+B/\\eta$.",
        source="Mori et al., Eq. (17)",
        predicted=at["paper"],
        measured=chain_index(ds, _CHAIN, 60.0, 600.0),
        rivals={"SDE with the exact covariance": at["covariance"]},
        expected="refuted",
    )


@claim
def equal_variances(ds) -> Claim:
    """The discrete version of the exponent, made for the variance."""
    at = _published(ds)
    return check(
        "One input, eta = 0.5, B = 1: far out $P(L>cL^*)$ falls as $c^{-(\\phi-1/2)}$ with "
        "$\\phi=\\frac12+\\frac B\\eta-\\frac B2$.",
        source="Ziyin et al. (2022)",
        predicted=at["discrete"],
        measured=chain_index(ds, _CHAIN, 60.0, 600.0),
        rivals={"one jump, leading order": at["jump"], "Eq. (17)": at["paper"]},
        tolerance=0.05,
        expected="approximate",
    )


@claim
def small_step(ds) -> Claim:
    """The limit of small learning rates."""
    coarse, fine = ds.small_step.values
    value = 2 * fine - coarse
    error = 3 * abs(value - fine)
    return check(
        "As eta / B falls, $a\\,\\eta/B$ tends to $(z+1)/(4\\log z)$ with $z\\log z=z+1$.",
        source=OWN,
        predicted=float(ds.small_step_theory),
        measured=computed(value, value - error, value + error, "two learning rates"),
        rivals={"Eq. (17)": 1.0, "SDE with the exact covariance": 0.5},
        resolution=0.01,
        expected="confirmed",
    )


@claim
def many_inputs(ds) -> Claim:
    """Three inputs and batches of four, by simulation."""
    at = dict(zip(ds.theory.values.tolist(), ds.many_theory.values.tolist(), strict=True))
    return check(
        "Three inputs, eta = 1, B = 4: the largest losses of independent runs of SGD have "
        "Kesten's index.",
        source="Gürbüzbalaban et al. (2021)",
        predicted=at["exact"],
        measured=tail_index(ds.largest.sel(experiment="many")),
        rivals={"SDE with the exact covariance": at["covariance"], "Eq. (17)": at["paper"]},
        expected="confirmed",
    )


@claim
def momentum(ds) -> Claim:
    """Momentum, by simulation."""
    return check(
        "One input, eta = 0.5, B = 1, momentum 0.5: the largest losses of independent runs have "
        "the index at which the moment operator has spectral radius 1.",
        source=OWN,
        predicted=float(ds.moving_theory),
        measured=tail_index(ds.largest.sel(experiment="moving")),
        rivals={
            "no momentum, eta / (1 - beta)": float(ds.moving_rescaled),
            "no momentum": float(ds.moving_still),
            "vanishing damping": float(ds.moving_limit),
        },
        expected="confirmed",
    )


@claim
def wave_fades(ds) -> Claim:
    """The wave on the tail and its end."""
    rate = float(ds.chain_rate[0])
    return check(
        "One input, eta = 0.05, B = 1: the log-periodic wave on the tail fades as $|\\theta|"
        "^{-\\gamma}$, with the complex root of $E|1-\\eta x^2|^s=1$.",
        source=OWN,
        predicted=float(ds.wave_fading.sel(wave_rate=rate)),
        measured=fitted_wave(ds, rate).fading,
        rivals={"a wave that lasts": 0.0},
        expected="confirmed",
    )


@claim
def finite_data(ds) -> Claim:
    """A small data set has a tail of its own."""
    return check(
        "SGD on 60 samples, eta = 0.5, B = 1: the largest losses have the index of these data, "
        "not that of their law.",
        source=OWN,
        predicted=float(ds.data_theory),
        measured=tail_index(ds.data_tail),
        rivals={"infinitely many samples": float(ds.data_infinite)},
        expected="confirmed",
    )


@claim
def images_fast(ds) -> Claim:
    """One feature of real images, far above the threshold of boundedness."""
    at = ds.isel(image_rate=-1)
    return check(
        "SGD on the first principal component of MNIST, eta max x^2 = 4.5: Hill's estimator finds "
        "the exact index of the empirical product.",
        source=OWN,
        predicted=float(at.image_theory),
        measured=tail_index(at.image_tail),
        rivals={"Eq. (17)": float(at.image_paper)},
        expected="confirmed",
    )


@claim
def images_slow(ds) -> Claim:
    """The same just above the threshold."""
    at = ds.isel(image_rate=0)
    return check(
        "SGD on the first principal component of MNIST, eta max x^2 = 2.6: Hill's estimator on "
        f"{settings(ds).replicas:,} runs finds the exact index of the empirical product.",
        source=OWN,
        predicted=float(at.image_theory),
        measured=tail_index(at.image_tail),
        rivals={"Gaussian inputs": float(at.image_infinite)},
        expected="refuted",
    )


@claim
def chosen_minimum(ds) -> Claim:
    """Coverage of the interval that ignores how the minimum was chosen."""
    hits, runs = coverage(ds, "clauset", "sgd")
    return check(
        "On SGD's own states the 95 % interval above Clauset's minimum holds the true index in "
        "95 % of the samples.",
        source=OWN,
        predicted=float(settings(ds).estimate_level),
        measured=proportion_interval(hits, runs),
        rivals={"never": 0.0},
        expected="refuted",
    )


@claim
def whole_numbers(ds) -> Claim:
    """The discrete law on whole numbers."""
    values = ds.estimate.sel(estimator="discrete", law="zipf", end="value").values
    return check(
        "On whole numbers of Zipf's law the discrete maximum-likelihood fit finds the index.",
        source=OWN,
        predicted=float(ds.law_index.sel(law="zipf")),
        measured=mean_interval(values),
        rivals={"continuous fit": float(ds.zipf_continuous)},
        tolerance=0.03,
        expected="confirmed",
    )


def _published(ds):
    """Index of one input at the rate of the chain, by theory."""
    at = ds["index"].sel(rate=_CHAIN)
    return {name: float(at.sel(theory=name)) for name in np.atleast_1d(at.theory.values)}
