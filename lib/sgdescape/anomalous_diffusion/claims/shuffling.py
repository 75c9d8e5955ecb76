"""Claims of chapter `anomalous_diffusion` on epochs, whose noise is taken back."""

import numpy as np

from sgdescape.anomalous_diffusion.estimates.exponents import curve_exponent, exponent
from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.core.stats.intervals import ratio_interval, shifted

OWN = "this book"


@claim
def crossover(ds) -> Claim:
    """Shuffling at the crossover curvature: the variance is about half of the iid one."""
    exact = _shuffled_fraction(ds)
    i = int(np.argmin(np.abs(exact - 0.5)))
    iid, shuffled = (ds.order_square.sel(sampler=s).values[:, i] for s in ("iid", "shuffle"))
    rho = float(ds.order_curvature[i])
    return check(
        f"Curvature {rho:.3f}, near 3 (1 - beta)/(eta M): Var(theta) with shuffled epochs over "
        "that with independent batches.",
        source="Kühn and Rosenow (2023); this book",
        predicted=round(float(exact[i]), 3),
        measured=ratio_interval(shuffled, iid),
        rivals={"iid": 1.0, "Brownian bridge alone": round(_bridge(ds, i), 3)},
        expected="confirmed",
    )


@claim
def shuffled_exponent(ds) -> Claim:
    """Shuffled epochs: between one epoch and two nothing moves any more."""
    length = _epoch(ds)
    window, lags = (length, 2 * length), ds.order_lag.values
    at = ds.sel(sampler="shuffle")
    exact = curve_exponent(lags, at.order_exact, window)
    iid = curve_exponent(lags, ds.sel(sampler="iid").order_exact, window)
    found = exponent(lags, at.order_displacement.values, window)
    return check(
        "Stationary SGD with shuffled epochs, k from one epoch to two: c minus its exact value.",
        source=OWN,
        predicted=0.0,
        measured=shifted(found, exact),
        rivals={"independent batches": round(iid - exact, 3)},
        tolerance=0.12,
        expected="confirmed",
    )


@claim
def fixed_order(ds) -> Claim:
    """The same order in every epoch: SGD comes back."""
    length = _epoch(ds)
    i = int(np.flatnonzero(ds.order_lag.values == length)[0])
    iid, shuffled, same = (
        ds.order_displacement.sel(sampler=s).values[:, i] for s in ("iid", "shuffle", "fixed")
    )
    exact = ds.order_exact.values[:, i]
    return check(
        "The same order of samples in every epoch: E|Delta|^2 after one epoch over that with "
        "independent batches.",
        source=OWN,
        predicted=0.0,
        measured=ratio_interval(same, iid),
        rivals={"shuffled": round(float(exact[1] / exact[0]), 3), "independent": 1.0},
        tolerance=1e-6,
        unit="of one",
        expected="approximate",
    )


@claim
def speed_is_blind(ds) -> Claim:
    """The length of a step does not tell the samplers apart while the memory is short."""
    iid, shuffled = (ds.order_displacement.sel(sampler=s).values[:, 0] for s in ("iid", "shuffle"))
    exact, far = ds.order_exact.values[:, 0], ds.order_exact.values[:, -1]
    memory = round(1 / (1 - settings(ds).momentum))
    return check(
        rf"Memory $1/(1-\beta)={memory}$ steps, an epoch {_epoch(ds)}: $E\|\delta\|^2$ with "
        "shuffled epochs over that with independent batches.",
        source=OWN,
        predicted=round(float(exact[1] / exact[0]), 3),
        measured=ratio_interval(shuffled, iid),
        rivals={r"that of $E\|\Delta\|^2$ after four epochs": round(float(far[1] / far[0]), 3)},
        expected="confirmed",
    )


@claim
def memory_independent(ds) -> Claim:
    """The control: independent batches obey the law at every momentum."""
    return _memory(ds, "iid", -1, source=OWN)


@claim
def memory_shuffled(ds) -> Claim:
    """A memory as long as a fifth of an epoch feels that noise is taken back."""
    return _memory(ds, "shuffle", -1, source=OWN)


@claim
def memory_fixed(ds) -> Claim:
    """The same order in every epoch, as in the authors' runs: a little less still."""
    return _memory(ds, "fixed", -1, source=OWN)


@claim
def memory_shorter(ds) -> Claim:
    """A tenth of that memory: a few per cent."""
    return _memory(ds, "shuffle", -2, source=OWN)


_DRAWN = {"iid": "independent batches", "shuffle": "shuffled epochs", "fixed": "one order for all"}


def _memory(ds, sampler, which, source):
    """E b^2 at a large momentum over that at the first one, along free directions."""
    momenta, length = ds.memory.values, settings(ds).memory_steps
    exact = ds.buffer_exact.isel(memory=which) / ds.buffer_exact.isel(memory=0)
    rows = ds.buffer_square.sel(sampler=sampler).values
    others = {name: float(exact.sel(sampler=name)) for name in _DRAWN if name != sampler}
    near = ""
    if sampler == "shuffle" and which == -2:  # no run could tell it apart
        near = f" (one order for all gives {others.pop('fixed'):.2f}, too near to be told apart)"
    return check(
        rf"Free directions, {_DRAWN[sampler]}, {length:,} steps an epoch: $E\|b\|^2$ at $\beta="
        rf"{momenta[which]:g}$ over that at $\beta={momenta[0]:g}${near}.",
        source=source,
        predicted=round(float(exact.sel(sampler=sampler)), 2),
        measured=ratio_interval(rows[which], rows[0]),
        rivals={_DRAWN[name]: round(value, 2) for name, value in others.items()},
        expected="confirmed",
    )


def _epoch(ds):
    return settings(ds).order_samples // settings(ds).order_size


def _shuffled_fraction(ds):
    return (ds.variance_exact.sel(sampler="shuffle") / ds.variance_exact.sel(sampler="iid")).values


def _bridge(ds, i):
    """Var of a mode that does not relax within an epoch, over the iid one: rho/rho_x."""
    beta, eta = settings(ds).momentum, settings(ds).learning_rate
    return float(ds.order_curvature[i]) * eta * _epoch(ds) / (3 * (1 - beta))
