"""Claims of chapter `noise_covariance`: each compares a measurement with its prediction.

`batches` is about the factors of sampling, `regression` about one input and its kurtosis,
`networks` about a trained minimum. Predictions come with the dataset (`noise_covariance.predict`),
so that a wrong formula there makes the claim here fail. No fits and intervals here: those are in
`estimates`.
"""

from sgdescape.noise_covariance.claims.batches import batch_factor, iid_factor, matrix, weak_order
from sgdescape.noise_covariance.claims.networks import (
    alignment,
    gauss_newton,
    network_kurtosis,
    network_rate,
    prefactor,
    trace_alignment,
)
from sgdescape.noise_covariance.claims.regression import (
    barrier,
    decoupling_ratio,
    log_barrier,
    slope_gaussian,
    slope_laplace,
    slope_rademacher,
    slope_three_point,
    slope_uniform,
    trace,
)

__all__ = [
    "alignment",
    "barrier",
    "batch_factor",
    "decoupling_ratio",
    "gauss_newton",
    "iid_factor",
    "log_barrier",
    "matrix",
    "network_kurtosis",
    "network_rate",
    "prefactor",
    "slope_gaussian",
    "slope_laplace",
    "slope_rademacher",
    "slope_three_point",
    "slope_uniform",
    "trace",
    "trace_alignment",
    "weak_order",
]
