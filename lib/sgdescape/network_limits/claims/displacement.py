"""Claims of chapter `network_limits` on how far SGD goes: exponents, and what they depend on."""

import numpy as np

from sgdescape.core.claims import Claim, check, claim
from sgdescape.core.runs.provenance import settings
from sgdescape.core.stats.intervals import scaled, shifted
from sgdescape.network_limits.claims.sources import EPOCHS, OWN
from sgdescape.network_limits.estimates.lines import difference, line_exponent, pooled
from sgdescape.network_limits.estimates.small_network import displacement_exponent

LAGS = (100, 1000)
"""Between which the exponent of the displacement is taken."""

BATCHES = ((0.005, 0.9), (64, 128), (32, 512))
"""(eta, beta) of two settings that differ in S alone, these S, and steps of their exponent."""


def _exact(ds, name, sampler):
    return line_exponent(ds.lag.values, ds[name].sel(sampler=sampler).values, *LAGS)


def _found(ds, name, sampler):
    return displacement_exponent(ds, name, sampler, low=LAGS[0], high=LAGS[1])


@claim
def exponent(ds) -> Claim:
    """The exponent of the displacement from the measured spectrum."""
    slope = _exact(ds, "start_exact", "iid")
    return check(
        "With replacement, started at the minimum: c between steps 100 and 1000, in units of that "
        "of the measured spectrum.",
        source=OWN,
        predicted=1.0,
        measured=scaled(_found(ds, "from_start", "iid"), slope),
        rivals={"free diffusion": round(1 / slope, 2), "bound": 0.0},
        expected="confirmed",
    )


@claim
def exponent_later(ds) -> Claim:
    """Control: the reference point after the burn-in."""
    slope = _exact(ds, "later_exact", "iid")
    return check(
        "The same with the reference point taken after the burn-in, in units of its prediction.",
        source=OWN,
        predicted=1.0,
        measured=scaled(_found(ds, "from_later", "iid"), slope),
        rivals={"free diffusion": round(1 / slope, 2), "bound": 0.0},
        expected="confirmed",
    )


@claim
def exponent_epochs(ds) -> Claim:
    """Epochs stop the diffusion."""
    slope = _exact(ds, "start_exact", "shuffle")
    free = _exact(ds, "start_exact", "iid")
    return check(
        "Epochs without replacement: c between steps 100 and 1000 less its prediction.",
        source=EPOCHS,
        predicted=0.0,
        measured=shifted(_found(ds, "from_start", "shuffle"), slope),
        rivals={"independent noises": round(free - slope, 2)},
        tolerance=0.1,
        expected="approximate",
    )


@claim
def exponent_sweep(ds) -> Claim:
    """The exponent over fixed epochs at other hyper-parameters."""
    config, found, free = settings(ds), [], []
    lags = ds.sweep_lag.values
    for point, (_, _, size) in enumerate(config.sweep):
        epoch = config.samples // size
        window = (max(epoch // 4, 32), min(epoch, config.short_steps))
        exact = line_exponent(lags, ds.sweep_exact.values[point], *window)
        rows = ds.sweep_distance.values[point]
        found.append([line_exponent(lags, row, *window) / exact for row in rows])
        free.append(1 / exact)
    return check(
        "With replacement: c over the later three quarters of the first epoch at six settings of "
        r"$\eta$, $\beta$ and $S$, in units of that of the measured spectrum.",
        source=OWN,
        predicted=1.0,
        measured=pooled(found),
        rivals={"free diffusion": round(float(np.mean(free)), 2), "bound": 0.0},
        expected="confirmed",
    )


@claim
def exponent_batch(ds) -> Claim:
    """At fixed steps from a minimum the exponent does not depend on S; at fixed epochs it does."""
    config, lags = settings(ds), ds.sweep_lag.values
    sizes = {point[2]: k for k, point in enumerate(config.sweep) if point[:2] == BATCHES[0]}
    points = [sizes[size] for size in BATCHES[1]]
    rows = [
        np.array([line_exponent(lags, row, *BATCHES[2]) for row in ds.sweep_distance.values[k]])
        for k in points
    ]
    epochs = [config.samples // size for size in BATCHES[1]]
    moved = [
        line_exponent(lags, ds.sweep_exact.values[point], epoch / 4, epoch)
        for point, epoch in zip(points, epochs, strict=True)
    ]
    return check(
        "With replacement, from the minimum (no drift): c between steps 32 and 512 at $S=128$ less "
        "that at $S=64$.",
        source=OWN,
        predicted=0.0,
        measured=difference(rows[1], rows[0]),
        rivals={"by epochs, a quarter to one": round(moved[1] - moved[0], 2)},
        expected="confirmed",
    )
