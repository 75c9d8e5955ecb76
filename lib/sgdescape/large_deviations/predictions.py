"""Where theory meets measurement: the predictions beside every measured number."""

import numpy as np
import xarray as xr

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.large_deviations.theory import circle, prefactors, regression
from sgdescape.large_deviations.theory.camel import (
    camel_barrier,
    camel_gaussian_barrier,
    camel_time,
)
from sgdescape.large_deviations.theory.circle_plane import (
    log_dimension_factor,
    paper_dimension_factor,
)
from sgdescape.large_deviations.theory.circle_sde import circle_sde_time
from sgdescape.large_deviations.theory.outliers import outlier_barrier, raised_base, spread_of
from sgdescape.large_deviations.theory.sampled import decoupled_passage, sampled_passage
from sgdescape.linear_regression import data_barrier, linear_barrier_time
from sgdescape.noise_covariance import diffusion_barrier


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the theory says about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with barriers ``barrier``, ``barrier_paper``, ``barrier_covariance``,
        ``barrier_single``, ``barrier_climb`` (ratio) and the same for the other ratios; times
        ``time_predicted`` and ``time_diffusion`` (rate, ratio); the circle's barriers and times;
        the camel's ``camel_exponent`` and ``skewed_exponent`` (well), with the times
        ``camel_predicted``, ``skewed_predicted`` and ``skewed_sde``.
    """
    ds = dataset.copy()
    for prefix in ("", "far_", "batch_", "dimension_", "law_"):
        c = ds[f"{prefix}ratio"].values
        for name, values in barriers(c).items():
            ds[f"{prefix}{name}"] = f"{prefix}ratio", values
    return _camel(_planes(_circle(_times(ds))))


@reads_dataset
def predict_network(dataset: xr.Dataset) -> xr.Dataset:
    """Return a network's gradients and kept runs with exponents and times of its directions.

    Args:
        dataset: of `measure.network`, gradients and runs merged.

    Returns:
        A new dataset with ``base`` (exponent), the raised loss over L*; ``leading`` (threshold),
        h V(c) of the leading direction, ``outliers``, of all kept ones at the threshold
        ``outlier_threshold``; logarithms of times (exponent, batch_size, threshold):
        ``chain_log_time`` (the images' gradients), ``bare_log_time`` (without the other
        directions) and ``paper_log_time`` (noise 2Lh), NaN below the raised loss.
    """
    ds = dataset.copy()
    c, h = ds.threshold.values, float(ds.curvature[0])
    slope, residual = ds.slope.values, ds.residual.values
    ds["base"] = "exponent", raised_base(ds.attrs["trace"] / h, ds.exponent.values)
    ds["leading"] = "threshold", [h * data_barrier(one, slope[:, 0], -residual) for one in c]
    ds["kurtosis"] = (), np.mean(slope[:, 0] ** 4) / h**2
    place = int(np.searchsorted(c, 2.5))
    ds["outlier_threshold"] = (), c[place]
    ds["outliers"] = (), outlier_barrier(c[place], residual, slope)
    where = ("exponent", "batch_size", "threshold")
    shape = tuple(ds.sizes[name] for name in where)
    tables = {name: np.full(shape, np.nan) for name in ("chain", "bare", "paper")}
    for i, j in np.ndindex(shape[:2]):
        for name, (known, logs) in _network_cell(ds, i, j).items():
            tables[name][i, j, known] = logs
    for name, table in tables.items():
        ds[f"{name}_log_time"] = where, table
    return ds


def _network_cell(ds, i, j):
    """Three predictions of log t for one learning rate and batch size: name -> (where, values)."""
    h, loss, c = float(ds.curvature[0]), float(ds.attrs["loss"]), ds.threshold.values
    at = {
        "learning_rate": float(ds.learning_rate[i, j]),
        "batch_size": int(ds.batch_size[j]),
    }
    base = float(ds.base[i])
    spread = spread_of(ds.rest.values, loss, ds.attrs["trace"] / h, **at, curvature=h)
    samples = ds.residual.values, ds.slope.values[:, 0]
    known = c > 1.02 * base
    raised, plain = (np.sqrt(2 * loss * (c - low) / h) for low in (np.minimum(base, c), 1.0))
    chain = sampled_passage(raised[known], *samples, **at, spread=spread)
    bare = sampled_passage(plain, *samples, **at)
    paper = decoupled_passage(raised[known], base * loss, h, **at)
    return {
        "chain": (known, np.log(chain.times)),
        "bare": (slice(None), np.log(bare.times)),
        "paper": (known, np.log(paper.times)),
    }


def _planes(ds):
    """How much each further direction lowers log t over the circle's saddle, and the paper's."""
    variance = provenance.settings(ds).plane_variance
    ds["plane_log_factor"] = (), log_dimension_factor(variance)
    ds["plane_paper"] = (), np.log(paper_dimension_factor(2, variance))
    return ds


def _camel(ds):
    """Exponents and times out of the camel's wells, of both noises and of an SDE."""
    barrier = camel_gaussian_barrier(provenance.settings(ds).camel_scale ** 2)
    ds["camel_exponent"] = (), barrier
    normal = camel_time(learning_rate=ds.camel_rate.values, barrier=barrier)
    units = {"units": "t = eta k"}
    ds["camel_predicted"] = "camel_rate", normal, units
    wells = [camel_barrier(ds.skewed_noise.values, well=str(well)) for well in ds.well.values]
    ds["skewed_exponent"] = "well", wells
    rates = ds.skewed_rate.values
    for name, cost in (("predicted", np.array(wells)[:, None]), ("sde", barrier)):
        times = camel_time(learning_rate=rates, barrier=cost)
        ds[f"skewed_{name}"] = ds.skewed_rate.dims, times, units
    return ds


