"""The claims of chapter `decoupling`: each compares a measurement with its prediction.

Predictions come with the dataset (`decoupling.predict`), so that a wrong formula there makes the
claim here fail. Rivals are plain numbers: where a prediction depends on the trained network, the
ratio to it (or to its logarithm) is measured.
"""

import numpy as np
from scipy import stats

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats.intervals import LEVEL, Interval, bootstrap_interval, mean_interval
from sgdescape.decoupling.estimates import wasserstein

PAPER, OWN = "Mori et al., Eq. (7) and Fig. 1", "this book"
HALVES = {"losses without their 1/2": 0.5, "losses counted twice": 2.0}
_BULK = (0.3, 0.5, 0.7)  # effective dimensions well inside the spectrum


@claim
def trace(ds) -> Claim:
    """Ratio of the traces at the end of training against decoupling."""
    now = _last(ds)
    pairs = np.stack([now.loss.values, now.output_norm.values], axis=1)
    return check(
        f"After {int(now.epoch)} epochs the traces of the exact and the decoupled matrix agree.",
        source=PAPER,
        predicted=1.0,
        measured=bootstrap_interval(
            pairs, lambda a: np.mean(a[:, 0] * a[:, 1]) / np.prod(a.mean(axis=0)), resamples=1000
        ),
        rivals=HALVES,
        tolerance=0.25,
        expected="confirmed",
    )


@claim
def top_eigenvalue(ds) -> Claim:
    """Ratio of the largest eigenvalues, at every epoch, against decoupling."""
    ratios = (ds.exact / ds.decoupled).isel(rank=0).values
    return check(
        "The largest eigenvalues of the exact and the decoupled matrix agree, early and late.",
        source=PAPER,
        predicted=1.0,
        measured=_range(ratios, "range over the epochs"),
        rivals=HALVES,
        tolerance=0.25,
        expected="confirmed",
    )


