"""Appendix B checked by computer algebra: each function returns an expression that must be zero."""

import sympy as sp

_Z, _W = sp.symbols("z w", real=True)  # two coordinates, z along the escape axis
_T1, _T2 = sp.symbols("T_1 T_2", positive=True)
_H, _HS, _L, _LS, _C = sp.symbols("h h_s L L_s c", positive=True)
_ETA, _B = sp.symbols("eta B", positive=True)


def fokker_planck():
    r"""Return Eqs. (21) and (22) minus the Fokker-Planck equation of Eq. (14), any U and P.

    The latter is the adjoint of dU.grad: moved by parts, once a first and twice a second
    derivative.
    """
    potential, density = sp.Function("U")(_Z, _W), sp.Function("P")(_Z, _W)
    divergence, adjoint = 0, 0
    for x, temperature in ((_Z, _T1), (_W, _T2)):
        slope = sp.diff(potential, x)
        divergence += sp.diff(-slope * density - temperature * sp.diff(density, x), x)
        adjoint += sp.diff(slope * density, x) + temperature * sp.diff(density, x, 2)
    return sp.simplify(-divergence - adjoint)


def mixed_derivative():
    """Return the mixed derivative of log L for a separable L, minus Eq. (19)."""
    first, second = sp.Function("L_1")(_Z), sp.Function("L_2")(_W)
    loss = _L + first + second
    claimed = -sp.diff(first, _Z) * sp.diff(second, _W) / loss**2
    return sp.simplify(sp.diff(sp.log(loss), _Z, _W) - claimed)


def log_curvature():
    """Return the second derivative of log L at a stationary point, minus Eq. (20) or (23)."""
    third = sp.Symbol("third", real=True)
    loss = _L + _H * _Z**2 / 2 + third * _Z**3
    return sp.simplify(sp.diff(sp.log(loss), _Z, 2).subs(_Z, 0) - _H / _L)


def integrability():
    """Return what spoils Eq. (25): the mixed derivatives of log P that it asks for, over that of U.

    Zero only for equal temperatures: otherwise U must have no mixed derivative.
    """
    potential = sp.Function("U")(_Z, _W)
    along, across = -sp.diff(potential, _Z) / _T1, -sp.diff(potential, _W) / _T2
    curl = sp.diff(along, _W) - sp.diff(across, _Z)
    return sp.simplify(curl / sp.diff(potential, _Z, _W))


def product_density():
    """Return the current of Eq. (26) for a separable U: zero by Eq. (25)."""
    first, second = sp.Function("U_1")(_Z), sp.Function("U_2")(_W)
    density = sp.exp(-first / _T1 - second / _T2)
    return sp.simplify(-sp.diff(first, _Z) * density - _T1 * sp.diff(density, _Z))


def gaussian_factor():
    """Return the integral of the parabola of Eq. (26), minus Eq. (28)."""
    temperature = _ETA * _H / _B
    integrand = sp.exp(-(_H / _L) * _Z**2 / (2 * temperature))
    integral = sp.integrate(integrand, (_Z, -sp.oo, sp.oo))
    return sp.simplify(integral - sp.sqrt(2 * sp.pi * _ETA * _L / _B))


def current_across():
    """Return the current off the axis for a separable loss, minus Eq. (32), over P.

    Zero on the line across the saddle, where the slope of L along the axis vanishes; zero
    everywhere for a separable log-loss.
    """
    first, second = sp.Function("L_1")(_Z), sp.Function("L_2")(_W)
    on_axis = sp.diff(sp.log(first), _Z)
    off_axis = sp.diff(sp.log(first + second), _Z)
    return sp.simplify(off_axis - on_axis)


def constant_current():
    """Return the current (31) of the density of Eq. (34), minus the constant J it was made with."""
    potential, rest = sp.Function("U")(_Z), sp.Function("I")(_Z)
    current = sp.Symbol("J", positive=True)
    density = current / _T1 * sp.exp(-potential / _T1) * rest
    found = -sp.diff(potential, _Z) * density - _T1 * sp.diff(density, _Z)
    return sp.simplify(found.subs(sp.diff(rest, _Z), -sp.exp(potential / _T1)) - current)


def integrating_factor():
    r"""Return d(exp(U/T) P)/dz + exp(U/T) J/T, whose integral is Eq. (35)."""
    potential, density = sp.Function("U")(_Z), sp.Function("P")(_Z)
    current = -sp.diff(potential, _Z) * density - _T1 * sp.diff(density, _Z)
    grown = sp.exp(potential / _T1)
    return sp.simplify(sp.diff(grown * density, _Z) + grown * current / _T1)