@door
def barriers(loss_ratio) -> dict[str, np.ndarray]:
    """Return V(c) of SGD with Gaussian inputs and of its rivals, by name.

    SGD's is `linear_regression.quasi_potential`: Eqs. (jump-cost), (climb-and-jump) and
    (jump-sequence), far out Eqs. (jump-factor) and (tail-slope).

    Args:
        loss_ratio: c (n,).
    """
    c = validate.within("loss_ratio", loss_ratio, low=1)
    return {
        "barrier": regression.quasi_potential(c),
        "barrier_paper": diffusion_barrier(c, kurtosis=2.0),
        "barrier_covariance": diffusion_barrier(c, kurtosis=3.0),
        "barrier_single": regression.single_jump(c),
        "barrier_climb": c - 1,
    }


def _times(ds):
    """Times with prefactors, for c in both regimes, one input and B of the two sets of chains."""
    for prefix, batches in (("", [1]), ("batch_", [int(b) for b in ds.batch_size.values])):
        c = ds[f"{prefix}ratio"].values
        table = np.array(
            [[_one_input(c, float(rate), b) for rate in ds.rate.values] for b in batches]
        )
        where = ("rate", f"{prefix}ratio")
        if prefix:
            where, values = ("batch_size", *where), table
        else:
            values = table[0]
        ds[f"{prefix}time_predicted"] = where, values, {"units": "t = eta k"}
    c = ds.ratio.values
    ds["time_diffusion"] = (
        ("rate", "ratio"),
        np.array(
            [
                linear_barrier_time(c, dimension=1, learning_rate=float(r), batch_size=1)
                for r in ds.rate.values
            ]
        ),
    )
    excess = np.maximum(ds.barrier_single - ds.barrier, 0)
    ds["single_factor"] = np.exp(excess / ds.rate).transpose("rate", "ratio")
    ds.attrs["tail_slope"] = regression.tail_slope()
    return ds


def _one_input(ratios, rate, batch):
    """Predicted times (n,) at eta = rate x B; NaN at c = 2 and where two jumps are cheaper."""
    eta, found = rate * batch, np.full(len(ratios), np.nan)
    low, high = ratios < 2, (ratios > 2) & (ratios < prefactors.TWO_JUMPS)
    at = {"learning_rate": eta, "batch_size": batch}
    if low.any():
        found[low] = prefactors.climb_passage_time(ratios[low], **at)
    if high.any():
        found[high] = prefactors.jump_passage_time(ratios[high], **at)
    return found


def _circle(ds):
    variance, config = ds.variance.values, provenance.settings(ds)
    ds["circle_barrier"] = "variance", circle.circle_barrier(variance)
    ds["circle_climb"] = "variance", circle.circle_climb(variance)
    for name in ("paper", "covariance", "arrhenius"):
        top = circle.circle_potential(np.pi, variance, theory=name)
        ds[f"circle_{name}"] = "variance", top
        batches = [int(b) for b in ds.run_batch.values]
        times = [
            circle_sde_time(
                noise_variance=config.run_variance,
                learning_rate=config.run_rate * b,
                batch_size=b,
                theory=name,
            )
            for b in batches
        ]
        ds[f"run_{name}"] = "run_batch", times, {"units": "t = eta k"}
    return ds