@claim
def large_eigenvalues(ds) -> Claim:
    """Mean distance of the large eigenvalues at the end of training, in decades."""
    now, cut = _last(ds), ds.attrs["cut"]
    found = wasserstein(now.exact.values, now.decoupled.values, cut=cut)
    return check(
        f"Eigenvalues above {100 * cut:g} % of the largest agree: mean distance 0 decades.",
        source=PAPER,
        predicted=0.0,
        measured=Interval(found, found, found, LEVEL, "no sampling"),
        rivals={"a factor of 2": float(np.log10(2))},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def directions(ds) -> Claim:
    """Noise along the leading curvature directions at the end of training."""
    ratios = _last(ds).direction_ratio.values
    return check(
        f"Along the {len(ratios)} leading curvature directions the noise is L h: mean ratio 1.",
        source="Mori et al., Eq. (7)",
        predicted=1.0,
        measured=mean_interval(ratios),
        rivals=HALVES,
        tolerance=0.25,
        expected="confirmed",
    )


@claim
def trace_identity(ds) -> Claim:
    """The traces' disagreement against the covariance of loss and squared gradient."""
    ratio = (ds.exact.sum("rank") / ds.decoupled.sum("rank")).values
    share = (ratio - 1) / (ds.trace_theory.values - 1)
    return check(
        "The traces differ by the covariance of loss and squared gradient: measured over predicted "
        "difference 1.",
        source=OWN,
        predicted=1.0,
        measured=_range(share, "range over the epochs, exact"),
        rivals={"decoupled exactly": 0.0, "half of it": 0.5},
        tolerance=1e-4,
        expected="confirmed",
    )


@claim
def determinant(ds) -> Claim:
    """Mean logarithmic ratio of all eigenvalues against the losses alone."""
    ratio = np.log(ds.exact / ds.decoupled).mean("rank").values / ds.log_theory.values
    return check(
        "The mean of ln(exact/decoupled) over all eigenvalues is that of ln(loss/L), whatever the "
        "pairing: ratio 1.",
        source=OWN,
        predicted=1.0,
        measured=_range(ratio, "range over the epochs, exact"),
        rivals={"spectra agree on average": 0.0, "half of it": 0.5},
        tolerance=1e-3,
        expected="confirmed",
    )


@claim
def initial_coupling(ds) -> Claim:
    """Variance of the directional ratios at the start, in units of the shuffled null's."""
    now = ds.isel(epoch=0)
    z = (now.direction_ratio.values - 1) / now.direction_error.values
    value, freedom = float(np.mean(z**2)), len(z)
    tail = (1 - LEVEL) / 2
    low, high = freedom * value / stats.chi2.ppf([1 - tail, tail], freedom)
    return check(
        "At the initialisation losses and gradients pair as if dealt out at random: squared "
        "deviation of the leading directions, over that of random pairings.",
        source=PAPER,
        predicted=1.0,
        measured=Interval(value, low, high, LEVEL, f"chi-square, {freedom} directions"),
        rivals={"every direction exactly decoupled": 0.0},
        expected="refuted",
    )


@claim
def shuffled_shift(ds) -> Claim:
    """Scale shift of the shuffled spectra against free multiplicative convolution."""
    now = _last(ds).sel(fraction=_BULK[0])
    share = np.log(now.shift_shuffled.values) / np.log(float(now.shift_theory))
    return check(
        "Random pairings move the spectrum as free convolution with the losses predicts, at "
        f"effective dimension {_BULK[0]:g} N: measured over predicted log shift 1.",
        source=OWN,
        predicted=1.0,
        measured=mean_interval(share),
        rivals={"decoupled spectrum": 0.0, "half of it": 0.5},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def exact_shift(ds) -> Claim:
    """Scale shift of the exact spectra of the trained network against the same prediction."""
    trained = ds.isel(epoch=slice(1, None)).sel(fraction=list(_BULK))
    share = (np.log(trained.shift_exact) / np.log(trained.shift_theory)).values.ravel()
    return check(
        "In the bulk the exact spectrum of the trained network is moved as much as random pairing "
        "of its losses would move it: log shift over predicted 1.",
        source=OWN,
        predicted=1.0,
        measured=_range(share, f"range over epochs and {len(_BULK)} effective dimensions"),
        rivals={"decoupled spectrum": 0.0, "half of it": 0.5},
        tolerance=0.2,
        expected="confirmed",
    )


@claim
def shuffled_distance(ds) -> Claim:
    """Distance of the whole spectra at the end of training, in units of the null's."""
    now = _last(ds)
    reference = now.decoupled.values
    found = wasserstein(now.exact.values, reference)
    null = np.array([wasserstein(spectrum, reference) for spectrum in now.shuffled.values])
    return check(
        "The distance between the two whole spectra is that of random pairings: ratio 1.",
        source=OWN,
        predicted=1.0,
        measured=mean_interval(found / null),
        rivals={"no distance": 0.0, "half of it": 0.5},
        tolerance=0.1,
        expected="confirmed",
    )


@claim
def sample_size(ds) -> Claim:
    """How the number of agreeing eigenvalues grows with the number of images."""
    trained, sizes = ds.subset_rank.isel(epoch=slice(1, None)).values, ds.subset_size.values
    whole, parts = trained[:, :1, 0], trained[:, -1]  # (epoch, 1) and (epoch, subset)
    growth = np.mean(np.log(whole / parts) / np.log(sizes[0] / sizes[-1]), axis=0)
    return check(
        f"The number of eigenvalues that agree within a factor of {ds.attrs['factor']:g} grows "
        "with the number of images as N to the power 1.",
        source=OWN,
        predicted=1.0,
        measured=mean_interval(growth),
        rivals={"a fixed number": 0.0, "square root of N": 0.5},
        tolerance=0.25,
        expected="confirmed",
    )


def _last(ds):
    return ds.isel(epoch=-1)


def _range(values, method):
    """The last value, with the range of all of them as its interval."""
    return Interval(values[-1], values.min(), values.max(), LEVEL, method)
