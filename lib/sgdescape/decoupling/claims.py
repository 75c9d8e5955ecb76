"""The claims of chapter `decoupling`: each compares a measurement with its prediction.

Predictions come with the dataset (`decoupling.predict`), so that a wrong formula there makes the
claim here fail. Rivals are plain numbers: where a prediction depends on the trained network, the
ratio to it (or to its logarithm) is measured.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim, identity
from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import computed, mean_interval
from sgdescape.decoupling.estimates import (
    initial_depths,
    pairing_interval,
    parting,
    wasserstein,
)
from sgdescape.noise_covariance.estimates import coupling

PAPER, OWN = "Mori et al., Eq. (7) and Fig. 1", "this book"
HALVES = {"losses without their 1/2": 0.5, "losses counted twice": 2.0}
_BULK = (0.3, 0.5, 0.7)  # effective dimensions well inside the spectrum
_NETWORK = "a 784-100-100-1 network on MNIST parity"


@claim
def trace(ds) -> Claim:
    """Ratio of the traces at the end of training against decoupling."""
    now = _last(ds)
    return check(
        f"After {int(now.epoch)} epochs of {_NETWORK} the exact and the decoupled matrix of "
        "Eq. (7) have the same trace: ratio 1.",
        source=PAPER,
        predicted=1.0,
        measured=coupling(now.loss.values, now.output_norm.values),
        rivals=HALVES,
        tolerance=0.25,
        expected="approximate",
    )


@claim
def top_eigenvalue(ds) -> Claim:
    """Ratio of the largest eigenvalues, at every epoch, against decoupling."""
    ratios = (ds.exact / ds.decoupled).isel(rank=0).values
    return check(
        f"The largest eigenvalues of the exact and the decoupled matrix of {_NETWORK} agree "
        "before, early in and late in training: ratio 1 (interval: range over the epochs).",
        source=PAPER,
        predicted=1.0,
        measured=_range(ratios, "range over the epochs"),
        rivals=HALVES,
        tolerance=0.25,
        expected="approximate",
    )


@claim
def large_eigenvalues(ds) -> Claim:
    """Mean distance of the large eigenvalues at the end of training, in decades."""
    now, cut = _last(ds), provenance.settings(ds).cut
    found = wasserstein(now.exact.values, now.decoupled.values, cut=cut)
    return check(
        f"Eigenvalues above {100 * cut:g} % of the largest agree between the exact and the "
        "decoupled matrix of a trained network: mean distance of their logarithms 0.",
        source=PAPER,
        predicted=0.0,
        measured=computed(found, found * (1 - 1e-6), found * (1 + 1e-6), "float64 eigenvalues"),
        rivals={"losses without their 1/2, or counted twice": float(np.log10(2))},
        tolerance=0.1,
        unit="decades",
        expected="approximate",
    )


@claim
def small_eigenvalues(ds) -> Claim:
    """Where the spectra part in the trained network, against the bottom of the spectrum."""
    depths = _parting(ds.isel(epoch=slice(1, None)), provenance.settings(ds).factor)
    return check(
        "In a trained network the exact and the decoupled spectrum part only at the bottom, among "
        "exponentially small eigenvalues: logarithm of the relative size at which they part (by a "
        f"factor of {provenance.settings(ds).factor:g}) over that of the smallest eigenvalue 1 "
        "(interval: range over the epochs).",
        source=PAPER,
        predicted=1.0,
        measured=_range(depths, "range over the epochs"),
        rivals={"at the largest eigenvalue": 0.0},
        expected="refuted",
    )


@claim
def initial_spectrum(ds) -> Claim:
    """Where the spectra part before training: near the bottom."""
    depths = initial_depths(ds)
    trained = _parting(ds.isel(epoch=slice(1, None)), provenance.settings(ds).factor)
    return check(
        "At the initialisation the exact and the decoupled spectrum agree down to the smallest "
        f"eigenvalue, within a factor of {provenance.settings(ds).factor:g}, in every network: "
        "logarithm of the relative size down to which they do, over that of the smallest, 1 (mean "
        f"over {depths.size} untrained networks).",
        source=PAPER,
        predicted=1.0,
        measured=mean_interval(depths, level=0.999),
        rivals={"as in the trained network": round(float(trained.max()), 2), "only the top": 0.0},
        expected="refuted",
    )


@claim
def stages(ds) -> Claim:
    """Distance of the whole spectra at all stages, in units of the null's."""
    ratios = []
    for epoch in range(ds.sizes["epoch"]):
        now = ds.isel(epoch=epoch)
        null = [wasserstein(spectrum, now.decoupled.values) for spectrum in now.shuffled.values]
        ratios.append(wasserstein(now.exact.values, now.decoupled.values) / np.mean(null))
    return check(
        "Before, early in and late in training the distance between the exact and the decoupled "
        "spectrum is that of random pairings: ratio 1 (interval: range over the epochs).",
        source=PAPER,
        predicted=1.0,
        measured=_range(np.array(ratios), "range over the epochs"),
        rivals={"no distance": 0.0, "half of it": 0.5, "twice": 2.0},
        tolerance=0.25,
        expected="approximate",
    )


