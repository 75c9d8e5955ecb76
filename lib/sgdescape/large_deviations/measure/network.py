"""A network's leading directions and the runs that left its minimum: per-sample gradients, times.

The network and the runs are those of the chapter on the neural network: the bundled checkpoint
784-10-1, and the longer run that is kept in ``results/``.
"""

import numpy as np
import xarray as xr

from sgdescape.core import validate
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import LEVEL

_LEAST = 100  # passages, else a time is not given


def network_gradients(*, directions: int = 3) -> xr.Dataset:
    """Return every image's residual and its slopes along the leading directions at the minimum.

    Args:
        directions: leading eigenvectors of the Gauss-Newton matrix.

    Returns:
        ``residual`` r (sample), ``slope`` g_e (sample, direction) with mean square ``curvature``
        (direction), ``rest`` (sample): squared length of the image's gradient off the first
        direction; attributes ``loss`` and ``trace`` of the Gauss-Newton matrix.
    """
    from sgdescape.neural_network.kept_result import load
    from sgdescape.neural_network.measure import checkpoints
    from sgdescape.neural_network.measure.minimum import minimum

    recipe = checkpoints.recipes(provenance.settings(load()))["main"]  # that of the kept runs
    model = checkpoints.network(recipe, checkpoints.load(recipe).theta)
    found = minimum(
        model,
        checkpoints.images_of(recipe),
        directions=validate.count("directions", directions, low=2),
        seed=0,
    )
    slope = found["vectors"].numpy() * np.sqrt(recipe.images * found["curvature"])
    length = found["gram"].diagonal().double().numpy()
    return xr.Dataset(
        {
            "residual": ("sample", found["residual"]),
            "slope": (("sample", "direction"), slope),
            "rest": ("sample", np.maximum(length - slope[:, 0] ** 2, 0)),
            "curvature": ("direction", found["curvature"]),
        },
        attrs={"loss": found["loss"], "trace": found["trace"]},
    )


def network_runs() -> xr.Dataset:
    """Return logarithms of the kept runs' mean passage times with their half-widths.

    Returns:
        ``log_time`` and ``half_width`` (exponent, batch_size, threshold), NaN below 100 passages;
        half-widths at the level of the claims; ``learning_rate`` (exponent, batch_size).
    """
    from sgdescape.neural_network.estimates.passages import mean_times
    from sgdescape.neural_network.kept_result import load

    kept = load()
    shape = (kept.sizes["exponent"], kept.sizes["batch_size"], kept.sizes["threshold"])
    logs, halves = np.full(shape, np.nan), np.full(shape, np.nan)
    for i, j in np.ndindex(shape[:2]):
        one = kept.isel(exponent=i, batch_size=j)
        passage, last = one.passage.values, one.last_step.values[:, None]
        seen = passage > 0
        times = np.where(seen, passage, last) * float(one.learning_rate)
        mean, low, high = mean_times(times, seen, level=LEVEL)
        enough = seen.sum(axis=0) >= _LEAST
        logs[i, j, enough] = np.log(mean[enough])
        halves[i, j, enough] = 0.5 * np.log(high[enough] / low[enough])
    where = ("exponent", "batch_size", "threshold")
    return xr.Dataset(
        {
            "log_time": (where, logs),
            "half_width": (where, halves),
            "learning_rate": kept.learning_rate.reset_coords(drop=True),
        },
        coords={name: kept[name].values for name in where},
    )
