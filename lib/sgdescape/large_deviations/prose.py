"""Numbers that the prose of chapter `large_deviations` quotes."""

import numpy as np

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.large_deviations.estimates import local_exponents
from sgdescape.large_deviations.theory import circle, prefactors, regression


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
    return {
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
        "deviations-crossover": (circle.circle_crossover(), ".3f"),
    }
