"""The measured numbers that the chapter's prose quotes."""

import numpy as np

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.kramers_escape.estimates import dimension


@reads_dataset
def summary(ds) -> dict[str, tuple[float, str]]:
    """Return the numbers of the prose.

    Args:
        ds: of `kramers_escape.run`.

    Returns:
        Name in the prose -> (value, format).
    """
    about = provenance.settings(ds)
    log_time = ds.log_time.sel(event="beyond")
    times = np.exp(log_time) * ds.rate_theory
    missed = np.isnan(ds.passage.sel(place="beyond"))
    found = {
        "kramers-error-10": (100 * abs(float(times.sel(noise=10.0)) - 1), ".1f"),
        "kramers-error-160": (100 * abs(float(times.sel(noise=160.0)) - 1), ".1f"),
        "kramers-time-160": (
            float(log_time.sel(noise=160.0)) / np.log(10),
            ".0f",
        ),
        "kramers-path-noise": (about.batch_size / about.learning_rate, ".1f"),
        "kramers-path-time": (float(ds.path_time.sel(place="beyond")), ".1f"),
        "kramers-path-theory": (1 / ds.attrs["path_theory"], ".1f"),
        "kramers-odds-chain": (ds.attrs["odds_chain"], ".2f"),
        "kramers-odds-climb": (ds.attrs["odds_climb"], ".2f"),
        "kramers-path-linear": (float(ds.linear_time), ".0f"),
        "kramers-path-censored": (
            100 * float(missed.mean()),
            ".0f",
        ),
    }
    ends = {name: ds.sel(detour_ratio=rho) for name, rho in (("two", 2.0), ("four", 4.0))}
    for name, at in ends.items():
        found[f"kramers-axis-{name}"] = (float(at.axis_end), ".2g")
        found[f"kramers-focus-{name}"] = (float(at.focusing), ".3g")
    found["kramers-detour-loss"] = (ds.attrs["detour_loss"], ".2g")
    for name, reading, ratio in (
        ("half", "loss", 0.5),
        ("stiff", "loss", 2.0),
        ("soft", "loss", 0.1),
        ("log-half", "log loss", 0.5),
    ):
        found[f"kramers-n-{name}"] = (dimension(ds, reading, ratio).value, ".2f")
    worst = max(
        abs(dimension(ds, "loss", float(r)).value / float(ds.dimension_theory.sel(ratio=r)) - 1)
        for r in ds.ratio.values
    )
    found["kramers-n-worst"] = (100 * worst, ".2f")
    return found
