r"""Two and more equal directions at weak friction: energy and angular momentum.

With r the oscillator's position and v its velocity, both in units of the swing, e = r^2 + v^2 and
m = 2 (r_1 v_2 - r_2 v_1) change slowly. An orbit is an ellipse with semi-axes a >= b,
e = a^2 + b^2, m = 2ab, and its highest loss ratio is 1 + a^2. In r_+- = sqrt((e +- m)/2) the
averaged Hamiltonian is, Eq. (momentum-plane),

    -r.q/2 + q.q/4 + [(q_+ r_+)^2 + (q_- r_-)^2 + (q_+ r_- - q_- r_+)^2 (1 - s) ...]/8 .
"""

from functools import lru_cache

import numpy as np
from scipy.integrate import solve_ivp

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.momentum_escape.theory._extremals import Turns, lower_envelope

START = 1e-3  # first distance from the minimum, where w = r^2


@door
def orbit_hamiltonian(position, tilt, *, aligned=0.0):
    r"""Return the averaged Hamiltonian of the orbit, Eq. (momentum-plane).

    Args:
        position: (2, ...), the two radii :math:`r_\pm`.
        tilt: (2, ...) q, the gradient of w in r.
        aligned: 0 for decoupled noise (1 + r^2) I, 1 for samples with normal inputs, whose noise
            has r r^T in addition.
    """
    x, y = validate.finite("position", position)
    p, q = validate.finite("tilt", tilt)
    aligned = validate.each_between("aligned", aligned, 0, 1)
    linear = -(x * p + y * q) / 2 + (p**2 + q**2) / 4
    turned = (p * y - q * x) ** 2
    noise = (p * x) ** 2 + (q * y) ** 2 + turned
    # <(r.grad w)^2> = (p_e)^2 (e^2 - m^2)/8 with p_e = (p / x + q / y)/4, e^2 - m^2 = 4 x^2 y^2
    along = (p * y + q * x) ** 2 / 16
    return linear + noise / 8 + aligned * along


def _field(aligned):
    def field(_, state):
        x, y, p, q, _w = state
        turned = p * y - q * x
        along = p * y + q * x
        dx = -x / 2 + p / 2 + (p * x * x + turned * y) / 4 + aligned * along * y / 8
        dy = -y / 2 + q / 2 + (q * y * y - turned * x) / 4 + aligned * along * x / 8
        dp = p / 2 - (p * p * x - turned * q) / 4 - aligned * along * q / 8
        dq = q / 2 - (q * q * y + turned * p) / 4 - aligned * along * p / 8
        return [dx, dy, dp, dq, p * dx + q * dy]

    return field


@lru_cache(maxsize=8)
def _orbit_turns(aligned: float, largest: float) -> Turns:
    """Return where extremals of the averaged motion end: where both tilts are equal.

    The loss reached depends on r_+ + r_- alone, so the cheapest way to it ends there.

    Args:
        aligned: as in `orbit_hamiltonian`.
        largest: loss ratio up to which extremals are followed.
    """
    reach = np.sqrt(2 * (largest - 1))

    def level(_, state):
        return state[2] - state[3]

    def far(_, state):
        return state[0] + state[1] - 1.5 * reach

    far.terminal = True
    rows = []
    from_line = np.geomspace(1e-3, 0.6, 60)
    from_circle = np.geomspace(np.pi / 4 - 0.6, 1e-30, 180)[1:]
    for scan, angle in enumerate(np.r_[np.pi / 4 - from_line, from_circle]):
        x, y = START * np.cos(angle), START * np.sin(angle)
        path = solve_ivp(
            _field(aligned), (0, 200), [x, y, 2 * x, 2 * y, START**2],
            events=[level, far], rtol=1e-9, atol=1e-14, method="DOP853",
        )  # fmt: skip
        ends = [s for s in path.y_events[0] if s[0] + s[1] > 3 * START]
        for x, y, p, _, w in ends[:1]:
            axis = (x + y) / np.sqrt(2)
            rows.append((axis**2, w, p / (np.sqrt(2) * axis), scan, 0))
    return Turns(*np.array(rows).reshape(-1, 5).T)


@door
def plane_barrier(loss_ratio, *, aligned=0.0):
    r"""Return w(c) of two or more equal directions at damping 0, the optimum over all orbits.

    Args:
        loss_ratio: c in [1, 1000].
        aligned: 0 for decoupled noise, 1 for samples with normal inputs.

    Raises:
        ValueError: if c lies outside its range.

    Example:
        >>> bool(abs(plane_barrier(3.0) - 4 * np.log(1.5)) < 1e-6)
        True
    """
    c = validate.within("loss_ratio", loss_ratio, low=1, high=1000 * (1 + 1e-12))
    aligned = validate.between("aligned", aligned, 0, 1)
    k = (1 + aligned) / 4
    line = np.log1p(k * (c - 1)) / k
    turned = lower_envelope(_orbit_turns(float(aligned), 1000.0), np.atleast_1d(c - 1))
    w = np.fmin(line, turned.reshape(c.shape))
    return float(w) if w.ndim == 0 else w


@door
def circle_barrier(loss_ratio, *, aligned=0.0):
    r"""Return w of the way along circles: 2 log c for decoupled noise, Eq. (momentum-circle).

    Args:
        loss_ratio: c >= 1.
        aligned: has no effect: on a circle the velocity is at right angles to the position.
    """
    c = validate.within("loss_ratio", loss_ratio, low=1)
    return 2 * np.log(c) + 0 * validate.each_between("aligned", aligned, 0, 1)
