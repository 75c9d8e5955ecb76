"""Numbers that the prose of chapter `linear_regression` quotes."""

import numpy as np

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.linear_regression.estimates import curve_slope, exponent, window, window_slope


@reads_dataset
def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers that the chapter's prose quotes.

    Args:
        dataset: of `linear_regression.run`.

    Returns:
        Name in the prose -> (value, format).
    """
    one = dataset.sel(dimension=1)
    ten = int(dataset.dimension[-1])
    last = dataset.sel(dimension=ten).isel(threshold=-1)
    spread = np.log(dataset.spread_time.values)
    slow = dataset.sel(slow_dimension=1).isel(threshold=-1)
    c = float(slow.slow_ratio)
    fast_ratio = np.interp(c, one.loss_ratio, one.time_exact / one.time_sde)
    ratios, inside = window(dataset, "fresh", 1.1, 1.7, dimension=ten)
    return {
        "regression-phi-unit": (exponent(dataset, 1.0, 5).value, ".2f"),
        "regression-c-one": (float(one.loss_ratio[-1]), ".2f"),
        "regression-sde-factor": (float((one.time_exact / one.time_sde)[-1]), ".1f"),
        "regression-linear-factor": (float((one.time_linear / one.time_exact)[-1]), ".1f"),
        "regression-c-ten": (float(last.loss_ratio), ".0f"),
        "regression-sde-factor-ten": (float(last.time_exact / last.time_sde), ".1f"),
        "regression-slow-c": (c, ".1f"),
        "regression-slow-factor": (float(slow.slow_time_exact / slow.slow_time_sde), ".1f"),
        "regression-fast-factor": (float(fast_ratio), ".1f"),
        "regression-barrier-laplace": (float(dataset.barrier.sel(law="laplace")[-1]), ".2f"),
        "regression-spread": (float(spread.std(ddof=1)), ".2f"),
        "regression-spread-factor": (float(np.exp(spread.max() - spread.min())), ".1f"),
        "regression-slope-low": (
            window_slope(dataset, "fresh", 1.1, 1.7, dimension=1).value,
            ".1f",
        ),
        "regression-slope-ten": (
            window_slope(dataset, "fresh", 1.1, 1.7, dimension=ten).value,
            ".1f",
        ),
        "regression-slope-ten-sde": (
            curve_slope(ratios, dataset.time_sde.sel(dimension=ten).values[inside]),
            ".1f",
        ),
    }