@claim
def directions(ds) -> Claim:
    """Noise along the leading curvature directions at the end of training."""
    now = _last(ds)
    weights = now.direction_weight.mean("direction").values
    return check(
        f"Along the {now.sizes['direction']} leading curvature directions of a trained network "
        "the noise is that of Eq. (7), $L h_k$: mean ratio 1.",
        source="Mori et al., Eq. (7)",
        predicted=1.0,
        measured=coupling(now.loss.values, weights),
        rivals=HALVES,
        tolerance=0.25,
        expected="approximate",
    )


@claim
def trace_identity(ds) -> Claim:
    """The traces' disagreement against the covariance of loss and squared gradient."""
    ratio = (ds.exact.sum("rank") / ds.decoupled.sum("rank")).values
    share = (ratio - 1) / (ds.trace_theory.values - 1)
    return identity(
        "The traces of the exact and the decoupled matrix differ by the covariance of loss and "
        "squared gradient: measured over predicted difference 1, at the epoch farthest from it.",
        source=OWN,
        predicted=1.0,
        measured=_farthest(share),
        error=1e-4,
    )


@claim
def determinant(ds) -> Claim:
    """Mean logarithmic ratio of all eigenvalues against the losses alone."""
    ratio = np.log(ds.exact / ds.decoupled).mean("rank").values / ds.log_theory.values
    return identity(
        "The mean over all eigenvalues of ln(exact/decoupled) is the mean of $\\ln(\\ell_\\mu/L)$, "
        "whatever the pairing: ratio 1, at the epoch farthest from it.",
        source=OWN,
        predicted=1.0,
        measured=_farthest(ratio),
        error=1e-3,
    )


@claim
def initial_coupling(ds) -> Claim:
    """Variance of the directional ratios at the start, in units of the shuffled null's."""
    now, seed = ds.isel(epoch=0), provenance.settings(ds).seed
    found = pairing_interval(
        now.loss.values,
        now.direction_weight.values,
        now.direction_error.values,
        seed=seeds.derive(seed, "decoupling", "null of the directions"),
    )
    return check(
        "At the initialisation losses and gradients pair as if dealt out at random: squared "
        f"deviation of the noise along {now.sizes['direction']} leading directions from $L h_k$, "
        "over that of random pairings, 1.",
        source=PAPER,
        predicted=1.0,
        measured=found,
        rivals={"every direction exactly decoupled": 0.0},
        expected="refuted",
    )


@claim
def wide_networks(ds) -> Claim:
    """Whether the coupling of loss and gradient is that of random pairings in wide networks."""
    widest = ds.isel(width=-1)
    deviation = np.abs(widest.width_coupling - 1) / widest.width_error
    return check(
        "Loss and gradient decouple in large networks: at the initialisation of networks with two "
        f"hidden layers of {int(widest.width)} units, the mean size of the trace's deviation from "
        "Eq. (7), over that of random pairings, 1.",
        source="Mori et al., Section 3.1",
        predicted=1.0,
        measured=mean_interval(deviation.values / np.sqrt(2 / np.pi)),
        rivals={"exactly decoupled": 0.0},
        expected="refuted",
    )


@claim
def wide_directions(ds) -> Claim:
    """The same along the leading directions, one by one."""
    at = ds.isel(width=-1)
    square = ((at.width_direction_ratio - 1) / at.width_direction_error) ** 2
    return check(
        "Loss and gradient decouple in large networks: at the initialisation of networks with two "
        f"hidden layers of {int(at.width)} units, the deviation of the noise along "
        f"{at.sizes['leading']} leading directions from $L h_k$ (root mean square, in units of "
        "random pairings) 1.",
        source="Mori et al., Section 3.1",
        predicted=1.0,
        measured=mean_interval(np.sqrt(square.mean("leading").values)),
        rivals={"exactly decoupled": 0.0},
        expected="refuted",
    )


