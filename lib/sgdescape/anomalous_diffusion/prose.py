"""Numbers that the prose of chapter `anomalous_diffusion` quotes."""

import numpy as np

from sgdescape.anomalous_diffusion import published
from sgdescape.anomalous_diffusion.estimates.collapse import explained, free_powers, variables
from sgdescape.anomalous_diffusion.estimates.drift_curve import published_curve
from sgdescape.anomalous_diffusion.estimates.exponents import (
    contrast,
    exponent,
    fitted_exponent,
    grid,
)
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset


@reads_dataset
def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers that the chapter's prose quotes.

    Args:
        dataset: of `anomalous_diffusion.run`.

    Returns:
        Name in the prose -> (value, format).
    """
    window = settings(dataset).window
    largest, away = dataset.isel(batch_size=-1), dataset.sel(start="away")
    paper, own = published.published_exponents(), grid(dataset)
    flat = dataset.isel(order_mode=-1)
    ratio = flat.order_square.mean("order_replica") / flat.variance_exact
    powers = free_powers(paper, resamples=200)
    last = dataset.isel(bowl_lag=-1)
    found = {
        "anomalous-still": (exponent(dataset.lag.values, largest.displacement.values, window).value,
                            ".2f"),
        "anomalous-moving": (exponent(dataset.step.values, away.started.values, window).value,
                             ".2f"),
        "anomalous-paper-powers-s": (powers[0].value, ".2f"),
        "anomalous-paper-powers-beta": (powers[1].value, ".2f"),
        "anomalous-summed": (float(last.bowl_summed / last.bowl_exact), ".0f"),
        "anomalous-flat-excess": (100 * (float(ratio.sel(sampler="shuffle")) - 1), ".0f"),
    }  # fmt: skip
    data, curve = published.published_exponents(), published_curve()
    misfit = data.exponent - curve(variables(data)["eta N / (S (1 - beta))"])
    found["anomalous-fit-misfit"] = (float(np.sqrt(np.mean(misfit**2))), ".3f")
    for (eta, size, beta, square), key in zip(published.SPEEDS[1:], _SWEPT, strict=True):
        law = (eta / 1e-4) ** 2 * 256 / size * (1 - 0.9**2) / (1 - beta**2)
        found[f"anomalous-speed-{key}"] = (square / published.DEFAULT_STEP / law, ".2f")
    for name, times in (("grid", dataset.epoch.values), ("fixed", dataset.fixed_step.values)):
        curve = fitted_exponent(times, dataset[f"{name}_exact"].values)
        key = {"grid": "epochs", "fixed": "steps"}[name]
        found[f"anomalous-batch-{key}"] = (contrast(dataset.grid_size.values) @ curve, ".2f")
    for name, short in _SHORT.items():
        share = explained(variables(own)[name], own.exponent)
        found[f"anomalous-own-{short}"] = (float(np.round(share, 3)), ".2f")
    return found


_SWEPT = ("batch", "momentum")
"""What the last two of `published.SPEEDS` vary."""

_SHORT = {
    "eta N / (S (1 - beta))": "tau",
    "eta / (1 - beta)": "rate",
    "eta / S": "noise",
    "gamma": "gamma",
}
