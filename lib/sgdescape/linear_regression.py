"""Linear regression, the one experiment where every theory of escape has exact numbers: Fig. 3a, b.

Chapter `linear_regression`. Theory (float64 NumPy, no sampling), measurements, claims and figures
live in the private package `sgdescape._linear_regression`; what the book uses is offered here.
The measurements import no theory, so a claim compares two separate routes.
"""

import time
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sgdescape._linear_regression import experiments
from sgdescape._linear_regression.chain import (  # noqa: F401  (offered here)
    data_passage,
    first_passage,
    nested_times,
)
from sgdescape._linear_regression.claims import *  # noqa: F403  (CLAIMS and claim_*)
from sgdescape._linear_regression.diffusion import (  # noqa: F401  (offered here)
    asymptotic_passage_time,
    kurtosis_passage_time,
    linear_barrier_time,
    local_slope,
    log_mean_first_passage_time,
    mean_first_passage_time,
    paper_slope,
)
from sgdescape._linear_regression.figures import *  # noqa: F403  (plot_*)
from sgdescape._linear_regression.kernels import (  # noqa: F401  (offered here)
    exceedance,
    radial_exceedance,
)
from sgdescape._linear_regression.large_deviations import (  # noqa: F401  (offered here)
    data_barrier,
    momentum,
    quasi_potential,
)
from sgdescape._linear_regression.stationary import (  # noqa: F401  (offered here)
    covariance_exponent,
    discrete_exponent,
    fitted_laws,
    kesten_exponent,
    likelihood_gain,
    stationary_averages,
    stationary_law,
    stationary_variance,
)
from sgdescape._linear_regression.summary import summary  # noqa: F401  (offered here)
from sgdescape.core import provenance, validate
from sgdescape.noise_covariance import diffusion_barrier
from sgdescape.random_time_change import stationary_exponent

KURTOSES = {"rademacher": 1.0, "uniform": 1.8, "gaussian": 3.0, "laplace": 6.0}
"""Kurtosis of each input law."""


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments; times are in steps, c = L/L*.

    Args:
        learning_rates: eta of the stationary laws (time a step).
        batch_sizes: B of the stationary laws.
        stationary_samples: N of the one long run.
        record_every: steps between its records.
        records: of the one long run.
        replicas: independent runs on fresh samples.
        states: kept of each at the largest learning rate, 1/eta steps apart; fewer at small ones.
        learning_rate: eta of the first passages.
        batch_size: B of the first passages.
        dimensions: d.
        largest: c of the highest threshold for each d.
        points: thresholds for each d, geometric in c - 1 from 0.1.
        samples: N of the first passages.
        runs: number of runs on these samples.
        repetitions: number of runs on fresh samples.
        max_steps: steps after which a run is given up, and counted as censored.
        slow_rate: a smaller eta.
        slow_dimensions: d at that rate.
        slow_largest: highest c for each of them.
        law_ratios: c of the comparison of input laws, one input.
        tail_rate: eta of the run into the tail.
        tail_batch: its B.
        tail_ratios: its c.
        far_ratios: c of exact times, far into the same tail.
        data_sets: number of data sets like that of the first passages, d = 1.
        spread_ratio: c at which they are compared.
        barrier_rates: eta, falling, between which barriers are taken from exact times.
        barrier_ratio: their c.
        bins: of exact stationary laws.
        seed: of everything.
    """

    learning_rates: tuple[float, ...] = (1.0, 0.1, 0.01)
    batch_sizes: tuple[int, ...] = (1, 2, 5, 10)
    stationary_samples: int = 100_000
    record_every: int = 100
    records: int = 1000
    replicas: int = 1000
    states: int = 400
    learning_rate: float = 0.1
    batch_size: int = 1
    dimensions: tuple[int, ...] = (1, 2, 5, 10)
    largest: tuple[float, ...] = (2.0, 2.3, 3.5, 8.0)
    points: int = 10
    samples: int = 10_000
    runs: int = 100
    repetitions: int = 1500
    max_steps: int = 100_000
    slow_rate: float = 0.05
    slow_dimensions: tuple[int, ...] = (1, 10)
    slow_largest: tuple[float, ...] = (1.4, 1.85)
    law_ratios: tuple[float, ...] = (1.1, 1.2, 1.3, 1.4, 1.5, 1.6)
    tail_rate: float = 1.0
    tail_batch: int = 4
    tail_ratios: tuple[float, ...] = (3.0, 6.0, 12.0, 25.0, 50.0)
    far_ratios: tuple[float, ...] = (1000.0, 3000.0, 10000.0)
    data_sets: int = 16
    spread_ratio: float = 2.2
    barrier_rates: tuple[float, ...] = (0.05, 0.035, 0.025)
    barrier_ratio: float = 1.6
    bins: int = 40
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        for name in ("dimensions", "slow_dimensions"):
            tops = "largest" if name == "dimensions" else "slow_largest"
            if len(getattr(self, name)) != len(getattr(self, tops)):
                raise ValueError(f"{tops} must have one entry for each of {name}")
        for name in ("largest", "slow_largest", "law_ratios", "tail_ratios"):
            if min(getattr(self, name)) <= 1.05:
                raise ValueError(f"{name} must be above 1.05: got {min(getattr(self, name))}")
        validate.count("data_sets", self.data_sets, low=4)
        validate.count("points", self.points, low=6)
        validate.count("runs", self.runs, low=20)
        validate.count("repetitions", self.repetitions, low=50)


QUICK = Config()
PAPER = Config(
    batch_sizes=(1, 2, 5, 10, 20, 50),
    records=10_000,
    replicas=20_000,
    largest=(2.2, 2.5, 4.0, 12.0),
    points=14,
    repetitions=20_000,
    max_steps=4_000_000,
    data_sets=64,
)
"""Sizes of the paper where it states them: N = 10^5 and 10^4 records in Fig. 3a, N = 10^4 and 100
runs in Fig. 3b. Two of three learning rates, batch sizes, d and c are not available to us."""


def run(
    config: Config = QUICK, *, device: str = "cpu", executor: Executor | None = None, store=None
) -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: of the ensembles, "cpu" or "cuda".
        executor: see `core.engines`; None computes in this process, on threads. It changes no bit.
        store: folder in which finished chunks are kept and found again; None keeps nothing.

    Returns:
        What the functions of `experiments` measure, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    work = experiments.Work(device, executor, store)
    parts = (
        experiments.protocol(config, work),
        experiments.ensemble(config, work),
        experiments.passages(config, work),
        experiments.other_passages(config, work),
        experiments.data_sets(config),
    )
    measured = xr.merge(parts, combine_attrs="drop")
    for name in ("batch_size", "slow_rate", "tail_rate", "tail_batch", "spread_ratio", "bins"):
        measured.attrs[name] = getattr(config, name)
    measured.attrs |= {
        "rate": config.learning_rate,
        "barrier_rates": list(config.barrier_rates),
        "barrier_ratio": config.barrier_ratio,
        "far_ratios": list(config.far_ratios),
    }
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset


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
