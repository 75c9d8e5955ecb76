"""Stationary law of discrete SGD far into its tail, from the transition matrix: no sampling."""

import numpy as np
import xarray as xr
from scipy import special

from sgdescape.core import validate


def stationary_tail(*, learning_rate, bins=400, largest=1e4):
    r"""Return |theta| and :math:`P(|\theta|>r)` of discrete SGD, one Gaussian input, B = 1.

    Transition matrix on bins of equal width in asinh |theta|, solved by elimination without
    subtraction (Grassmann, Taksar and Heyman), so that tails of 1e-100 keep their relative
    precision, Eq. (tail-chain).

    Args:
        learning_rate: eta.
        bins: number.
        largest: of |theta|.

    Returns:
        Lower edges r (bins,) and the probabilities beyond them (bins,).

    Example:
        >>> r, beyond = stationary_tail(learning_rate=0.5, bins=120)
        >>> bool(beyond[0] > 0.999999)
        True
    """
    eta, count = validate.positive("learning_rate", learning_rate), validate.count("bins", bins)
    edges = np.sinh(np.linspace(0, np.arcsinh(largest), count + 1))
    middle = np.sinh((np.arcsinh(edges[1:]) + np.arcsinh(edges[:-1])) / 2)
    reach = np.sqrt(8 / eta) + 8  # far beyond the jump that turns theta into -4 theta
    panels = np.concatenate([[0], np.geomspace(0.003, 0.4, 8), np.arange(0.9, reach, 0.5)])
    nodes, weights = np.polynomial.legendre.leggauss(5)
    half, centre = np.diff(panels) / 2, (panels[1:] + panels[:-1]) / 2
    x = (centre[:, None] + half[:, None] * nodes).ravel()
    weight = (half[:, None] * weights).ravel() * np.exp(-(x**2) / 2) * np.sqrt(2 / np.pi)
    beyond = np.zeros((count, count + 1))
    for node, w in zip(x, weight, strict=True):  # given x the step is normal, of width eta x
        mean = middle[:, None] * (1 - eta * node**2)
        beyond += w * special.ndtr((mean - edges) / (eta * node))
        beyond += w * special.ndtr((-mean - edges) / (eta * node))
    chain = np.maximum(beyond[:, :-1] - beyond[:, 1:], 0)
    chain[:, -1] += beyond[:, -1]
    return edges[:-1], np.cumsum(stationary(chain)[::-1])[::-1]


def stationary(chain):
    """Return the stationary law of a transition matrix, to full relative precision.

    Args:
        chain: probabilities (n, n), rows of sum 1; it is not changed.

    Example:
        >>> stationary(np.array([[0.9, 0.1], [0.3, 0.7]])).round(12).tolist()
        [0.75, 0.25]
    """
    a = np.array(chain, float)  # the states near the minimum are eliminated first
    n = len(a)
    pivots = np.ones(n)
    for k in range(n - 1):
        pivots[k] = a[k, k + 1 :].sum()
        a[k + 1 :, k + 1 :] += np.outer(a[k + 1 :, k] / pivots[k], a[k, k + 1 :])
    mass = np.zeros(n)
    mass[-1] = 1.0
    for k in range(n - 2, -1, -1):
        mass[k] = mass[k + 1 :] @ a[k + 1 :, k] / pivots[k]
        mass /= mass.max()
    return mass / mass.sum()


def chains(config) -> xr.Dataset:
    """Return log P(|theta| > r) at each rate on two grids, at the edges of the coarser one.

    Args:
        config: of the chapter.
    """
    logs = []
    for rate in config.chain_rates:
        found = [
            stationary_tail(learning_rate=rate, bins=k, largest=config.chain_end)
            for k in (config.chain_bins, 2 * config.chain_bins)
        ]
        with np.errstate(divide="ignore"):
            logs.append([np.log(found[0][1]), np.log(found[1][1][::2])])
    return xr.Dataset(
        {"chain_log": (("chain_rate", "grid", "radius"), np.array(logs))},
        {"chain_rate": list(config.chain_rates), "grid": ["coarse", "fine"], "radius": found[0][0]},
    )


__all__ = ["chains", "stationary", "stationary_tail"]
