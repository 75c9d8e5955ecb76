"""Every step of Appendix B with what is left of it: zero by algebra, or an error that vanishes."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from sgdescape.core.doors import door
from sgdescape.core.fokker_planck import quadrature
from sgdescape.kramers_escape import landscape as losses
from sgdescape.kramers_escape.landscape import Landscape
from sgdescape.kramers_escape.theory import _algebra as algebra
from sgdescape.kramers_escape.theory import saddle, valley
from sgdescape.kramers_escape.theory.integrals import Quadrature

NOISES = (10, 40, 160)
"""B/(eta h_e*) at which the steps that hold for weak noise are tried."""


@dataclass(frozen=True)
class Step:
    """One equation and its check.

    Attributes:
        equation: its number in the paper.
        checked: what is compared, a few words.
        exact: True if nothing but rounding may be left.
        residuals: relative, one a value of `NOISES`; a single one for an exact step.
    """

    equation: str
    checked: str
    exact: bool
    residuals: tuple[float, ...]


@door
def steps(valley_shape: Landscape) -> tuple[Step, ...]:
    """Return the steps (18)-(40) with their residuals.

    Args:
        valley_shape: two directions of equal curvature; the quadratures are made on it.
    """
    weak = partial(_weak, valley_shape)
    return (
        Step("(18)", "there and back, Hessian diagonal", True, (_coordinates(),)),
        _algebra("19", "mixed derivative of log L, separable L"),
        _algebra("20", "curvature of U at the minimum"),
        _algebra("21", "conservation law of Eq. (14), any U"),
        _algebra("22", "its current"),
        _algebra("23", "curvature of U at the saddle"),
        weak("(24)", "mean time in both clocks over L*", _clocks),
        Step("(25)", "no current: density and slope agree", True, (_flux_free(valley_shape),)),
        _algebra("26", "no current of the product, separable U"),
        weak("(27)", "mass within 6 widths over that in V", _mass_inside),
        weak("(28)", "factor of the mass over its Gaussian", _factor),
        weak("(29)", "mass in two dimensions over Gaussian", _mass),
        weak("(30)", "density across the saddle at one width", _across),
        _algebra("31", "current of the density of (34)"),
        Step("(32)", "on the line across the saddle", True, (_on_saddle_line(),)),
        weak("(33)", "integral across over its Gaussian", _width),
        _algebra("34", "that current is the same everywhere"),
        _algebra("35", "integrating factor"),
        weak("(36)", "integral over the barrier over Gaussian", _barrier),
        weak("(37)", "exact current on the axis over it", _axis),
        Step("(38)", "(37) times the widths of (33)", True, (_outflow(valley_shape),)),
        _algebra("39", "(24) with (29) and (38), n = 3"),
        weak("(40)", "all integrals exact in (24), n = 2", _rate),
    )


@door
def table(found) -> str:
    """Return the steps as lines of text, residuals in powers that do not change with rounding."""
    noises = ", ".join(str(a) for a in NOISES)
    lines = [f"{'Eq.':5} {'checked':39} left at {noises}", "-" * 68]
    for step in found:
        if step.exact:
            clean = max(abs(r) for r in step.residuals) < 1e-9
            shown = "0" if clean else f"{step.residuals[0]:.1e}"
        else:
            shown = ", ".join(f"{r:+.4f}" if abs(r) >= 5e-5 else "0" for r in step.residuals)
        lines.append(f"{step.equation:5} {step.checked:39} {shown}")
    return "\n".join(lines)


def _algebra(equation, checked):
    return Step(f"({equation})", checked, True, (float(algebra.CHECKS[equation]()),))


def _weak(shape, equation, checked, ratio):
    return Step(equation, checked, False, tuple(ratio(shape, a) - 1 for a in NOISES))


def _rise(shape, z):
    return np.log(losses.path_loss(shape, z) / shape.minimum_loss)


def _across_rise(shape, y):
    """U(z_s, y) - U(z_s, 0) for a separable loss."""
    high = shape.loss_ratio * shape.minimum_loss
    return np.log1p(losses.transverse_loss(shape, (y,)) / high)


def _coordinates():
    rng = np.random.Generator(np.random.Philox(key=18))
    basis = np.linalg.qr(rng.normal(size=(5, 5)))[0][:3]
    minimum, z, h = rng.normal(size=5), rng.normal(size=(4, 3)), np.array([3.0, 2.0, 1.0])
    theta = valley.displacement(z, minimum=minimum, eigenvectors=basis)
    hessian = basis.T * h @ basis
    mixed = basis @ hessian @ basis.T - np.diag(h)
    return float(np.abs((theta - minimum) @ basis.T - z).max() + np.abs(mixed).max())


def _clocks(shape, noise):
    loss = partial(losses.path_loss, shape)
    ends = {"left": -2 * shape.saddle, "right": shape.crossing}
    t = quadrature.passage(
        lambda z: -losses.path_slope(shape, z), lambda z: loss(z) / noise, 0.0, **ends
    )
    tau = quadrature.passage(
        lambda z: -losses.path_slope(shape, z) / loss(z),
        lambda z: np.full_like(z, 1 / noise),
        0.0,
        **ends,
    )
    return float(np.exp(tau.log_time - t.log_time) / shape.minimum_loss)


def _flux_free(shape, noise=10):
    z = np.linspace(-1, shape.saddle, 50)
    slope = losses.path_slope(shape, z) / losses.path_loss(shape, z)
    density = valley.quasi_stationary([_rise(shape, z)], temperatures=[1 / noise])
    derivative = valley.flux_free_slope(slope, density, temperature=1 / noise)
    current = valley.probability_current(slope, density, derivative, temperature=1 / noise)
    return float(np.abs(current).max())


def _well(shape, noise):
    rule = Quadrature(-shape.saddle, shape.saddle)
    return rule.integral(
        valley.quasi_stationary([_rise(shape, rule.nodes)], temperatures=[1 / noise])
    )


def _gaussian(shape, noise):
    return float(
        valley.factor_integral(
            learning_rate=1 / noise, batch_size=1, minimum_loss=shape.minimum_loss
        )
    )


def _factor(shape, noise):
    return _well(shape, noise) / _gaussian(shape, noise)


def _mass_inside(shape, noise):
    near = 6 * np.sqrt(shape.minimum_loss / noise)
    rule = Quadrature(-near, near)
    inside = valley.quasi_stationary([_rise(shape, rule.nodes)], temperatures=[1 / noise])
    return rule.integral(inside) / _well(shape, noise)


def _mass(shape, noise):
    along = Quadrature(-shape.saddle, shape.saddle, 80)
    across = Quadrature(-3 * shape.saddle, 3 * shape.saddle, 120)
    z, y = along.nodes.ravel()[:, None], across.nodes.ravel()
    rise = np.log(losses.separable_loss(shape, z, y) / shape.minimum_loss)
    density = valley.quasi_stationary([rise], temperatures=[1 / noise])
    mass = valley.valley_mass(density, along.weights.ravel(), across.weights.ravel())
    gaussian = valley.well_mass(
        learning_rate=1 / noise, batch_size=1, minimum_loss=shape.minimum_loss, dimension=2
    )
    return float(mass / gaussian)


def _across(shape, noise):
    high, h = shape.loss_ratio * shape.minimum_loss, shape.transverse[0]
    width = np.sqrt(high / (noise * h))
    factor = saddle.transverse_factor(
        width, temperature=1 / noise, curvature_saddle=h, saddle_loss=high
    )
    return float(np.exp(-noise * _across_rise(shape, width)) / factor)


def _on_saddle_line():
    found = algebra.current_across()  # proportional to the slope of L along the axis
    return float(found.subs({d: 0 for d in found.atoms(algebra.sp.Derivative)}).doit())


def _exact_width(shape, noise):
    rule = Quadrature(-4 * shape.saddle, 4 * shape.saddle)
    return rule.integral(np.exp(-noise * _across_rise(shape, rule.nodes)))


def _gaussian_width(shape, noise):
    high = shape.loss_ratio * shape.minimum_loss
    return float(
        saddle.transverse_width(
            temperature=1 / noise, curvature_saddle=shape.transverse[0], saddle_loss=high
        )
    )


def _width(shape, noise):
    return _exact_width(shape, noise) / _gaussian_width(shape, noise)


def _over_barrier(shape, noise):
    rule = Quadrature(0.0, shape.crossing)
    return rule.integral(np.exp(noise * _rise(shape, rule.nodes)))


def _weak_terms(shape, noise):
    return dict(
        temperature=1 / noise,
        curvature_saddle=shape.curvature_saddle,
        saddle_loss=shape.loss_ratio * shape.minimum_loss,
    )


def _barrier(shape, noise):
    closed = saddle.saddle_integral(shape.loss_ratio, **_weak_terms(shape, noise))
    return float(_over_barrier(shape, noise) / closed)


def _axis(shape, noise):
    exact = saddle.axis_current(_over_barrier(shape, noise), temperature=1 / noise)
    return float(exact / saddle.weak_axis_current(shape.loss_ratio, **_weak_terms(shape, noise)))


def _outflow(shape, noise=10):
    current = saddle.weak_axis_current(shape.loss_ratio, **_weak_terms(shape, noise))
    width = _gaussian_width(shape, noise)
    high, h = shape.loss_ratio * shape.minimum_loss, -shape.curvature_saddle
    closed = np.sqrt(h / shape.transverse[0]) / noise * shape.loss_ratio**-noise
    return float(saddle.outflow(current, [width]) / closed - 1) if high > 0 else np.nan


def _rate(shape, noise):
    current = saddle.axis_current(_over_barrier(shape, noise), temperature=1 / noise)
    outflow = saddle.outflow(current, [_exact_width(shape, noise)])
    mass = _mass(shape, noise) * valley.well_mass(
        learning_rate=1 / noise, batch_size=1, minimum_loss=shape.minimum_loss, dimension=2
    )
    found = valley.rate_from_currents(outflow, mass, minimum_loss=shape.minimum_loss)
    closed = saddle.rate_with_curvatures(
        shape.loss_ratio,
        learning_rate=1 / noise,
        batch_size=1,
        curvatures_minimum=(shape.curvature_minimum, *shape.transverse),
        curvatures_saddle=(shape.curvature_saddle, *shape.transverse),
    )
    return float(found / closed)
