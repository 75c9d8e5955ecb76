"""How two spectra are compared: distances, ranges of agreement, sizes along directions."""

import numpy as np
from scipy import stats

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import LEVEL, Interval


@door
def wasserstein(spectrum, reference, *, cut: float = 0.0) -> float:
    r"""Return the mean of :math:`|\log_{10}(\lambda_k/\lambda'_k)|` over ranks, Eq. (wasserstein).

    It is the Wasserstein-1 distance of the two sets of log10 eigenvalues, in decades: in one
    dimension the best transport pairs equal ranks.

    Args:
        spectrum: eigenvalues (N,), descending, positive.
        reference: the other ones (N,), descending, positive.
        cut: keep the ranks whose reference eigenvalue is above this fraction of its largest.

    Returns:
        The distance in decades.

    Raises:
        ValueError: if the shapes differ, or an eigenvalue that is kept is not positive.

    Example:
        >>> wasserstein([10.0, 1.0], [1.0, 0.1])
        1.0
    """
    return float(np.mean(np.abs(_log_ratios(spectrum, reference, cut))) / np.log(10))


@door
def largest_factor(spectrum, reference, *, cut: float = 0.0) -> float:
    """Return the largest factor between eigenvalues of equal rank, at least 1.

    Args:
        spectrum: eigenvalues (N,), descending, positive.
        reference: the other ones (N,), descending, positive.
        cut: as in `wasserstein`.

    Example:
        >>> round(largest_factor([10.0, 1.0], [5.0, 4.0]), 9)
        4.0
    """
    return float(np.exp(np.max(np.abs(_log_ratios(spectrum, reference, cut)))))


@door
def agreement_rank(spectrum, reference, *, factor: float) -> int:
    """Return the last rank k with an eigenvalue at least ``1/factor`` of the reference's.

    All later ones are smaller still. 0 if there is none.

    Args:
        spectrum: eigenvalues (N,), descending.
        reference: the other ones (N,), descending from a positive one.
        factor: above 0; 1 or more, or hardly any rank agrees.

    Raises:
        ValueError: if the shapes differ, or a number is not finite or the factor not positive.

    Example:
        >>> agreement_rank([4.0, 2.0, 0.1], [4.0, 2.0, 1.0], factor=2.0)
        2
    """
    spectrum, reference = _pair(spectrum, reference)
    if not np.any(reference[:1] > 0):
        raise ValueError(f"reference must begin with a positive eigenvalue: got {reference[:1]}")
    inside = spectrum * validate.positive("factor", factor) >= reference
    return int(np.flatnonzero(inside).max(initial=-1)) + 1


@door
def direction_ratio(losses, weights) -> np.ndarray:
    r"""Return :math:`\langle\ell g_k^2\rangle/(L h_k) = \sum_\mu\ell_\mu u_{k\mu}^2/L`.

    Eq. (direction): how much noise there is along curvature direction k, against decoupling.

    Args:
        losses: per-sample losses (N,).
        weights: squared components of the Gram matrix' eigenvectors (directions, N), rows sum to 1.

    Returns:
        Ratios (directions,); 1 where loss and slope are uncorrelated.

    Raises:
        ValueError: if a number is negative, or all losses are 0.

    Example:
        >>> direction_ratio([1.0, 3.0], [[0.5, 0.5], [0.0, 1.0]])
        array([1. , 1.5])
    """
    losses = validate.each_at_least("losses", losses, 0)
    weights = validate.each_at_least("weights", weights, 0)
    return weights @ losses / validate.positive("the mean of losses", losses.mean())


