"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

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
    ds = dataset.copy()
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
            fitted_laws(bins=ds.attrs["bins"], **at) if at["learning_rate"] >= 0.1 else 2 * [np.nan]
            for at in row
        ]
        for row in pairs
    ]
    for index, name in enumerate(("exponent_exact", "gain_exact")):
        ds[name] = where, np.array(exact)[:, :, index]
    return ds


def _predict_passages(dataset):
    ds, a = dataset.copy(), dataset.attrs
    b = int(a["batch_size"])
    for name, rate in (("", float(a["rate"])), ("slow_", float(a["slow_rate"]))):
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
    at = {"learning_rate": float(a["rate"]), "batch_size": b}
    d = ds.dimension.values
    gaussian = kurtosis_passage_time(ds.loss_ratio.values, kurtosis=3.0, **at)
    # the exact covariance is isotropic in one dimension only: elsewhere no closed form here
    covariance = np.where(d[:, None] == 1, gaussian, np.nan)
    ds["time_covariance"] = ("dimension", "threshold"), covariance, {"units": "t = eta k"}
    ds["slope_paper"] = "dimension", paper_slope(dimension=d, **at)
    kesten = [kesten_exponent(dimension=int(k), **at) / 2 for k in d]
    ds["slope_kesten"] = "dimension", np.array(kesten)
    sets = zip(ds.set_input.values, ds.set_target.values, strict=True)
    own, ratio = [], ds.loss_ratio.values[list(d).index(1)]
    for x, y in sets:
        levels = np.append(ratio, a["spread_ratio"])
        own.append(data_passage(levels, x, y, learning_rate=at["learning_rate"]).times)
    ds["set_time"] = ("data_set", "threshold"), np.array(own)[:, :-1], {"units": "t = eta k"}
    ds["spread_time"] = "data_set", np.array(own)[:, -1], {"units": "t = eta k"}
    tail = {"learning_rate": float(a["tail_rate"]), "batch_size": int(a["tail_batch"])}
    ds["tail_exact"] = "tail_ratio", first_passage(ds.tail_ratio.values, **tail).times
    far = np.array(ds.attrs["far_ratios"])
    step = tail["learning_rate"] / np.sqrt(tail["batch_size"])
    times = first_passage(far, width=step / 10, **tail).times
    ds["far_slope"] = "far_step", np.diff(np.log(times)) / np.diff(np.log(far))
    ds.attrs["tail_kesten"] = kesten_exponent(**tail) / 2
    return ds


def _predict_barriers(dataset):
    ds, a = dataset.copy(), dataset.attrs
    ratios, rate = ds.law_ratio.values, float(a["rate"])
    at = {"learning_rate": rate, "batch_size": int(a["batch_size"])}
    laws = [str(law) for law in ds.law.values]
    where = ("law", "law_ratio")
    exact = [first_passage(ratios, inputs=law, **at).times for law in laws]
    ds["law_exact"] = where, np.array(exact), {"units": "t = eta k"}
    sde = [kurtosis_passage_time(ratios, kurtosis=KURTOSES[law], **at) for law in laws]
    ds["law_sde"] = where, np.array(sde), {"units": "t = eta k"}
    c, rates = float(a["barrier_ratio"]), np.array(a["barrier_rates"])
    ds["barrier_linear"] = float(quasi_potential(c))
    steps = []
    for law in laws:
        times = [
            first_passage([c], inputs=law, learning_rate=eta, width=eta / 2).times[0]
            for eta in rates
        ]
        # one input: the prefactor of a linear barrier is proportional to sqrt(eta)
        steps.append(np.diff(np.log(times / np.sqrt(rates))) / np.diff(1 / rates))
    ds["barrier"] = ("law", "barrier_step"), np.array(steps)
    ds["barrier_diffusion"] = (
        "law",
        np.array([float(diffusion_barrier(c, kurtosis=KURTOSES[law])) for law in laws]),
    )
    return ds
