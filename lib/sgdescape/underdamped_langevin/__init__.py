"""SGD with momentum as an underdamped Langevin equation: an oscillator in every curved direction.

Chapter `underdamped_langevin`: its rooms `claims` and `figures`, its configuration, `run`, and the
formulas that pages and other chapters use. The momentum mode, x_(k+1) = (1 + beta - eta h) x_k -
beta x_(k-1) - eta n_k, has its one home here: `stationary_covariance`, `covariance`, `mean`,
`autocorrelation`, `square_step` (E |delta|^2), `response` to a kick, `critical_curvature` of the
oscillator and `oscillating_band` of the iteration.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.underdamped_langevin import claims, figures, predictions
from sgdescape.underdamped_langevin.config import PAPER, QUICK, Config
from sgdescape.underdamped_langevin.experiment import run
from sgdescape.underdamped_langevin.predictions import predict
from sgdescape.underdamped_langevin.prose import summary
from sgdescape.underdamped_langevin.theory.autoregression import (
    common_factor,
    impulse_response,
    oscillating_band,
    square_step,
)
from sgdescape.underdamped_langevin.theory.damping import (
    angular_frequency,
    critical_curvature,
    critical_momentum,
    damping_rate,
    damping_ratio,
)
from sgdescape.underdamped_langevin.theory.fourier import mean_frequency
from sgdescape.underdamped_langevin.theory.modified_equation import path_errors
from sgdescape.underdamped_langevin.theory.oscillator import (
    autocorrelation,
    covariance,
    mean,
    propagator,
    stationary_covariance,
    velocity_autocorrelation,
)
from sgdescape.underdamped_langevin.theory.phase_space import (
    diffusion_matrix,
    drift_matrix,
    effective_directions,
    langevin_coefficients,
    noise_covariance_at,
    regression_covariance,
    update_matrix,
)
from sgdescape.underdamped_langevin.theory.response import (
    continuous_response,
    kick_energy,
    response,
)

__all__ = [
    "Config",
    "PAPER",
    "QUICK",
    "angular_frequency",
    "autocorrelation",
    "claims",
    "common_factor",
    "continuous_response",
    "covariance",
    "critical_curvature",
    "critical_momentum",
    "damping_rate",
    "damping_ratio",
    "diffusion_matrix",
    "drift_matrix",
    "effective_directions",
    "figures",
    "impulse_response",
    "kick_energy",
    "langevin_coefficients",
    "mean",
    "mean_frequency",
    "noise_covariance_at",
    "oscillating_band",
    "path_errors",
    "predict",
    "predictions",
    "propagator",
    "regression_covariance",
    "response",
    "run",
    "square_step",
    "stationary_covariance",
    "summary",
    "update_matrix",
    "velocity_autocorrelation",
]
