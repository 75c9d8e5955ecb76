"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr
from scipy.special import beta

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.random_time_change.config import CONVENTIONS
from sgdescape.random_time_change.theory.clock import (
    convention_exponent,
    gibbs_density,
    stationary_exponent,
    temperature,
)
from sgdescape.random_time_change.theory.moments import (
    driver_kurtosis,
    mean_loss_curve,
    passage_means,
)
from sgdescape.random_time_change.theory.stability import (
    clock_power,
    frozen_clock,
    growth_rate,
    mean_loss_ratio,
    sgd_critical_dimension,
    sgd_growth_rate,
    stability_index,
)


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: what the experiments measured, with the configuration in its attributes.

    Returns:
        A new dataset with the variables ``*_theory`` and ``operator_error``.
    """
    ds, sizes = dataset.copy(), provenance.settings(dataset)
    noise = {
        "learning_rate": sizes.learning_rate,
        "batch_size": sizes.batch_size,
        "curvature": sizes.curvature,
    }
    t = float(temperature(**noise))
    _stationary_laws(ds, sizes, noise, t)
    _averages(ds, sizes, noise, t)
    _stability(ds, sizes, noise, t)
    return ds


def _stationary_laws(ds, sizes, noise, t):
    ds["phi_theory"] = (
        "convention",
        [float(convention_exponent(CONVENTIONS[c], **noise)) for c in ds.convention.values],
    )
    ds["phi_wide_theory"] = float(stationary_exponent(**noise))
    ds["gibbs_theory"] = float(np.log(gibbs_density(np.exp(-1.0), temperature=t)))
    ds["mean_loss_theory"] = (
        "clock",
        [mean_loss_ratio(1, temperature=t, clock=k) for k in (0, 1)],
    )
    scale = np.sqrt(2 * sizes.minimum_loss / sizes.curvature)
    ratio = 1 + (ds.cell.values / scale) ** 2
    exponents = [float(ds.gibbs_theory), *ds.phi_theory.values]
    exact = np.array([ratio**-p / (scale * beta(0.5, p - 0.5)) for p in exponents])
    ds["operator_theory"] = ("law", "cell"), exact
    ds["operator_error"] = abs(ds.operator_density / ds.operator_theory - 1).where(
        ds.cell**2 < 100 * scale**2
    )


def _averages(ds, sizes, noise, t):
    bowl = {
        "curvatures": sizes.bowl_curvatures,
        "minimum_loss": sizes.minimum_loss,
        "learning_rate": sizes.learning_rate,
        "batch_size": sizes.batch_size,
    }
    ds["bowl_loss_theory"] = (
        "convention",
        [
            mean_loss_curve([sizes.bowl_time], sizes.bowl_start, **bowl, point=point)[0]
            for point in CONVENTIONS.values()
        ],
    )
    ds["kurtosis_theory"] = driver_kurtosis(
        sizes.driver_time, sizes.start, minimum_loss=sizes.minimum_loss, **noise
    )

    def passage(loss_ratio, minimum_loss):
        return passage_means(
            loss_ratio, temperature=t, curvature=sizes.curvature, minimum_loss=minimum_loss
        )

    ds["passage_theory"] = "clock", list(passage(sizes.loss_ratio, sizes.minimum_loss))[::-1]
    ds["equal_barrier_theory"] = (
        "minimum",
        [passage(1 + sizes.barrier_height / low, low)[0] for low in ds.minimum.values],
    )


def _stability(ds, sizes, noise, t):
    index = float(stability_index(1, **noise))
    ds["clock_power_theory"] = float(clock_power(stability_index(sizes.wide, **noise)))
    rates = [
        growth_rate(ds.dimension.values, temperature=t, curvature=sizes.curvature, point=point)
        for point in CONVENTIONS.values()
    ]
    ds["growth_theory"] = ("convention", "dimension"), np.array(rates)
    steps = {
        "learning_rate": sizes.sgd_learning_rate,
        "batch_size": sizes.sgd_batch_size,
        "curvature": sizes.curvature,
    }
    ds["sgd_growth_theory"] = "sgd_dimension", sgd_growth_rate(ds.sgd_dimension.values, **steps)
    ds["sgd_critical_theory"] = float(sgd_critical_dimension(**steps))
    ds["sgd_paper_theory"] = 2 * float(stationary_exponent(**steps))  # Eq. (16)
    law = frozen_clock(1.0, index=index, temperature=t)
    ds["frozen_theory"] = float(law.expect(lambda x: 1 / x))
    ds["floor_theory"] = -index
