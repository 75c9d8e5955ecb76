"""Claims of chapter `anomalous_diffusion` on displacement and its exponent, without epochs.

Predictions come with the dataset (`anomalous_diffusion.predict`), so that a wrong formula there
makes the claim here fail.
"""

import numpy as np

from sgdescape.anomalous_diffusion.estimates.exponents import (
    curve_exponent,
    epoch_window,
    exponent,
    jackknife,
    local_exponents,
)
from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.core.stats.intervals import computed, weighted_sum

KUNIN, OWN, RECONSTRUCTED = "Kunin et al.", "this book", "reconstructed from Kunin et al."


@claim
def local_displacement(ds) -> Claim:
    """One step, in units of the exact prediction."""
    at, beta = _largest(ds), settings(ds).momentum
    exact = float(at.displacement_exact[0])
    return check(
        f"Stationary SGD, S = {_size(ds)}: E|delta|^2 in units of eta^2 Tr Sigma/(S (1 - beta^2)), "
        "with the finite-step factor and the noise measured on the samples.",
        source=KUNIN,
        predicted=1.0,
        measured=jackknife(at.displacement.values[:, :1] / exact, _first),
        rivals={
            "plain SGD of the same learning rate": round(1 - beta**2, 3),
            "plain SGD of rate eta/(1 - beta)": round((1 + beta) / (1 - beta), 3),
        },
        expected="confirmed",
    )


@claim
def global_displacement(ds) -> Claim:
    """Displacement after a thousand steps, in units of the exact prediction."""
    at = _largest(ds)
    exact = float(at.displacement_exact[-1])
    k = int(ds.lag[-1])
    return check(
        f"Stationary SGD, S = {_size(ds)}: E|Delta_k|^2 at k = {k}, "
        "in units of 2 sum Var(theta_i) (1 - r_i).",
        source=RECONSTRUCTED,
        predicted=1.0,
        measured=jackknife(at.displacement.values[:, -1:] / exact, _first),
        rivals={
            "free diffusion": round(float(at.displacement_free[-1]) / exact, 2),
            "Var instead of 2 Var": 0.5,
        },
        expected="confirmed",
    )


@claim
def first_exponent(ds) -> Claim:
    """The ballistic start: c between the first and the second step."""
    at = ds.sel(sampler="iid")
    exact = at.order_exact.values
    return check(
        "Stationary SGD, independent batches: the exponent between k = 1 and k = 2 is near "
        "1 + log2(1 + beta).",
        source=OWN,
        predicted=round(float(np.log2(exact[1] / exact[0])), 3),
        measured=exponent(ds.order_lag.values, at.order_displacement.values, (1, 2)),
        rivals={"diffusion": 1.0, "ballistic": 2.0},
        expected="confirmed",
    )


@claim
def summed_displacement(ds) -> Claim:
    """The sum over steps with continuous-time correlations grows without end; SGD does not."""
    exact, k = float(ds.bowl_exact[-1]), int(ds.bowl_lag[-1])
    free = k * float(ds.bowl_exact[0]) / exact
    return check(
        f"A bowl, beta = 0, k = {k}: E|Delta_k|^2, in units of the exact value, is the sum over "
        "steps of continuous-time correlations.",
        source=RECONSTRUCTED,
        predicted=round(float(ds.bowl_summed[-1]) / exact, 2),
        measured=jackknife(ds.bowl_displacement.values[:, -1:] / exact, _first),
        rivals={"free diffusion": round(free, 1)},
        expected="refuted",
    )


