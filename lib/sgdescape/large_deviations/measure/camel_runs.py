"""SGD on the three-hump camel, out of a shallow well: passages counted, noise of two laws."""

import numpy as np
import xarray as xr
from scipy import special

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.random import philox, seeds
from sgdescape.large_deviations.measure import _camel_numba

_VALUES = 4096  # of the truncated normal law: its fourth cumulant is then -0.01
_START = np.array([1.75, -0.875])  # in the shallow well at x > 0


def normal_noise(scale) -> np.ndarray:
    """Return equally likely values of a normal law of this width, truncated at 3.7 widths.

    Example:
        >>> values = normal_noise(4.0)
        >>> print(round(float(np.mean(values**2)), 9), round(float(values.max() / 4), 1))
        16.0 3.7
    """
    values = special.ndtri((np.arange(_VALUES) + 0.5) / _VALUES)
    return scale * values / np.sqrt(np.mean(values**2))


def skewed_noise(scale, odds) -> np.ndarray:
    """Return equally likely values of which one is large and the others small: mean 0, this width.

    Example:
        >>> print(skewed_noise(1.0, 4).round(3).tolist())
        [1.732, -0.577, -0.577, -0.577]
    """
    values = np.full(odds, -scale / np.sqrt(odds - 1))
    values[0] = scale * np.sqrt(odds - 1)
    return values


@door
def camel_passages(
    noise, *, learning_rate, runs, well="right", radius=0.5, max_steps=2**31, seed
) -> np.ndarray:
    """Return the first step within a distance of the deep minimum, from a shallow one.

    Args:
        noise: equally likely values of both components (n,), n a power of two up to 2^16.
        learning_rate: eta.
        runs: their number.
        well: "right" to start at x > 0, "left" to start at its mirror image.
        radius: distance from the origin at which a run ends.
        max_steps: after which a run is given up, as it is when it blows up.
        seed: of the noise.

    Returns:
        Steps (runs,), int64, -1 if not seen.

    Raises:
        ValueError: if the number of values is no power of two.

    Example:
        >>> steps = camel_passages(normal_noise(4.0), learning_rate=0.05, runs=4, seed=0)
        >>> bool(np.all(steps > 0))
        True
    """
    values = np.ascontiguousarray(validate.finite("noise", noise))
    if values.ndim != 1 or values.size > 2**16 or values.size.bit_count() != 1:
        raise ValueError(f"noise must be 2^k values, at most 2^16: got shape {values.shape}")
    sign = 1 if validate.one_of("well", well, ("right", "left")) == "right" else -1
    out = np.empty(validate.count("runs", runs), np.int64)
    _camel_numba.passages(
        sign * _START,
        values,
        validate.positive("learning_rate", learning_rate),
        validate.positive("radius", radius),
        np.arange(runs, dtype=np.uint32),
        validate.count("max_steps", max_steps, high=2**33),
        *(np.uint32(k) for k in philox.key(seed)),
        out,
    )
    return out


def camel_runs(config) -> xr.Dataset:
    """Return passages with normal noise at x > 0, and with skewed noise out of both wells.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``camel_steps`` (camel_rate, camel_run); ``skewed_steps`` (well, skewed_step, skewed_run)
        with their ``skewed_rate`` (well, skewed_step); ``skewed_noise`` (noise_value).
    """
    normal = normal_noise(config.camel_scale)
    skewed = skewed_noise(config.camel_scale, config.camel_odds)
    steps = [
        camel_passages(
            normal,
            learning_rate=eta,
            runs=config.camel_runs,
            seed=seeds.derive(config.seed, "large_deviations", "camel", index),
        )
        for index, eta in enumerate(config.camel_rates)
    ]
    wells = ("right", "left")
    tables = [
        [
            camel_passages(
                skewed,
                learning_rate=eta,
                runs=config.skewed_runs,
                well=well,
                seed=seeds.derive(config.seed, "large_deviations", f"camel, {well} well", index),
            )
            for index, eta in enumerate(rates)
        ]
        for well, rates in zip(wells, config.skewed_rates, strict=True)
    ]
    where, units = ("well", "skewed_step"), {"units": "steps"}
    return xr.Dataset(
        {
            "camel_steps": (("camel_rate", "camel_run"), np.array(steps), units),
            "skewed_steps": ((*where, "skewed_run"), np.array(tables), units),
            "skewed_rate": (where, np.array(config.skewed_rates)),
            "skewed_noise": ("noise_value", skewed),
        },
        coords={"camel_rate": list(config.camel_rates), "well": list(wells)},
    )
