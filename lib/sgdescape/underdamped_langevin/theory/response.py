"""Response of one mode of SGD with momentum to a kick, in closed form and without cancellation.

A mode obeys x_{k+1} = (1 + beta - e) x_k - beta x_{k-1} + force, with e = eta h. U_k is the
position k - 1 steps after a unit force and S_k its running sum: powers of the mode's matrix, its
answer to noise and how far it goes are all made of these two.
"""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

_FEW = 64  # steps up to which the recursion itself is used: exact, and no slower
_NEAR = 1e-6  # of (d2 - d1)^2 in units of (d1 + d2)^2: below it the two roots count as one


@door
def response(steps, rate, momentum):
    """Return U_k and S_k = U_0 + ... + U_{k-1}, Eq. (kick-response).

    The roots z = 1 - d of z^2 - (1 + beta - e) z + beta have d1 d2 = e and d1 + d2 = 1 - beta + e.
    S_k is a divided difference of (1 - (1 - d)^k)/d, which has no small denominator at e = 0.
    Three forms share the work, each where it keeps its digits: the recursion for the first
    steps, the difference quotient, and powers of the double root.

    Args:
        steps: k, whole numbers from 0, any shape.
        rate: e = eta h in [0, 2 (1 + beta)), broadcasting.
        momentum: beta in [0, 1), broadcasting.

    Returns:
        U and S, float64, of the common shape. Memory does not depend on the size of k.
    """
    k, e, beta = np.broadcast_arrays(
        validate.each_whole("steps", steps, 0),
        validate.each_at_least("rate", rate, 0),
        validate.within("momentum", momentum, low=0, high=1),
    )
    shape = k.shape
    k, e, beta = k.ravel(), e.ravel(), beta.ravel()
    kick, total = np.empty(k.shape), np.empty(k.shape)
    total_rate = 1 - beta + e
    square = total_rate**2 - 4 * e  # (d2 - d1)^2
    few = k <= _FEW
    near = ~few & (square < _NEAR * total_rate**2)
    for part, form in ((few, _recursion), (near, _powers), (~few & ~near, _quotient)):
        if part.any():
            kick[part], total[part] = form(k[part], e[part], beta[part], square[part])
    return kick.reshape(shape), total.reshape(shape)


def _recursion(k, e, beta, _):
    before, now, summed = np.zeros(k.shape), np.ones(k.shape), np.zeros(k.shape)
    kick, total = np.zeros(k.shape), np.zeros(k.shape)
    for j in range(1, int(k.max()) + 1):
        here = k == j
        kick[here], total[here] = now[here], summed[here]
        summed = summed + now
        before, now = now, (1 + beta - e) * now - beta * before
    return kick, total


def _quotient(k, e, beta, square):
    """Two real roots that are well apart."""
    gap = np.sqrt(square)
    large = (1 - beta + e + gap) / 2
    small = e / large
    kick = ((1 - small) ** k - (1 - large) ** k) / gap
    return kick, (_sums(k, small) - _sums(k, large)) / gap


def _sums(k, d):
    """(1 - (1 - d)^k)/d, which is k at d = 0."""
    short = d < 0.5
    low = -np.expm1(k * np.log1p(-np.where(short, d, 0)))
    return np.where(d == 0, k, np.where(short, low, 1 - (1 - d) ** k) / np.where(d == 0, 1, d))


def _powers(k, e, beta, square):
    """Roots that are complex, or real and close together."""
    kick = _kick(k, e, beta, square)
    return kick, (1 - kick + beta * _kick(k - 1, e, beta, square)) / e


def _kick(k, e, beta, square):
    middle, half = (1 + beta - e) / 2, np.sqrt(np.abs(square)) / 2
    complex_roots = square < 0
    angle = np.where(complex_roots, np.arctan2(half, np.abs(middle)), 0)
    safe = np.where(angle == 0, 1, angle)
    wave = beta ** ((k - 1) / 2) * np.where(angle == 0, k, np.sin(k * safe) / np.sin(safe))
    # real roots: z1^(k-1) times a geometric sum of z2/z1, and nothing overflows late
    first = np.where(complex_roots, 0.5, np.abs(middle) + half)
    ratio = np.where(complex_roots, 0, 2 * half / np.where(first > 0, first, 1))  # 1 - z2/z1
    real = first ** (k - 1) * _sums(k, ratio)
    sign = np.where(middle < 0, -1.0, 1.0) ** (k - 1)
    return sign * np.where(complex_roots, wave, real)


