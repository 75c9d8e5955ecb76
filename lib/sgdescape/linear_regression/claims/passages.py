"""The claims of chapter `linear_regression`: each compares a measurement with its prediction.

Predictions come with the dataset (`linear_regression.predict`), so that a wrong formula there makes
the claim here fail.
"""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.stats import survival
from sgdescape.core.stats.intervals import LEVEL, Interval, variance_interval
from sgdescape.linear_regression.estimates import curve_slope, passage_table, window, window_slope

PAPER_15, OWN = "Mori et al., Eq. (15)", "this book"
_LOW, _MIDDLE = 1.1, 1.7  # windows of c: below and above a rise of the loss by half
_STEEP = 1.4


@claim
def exact_time(ds) -> Claim:
    """Simulated passages on fresh samples against the transition matrix, one input."""
    c, j = _threshold(ds, 1, -2)
    at = ds.sel(dimension=1).isel(threshold=j)
    return check(
        f"One input, eta = 0.1, B = 1: the mean first-passage time to c = {c:.3f} is that of the "
        "transition matrix of discrete SGD.",
        source=OWN,
        predicted=float(at.time_exact),
        measured=_mean_time(ds, "fresh", j, dimension=1),
        rivals={
            "the paper's SDE": float(at.time_sde),
            "diffusion with exact covariance": float(_covariance_time(ds, c)),
        },
        expected="confirmed",
    )


@claim
def sde_time(ds) -> Claim:
    """The same passages against the SDE (12), with its exact prefactor."""
    c, j = _threshold(ds, 1, -2)
    at = ds.sel(dimension=1).isel(threshold=j)
    return check(
        f"One input, eta = 0.1, B = 1: the mean first-passage time to c = {c:.3f} is that of the "
        "SDE (12).",
        source="Mori et al., Eq. (12)",
        predicted=float(at.time_sde),
        measured=_mean_time(ds, "fresh", j, dimension=1),
        rivals={"diffusion with exact covariance": float(_covariance_time(ds, c))},
        expected="refuted",
    )


@claim
def exact_time_ten(ds) -> Claim:
    """Ten inputs: the chain of the distance from the minimum."""
    d = int(ds.dimension[-1])
    c, j = _threshold(ds, d, -3)
    at = ds.sel(dimension=d).isel(threshold=j)
    return check(
        f"{d} inputs, eta = 0.1, B = 1: the mean first-passage time to c = {c:.3f} is that of the "
        "chain of the distance from the minimum.",
        source=OWN,
        predicted=float(at.time_exact),
        measured=_mean_time(ds, "fresh", j, dimension=d),
        rivals={"the paper's SDE": float(at.time_sde), "linear barrier": float(at.time_linear)},
        expected="confirmed",
    )


@claim
def smaller_rate(ds) -> Claim:
    """A smaller learning rate does not help the SDE at fixed c."""
    c = float(ds.slow_ratio.sel(slow_dimension=1)[-1])
    at = ds.sel(slow_dimension=1).isel(threshold=-1)
    return check(
        f"One input, eta = 0.05, B = 1: the mean first-passage time to c = {c:g} is that of the "
        "SDE (12).",
        source="Mori et al., Eq. (12)",
        predicted=float(at.slow_time_sde),
        measured=_mean_time(ds, "slow", -1, slow_dimension=1),
        rivals={"half of it": float(at.slow_time_sde) / 2},
        expected="refuted",
    )


@claim
def slope_low(ds) -> Claim:
    """One input: near the minimum the slope is close to the paper's."""
    low, high = _LOW, _MIDDLE
    return check(
        f"One input, eta = 0.1, B = 1, c from {low:g} to {high:g}: log t_p grows with log c at "
        "the slope B/eta + 1 - d/2.",
        source=PAPER_15,
        predicted=float(ds.slope_paper.sel(dimension=1)),
        measured=window_slope(ds, "fresh", low, high, dimension=1),
        rivals={
            "temperature halved": 2 / 0.1 + 0.5,
            "temperature doubled": 0.5 / 0.1 + 0.5,
            "Kesten": float(ds.slope_kesten.sel(dimension=1)),
        },
        tolerance=0.15,
        expected="confirmed",
    )


@claim
def slope_high(ds) -> Claim:
    """The same runs, higher thresholds."""
    low, high = _STEEP, float(ds.loss_ratio.sel(dimension=1)[-1])
    ratios, inside = window(ds, "fresh", low, high, dimension=1)
    sde = curve_slope(ratios, ds.time_sde.sel(dimension=1).values[inside])
    return check(
        f"One input, eta = 0.1, B = 1, c from {low:g} to {high:g}: log t_p grows with log c at "
        "the slope B/eta + 1 - d/2.",
        source=PAPER_15,
        predicted=float(ds.slope_paper.sel(dimension=1)),
        measured=window_slope(ds, "fresh", low, high, dimension=1),
        rivals={"the SDE's own slope here": sde, "Kesten": float(ds.slope_kesten.sel(dimension=1))},
        expected="refuted",
    )


