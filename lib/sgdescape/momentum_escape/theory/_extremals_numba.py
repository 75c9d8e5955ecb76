"""Extremals of the Hamiltonian at fixed damping, by Dormand and Prince's pair of orders 5 and 4.

State (theta, v, p_theta, p_v, w) in the oscillator's time: theta' = v, and w is the action so far.
"""

import numpy as np
from numba import njit

from sgdescape.core import compiled

_A = np.array(
    [
        [0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    ]
)
_B = np.array([35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84])
_E = np.array([71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
_SMALLEST = 1e-12  # step below which an extremal is given up
_EDGE = 1e-7  # 1 + 2 p theta - p^2 below which a push is made at once (normal inputs)


@njit(error_model="numpy")
def slopes(th, p, squares, weights, kurtosis, diffusion):
    """Return dLambda/dtheta and dLambda/dp; NaN outside the domain."""
    if diffusion:
        k = kurtosis - 1
        return -p + k * p * p * th, -th + p * (1 + k * th * th)
    q = p * (0.5 * p - th)
    if len(squares) == 0:
        k = 1 / (1 - 2 * q) if q < 0.5 else np.nan
    else:
        total, k = 0.0, 0.0
        top = q * squares[-1] if q > 0 else q * squares[0]
        for i in range(len(squares)):
            e = weights[i] * np.exp(q * squares[i] - top)
            total += e
            k += e * squares[i]
        k /= total
    return -p * k, k * (p - th)


@njit(error_model="numpy")
def field(y, z, law, out):
    squares, weights, kurtosis, diffusion = law
    by_theta, by_tilt = slopes(y[0], 2 * z * y[3], squares, weights, kurtosis, diffusion)
    out[0] = y[1]
    out[1] = -2 * z * y[1] + by_tilt
    out[2] = -by_theta / (2 * z)
    out[3] = -y[2] + 2 * z * y[3]
    out[4] = y[2] * y[1] + y[3] * out[1]


@njit(error_model="numpy")
def step(y, h, z, law, k, new):
    """Make one step of length h into ``new``; return its relative error. k[6]: field at its end."""
    middle = np.empty(5)
    field(y, z, law, k[0])
    for i in range(1, 6):
        for c in range(5):
            s = 0.0
            for j in range(i):
                s += _A[i, j] * k[j, c]
            middle[c] = y[c] + h * s
        field(middle, z, law, k[i])
    for c in range(5):
        s = 0.0
        for j in range(6):
            s += _B[j] * k[j, c]
        new[c] = y[c] + h * s
    field(new, z, law, k[6])
    error = 0.0
    for c in range(5):
        s = 0.0
        for j in range(7):
            s += _E[j] * k[j, c]
        size = 1e-13 + max(abs(y[c]), abs(new[c]))
        if not abs(h * s) < np.inf:
            return np.inf
        error = max(error, abs(h * s) / size)
    return error


@njit(error_model="numpy")
def next_length(h, error, precision):
    """Return the next step's length, after an accepted or a refused one."""
    if not error < np.inf:
        return 0.2 * h
    return h * min(5.0, max(0.2, 0.9 * (precision / max(error, 1e-14)) ** 0.2))


@njit(error_model="numpy")
def distance(y, z):
    """Return 1 + 2 p theta - p^2, which is positive inside the domain of normal inputs."""
    p = 2 * z * y[3]
    return 1 + p * (2 * y[0] - p)


@njit(error_model="numpy")
def push(y, z):
    """Make one large push: v jumps at fixed theta and p, until the tilt leaves the edge again.

    Lambda = 2 z v (p - p_theta) on an extremal, and p_theta grows by p_v / (p - theta) with v;
    so Lambda has its first value again at v = (p - p_theta) (p - theta) / p_v.
    """
    p = 2 * z * y[3]
    rate = y[3] / (p - y[0])
    kick = (p - y[2]) / rate - y[1]
    y[1] += kick
    y[2] += rate * kick
    y[4] += y[3] * kick


@compiled.kernel(error_model="numpy")
def turning_points(y, z, law, far, precision, turns, steps):
    """Follow an extremal; write its states at v = 0 into ``turns`` (n, 6), time last.

    It ends where |theta| exceeds ``far``, where it falls back into the minimum, after n turns or
    ``steps`` steps. Returns the number of turns.
    """
    y = y.copy()
    new, k, end = np.empty(5), np.empty((7, 5)), np.empty(5)
    h, found, time = 0.01, 0, 0.0
    edge, armed = len(law[0]) == 0 and not law[3], True
    for _ in range(steps):
        error = step(y, h, z, law, k, new)
        if not error < precision:
            h = next_length(h, error, precision)
            if h < _SMALLEST:
                return found
            continue
        if y[1] * new[1] < 0:
            g = h * y[1] / (y[1] - new[1])
            for _ in range(6):  # Newton: one step that ends at v = 0
                step(y, g, z, law, k, end)
                g -= end[1] / k[6, 1]
            turns[found, :5], turns[found, 5] = end, time + g
            found += 1
            if found == len(turns):
                return found
        time += h
        y[:] = new
        if edge:
            inside = distance(y, z)
            if armed and inside < _EDGE:
                push(y, z)
                armed = False
            armed = armed or inside > 2 * _EDGE
        if abs(y[0]) > far or abs(y[0]) + abs(y[1]) < 1e-6:
            return found
        h = next_length(h, error, precision)
    return found


@compiled.kernel(error_model="numpy")
def side(y, z, law, slow, precision, steps):
    """Return 1 if an extremal runs ahead of the slow one (v above 2 slow theta), -1 if it lags."""
    y = y.copy()
    new, k = np.empty(5), np.empty((7, 5))
    h = 0.01
    for _ in range(steps):
        error = step(y, h, z, law, k, new)
        if not error < precision:
            h = next_length(h, error, precision)
            if h < _SMALLEST:
                return 1
            continue
        y[:] = new
        pace = y[1] / (slow * y[0])
        if pace > 2:
            return 1
        if pace < 0.5:
            return -1
        h = next_length(h, error, precision)
    return 0


@compiled.kernel(error_model="numpy")
def advance(y, duration, z, law, precision):
    """Return the state after a time; NaN if the steps become too small."""
    y = y.copy()
    new, k = np.empty(5), np.empty((7, 5))
    h, done = min(0.01, duration), 0.0
    while done < duration:
        h = min(h, duration - done)
        error = step(y, h, z, law, k, new)
        if not error < precision:
            h = next_length(h, error, precision)
            if h < _SMALLEST:
                return np.full(5, np.nan)
            continue
        y[:] = new
        done += h
        h = next_length(h, error, precision)
    return y