@claim
def power_law(ds) -> Claim:
    """A power-law spectrum: c = a - 1 over decades, from the exact displacement."""
    a = settings(ds).spectrum_exponent
    steps = ds.power_step.values
    slopes = local_exponents(steps, ds.power_displacement.values)[1]
    return check(
        f"3,000 curvatures of density rho^-{a:g}, k from {steps[0]:,.0f} to {steps[-1]:,.0f}: "
        "E|Delta_k|^2 grows with the exponent a - 1.",
        source=OWN,
        predicted=a - 1,
        measured=computed(
            slopes[len(slopes) // 2], slopes.min(), slopes.max(), "range of c(k) over these steps"
        ),
        rivals={"diffusion": 1.0, "saturation": 0.0, "a/2": a / 2},
        tolerance=0.05,
        expected="confirmed",
    )


@claim
def stationary_exponent(ds) -> Claim:
    """After 1/(1 - beta) steps a stationary run is slower than diffusion."""
    at, window = _largest(ds), settings(ds).window
    lags = ds.lag.values
    away = ds.sel(start="away")
    return check(
        f"Stationary SGD, S = {_size(ds)}: exponent of a line through k = {window[0]} "
        f"to {window[1]}.",
        source=OWN,
        predicted=round(curve_exponent(lags, at.displacement_exact, window), 3),
        measured=exponent(lags, at.displacement.values, window),
        rivals={
            "free diffusion": round(curve_exponent(lags, at.displacement_free, window), 3),
            "fixed start": _curve(ds, away, window),
        },
        expected="confirmed",
    )


@claim
def drift_exponent(ds) -> Claim:
    """The same window from a fixed start away from the minimum: c > 1."""
    window = settings(ds).window
    away, home = ds.sel(start="away"), ds.sel(start="minimum")
    return check(
        f"From rest off the minimum, S = {_size(ds)}: exponent of a line through k = {window[0]} "
        f"to {window[1]}, drift and noise.",
        source=OWN,
        predicted=_curve(ds, away, window),
        measured=exponent(ds.step.values, away.started.values, window),
        rivals={"diffusion": 1.0, "from the minimum": _curve(ds, home, window)},
        expected="confirmed",
    )


@claim
def same_steps(ds) -> Claim:
    """Stationary: c at the same steps does not depend on the batch size."""
    window = settings(ds).window
    small, large = (int(s) for s in (ds.batch_size[0], ds.batch_size[-1]))
    found = [
        exponent(ds.lag.values, ds.displacement.sel(batch_size=s).values, window)
        for s in (small, large)
    ]
    rival = _epoch_exponents(ds, exact=True)
    return check(
        f"Stationary SGD, k from {window[0]} to {window[1]}: c at S = {small} minus c at S = "
        f"{large}.",
        source=OWN,
        predicted=0.0,
        measured=weighted_sum(found, [1, -1]),
        rivals={"window in epochs": round(rival[0] - rival[1], 3)},
        expected="confirmed",
    )


@claim
def same_epochs(ds) -> Claim:
    """The same runs over the same fraction of an epoch: c depends on the batch size."""
    small, large = (int(s) for s in (ds.batch_size[0], ds.batch_size[-1]))
    exact = _epoch_exponents(ds, exact=True)
    return check(
        f"The same runs, from a quarter of an epoch to one: c at S = {small} minus c "
        f"at S = {large}.",
        source=OWN,
        predicted=round(exact[0] - exact[1], 3),
        measured=weighted_sum(_epoch_exponents(ds, exact=False), [1, -1]),
        rivals={"no dependence": 0.0},
        tolerance=0.5,
        expected="confirmed",
    )


def _largest(ds):
    return ds.isel(batch_size=-1)


def _size(ds):
    return max(settings(ds).batch_sizes)


def _first(values):
    return np.asarray(values)[..., 0]


def _curve(ds, at, window):
    total = at.drift_exact.values + at.noise_exact.values
    return round(curve_exponent(ds.step.values, total, window), 3)


def _epoch_exponents(ds, *, exact):
    """c between a quarter of an epoch and one, for the smallest and the largest batch."""
    lags, found = ds.lag.values, []
    for size in ds.batch_size.values[[0, -1]]:
        at, window = ds.sel(batch_size=size), epoch_window(ds, size)
        found.append(
            curve_exponent(lags, at.displacement_exact, window)
            if exact
            else exponent(lags, at.displacement.values, window)
        )
    return found
