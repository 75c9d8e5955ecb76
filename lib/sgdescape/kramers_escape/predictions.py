"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.kramers_escape.landscape import valley
from sgdescape.kramers_escape.theory.choice import climb_log_odds, linear_log_odds, log_odds
from sgdescape.kramers_escape.theory.choice_chain import chain_log_odds
from sgdescape.kramers_escape.theory.detour import axis_threshold, off_axis
from sgdescape.kramers_escape.theory.dimension import (
    focusing_threshold,
    path_dimension,
    tail_dimension,
)
from sgdescape.kramers_escape.theory.rate import (
    critical_effective_dimension,
    escape_rate,
    growth_rate,
)
from sgdescape.kramers_escape.theory.saddle import transverse_width


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the theorem, and its correction, say about each.

    Args:
        dataset: of `measure`, or predicted before.

    Returns:
        A new dataset: ``rate_theory`` (noise), ``power_theory`` (noise, loss_ratio),
        ``plane_theory`` (plane_noise) with n = 2, ``bias_theory`` (curvature) by Eq. (15);
        ``dimension_theory`` (ratio) by Eq. (path-dimension), ``tail_theory`` (ratio, NaN above 1)
        by Eq. (tail-dimension); ``growth_theory`` (dimension)
        by Eq. (growth); ``axis_end`` and ``focusing`` (detour_ratio), loss ratios up to which the
        axis is the cheapest path, and cheapest among its neighbours; in the attributes
        ``action_theory`` and ``detour_loss`` (the largest L/L* on the path) by Eq. (detour),
        ``critical_theory`` by Eq. (16), ``path_theory`` by Eq. (15) for the simulated paths;
        ``odds_theory`` (choice) by Eq. (odds), and ``odds_chain`` of SGD's own
        transition matrix, ``odds_climb``, ``odds_linear``;
        ``height_theory`` of Eq. (5) and ``exit_theory`` by Eq. (33).
    """
    ds, about = dataset.copy(), provenance.settings(dataset)
    c, saddle_curvature = about.loss_ratio, about.curvature_saddle
    one = dict(batch_size=1, curvature_minimum=1.0, curvature_saddle=saddle_curvature)
    ds["rate_theory"] = (
        "noise",
        escape_rate(c, learning_rate=1 / ds.noise.values, effective_dimension=1, **one),
    )
    ds["power_theory"] = (
        ("noise", "loss_ratio"),
        escape_rate(
            ds.loss_ratio.values,
            learning_rate=1 / ds.noise.values[:, None],
            effective_dimension=1,
            **one,
        ),
    )
    eta = 1 / ds.plane_noise.values
    ds["plane_theory"] = (
        "plane_noise",
        escape_rate(c, learning_rate=eta, effective_dimension=2, **one),
    )
    ds["bias_theory"] = (
        "curvature",
        escape_rate(
            c,
            learning_rate=1 / about.bias_noise,
            batch_size=1,
            curvature_minimum=ds.curvature.values,
            curvature_saddle=saddle_curvature,
            effective_dimension=1,
        ),
    )
    shapes = [valley(about, transverse=(float(rho),)) for rho in ds.ratio.values]
    ds["dimension_theory"] = "ratio", [path_dimension(s) for s in shapes]
    ds["tail_theory"] = (
        "ratio",
        [float(tail_dimension([rho])) if rho <= 1 else np.nan for rho in ds.ratio.values],
    )
    ds["growth_theory"] = (
        "dimension",
        growth_rate(
            ds.dimension.values,
            learning_rate=1 / about.bowl_noise,
            batch_size=1,
            curvature=1.0,
        ),
    )
    rhos, down = np.array(about.detour_ratios), about.curvature_saddle
    for name, threshold in (("axis_end", axis_threshold), ("focusing", focusing_threshold)):
        ds[name] = "detour_ratio", [threshold(float(r), curvature_saddle=down) for r in rhos]
    ds = ds.assign_coords(detour_ratio=rhos)
    path = off_axis(valley(about, transverse=(about.hot_ratio,)))
    ds.attrs |= {"action_theory": path.action, "detour_loss": float(path.loss_ratio.max())}
    ds.attrs["critical_theory"] = float(
        critical_effective_dimension(
            learning_rate=1 / about.bowl_noise, batch_size=1, curvature=1.0
        )
    )
    ds.attrs["path_theory"] = float(
        escape_rate(
            about.path_loss_ratio,
            learning_rate=about.learning_rate,
            effective_dimension=2,
            **one | {"batch_size": about.batch_size},
        )
    )
    return _predict_choices(ds, about)


def _predict_choices(ds, about):
    """Log odds of the second valley: Eq. (15), the climb of SGD, other barriers."""
    low = about.minimum_loss
    ds.attrs["height_theory"] = (about.loss_ratio - 1) * low
    unit = transverse_width(temperature=1.0, curvature_saddle=1.0, saddle_loss=1.0)
    ds.attrs["exit_theory"] = float(unit) ** 2 / (2 * np.pi)
    c, noise = 1 + 4 / about.choice_variance, 1 / about.choice_rate
    at, h = {"noise": noise}, (1.0, about.choice_flat)
    few = log_odds(c, curvatures=(1.0, 1.0), directions=(about.choice_directions, 0), **at)
    ds["odds_theory"] = "choice", [log_odds(c, curvatures=h, **at), few]
    ds.attrs["odds_chain"] = chain_log_odds(
        c, learning_rate=about.choice_rate, curvatures=h, width=about.choice_width
    )
    ds.attrs["odds_climb"] = climb_log_odds(c, curvatures=h, **at)
    ds.attrs["odds_linear"] = linear_log_odds(c, curvatures=h, **at)
    return ds