@door
def parting(spectrum, reference, *, factor: float) -> float:
    r"""Return where two spectra part, Eq. (parting): 0 at the top, 1 at the bottom.

    :math:`\log(\lambda'_k/\lambda'_1) / \log(\lambda'_N/\lambda'_1)` at the last rank k with an
    eigenvalue at least ``1/factor`` of the reference's, `agreement_rank`.

    Args:
        spectrum: eigenvalues (N,), descending.
        reference: the other ones (N,), descending, positive.
        factor: above 1.

    Raises:
        ValueError: if the shapes differ, a number is out of range, or the reference is constant.

    Example:
        >>> round(parting([1.0, 0.1, 0.001], [1.0, 0.1, 0.01], factor=1.5), 9)
        0.5
    """
    spectrum, reference = _pair(spectrum, reference)
    rank = max(agreement_rank(spectrum, reference, factor=factor), 1)
    depth = np.log(validate.each_positive("reference", reference) / reference[0])
    if depth[-1] == 0:
        raise ValueError(f"reference must fall: all its values are {reference[0]:g}")
    return float(depth[rank - 1] / depth[-1])


@reads_dataset
def initial_depths(ds) -> np.ndarray:
    """Return where the spectra of untrained networks part, `parting`, (networks,).

    Args:
        ds: of `decoupling.run`.
    """
    factor = provenance.settings(ds).factor
    shape = (-1, ds.sizes["part"])
    pairs = zip(
        ds.width_exact.values.reshape(shape), ds.width_decoupled.values.reshape(shape), strict=True
    )
    return np.array([parting(exact, reference, factor=factor) for exact, reference in pairs])


@door
def pairing_deviation(losses, weights, errors, *, pairings: int = 1000, seed: int = 0):
    """Return the mean square of (ratio - 1) / error over directions, with its null's freedom.

    Under random pairings each term has mean 1, but the terms are not independent: the freedom of
    the chi-square law that their mean is close to is 2 mean^2 / variance over shuffled losses.

    Args:
        losses: per-sample losses (N,).
        weights: as in `direction_ratio` (directions, N).
        errors: standard deviations of the ratios over pairings (directions,), positive.
        pairings: shuffles behind the freedom.
        seed: of the shuffles.

    Returns:
        The mean square, and the freedom.
    """
    losses = validate.within("losses", losses, low=0)
    if not losses.any():
        raise ValueError("losses must not all be zero")
    validate.count("pairings", pairings, low=2)
    validate.count("seed", seed, low=0)
    errors = validate.each_positive("errors", errors)
    rng = np.random.Generator(np.random.Philox(key=seed))
    dealt = np.stack([losses, *(rng.permutation(losses) for _ in range(pairings))])
    ratios = dealt @ validate.finite("weights", weights).T / losses.mean()
    squares = np.mean(((ratios - 1) / errors) ** 2, axis=1)
    return float(squares[0]), float(2 * np.mean(squares[1:]) ** 2 / np.var(squares[1:]))


@door
def pairing_interval(losses, weights, errors, *, seed: int = 0, level: float = LEVEL) -> Interval:
    """Return `pairing_deviation` with the interval of its chi-square law.

    Args:
        losses: per-sample losses (N,).
        weights: as in `direction_ratio` (directions, N).
        errors: standard deviations of the ratios over pairings (directions,), positive.
        seed: of the shuffles.
        level: of the interval, in (0, 1).
    """
    value, freedom = pairing_deviation(losses, weights, errors, seed=seed)
    tail = (1 - validate.fraction("level", level)) / 2
    low, high = freedom * value / stats.chi2.ppf([1 - tail, tail], freedom)
    return Interval(value, low, high, level, "chi-square, freedom of shuffles")


def _pair(spectrum, reference):
    spectrum = validate.finite("spectrum", spectrum)
    reference = validate.finite("reference", reference)
    if spectrum.shape != reference.shape or spectrum.ndim != 1:
        raise ValueError(
            f"both spectra must have the same shape (N,): got {spectrum.shape}, {reference.shape}"
        )
    return spectrum, reference


def _log_ratios(spectrum, reference, cut):
    spectrum, reference = _pair(spectrum, reference)
    if reference[0] <= 0:
        raise ValueError(f"reference must begin with a positive eigenvalue: got {reference[0]:g}")
    keep = reference > validate.fraction("cut", cut) * reference[0]
    if np.any(spectrum[keep] <= 0):
        raise ValueError(f"eigenvalues must be positive: {np.sum(spectrum[keep] <= 0)} are not")
    return np.log(spectrum[keep] / reference[keep])