@claim
def slope_ten(ds) -> Claim:
    """Ten inputs near the minimum: far below the asymptotic line."""
    d, low, high = int(ds.dimension[-1]), _LOW, _MIDDLE
    ratios, inside = window(ds, "fresh", low, high, dimension=d)
    sde = curve_slope(ratios, ds.time_sde.sel(dimension=d).values[inside])
    return check(
        f"{d} inputs, eta = 0.1, B = 1, c from {low:g} to {high:g}: log t_p grows with log c at "
        "the slope B/eta + 1 - d/2.",
        source=PAPER_15,
        predicted=float(ds.slope_paper.sel(dimension=d)),
        measured=window_slope(ds, "fresh", low, high, dimension=d),
        rivals={"without d/2": 1 / 0.1 + 1, "the SDE's own slope here": sde},
        expected="refuted",
    )


@claim
def linear_barrier(ds) -> Claim:
    """Exponent of the exact passage times of discrete SGD, Gaussian inputs."""
    return _barrier(
        ds,
        "gaussian",
        "linear_barrier",
        OWN,
        float(ds.barrier_linear),
        {
            "log c": np.log(ds.attrs["barrier_ratio"]),
            "exact covariance, log(2c - 1)/2": _diffusion(ds, "gaussian"),
        },
        "confirmed",
    )


@claim
def log_barrier(ds) -> Claim:
    """The paper's exponent against the same times."""
    return _barrier(
        ds,
        "gaussian",
        "log_barrier",
        PAPER_15,
        float(np.log(ds.attrs["barrier_ratio"])),
        {"exact covariance, log(2c - 1)/2": _diffusion(ds, "gaussian")},
        "refuted",
    )


@claim
def kurtosis(ds) -> Claim:
    """The linear barrier does not depend on the kurtosis, as the diffusion's does."""
    return _barrier(
        ds,
        "uniform",
        "kurtosis",
        OWN,
        float(ds.barrier_linear),
        {
            "diffusion of kurtosis 1.8": _diffusion(ds, "uniform"),
            "log c": np.log(ds.attrs["barrier_ratio"]),
        },
        "confirmed",
    )


@claim
def laplace(ds) -> Claim:
    """Inputs with exponential tails: single samples carry theta over, no barrier is proportional
    to 1/eta."""
    return _barrier(
        ds,
        "laplace",
        "laplace",
        OWN,
        float(ds.barrier_linear),
        {"log c": np.log(ds.attrs["barrier_ratio"])},
        "refuted",
    )


@claim
def kesten(ds) -> Claim:
    """Slope of the exact passage times far out, at a large learning rate."""
    slopes = ds.far_slope.values
    eta, b = ds.attrs["tail_rate"], ds.attrs["tail_batch"]
    return check(
        f"One input, eta = {eta:g}, B = {b}, fresh samples: far out log t_p grows with log c at "
        "half of Kesten's exponent.",
        source="Kesten (1973); this book",
        predicted=float(ds.attrs["tail_kesten"]),
        measured=Interval(
            slopes[-1], slopes.min(), slopes.max(), LEVEL, "range of local slopes, exact"
        ),
        rivals={
            "B/eta + 1 - 1/2": b / eta + 0.5,
            "from the variance, B/eta - B/2": b / eta - b / 2,
        },
        tolerance=0.02,
        expected="confirmed",
    )


@claim
def data_spread(ds) -> Claim:
    """Standard deviation of log t_p between data sets of the paper's size, without runs."""
    logs = np.log(ds.spread_time.values)
    spread = variance_interval(logs)
    runs = ds.sizes["run"]
    return check(
        f"One input, N = {ds.sizes['sample']}, c = {ds.attrs['spread_ratio']:g}: the error of "
        f"log t_p is that of {runs} runs.",
        source="Mori et al., Fig. 3b",
        predicted=1 / np.sqrt(runs),
        measured=Interval(
            *(float(np.sqrt(v)) for v in (spread.value, spread.low, spread.high)),
            LEVEL,
            f"between {logs.size} data sets, chi-square",
        ),
        rivals={"no error": 0.0},
        expected="refuted",
    )


def _threshold(ds, dimension, index):
    ratios = ds.loss_ratio.sel(dimension=dimension).values
    return float(ratios[index]), len(ratios) + index


def _mean_time(ds, name, index, **where):
    times, observed = passage_table(ds, name, **where)
    return survival.mean_passage(times[:, index], observed[:, index])


def _covariance_time(ds, loss_ratio):
    """Exact-covariance diffusion at a threshold of d = 1, by its logarithm between thresholds."""
    ratios = ds.loss_ratio.sel(dimension=1).values
    times = ds.time_covariance.sel(dimension=1).values
    return np.exp(np.interp(loss_ratio, ratios, np.log(times)))


def _diffusion(ds, law):
    return round(float(ds.barrier_diffusion.sel(law=law)), 9)


def _barrier(ds, law, name, source, predicted, rivals, expected):
    slopes, c = ds.barrier.sel(law=law).values, ds.attrs["barrier_ratio"]
    value = f"{predicted:.3g}"
    return check(
        f"One {law} input, c = {c:g}: for small eta, log t_p grows as {value} B/eta.",
        source=source,
        predicted=round(predicted, 9),
        measured=Interval(
            slopes[-1], slopes.min(), slopes.max(), LEVEL, "range of local slopes, exact"
        ),
        rivals=rivals,
        tolerance=0.02,
        expected=expected,
    )
