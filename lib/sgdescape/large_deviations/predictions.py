"""Where theory meets measurement: the predictions beside every measured number."""

import numpy as np
import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.large_deviations.theory import circle, prefactors, regression
from sgdescape.large_deviations.theory.circle_sde import circle_sde_time
from sgdescape.linear_regression import linear_barrier_time
from sgdescape.noise_covariance import diffusion_barrier


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the theory says about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with barriers ``barrier``, ``barrier_paper``, ``barrier_covariance``,
        ``barrier_single``, ``barrier_climb`` (ratio) and the same for the other ratios; times
        ``time_predicted`` and ``time_diffusion`` (rate, ratio); the circle's barriers and times.
    """
    ds = dataset.copy()
    for prefix in ("", "far_", "batch_", "dimension_", "law_"):
        c = ds[f"{prefix}ratio"].values
        for name, values in barriers(c).items():
            ds[f"{prefix}{name}"] = f"{prefix}ratio", values
    return _circle(_times(ds))


@door
def barriers(loss_ratio) -> dict[str, np.ndarray]:
    """Return V(c) of SGD with Gaussian inputs and of its rivals, by name.

    SGD's is `linear_regression.quasi_potential`: Eqs. (jump-cost), (climb-and-jump) and
    (jump-sequence), far out Eqs. (jump-factor) and (tail-slope).

    Args:
        loss_ratio: c (n,).
    """
    c = np.asarray(loss_ratio, float)
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
    variance = ds.variance.values
    ds["circle_barrier"] = "variance", circle.circle_barrier(variance)
    ds["circle_climb"] = "variance", circle.circle_climb(variance)
    for name in ("paper", "covariance", "arrhenius"):
        top = circle.circle_potential(np.pi, variance, theory=name)
        ds[f"circle_{name}"] = "variance", top
        batches = [int(b) for b in ds.run_batch.values]
        times = [
            circle_sde_time(
                noise_variance=float(ds.attrs["run_variance"]),
                learning_rate=float(ds.attrs["run_rate"]) * b,
                batch_size=b,
                theory=name,
            )
            for b in batches
        ]
        ds[f"run_{name}"] = "run_batch", times, {"units": "t = eta k"}
    return ds
