"""SGD with momentum as an underdamped Langevin equation: an oscillator in every curved direction.

Chapter `underdamped_langevin`. Theory, measurements, claims and figures live in the private package
`sgdescape._underdamped_langevin`; what the book uses is offered here.
"""

from sgdescape._underdamped_langevin.autoregression import (  # noqa: F401  (offered here)
    common_factor,
    oscillating_band,
)
from sgdescape._underdamped_langevin.oscillator import (  # noqa: F401  (offered here)
    angular_frequency,
    autocorrelation,
    covariance,
    critical_curvature,
    critical_momentum,
    damping_rate,
    damping_ratio,
    mean,
    propagator,
    stationary_covariance,
    velocity_autocorrelation,
)
