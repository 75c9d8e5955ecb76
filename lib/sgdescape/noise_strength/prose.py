"""Numbers for the prose of chapter `noise_strength`."""

import numpy as np

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.noise_strength.estimates import (
    EARLY,
    LATE,
    ONE_OUTPUT,
    SQUARE,
    at_worst,
    falls,
    slopes,
    trained,
)


@reads_dataset
def summary(dataset) -> dict:
    """Return the numbers of the chapter's prose: name -> (value, format)."""
    ds = trained(dataset, SQUARE)
    worst = at_worst(ds)
    early = ds.where(ds.loss > EARLY).jacobian
    gradient = 1 - dataset.isel(mark=slice(1, None)).gradient_factor
    late = slopes(ds.loss, ds.noise, ds.loss < LATE)
    turn = slopes(ds.loss, ds.direction_factor, ds.loss < LATE)
    settings = provenance.settings(dataset)
    one = trained(dataset, ONE_OUTPUT)
    return {
        "strength-images": (settings.images, "d"),
        "strength-cnn-images": (settings.cnn_images, "d"),
        "strength-replicas": (dataset.sizes["replica"], "d"),
        "strength-cnn-replicas": (settings.cnn_replicas, "d"),
        "strength-cnn-epochs": (settings.cnn_epochs, ","),
        "strength-cost": (dataset.attrs.get("cost", "not kept"), ""),
        "strength-early-loss": (EARLY, "g"),
        "strength-jacobian-growth": (
            float((early.max("mark") / early.min("mark")).median()),
            ".1f",
        ),
        "strength-worst-ratio": (float(ds.ratio.max("mark").median()), ".1f"),
        "strength-shuffled": (float((worst.second_moment / worst.shuffled).median()), ".1f"),
        "strength-loss-range": (float(np.median(falls(ds.loss))), ".0f"),
        "strength-loss-range-one": (float(np.median(falls(one.loss))), ".0e"),
        "strength-late-slope": (float(np.median(late)), ".2f"),
        "strength-late-direction": (float(np.median(turn)), ".2f"),
        "strength-gradient-share": (float(100 * gradient.mean()), ".0f"),
        "strength-gradient-most": (float(100 * gradient.max()), ".0f"),
    }
