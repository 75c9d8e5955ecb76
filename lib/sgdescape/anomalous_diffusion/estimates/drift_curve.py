"""One curve of drift and noise through many exponents: c as a function of the time of an epoch.

At a fixed number of epochs the overdamped displacement from a fixed start depends on the settings
through tau_ep alone, Eq. (epoch-time). Curvatures, noise and start are not known for the paper's
networks; here they are power laws with four numbers between them, fitted.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from sgdescape.anomalous_diffusion import published
from sgdescape.anomalous_diffusion.estimates.collapse import variables
from sgdescape.anomalous_diffusion.estimates.exponents import fitted_exponent
from sgdescape.anomalous_diffusion.theory.fixed_start import epoch_time, overdamped_start

MODES = 400
EPOCHS = np.linspace(1, 2, 17)
"""Times at which the displacement of the second of two epochs is taken."""


@dataclass(frozen=True)
class Curve:
    """Four numbers, fitted: rho_j = largest j^-decay, noise rho_j, d_j^2 = drift rho_j^-start."""

    largest: float  # rho_1 in units of 1/tau
    decay: float  # of the curvatures with j
    drift: float  # scale of the squared offsets
    start: float  # their decay with the curvature

    def __call__(self, times) -> np.ndarray:
        """Return c of a line through the second epoch.

        Args:
            times: tau_ep > 0 (runs,).
        """
        rho = self.largest * np.arange(1, MODES + 1.0) ** -self.decay
        tau = np.asarray(times, dtype=float)[:, None]
        # one step an epoch of size one: tau counts, and the temperature is tau in other units
        drift, noise = overdamped_start(
            EPOCHS,
            rho,
            rho,
            np.sqrt(self.drift * (rho / self.largest) ** -self.start / self.largest),
            learning_rate=tau,
            momentum=0.0,
            batch_size=1,
        )
        return fitted_exponent(EPOCHS, drift + noise)


def fit_curve(times, exponents) -> Curve:
    """Return the curve of least squares.

    Args:
        times: tau_ep of the runs (runs,).
        exponents: their c (runs,).
    """

    def misfit(logs):
        return Curve(*np.exp(logs))(times) - exponents

    bounds = np.log([[1e-6, 0.5, 1e-4, 0.05], [10.0, 6.0, 1e5, 4.0]])
    found = optimize.least_squares(misfit, np.log([0.01, 1.5, 1.0, 0.7]), bounds=bounds)
    return Curve(*np.exp(found.x))


def published_curve() -> Curve:
    """Return the curve through the paper's 27 exponents."""
    data = published.published_exponents()
    return fit_curve(variables(data)["eta N / (S (1 - beta))"], data.exponent)


def sweep_times(rows) -> np.ndarray:
    """Return tau_ep of settings (eta, S, beta, ...) of the paper's runs (runs,)."""
    eta, size, beta = np.array([row[:3] for row in rows]).T
    return epoch_time(learning_rate=eta, batch_size=size, momentum=beta, samples=published.SAMPLES)
