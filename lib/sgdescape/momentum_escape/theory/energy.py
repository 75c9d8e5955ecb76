"""Weak friction, exactly: the energy of the swing is a diffusion in one dimension."""

import numpy as np
from scipy import integrate

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def energy_tail(energy, *, temperature, kurtosis=3.0):
    r"""Return P(e > energy) in the stationary state for damping 0, Eq. (momentum-energy).

    e = theta^2 + v^2 with v in units of the swing; with k = kurtosis - 1 the density is
    (1 + k e/4)^(-4/(k T)), exact at every T < 4/k, so the tail is a power law.

    Args:
        energy: at least 0.
        temperature: T > 0, below 4/(kurtosis - 1).
        kurtosis: of the inputs, at least 1; 1 gives Gibbs' law exp(-e/T).

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> print(np.round(energy_tail([0.0, 2.0], temperature=0.5), 4))
        [1.    0.125]
    """
    e = validate.within("energy", energy, low=0)
    k = float(validate.within("kurtosis", kurtosis, low=1)) - 1
    t = validate.within("temperature", temperature, low=0, open_low=True)
    if k == 0:
        return np.exp(-e / t)
    validate.within("temperature", temperature, low=0, high=4 / k, open_low=True)
    return (1 + k * e / 4) ** (1 - 4 / (k * t))


@door
def gibbs_tail(energy, *, temperature):
    r"""Return P(e > energy) of Kunin et al.'s Gibbs law exp(-kappa Psi), which is exp(-e/T).

    Args:
        energy: at least 0.
        temperature: T > 0.

    Example:
        >>> print(round(float(gibbs_tail(2.0, temperature=0.5)), 4))
        0.0183
    """
    e = validate.within("energy", energy, low=0)
    return np.exp(-e / validate.within("temperature", temperature, low=0, open_low=True))


@door
def tail_exponent(*, temperature, kurtosis=3.0):
    r"""Return a of P(L > c L*) ~ c^(-a) at damping 0, 4/((kurtosis - 1) T) - 1.

    The loss has a mean while T < 2/(kurtosis - 1), which is where `stable_step` ends at small
    batches. Eq. (momentum-energy).

    Args:
        temperature: T > 0.
        kurtosis: above 1.

    Example:
        >>> float(tail_exponent(temperature=1.0))
        1.0
    """
    k = validate.within("kurtosis", kurtosis, low=1, open_low=True) - 1
    t = validate.within("temperature", temperature, low=0, open_low=True)
    return 4 / (k * t) - 1


@np.vectorize
def _turnover(loss):
    if loss > 200:
        return 1.0

    def integrand(x):
        return np.log(-np.expm1(-loss * (x * x + 0.25))) / (x * x + 0.25)

    return np.exp(integrate.quad(integrand, 0, np.inf, limit=200)[0] / np.pi)


@door
def turnover(loss_ratio, slope, *, damping, temperature):
    r"""Return A(D), the factor of the passage rate for the energy lost in half a swing.

    D = 2 pi zeta (c - 1) w'(c)/T is that loss in units of the law's own scale, Eq.
    (momentum-turnover), after Melnikov and Meshkov; A = D for D -> 0 and 1 for D -> infinity.

    Args:
        loss_ratio: c > 1.
        slope: dw/dc there.
        damping: zeta > 0.
        temperature: T > 0.

    Example:
        >>> print(np.round(turnover(3.0, 0.5, damping=[1e-4, 0.1, 10.0], temperature=0.3), 4))
        [0.002  0.6544 1.    ]
    """
    c = validate.within("loss_ratio", loss_ratio, low=1, open_low=True)
    w = validate.within("slope", slope, low=0, open_low=True)
    z = validate.within("damping", damping, low=0, open_low=True)
    t = validate.within("temperature", temperature, low=0, open_low=True)
    return _turnover(2 * np.pi * z * (c - 1) * w / t)
