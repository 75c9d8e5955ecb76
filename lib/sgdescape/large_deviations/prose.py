"""Numbers that the prose of chapter `large_deviations` quotes."""

import numpy as np

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.large_deviations.estimates.camel import slope
from sgdescape.large_deviations.estimates.exponents import local_exponents
from sgdescape.large_deviations.estimates.network import growths_held, octaves
from sgdescape.large_deviations.theory import circle, prefactors, regression

_PUBLISHED = {"barriers": (0.98, 9.15), "rates": 12, "theory": 3.550, "data": 4.228}
"""Figure of Azizian et al. (2025), as on their poster: E/eta at its ends, decades of both lines."""


@reads_dataset
def network_summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers that the prose quotes on the network.

    Args:
        dataset: of `large_deviations.run_network`.

    Returns:
        Name in the prose -> (value, format).
    """
    place = float(dataset.outlier_threshold)
    one = dataset.sel(threshold=place)
    chain, bare, paper = (
        np.exp2(octaves(dataset, f"{name}_log_time")) for name in ("chain", "bare", "paper")
    )
    held, pairs = growths_held(dataset, "chain_log_time")
    return {
        "deviations-network-kurtosis": (float(dataset.kurtosis), ".2f"),
        "deviations-network-place": (place, ".2f"),
        "deviations-network-leading": (float(one.leading), ".3f"),
        "deviations-network-outliers": (float(dataset.outliers), ".3f"),
        "deviations-network-log": (np.log(place), ".3f"),
        "deviations-network-base": (float(dataset.base[0]), ".2f"),
        "deviations-network-base-low": (float(dataset.base[-1]), ".2f"),
        "deviations-network-growths": (held, "d"),
        "deviations-network-pairs": (pairs, "d"),
        "deviations-network-paper-growths": (growths_held(dataset, "paper_log_time")[0], "d"),
        "deviations-network-factor": (_typical(chain), ".2f"),
        "deviations-network-worst": (float(chain.max()), ".1f"),
        "deviations-network-bare": (1 / _typical(bare), ".0f"),
        "deviations-network-paper-factor": (_typical(paper), ".2f"),
        "deviations-network-paper-low": (float(paper.min()), ".1f"),
        "deviations-network-paper-high": (float(paper.max()), ".1f"),
    }


@reads_dataset
def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers that the chapter's prose quotes.

    Args:
        dataset: of `large_deviations.run`.

    Returns:
        Name in the prose -> (value, format).
    """
    before = dataset.last_positions.isel(path_ratio=-1, last_step=-2).values
    turn = regression.cheapest_path(float(dataset.path_ratio[-1]))[0]
    three = regression.cheapest_path(3.0)[0]
    laplace = dataset.sel(law="laplace", law_ratio=1.5)
    falling = local_exponents(laplace.law_time, dataset.rate, power=0.5)
    strong = dataset.sel(ratio=3.0)
    barriers = np.linspace(*_PUBLISHED["barriers"], _PUBLISHED["rates"])
    skewed = dataset.skewed_exponent / dataset.camel_exponent
    return {
        "deviations-camel-theirs": (_PUBLISHED["data"] / _PUBLISHED["theory"], ".2f"),
        "deviations-camel-low": (barriers[0], ".0f"),
        "deviations-camel-high": (barriers[-1], ".0f"),
        "deviations-camel-kramers": (slope(barriers * np.exp(barriers), 1 / barriers), ".2f"),
        "deviations-camel-right": (float(skewed.sel(well="right")), ".2f"),
        "deviations-camel-left": (float(skewed.sel(well="left")), ".2f"),
        "deviations-rare-factor": (float(dataset.rare_normal / dataset.rare_chance), ".1f"),
        "deviations-from-other-side": (100 * np.mean(before[np.isfinite(before)] < 0), ".0f"),
        "deviations-mean-before": (np.nanmean(before), ".2f"),
        "deviations-turn": (turn, ".2f"),
        "deviations-turn-three": (three, ".2f"),
        "deviations-v-three": (float(strong.barrier), ".4f"),
        "deviations-jump-rivals": (float(strong.single_factor[-1]), ".0f"),
        "deviations-two-jumps": (prefactors.TWO_JUMPS, ".2f"),
        "deviations-slope": (regression.tail_slope(), ".3f"),
        "deviations-overshoot": (float(prefactors.overshoot_factor(1.999)), ".2f"),
        "deviations-overshoot-low": (float(prefactors.overshoot_factor(1.3)), ".2f"),
        "deviations-laplace": (float(falling[-1]), ".2f"),
        "deviations-longest": (np.floor(np.log10(float(dataset.far_time.max()))), ".0f"),
        "deviations-dimension-rate": (float(dataset.plane_log_factor), ".3f"),
        "deviations-dimension-paper": (float(dataset.plane_paper), ".3f"),
        "deviations-crossover": (circle.circle_crossover(), ".3f"),
    }


def _typical(factors):
    """Geometric mean."""
    return float(np.exp(np.mean(np.log(factors))))
