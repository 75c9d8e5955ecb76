r"""Log-periodic modulation of the tail at small learning rates, and how fast it fades.

Far out the law of :math:`u=\log|\theta|` solves a renewal equation whose solutions are
:math:`e^{-su}` with :math:`E|1-\eta x^2|^s=1`. The real root is Kesten's; complex roots
:math:`s=s_0+\gamma\pm i\omega` add waves of period :math:`2\pi/\omega` that fade as
:math:`e^{-\gamma u}`. One input, Gaussian, B = 1.
"""

from dataclasses import dataclass
from numbers import Number

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.panels import panels
from sgdescape.heavy_tails.theory._panels import graded
from sgdescape.heavy_tails.theory.kesten import kesten_root


@dataclass(frozen=True)
class Wave:
    """The slowest wave on a power-law tail, in u = log|theta|.

    Attributes:
        root: s_0, Kesten's.
        fading: gamma, the rate at which the wave fades with u.
        frequency: omega.
    """

    root: float
    fading: float
    frequency: float

    @property
    def period(self) -> float:
        """Of log c = 2 u."""
        return 4 * np.pi / self.frequency

    @property
    def left(self) -> float:
        """Share of the amplitude that is left after one period."""
        return float(np.exp(-self.fading * 2 * np.pi / self.frequency))


@door
def complex_log_moment(power, *, learning_rate):
    r"""Return :math:`\log E|1-\eta x^2|^s` at a complex s, Eq. (tail-wave).

    Args:
        power: s, a number, real part at least 0.
        learning_rate: eta.

    Raises:
        TypeError: if the power is no number.
        ValueError: if a number is not finite or outside its range.

    Example:
        >>> value = complex_log_moment(2.0 + 0j, learning_rate=0.1)
        >>> print(round(float(np.exp(value).real), 9))
        0.83
    """
    if isinstance(power, (bool, np.bool_)) or not isinstance(power, Number):
        raise TypeError(f"power must be a number: got {power!r} of type {type(power).__name__}")
    s, eta = complex(power), validate.positive("learning_rate", learning_rate)
    if not (0 <= s.real < np.inf and np.isfinite(s.imag)):
        raise ValueError(f"power must be finite, with a real part of at least 0: got {power!r}")
    logs, log_weight = _nodes(s.real, eta)
    raised = s * logs + log_weight
    top = raised.real.max()
    return np.log(np.sum(np.exp(raised - top))) + top


@door
def wave(*, learning_rate) -> Wave:
    r"""Return the complex root nearest to Kesten's line, Eq. (tail-wave).

    Args:
        learning_rate: eta, small enough for a stationary law.

    Raises:
        ValueError: if no root with a frequency near that of one jump is found.

    Example:
        >>> found = wave(learning_rate=0.02)
        >>> 1.2 < 2 * np.pi / found.frequency < 1.35  # log of the factor 3.59
        True
    """
    eta = validate.positive("learning_rate", learning_rate)
    root = kesten_root(learning_rate=eta)

    logs, log_weight = _nodes(root + 8, eta)
    found = []
    for fading in (0.05, 0.5, 1.5):
        for frequency in (4.0, 4.9, 6.0):
            s = complex(root + fading, frequency)
            for _ in range(60):
                terms = np.exp(s * logs + log_weight)
                step = (terms.sum() - 1) / (terms @ logs)
                s -= step * min(1.0, 0.5 / abs(step))
                s = complex(np.clip(s.real, root, root + 8), np.clip(s.imag, 2, 9))
            if abs(step) < 1e-9 and 2 < s.imag < 9:
                found.append(s)
    if not found:
        raise ValueError(f"no complex root near Kesten's at learning_rate {eta:g}")
    best = min(found, key=lambda s: s.real)
    return Wave(root, best.real - root, best.imag)


def _nodes(power, eta):
    """Log |1 - eta x^2| and log weights, fit for real parts of s up to the power."""
    end = np.sqrt(2 * power + 1 / eta) + 14
    # the phase turns by |Im s| log r: finer panels than for a real power
    r, weight = panels(graded([0.0, 1 / np.sqrt(eta), end], width=0.25, levels=30))
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(1 - eta * r**2))
    keep = np.isfinite(logs)
    return logs[keep], np.log(weight[keep]) - r[keep] ** 2 / 2 + np.log(2 / np.pi) / 2


__all__ = ["Wave", "complex_log_moment", "wave"]
