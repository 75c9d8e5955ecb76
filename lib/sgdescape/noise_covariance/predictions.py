"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.noise_covariance.measure.laws import nodes
from sgdescape.noise_covariance.theory.escape_direction import (
    decoupling_ratio,
    diffusion_barrier,
    kurtosis,
    kurtosis_noise,
    line_noise,
    sde_moments,
    sgd_moments,
    trace_ratio,
)
from sgdescape.noise_covariance.theory.noise import (
    batch_factor,
    covariance_near_minimum,
    mean_square_loss,
    noise_covariance,
)


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with the variables ``*_theory``, ``kurtosis`` (law), ``variance_exact``
        (law, loss_ratio) by quadrature of Eq. (line-noise), and ``sgd_moment``, ``sde_moment``
        (learning_rate): E[z^2] at time 1 by Eqs. (3) and (4).
    """
    ds, sizes = dataset.copy(), provenance.settings(dataset)
    per_sample = ds.gradient.values
    where, ratios = ("law", "loss_ratio"), ds.loss_ratio.values
    factors = [
        [batch_factor(len(per_sample), int(b), sampler=str(s)) for b in ds.batch_size.values]
        for s in ds.sampler.values
    ]
    ds["factor_theory"] = ("sampler", "batch_size"), np.array(factors)
    sigma = noise_covariance(per_sample, batch_size=sizes.tested)
    ds["covariance_theory"] = ("parameter", "parameter_2"), sigma
    normal, weight = nodes("gaussian")
    exact, kappas = [], []
    for law in ds.law.values:
        g, w = nodes(str(law))
        slopes, residuals = (a.ravel() for a in np.meshgrid(g, normal, indexing="ij"))
        s0, s1, s2 = line_noise(slopes, residuals, weights=np.outer(w, weight).ravel())
        z = np.sqrt(ratios - 1)
        exact.append(s0 + s1 * z + s2 * z**2)
        kappas.append(kurtosis(g, weights=w))
    ds["variance_exact"], ds["kurtosis"] = (where, np.array(exact)), ("law", np.array(kappas))
    for name, formula in (
        ("variance_theory", kurtosis_noise),
        ("barrier_theory", diffusion_barrier),
        ("decoupling_theory", decoupling_ratio),
    ):
        ds[name] = where, np.array([formula(ratios, kurtosis=round(k, 9)) for k in kappas])
    ds["trace_theory"] = (
        "directions",
        trace_ratio(sizes.loss_ratio_d, kurtosis=3.0, directions=ds.directions.values),
    )
    noise = line_noise(ds.line_slope.values, ds.line_residual.values)
    common = {"curvature": 1.0, "noise": noise, "batch_size": 1}
    moments = [
        (
            sgd_moments(1.0, steps=round(1 / eta), learning_rate=eta, **common)[1],
            sde_moments(1.0, duration=1.0, learning_rate=eta, **common)[1],
        )
        for eta in ds.learning_rate.values
    ]
    ds["sgd_moment"], ds["sde_moment"] = (("learning_rate", m) for m in np.transpose(moments))
    loss = mean_square_loss(ds.residual.values, 0 * ds.residual.values)
    ds["noise_theory"] = (
        "direction",
        covariance_near_minimum(loss, ds.curvature.values, batch_size=1),
    )
    ds["noise_trace_theory"] = covariance_near_minimum(
        loss, float(ds.output_norm.mean()), batch_size=1
    )
    ds["noise_overlap_theory"] = covariance_near_minimum(
        loss, float(ds.overlap.mean()), batch_size=1
    )
    path_kurtosis = kurtosis(ds.slope.values[:, : ds.sizes["path"]])
    ds["path_slope_theory"] = (
        "path",
        np.array(
            [
                kurtosis_noise(2.0, kurtosis=k) - kurtosis_noise(1.0, kurtosis=k)
                for k in path_kurtosis
            ]
        ),
    )
    return ds
