"""Exact first-passage times of discrete SGD on linear regression, at falling learning rates."""

import numpy as np
import xarray as xr

from sgdescape.linear_regression import first_passage, kesten_exponent

_UNITS = {"units": "t = eta k"}
_COARSE, _FINE = 0.5, 0.3  # bins of the coarser grid, in eta (d/B)^(1/2)


def gaussian_chains(config) -> xr.Dataset:
    """Return times for Gaussian inputs: one input, other batches, more dimensions.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``time`` (rate, ratio), ``far_time`` (far_rate, far_ratio), ``batch_time`` (batch_size,
        rate, batch_ratio), ``dimension_time`` (dimension, dimension_rate, dimension_ratio), each
        with the relative discretisation error ``..._error``.
    """
    rates = config.rates
    batches = [_times(config.batch_ratios, rates, batch_size=b) for b in config.batch_sizes]
    slow, levels = config.dimension_rates, config.dimension_ratios
    many = [_times(levels, slow, dimension=d) for d in config.dimensions]
    one, far = _times(config.ratios, rates), _times(config.far_ratios, config.far_rates)
    found = {
        "time": (("rate", "ratio"), one),
        "far_time": (("far_rate", "far_ratio"), far),
        "batch_time": (("batch_size", "rate", "batch_ratio"), np.stack(batches, axis=1)),
        "dimension_time": (
            ("dimension", "dimension_rate", "dimension_ratio"),
            np.stack(many, axis=1),
        ),
    }
    return _dataset(
        found,
        rate=list(rates),
        ratio=list(config.ratios),
        far_rate=list(config.far_rates),
        far_ratio=list(config.far_ratios),
        batch_size=list(config.batch_sizes),
        batch_ratio=list(config.batch_ratios),
        dimension=list(config.dimensions),
        dimension_rate=list(slow),
        dimension_ratio=list(config.dimension_ratios),
    )


def input_laws(config) -> xr.Dataset:
    """Return times for other inputs than Gaussian, one input, B = 1.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``law_time`` (law, rate, law_ratio) and its error.
    """
    # exponential tails need many nodes: to the lowest two thresholds only
    rows = []
    for law in config.laws:
        heavy = law == "laplace"
        ratios = config.law_ratios[:2] if heavy else config.law_ratios
        row = _times(ratios, config.rates, inputs=law, bins=_COARSE if heavy else _FINE)
        gap = ((0, 0), (0, 0), (0, len(config.law_ratios) - len(ratios)))
        rows.append(np.pad(row, gap, constant_values=np.nan))
    found = {"law_time": (("law", "rate", "law_ratio"), np.stack(rows, axis=1))}
    return _dataset(found, law=list(config.laws), law_ratio=list(config.law_ratios))


def kesten_tail(config) -> xr.Dataset:
    """Return half of Kesten's exponent times eta, the slope of log t against log c far out.

    Args:
        config: see `large_deviations.Config`.

    Returns:
        ``tail_slope`` (tail_rate), for one Gaussian input and B = 1.
    """
    rates = list(config.tail_rates)
    slopes = [eta * kesten_exponent(learning_rate=eta) / 2 for eta in rates]
    return xr.Dataset({"tail_slope": ("tail_rate", slopes)}, coords={"tail_rate": rates})


def _times(ratios, rates, *, batch_size=1, bins=_COARSE, **law):
    """Times and errors (2, rates, ratios) at eta = rate x B; the error is in every interval."""
    found = [
        first_passage(
            ratios,
            learning_rate=rate * batch_size,
            batch_size=batch_size,
            width=bins * rate * np.sqrt(batch_size * law.get("dimension", 1)),
            **law,
        )
        for rate in rates
    ]
    return np.array([[f.times for f in found], [f.errors for f in found]])


def _dataset(found, **coords):
    variables = {}
    for name, (where, values) in found.items():
        variables[name] = (where, values[0], _UNITS)
        variables[f"{name}_error"] = (where, values[1])
    return xr.Dataset(variables, coords=coords)
