"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr
from scipy.special import beta

from sgdescape.random_time_change.config import Config
from sgdescape.random_time_change.theory import clock, moments, stability


def predict(dataset: xr.Dataset, config: Config) -> xr.Dataset:
    """Return the measurements with what the formulas of this chapter say about each.

    Args:
        dataset: what the experiments measured.
        config: with which they ran.

    Returns:
        A new dataset with the variables ``*_theory``, and the sizes that claims need in the
        attributes.
    """
    ds = dataset.copy()
    noise, t = config.noise, float(clock.temperature(**config.noise))
    bowl_noise = {k: noise[k] for k in ("learning_rate", "batch_size")}
    ds["phi_theory"] = (
        "convention",
        [
            float(clock.convention_exponent(clock.CONVENTIONS[c], **noise))
            for c in ds.convention.values
        ],
    )
    ds["phi_wide_theory"] = float(clock.stationary_exponent(**noise))
    ds["gibbs_theory"] = float(np.log(clock.gibbs_density(np.exp(-1.0), temperature=t)))
    ds["mean_loss_theory"] = (
        "clock",
        [stability.mean_loss_ratio(1, temperature=t, clock=k) for k in (0, 1)],
    )
    ds["bowl_loss_theory"] = (
        "convention",
        [
            moments.mean_loss_curve(
                [config.bowl_time],
                config.bowl_start,
                curvatures=config.bowl_curvatures,
                minimum_loss=config.minimum_loss,
                point=point,
                **bowl_noise,
            )[0]
            for point in clock.CONVENTIONS.values()
        ],
    )
    ds["kurtosis_theory"] = moments.driver_kurtosis(
        config.driver_time, config.start, minimum_loss=config.minimum_loss, **noise
    )
    ds["passage_theory"] = (
        "clock",
        list(
            moments.passage_means(
                config.loss_ratio,
                temperature=t,
                curvature=config.curvature,
                minimum_loss=config.minimum_loss,
            )
        )[::-1],
    )
    scale = np.sqrt(2 * config.minimum_loss / config.curvature)
    ratio = 1 + (ds.cell.values / scale) ** 2
    exponents = [float(ds.gibbs_theory), *ds.phi_theory.values]
    exact = np.array([ratio**-p / (scale * beta(0.5, p - 0.5)) for p in exponents])
    ds["operator_theory"] = ("law", "cell"), exact
    ds["operator_error"] = abs(ds.operator_density / ds.operator_theory - 1).where(
        ds.cell**2 < 100 * scale**2
    )
    ds["clock_power_theory"] = float(stability.clock_power(config.noise_index(config.wide)))
    rates = {
        name: stability.growth_rate(
            ds.dimension.values, temperature=t, curvature=config.curvature, point=point
        )
        for name, point in clock.CONVENTIONS.items()
    }
    ds["growth_theory"] = (("convention", "dimension"), np.array(list(rates.values())))
    law = stability.frozen_clock(1.0, index=config.noise_index(1), temperature=t)
    ds["frozen_theory"] = float(law.expect(lambda x: 1 / x))
    ds["floor_theory"] = -config.noise_index(1)
    ds.attrs |= {
        "temperature": t,
        "minimum_loss": config.minimum_loss,
        "curvature": config.curvature,
        "wide": config.wide,
        "law_time": config.law_time,
        "driver_time": config.driver_time,
        "loss_ratio": config.loss_ratio,
    }
    return ds