@door
def kick_energy(steps, rate, momentum):
    """Return U_1^2 + ... + U_k^2, the variance k steps after a fixed start, Eq. (fixed-start).

    Args:
        steps: k, whole numbers from 0, any shape.
        rate: e = eta h in [0, 2 (1 + beta)), broadcasting.
        momentum: beta in [0, 1), broadcasting.

    Returns:
        The sum, in units of the variance of one force.
    """
    k, e, beta = np.broadcast_arrays(
        validate.each_whole("steps", steps, 0),
        validate.each_at_least("rate", rate, 0),
        validate.within("momentum", momentum, low=0, high=1),
    )
    if np.any(e >= 2 * (1 + beta)):
        worst = e[e >= 2 * (1 + beta)].flat[0]
        raise ValueError(f"rate must be below 2 (1 + momentum), the stability limit: got {worst:g}")
    few, found = k <= _FEW, np.zeros(k.shape)
    now, before, summed = np.ones(k.shape), np.zeros(k.shape), np.zeros(k.shape)
    for j in range(1, int(k[few].max(initial=0)) + 1):
        summed = summed + now**2
        found = np.where(k == j, summed, found)
        before, now = now, (1 + beta - e) * now - beta * before
    total_rate = 1 - beta + e
    square = total_rate**2 - 4 * e
    apart = square >= 1e-2 * total_rate**2
    large = (total_rate + np.sqrt(np.where(apart, square, 1))) / 2
    small = e / large
    gap2 = np.where(apart, square, 1)
    sums = [_sums(k + 1, d) for d in (small * (2 - small), large * (2 - large), 1 - beta)]
    quotient = (sums[0] + sums[1] - 2 * sums[2]) / gap2
    kick, last = response(k + 1, e, beta)[0], response(k, e, beta)[0]
    e_safe = np.where(apart, 1, e)
    first = 1 - e_safe / (1 + beta)  # r_1
    gone = kick**2 - 2 * beta * first * kick * last + (beta * last) ** 2
    variance = 1 / (2 * e_safe * (1 - beta) * (1 - e_safe / (2 * (1 + beta))))
    return np.where(few, found, np.where(apart, quotient, variance * (1 - gone)))


@door
def continuous_response(times, damping, square_frequency):
    """Return (1 - r(t))/omega^2, Eq. (kick-response) for the oscillator.

    With the rates m1, m2 = gamma -+ sqrt(gamma^2 - omega^2) it is the divided difference of
    -(1 - exp(-m t))/m: t^2/2 for short times, t/(2 gamma) for a free direction.

    Args:
        times: t = eta k from 0, any shape.
        damping: gamma, positive, broadcasting.
        square_frequency: omega^2, not negative, broadcasting.

    Returns:
        The response, float64, of the common shape.
    """
    t, g, w2 = np.broadcast_arrays(
        validate.each_at_least("times", times, 0),
        validate.each_positive("damping", damping),
        validate.each_at_least("square_frequency", square_frequency, 0),
    )
    shape = t.shape
    t, g, w2 = t.ravel(), g.ravel(), w2.ravel()
    found = np.empty(t.shape)
    square = g**2 - w2
    early = (g + np.sqrt(np.abs(square))) * t < 0.5
    near = ~early & (square < _NEAR * g**2)
    for part, form in ((early, _early), (near, _oscillating), (~early & ~near, _overdamped)):
        if part.any():
            found[part] = form(t[part], g[part], w2[part], square[part])
    return found.reshape(shape)


def _early(t, g, w2, _):
    """Power series; its coefficients are the complete symmetric polynomials of the two rates."""
    before, now, power, total = np.zeros(t.shape), np.ones(t.shape), t**2 / 2, np.zeros(t.shape)
    for n in range(3, 20):
        total = total + now * power
        before, now = now, 2 * g * now - w2 * before
        power = -power * t / n
    return total


def _oscillating(t, g, w2, square):
    gap = np.sqrt(np.abs(square))
    angle = gap * t
    zero, safe = angle == 0, np.where(angle == 0, 1, angle)
    wave = np.exp(-g * t) * (np.cos(angle) + g * t * np.where(zero, 1, np.sin(safe) / safe))
    # just above critical damping, with decaying exponentials only
    grow, fade = np.where(square > 0, gap, 0), np.where(square > 0, -2 * angle, 0)
    sinh = np.where(zero, 1, -np.expm1(fade) / (2 * safe))
    real = np.exp((grow - g) * t) * ((1 + np.exp(fade)) / 2 + g * t * sinh)
    return (1 - np.where(square > 0, real, wave)) / w2


def _overdamped(t, g, w2, square):
    gap = 2 * np.sqrt(square)
    large = g + gap / 2
    small = w2 / large
    safe = np.where(small == 0, 1, small)
    low = np.where(small == 0, t, -np.expm1(-small * t) / safe)
    return (low + np.expm1(-large * t) / large) / gap
