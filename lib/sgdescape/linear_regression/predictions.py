"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.linear_regression.config import KURTOSES
from sgdescape.linear_regression.theory.chain import data_passage, first_passage
from sgdescape.linear_regression.theory.diffusion import (
    kurtosis_passage_time,
    linear_barrier_time,
    mean_first_passage_time,
    paper_slope,
)
from sgdescape.linear_regression.theory.large_deviations import quasi_potential
from sgdescape.linear_regression.theory.stationary import (
    covariance_exponent,
    discrete_exponent,
    fitted_laws,
    kesten_exponent,
)
from sgdescape.noise_covariance import diffusion_barrier
from sgdescape.random_time_change import stationary_exponent


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with the exponents ``exponent_*`` and gains ``gain_exact`` of Fig. 3a, the
        times ``*_exact`` (chain) and ``*_sde``, ``*_linear`` (diffusions) of Fig. 3b, in t, the
        slopes ``slope_paper`` and ``slope_kesten``, and ``barrier`` (law, barrier_step).
    """
    return _predict_barriers(_predict_passages(_predict_exponents(dataset)))


def _predict_exponents(dataset):
    ds, bins = dataset.copy(), provenance.settings(dataset).bins
    where = ("learning_rate", "batch_size")
    pairs = [
        [{"learning_rate": float(eta), "batch_size": int(b)} for b in ds.batch_size.values]
        for eta in ds.learning_rate.values
    ]
    for name, formula in (
        ("exponent_paper", lambda **at: float(stationary_exponent(curvature=1.0, **at))),
        ("exponent_discrete", discrete_exponent),
        ("exponent_covariance", covariance_exponent),
    ):
        ds[name] = where, np.array([[formula(**at) for at in row] for row in pairs])
    exact = [
        [
            # at smaller rates the finite step is below a percent of phi, and the grid is not
            fitted_laws(bins=bins, **at) if at["learning_rate"] >= 0.1 else 2 * [np.nan]
            for at in row
        ]
        for row in pairs
    ]
    for index, name in enumerate(("exponent_exact", "gain_exact")):
        ds[name] = where, np.array(exact)[:, :, index]
    return ds


def _predict_passages(dataset):
    ds, about = dataset.copy(), provenance.settings(dataset)
    b = about.batch_size
    for name, rate in (("", about.learning_rate), ("slow_", about.slow_rate)):
        dimensions = [int(d) for d in ds[f"{name}dimension"].values]
        ratios = ds["loss_ratio" if not name else "slow_ratio"].values
        at = {"learning_rate": rate, "batch_size": b}
        rows = {"exact": [], "sde": [], "linear": []}
        for d, c in zip(dimensions, ratios, strict=True):
            rows["exact"].append(first_passage(c, dimension=d, **at).times)
            rows["sde"].append(mean_first_passage_time(c, dimension=d, **at))
            rows["linear"].append(linear_barrier_time(c, dimension=d, **at))
        where = (f"{name}dimension", "threshold")
        for kind, values in rows.items():
            ds[f"{name}time_{kind}"] = where, np.array(values), {"units": "t = eta k"}
    at = {"learning_rate": about.learning_rate, "batch_size": b}
    d = ds.dimension.values
    gaussian = kurtosis_passage_time(ds.loss_ratio.values, kurtosis=3.0, **at)
    # the exact covariance is isotropic in one dimension only: elsewhere no closed form here
    covariance = np.where(d[:, None] == 1, gaussian, np.nan)
    ds["time_covariance"] = ("dimension", "threshold"), covariance, {"units": "t = eta k"}
    slow = {"learning_rate": about.slow_rate, "batch_size": b}
    gaussian = kurtosis_passage_time(ds.slow_ratio.values, kurtosis=3.0, **slow)
    covariance = np.where(ds.slow_dimension.values[:, None] == 1, gaussian, np.nan)
    ds["slow_time_covariance"] = ("slow_dimension", "threshold"), covariance
    ds["slope_paper"] = "dimension", paper_slope(dimension=d, **at)
    kesten = [kesten_exponent(dimension=int(k), **at) / 2 for k in d]
    ds["slope_kesten"] = "dimension", np.array(kesten)
    sets = zip(ds.set_input.values, ds.set_target.values, strict=True)
    own, ratio = [], ds.loss_ratio.values[list(d).index(1)]
    for x, y in sets:
        levels = np.append(ratio, about.spread_ratio)
        own.append(data_passage(levels, x, y, learning_rate=at["learning_rate"]).times)
    ds["set_time"] = ("data_set", "threshold"), np.array(own)[:, :-1], {"units": "t = eta k"}
    ds["spread_time"] = "data_set", np.array(own)[:, -1], {"units": "t = eta k"}
    tail = {"learning_rate": about.tail_rate, "batch_size": about.tail_batch}
    far = np.array(about.far_ratios)
    step = tail["learning_rate"] / np.sqrt(tail["batch_size"])
    found = first_passage(far, width=step / 10, **tail)
    ds["far_slope"] = "far_step", np.diff(np.log(found.times)) / np.diff(np.log(far))
    ds["far_error"] = "far_step", (found.errors[1:] + found.errors[:-1]) / np.diff(np.log(far))
    ds.attrs["tail_kesten"] = kesten_exponent(**tail) / 2
    zero = {"learning_rate": about.zero_rate, "batch_size": about.zero_batch}
    ds.attrs["zero_kesten"] = kesten_exponent(**zero)
    ds.attrs["zero_sde"] = 2 * float(stationary_exponent(curvature=1.0, **zero)) - 1
    return ds


def _predict_barriers(dataset):
    ds, about = dataset.copy(), provenance.settings(dataset)
    ratios, c = ds.law_ratio.values, about.barrier_ratio
    at = {"learning_rate": about.learning_rate, "batch_size": about.batch_size}
    laws = [str(law) for law in ds.law.values]
    where = ("law", "law_ratio")
    exact = [first_passage(ratios, inputs=law, **at).times for law in laws]
    ds["law_exact"] = where, np.array(exact), {"units": "t = eta k"}
    sde = [kurtosis_passage_time(ratios, kurtosis=KURTOSES[law], **at) for law in laws]
    ds["law_sde"] = where, np.array(sde), {"units": "t = eta k"}
    ds["barrier_linear"] = float(quasi_potential(c))
    # coarser bins than elsewhere: these times are short
    steps = [_slopes([c], about.barrier_rates, inputs=law, bins=2) for law in laws]
    ds["barrier"] = ("law", "barrier_step"), np.array([s[0][:, 0] for s in steps])
    ds["barrier_error"] = ("law", "barrier_step"), np.array([s[1][:, 0] for s in steps])
    ds["barrier_diffusion"] = (
        "law",
        np.array([float(diffusion_barrier(c, kurtosis=KURTOSES[law])) for law in laws]),
    )
    slopes, errors = _slopes(about.jump_ratios, about.jump_rates)
    ds["jump_slope"] = ("jump_step", "jump_ratio"), slopes
    ds["jump_error"] = ("jump_step", "jump_ratio"), errors
    ds["jump_theory"] = "jump_ratio", quasi_potential(np.array(about.jump_ratios))
    return ds.assign_coords(jump_ratio=list(about.jump_ratios))


def _slopes(ratios, rates, *, inputs="gaussian", bins=3):
    """Slopes of log(t/sqrt(eta)) against 1/eta between exact times, and their numerical errors.

    One input: up to the threshold where single samples carry theta alone, and beyond it, the
    prefactor is proportional to sqrt(eta).
    """
    found = [
        first_passage(ratios, inputs=inputs, learning_rate=eta, width=eta / bins) for eta in rates
    ]
    rates = np.array(rates)[:, None]
    logs = np.log(np.array([f.times for f in found]) / np.sqrt(rates))
    errors = np.array([f.errors for f in found])
    span = np.diff(1 / rates, axis=0)
    return np.diff(logs, axis=0) / span, (errors[1:] + errors[:-1]) / span