@claim
def shuffled_shift(ds) -> Claim:
    """Scale shift of the shuffled spectra against free multiplicative convolution."""
    now = _last(ds).sel(fraction=_BULK[0])
    share = np.log(now.shift_shuffled.values) / np.log(float(now.shift_theory))
    return check(
        "Dealing the losses out at random moves the spectrum as free convolution with them "
        f"predicts, at effective dimension {_BULK[0]:g} N: measured over predicted log shift 1.",
        source=OWN,
        predicted=1.0,
        measured=mean_interval(share),
        rivals={"decoupled spectrum": 0.0, "half of it": 0.5},
        tolerance=0.1,
        expected="approximate",
    )


@claim
def exact_shift(ds) -> Claim:
    """Scale shift of the exact spectra of the trained network against the same prediction."""
    trained = ds.isel(epoch=slice(1, None)).sel(fraction=list(_BULK))
    share = (np.log(trained.shift_exact) / np.log(trained.shift_theory)).values.ravel()
    return check(
        "In the bulk the exact spectrum of the trained network is moved as much as random pairing "
        "of its losses would move it: log shift over predicted 1 (interval: range over the epochs "
        f"and {len(_BULK)} effective dimensions).",
        source=OWN,
        predicted=1.0,
        measured=_range(share, f"range over epochs and {len(_BULK)} effective dimensions"),
        rivals={"decoupled spectrum": 0.0, "half of it": 0.5},
        tolerance=0.2,
        expected="approximate",
    )


@claim
def shuffled_distance(ds) -> Claim:
    """Distance of the whole spectra at the end of training, in units of the null's."""
    now = _last(ds)
    reference = now.decoupled.values
    found = wasserstein(now.exact.values, reference)
    null = np.array([wasserstein(spectrum, reference) for spectrum in now.shuffled.values])
    return check(
        "In the trained network the distance between the exact and the decoupled spectrum is that "
        "of random pairings: ratio 1.",
        source=OWN,
        predicted=1.0,
        measured=mean_interval(found / null),
        rivals={"no distance": 0.0, "half of it": 0.5},
        tolerance=0.1,
        expected="approximate",
    )


@claim
def sample_size(ds) -> Claim:
    """How the number of agreeing eigenvalues grows with the number of images."""
    trained, sizes = ds.subset_rank.isel(epoch=slice(1, None)).values, ds.subset_size.values
    whole, parts = trained[:, :1, 0], trained[:, -1]  # (epoch, 1) and (epoch, subset)
    growth = np.mean(np.log(whole / parts) / np.log(sizes[0] / sizes[-1]), axis=0)
    return check(
        "In a trained network the number of eigenvalues that agree within a factor of "
        f"{provenance.settings(ds).factor:g} grows with the number of images as N to the power 1.",
        source=OWN,
        predicted=1.0,
        measured=mean_interval(growth),
        rivals={"a fixed number": 0.0, "square root of N": 0.5},
        tolerance=0.25,
        expected="confirmed",
    )


@claim
def residual_curvature(ds) -> Claim:
    """Share of the residual term of Eq. (10) in a trained network with two hidden layers."""
    now = _last(ds)
    return check(
        "The residual term of the Hessian, which Eq. (11) drops, is small along the "
        f"{now.sizes['direction']} leading directions of a trained network with two hidden "
        "layers: ratio of the whole curvature to its Gauss-Newton part 1 (interval: range over "
        "the directions).",
        source="Mori et al., Eq. (11)",
        predicted=1.0,
        measured=_range((now.curvature / now.gauss_newton).values, "range over the directions"),
        rivals={"loss without its 1/2": 2.0, "half of the curvature": 0.5},
        tolerance=0.25,
        expected="approximate",
    )


def _last(ds):
    return ds.isel(epoch=-1)


def _parting(ds, factor):
    pairs = zip(ds.exact.values, ds.decoupled.values, strict=True)
    return np.array([parting(exact, reference, factor=factor) for exact, reference in pairs])


def _farthest(ratios):
    """The one of several ratios that is farthest from 1."""
    return float(ratios[np.argmax(np.abs(ratios - 1))])


def _range(values, method):
    """The last value, with the range of all of them as its interval."""
    return computed(values[-1], values.min(), values.max(), method)
