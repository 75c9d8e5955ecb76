"""The modified loss of SGD with momentum, its phase-space currents, and what they are not.

Chapter `modified_loss`: its rooms `claims` and `figures`, its configuration, `run`, the formulas
that pages and other chapters use, and their proofs with symbols (`..._identities`). Formulas of a
single mode are those of `underdamped_langevin`.

Nothing is computed here: the rooms hold the code.
"""

from sgdescape.modified_loss import claims, figures, predictions
from sgdescape.modified_loss.config import PAPER, QUICK, Config
from sgdescape.modified_loss.experiment import run
from sgdescape.modified_loss.predictions import predict
from sgdescape.modified_loss.prose import summary
from sgdescape.modified_loss.theory.algebra import pair_identities, single_mode_identities
from sgdescape.modified_loss.theory.asymmetry import time_asymmetry
from sgdescape.modified_loss.theory.decomposition import (
    Decomposition,
    areal_rates,
    decompose,
    eigenbasis_circulation,
    entropy_rate,
    modified_loss,
    probability_velocity,
    shape,
    shape_by_kronecker,
)
from sgdescape.modified_loss.theory.gibbs import gibbs_kurtosis, gibbs_share
from sgdescape.modified_loss.theory.phase_space import (
    Covariance,
    circulation,
    covariance,
    discrete_covariance,
    half_step,
    phase_loss,
    process,
)
from sgdescape.modified_loss.theory.relations import (
    areal_rate,
    decay_factor,
    equipartition_curvature,
    excess_loss,
    midpoint_variance,
    shuffled_equipartition,
)
from sgdescape.modified_loss.theory.reversal import (
    current_strength,
    entropy_by_lyapunov,
    entropy_by_spectrum,
    entropy_production,
)

__all__ = [
    "Config",
    "Covariance",
    "Decomposition",
    "PAPER",
    "QUICK",
    "areal_rate",
    "areal_rates",
    "circulation",
    "claims",
    "covariance",
    "current_strength",
    "decay_factor",
    "decompose",
    "discrete_covariance",
    "eigenbasis_circulation",
    "entropy_by_lyapunov",
    "entropy_by_spectrum",
    "entropy_production",
    "entropy_rate",
    "equipartition_curvature",
    "excess_loss",
    "figures",
    "gibbs_kurtosis",
    "gibbs_share",
    "half_step",
    "midpoint_variance",
    "modified_loss",
    "pair_identities",
    "phase_loss",
    "predict",
    "predictions",
    "probability_velocity",
    "process",
    "run",
    "shape",
    "shape_by_kronecker",
    "shuffled_equipartition",
    "single_mode_identities",
    "summary",
    "time_asymmetry",
]