def saddle_gaussian():
    """Return the integral of the parabola at the saddle, minus Eq. (36)."""
    temperature = _ETA * _H / _B
    integrand = sp.exp(-(_HS / _LS) * _Z**2 / (2 * temperature))
    integral = sp.integrate(integrand, (_Z, -sp.oo, sp.oo))
    return sp.simplify(integral - sp.sqrt(2 * sp.pi * _ETA * _H * _LS / (_B * _HS)))


def axis_current():
    """Return Eq. (35) with the integral of Eq. (36), minus Eq. (37), without the power of c."""
    temperature = _ETA * _H / _B
    integral = sp.sqrt(2 * sp.pi * _ETA * _H * _LS / (_B * _HS))
    claimed = sp.sqrt(_ETA * _H * _HS / (2 * sp.pi * _B * _LS))
    return sp.simplify(temperature / integral - claimed)


def rate():
    """Return Eq. (24) with Eqs. (29) and (38), minus Eq. (39): n = 3, with all curvatures."""
    transverse = sp.symbols("h_1:3", positive=True)
    at_saddle = sp.symbols("s_1:3", positive=True)
    along = sp.sqrt(_ETA * _H * _HS / (2 * sp.pi * _B * _LS))
    current = along
    for h, s in zip(transverse, at_saddle, strict=True):
        current *= sp.sqrt(2 * sp.pi * _ETA * h * _LS / (_B * s))
    mass = sp.sqrt(2 * sp.pi * _ETA * _L / _B) ** 3
    claimed = sp.sqrt(_H * _HS) / (2 * sp.pi) * sp.sqrt(_LS / _L)
    for h, s in zip(transverse, at_saddle, strict=True):
        claimed *= sp.sqrt(h / s)
    return sp.simplify(sp.powdenest(_L * current / mass / claimed, force=True) - 1)


def riccati():
    r"""Return what is left of the Hamilton-Jacobi equation, curved once across, and Eq. (riccati).

    The density exp(-Phi B/eta) needs sum_i h_i (d_i Phi)^2 = sum_i d_i U d_i Phi. On the axis its
    slope is U'/h; the curvature across it is g/L.
    """
    rho = sp.Symbol("rho", positive=True)
    exponent, potential, width, loss = _around_axis(rho)

    def slope(f, x):
        return sp.diff(f, x)

    equation = sum(
        h * slope(exponent, x) ** 2 - slope(potential, x) * slope(exponent, x)
        for h, x in ((_H, _Z), (rho * _H, _W))
    )
    across = sp.diff(equation, _W, 2).subs(_W, 0)
    steepness = sp.diff(loss, _Z) ** 2 / (2 * _H * loss)
    per_log_loss = sp.diff(width, _Z) * loss / sp.diff(loss, _Z)
    claimed = steepness * (per_log_loss - width + rho) + rho * (width**2 - width)
    return sp.simplify(across * loss**2 / (2 * _H) - claimed)


def transport():
    """Return the next order of the stationary equation on the axis, minus Eq. (amplitude)."""
    rho, weak = sp.symbols("rho epsilon", positive=True)
    exponent, potential, width, loss = _around_axis(rho)
    amplitude = sp.Function("K")(_Z)
    density = amplitude * sp.exp(-exponent / weak)
    equation = sum(
        sp.diff(sp.diff(potential, x) * density, x) + weak * h * sp.diff(density, x, 2)
        for h, x in ((_H, _Z), (rho * _H, _W))
    )
    on_axis = sp.expand(sp.simplify((equation / density).subs(_W, 0))).coeff(weak, 0)
    steepness = sp.diff(loss, _Z) ** 2 / (2 * _H * loss)
    per_log_loss = sp.diff(amplitude, _Z) / amplitude * loss / sp.diff(loss, _Z)
    claimed = rho * (1 - width) / (2 * steepness)
    return sp.simplify(on_axis * loss**2 / sp.diff(loss, _Z) ** 2 + per_log_loss - claimed)


def _around_axis(rho):
    """Phi and U to second order across the axis, g and L on it; h_j = rho h, a separable L."""
    loss = sp.exp(sp.Function("U")(_Z))
    width = sp.Function("g")(_Z)
    potential = sp.log(loss) + rho * _H * _W**2 / (2 * loss)
    exponent = sp.log(loss) / _H + width * _W**2 / (2 * loss)
    return exponent, potential, width, loss


CHECKS = {
    "19": mixed_derivative,
    "20": log_curvature,
    "21": fokker_planck,
    "22": fokker_planck,
    "23": log_curvature,
    "26": product_density,
    "28": gaussian_factor,
    "31": constant_current,
    "34": constant_current,
    "35": integrating_factor,
    "36": saddle_gaussian,
    "37": axis_current,
    "39": rate,
    "riccati": riccati,
    "amplitude": transport,
}
"""Equation -> the function whose value must be zero."""
