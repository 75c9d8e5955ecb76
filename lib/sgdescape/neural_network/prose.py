"""Numbers for the prose of chapter `neural_network`."""

import numpy as np

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.neural_network.estimates import passages
from sgdescape.neural_network.estimates.comparisons import (
    against,
    beyond,
    bowl_slope,
    cells,
    control_times,
    implied,
    linearised_times,
    middle,
    slope_of,
    smallest_batch,
)


@reads_dataset
def summary(dataset) -> dict:
    """Return the numbers of the chapter's prose: name -> (value, format)."""
    ds, attrs = dataset, dataset.attrs
    h = ds.curvature.values
    half = ds.sel(exponent=middle(ds))
    small, large = cells(ds, batches=slice(1)), cells(ds, batches=slice(-1, None))
    cell = middle(ds), smallest_batch(ds)
    sizes = [float(b) / float(a) for a in ds.exponent for b in ds.batch_size]
    found = {
        "steps": (attrs["pretraining_steps"], "d"),
        "fall": (100 * attrs["fall"], ".1f"),
        "loss": (attrs["loss"], ".4f"),
        "top": (h[0], ".0f"),
        "second": (h[1], ".0f"),
        "third": (h[2], ".0f"),
        "trace-ratio": (attrs["trace"] / h[0], ".1f"),
        "participation": (attrs["participation"], ".1f"),
        "entropy": (attrs["entropy"], ".0f"),
        "outlier-dimension": (attrs["outlier_dimension"], ".2f"),
        "large": (int(np.sum(ds.spectrum.values > 0.05 * h[0])), "d"),
        "lowest-noise": (ds.noise_ratio.values.min(), ".2f"),
        "highest-noise": (ds.noise_ratio.values.max(), ".2f"),
        "gradient-share": (100 * ds.gradient_share.values.max(), ".1f"),
        "kurtosis": (float(ds.kurtosis[0, 0]), ".2f"),
        "other-kurtosis": (float(np.median(np.diag(ds.kurtosis.values)[1:])), ".1f"),
        "raised": (float(half.mean_loss), ".2f"),
        "bowl-factor": (2 ** against(ds, "decoupled", small).value, ".2f"),
        "measured-factor": (2 ** against(ds, "measured", small).value, ".2f"),
        "all-factor": (2 ** against(ds, "measured", cells(ds)).value, ".2f"),
        "continuous-small": (2 ** against(ds, "continuous", small).value, ".1f"),
        "continuous-large": (2 ** -against(ds, "continuous", large).value, ".1f"),
        "slope": (slope_of(ds, *cell).value, ".1f"),
        "bowl-slope": (bowl_slope(ds, *cell).value, ".1f"),
        "line-outlier": (float(half.line_slope.sel(dimension="outlier_dimension")), ".1f"),
        "line-participation": (float(half.line_slope.sel(dimension="participation")), ".1f"),
        "line-entropy": (float(half.line_slope.sel(dimension="entropy")), ".0f"),
        "implied": (implied(ds).value, ".1f"),
        "implied-bowl": (implied(ds, bowl_slope).value, ".1f"),
        "smallest-step": (min(sizes), ".2f"),
        "largest-step": (max(sizes), ".1f"),
        "overlap": (ds.overlap.values.min(), ".3f"),
        "dead": (attrs["dead_parameters"], "d"),
        "dead-motion": (100 * ds.dead_motion.values.max(), ".0f"),
        "displacement": (100 * np.median(ds.displacement_share.values), ".0f"),
        "energy": (100 * np.median(ds.energy_share.values), ".0f"),
        "leading-energy": (100 * np.median(ds.leading_energy.values), ".0f"),
        "path-coupling": (np.median(ds.path_coupling.values), ".2f"),
        "path-noise": (np.median(ds.path_noise.values), ".2f"),
        "replicas": (provenance.settings(ds).replicas, "d"),
    }
    for case, name in zip(ds.case.values, ("seed", "wide", "deep", "fashion"), strict=True):
        runs, bowl, refined, _ = control_times(ds, case)
        one = ds.sel(case=case)
        top = float(one.control_curvature)
        found[f"{name}-top"] = (top, ".0f")
        found[f"{name}-loss"] = (float(one.control_loss), ".4f")
        found[f"{name}-trace"] = (float(one.control_trace) / top, ".1f")
        found[f"{name}-kurtosis"] = (float(one.control_kurtosis), ".2f")
        runs_there, linear, _ = linearised_times(ds, case)
        found[f"{name}-linearised"] = (2 ** passages.paired_ratio(runs_there, linear).value, ".2f")
        if case != "twice as wide":
            found[f"{name}-step"] = (float(one.control_largest_step), ".1f")
        found[f"{name}-bowl"] = (2 ** passages.log_ratio([(runs, bowl)]).value, ".2f")
        found[f"{name}-measured"] = (2 ** passages.log_ratio([(runs, refined)]).value, ".2f")
    return {f"network-{name}": value for name, value in found.items()}


@reads_dataset
def large_summary(dataset) -> dict:
    """Return the numbers of the prose on the kept, larger result: name -> (value, format)."""
    everywhere, line = cells(dataset), {}
    for law, name in (("decoupled", "plain"), ("measured", "measured")):
        found = against(dataset, law, everywhere)
        line |= {name: found.value, f"{name}-low": found.low, f"{name}-high": found.high}
        found = beyond(dataset, law, cells(dataset, batches=slice(1)))
        name = f"far-{name}"
        line |= {name: found.value, f"{name}-low": found.low, f"{name}-high": found.high}
    found = {name: (2**octaves, ".2f") for name, octaves in line.items()}
    for name, slope in (("implied", slope_of), ("implied-bowl", bowl_slope)):
        interval = implied(dataset, slope)
        found[name] = interval.value, ".1f"
        found[f"{name}-half"] = interval.high - interval.value, ".1f"
    found["replicas"] = dataset.sizes["replica"], "d"
    found["cost"] = dataset.attrs["cost"], ""
    return {f"network-large-{name}": value for name, value in found.items()}
