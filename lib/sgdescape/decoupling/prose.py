"""Numbers for the prose of chapter `decoupling`."""

import numpy as np

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.decoupling.estimates import (
    agreement_rank,
    initial_depths,
    largest_factor,
    wasserstein,
)

_AT_THE_END = ("top", "factor", "large", "rank", "share", "size", "lowest", "highest")


@reads_dataset
def summary(ds) -> dict:
    """Return name -> (value, format) of every measured number that the chapter's text quotes.

    Args:
        ds: result of `decoupling.run`.
    """
    first = (ds.curvature / ds.gauss_newton).isel(epoch=0)
    values = {
        "decoupling-seconds": (ds.attrs["seconds"], ".0f"),
        "decoupling-curvature-low-0": (float(first.min()), ".2f"),
        "decoupling-curvature-high-0": (float(first.max()), ".2f"),
    }
    depths = initial_depths(ds)
    values["decoupling-untrained"] = (depths.size, "d")
    values["decoupling-untrained-whole"] = (int(np.sum(depths == 1)), "d")
    deviation = (abs(ds.width_coupling - 1) / ds.width_error).mean("network") / np.sqrt(2 / np.pi)
    size = abs(ds.width_coupling - 1).mean("network")
    for name, of in (("narrow", 0), ("wide", -1)):
        values[f"decoupling-{name}"] = float(deviation[of]), ".0f"
        values[f"decoupling-{name}-size"] = 100 * float(size[of]), ".0f"
    for index, epoch in enumerate(ds.epoch.values):
        last = index == ds.sizes["epoch"] - 1
        for name, entry in _one(ds.isel(epoch=index), provenance.settings(ds)).items():
            if last or name not in _AT_THE_END:
                values[f"decoupling-{name}-{epoch}"] = entry
    return values


def _one(now, sizes):
    losses, norms = now.loss.values, now.output_norm.values
    exact, decoupled, null = now.exact.values, now.decoupled.values, now.shuffled.values
    ratio, error = float(exact.sum() / decoupled.sum()), float(now.trace_error)
    found = {
        "loss": (losses.mean(), ".2g"),
        "carriers": (len(losses) / (1 + np.var(losses) / losses.mean() ** 2), ".0f"),
        "correlation": (np.corrcoef(losses, norms)[0, 1], "+.2f"),
        "trace": (ratio, ".3f"),
        "trace-z": ((ratio - 1) / error, "+.1f"),
        "top": (exact[0] / decoupled[0], ".3f"),
        "factor": (largest_factor(exact, decoupled, cut=sizes.cut), ".2f"),
        "large": (int(np.sum(decoupled > sizes.cut * decoupled[0])), "d"),
        "log": (float(now.log_theory) / np.log(10), ".2f"),
    }
    for name, cut in (("near", sizes.cut), ("all", 0.0)):
        shuffled = np.array([wasserstein(row, decoupled, cut=cut) for row in null])
        distance = wasserstein(exact, decoupled, cut=cut)
        found[f"{name}-exact"] = (distance, ".3f")
        found[f"{name}-null"] = (shuffled.mean(), ".3f")
        found[f"{name}-z"] = ((distance - shuffled.mean()) / shuffled.std(ddof=1), "+.1f")
    rank = max(agreement_rank(exact, decoupled, factor=sizes.factor), 1)
    found["rank"] = (rank, "d")
    found["share"] = (100 * rank / len(exact), ".0f")
    found["size"] = (decoupled[rank - 1] / decoupled[0], ".0e")
    z = (now.direction_ratio.values - 1) / now.direction_error.values
    found["coupling"] = (np.mean(z**2), ".1f")
    found["lowest"] = (now.direction_ratio.values.min(), ".2f")
    found["highest"] = (now.direction_ratio.values.max(), ".2f")
    return found
