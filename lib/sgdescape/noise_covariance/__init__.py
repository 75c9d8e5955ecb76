"""The noise of SGD: its covariance, exactly and as Mori et al. approximate it, Eqs. (1)-(11).

Its rooms `claims` and `figures`, its configuration, `run`, and the formulas that pages and other
chapters use.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.noise_covariance import claims, figures, predictions
from sgdescape.noise_covariance.config import PAPER, QUICK, Config
from sgdescape.noise_covariance.experiment import run
from sgdescape.noise_covariance.predictions import predict
from sgdescape.noise_covariance.prose import summary
from sgdescape.noise_covariance.theory.escape_direction import (
    decoupling_ratio,
    diffusion_barrier,
    kurtosis,
    kurtosis_noise,
    line_noise,
    mean_share,
    path_barrier,
    residual_block,
    sde_moments,
    sgd_moments,
    trace_ratio,
)
from sgdescape.noise_covariance.theory.noise import (
    batch_factor,
    batch_noise,
    covariance_near_minimum,
    decoupled_moment,
    gauss_newton,
    hessian,
    isotropic_diffusion,
    mean_square_loss,
    noise_covariance,
    second_moment,
    sgd_step,
)

__all__ = [
    "Config",
    "PAPER",
    "QUICK",
    "batch_factor",
    "batch_noise",
    "claims",
    "covariance_near_minimum",
    "decoupled_moment",
    "decoupling_ratio",
    "diffusion_barrier",
    "figures",
    "gauss_newton",
    "hessian",
    "isotropic_diffusion",
    "kurtosis",
    "kurtosis_noise",
    "line_noise",
    "mean_share",
    "mean_square_loss",
    "noise_covariance",
    "path_barrier",
    "predict",
    "predictions",
    "residual_block",
    "run",
    "sde_moments",
    "second_moment",
    "sgd_moments",
    "sgd_step",
    "summary",
    "trace_ratio",
]
