"""The barrier w(c; zeta) that SGD with momentum has to pass to reach the loss c L*."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.large_deviations import quasi_potential
from sgdescape.momentum_escape.theory._extremals import lower_envelope, turns
from sgdescape.momentum_escape.theory.pushes import input_law, normal_push

SMALLEST, LARGEST = 1e-2, 8.0  # damping between which extremals are followed
REACH = (6.0, 30.0, 200.0, 2000.0)  # loss ratios up to which they are


@door
def barrier(loss_ratio, *, damping, kurtosis=3.0, inputs="gaussian"):
    r"""Return w with log t = w/T for T -> 0 at fixed damping, Eq. (momentum-barrier).

    t is the mean first time at which the loss is c times its minimum, for SGD with momentum on
    fresh samples of one direction. Damping 0 is the limit of weak friction, Eq. (momentum-weak),
    damping infinity that of none but friction, V(c) of chapter `large_deviations`.

    Args:
        loss_ratio: c >= 1, at most 2000 where 0 < damping < infinity.
        damping: zeta >= 0, infinity allowed; broadcasts with c.
        kurtosis: of the inputs; a value other than 3 at damping 0 only.
        inputs: "gaussian", "uniform" or "rademacher"; for the last w = c - 1 at every damping.

    Returns:
        w; between damping 0.01 and 8 within 1e-3 of its value for c <= 100, beyond by
        interpolation to the limits.

    Raises:
        ValueError: if an argument lies outside its range, or the kurtosis does not fit the inputs.

    Example:
        >>> print(np.round(barrier([1.5, 3.0], damping=0.0), 4))
        [0.4463 1.3863]
        >>> print(np.round(barrier([1.5, 3.0], damping=np.inf), 4))
        [0.5    1.3618]
    """
    c, zeta = _ratio_and_damping(loss_ratio, damping)
    k = validate.within("kurtosis", kurtosis, low=1)
    validate.one_of("inputs", inputs, ("gaussian", "uniform", "rademacher"))
    push = input_law(inputs)
    if np.any(k != 3) and (inputs != "gaussian" or np.any(zeta > 0)):
        raise ValueError(
            "kurtosis may differ from 3 at damping 0 and without inputs only: elsewhere the whole "
            f"law of the inputs counts, so name it by inputs=: got kurtosis={kurtosis!r}"
        )
    if inputs == "rademacher":
        return _plain(c - 1 + 0 * zeta)
    if inputs == "gaussian":
        return _plain(_joined(c, zeta, push, weak=weak_friction(c, k), strong=quasi_potential(c)))
    return _plain(_joined(c, zeta, push, weak=weak_friction(c, push.kurtosis), strong=c - 1))


@door
def diffusion_barrier(loss_ratio, *, damping, kurtosis=2.0):
    r"""Return w of the SDE with momentum whose noise has this kurtosis, instead of real samples.

    Mori et al. decouple the noise: kurtosis 2. Without momentum, Eq. (momentum-log), that is log c.

    Args:
        loss_ratio: c >= 1, at most 6 where 0 < damping < infinity.
        damping: zeta >= 0, infinity allowed; broadcasts with c.
        kurtosis: at least 1.

    Raises:
        ValueError: if an argument lies outside its range.

    Example:
        >>> print(np.round(diffusion_barrier(3.0, damping=[0.0, np.inf]), 4))
        [1.6219 1.0986]
    """
    c, zeta = _ratio_and_damping(loss_ratio, damping)
    k = float(validate.within("kurtosis", kurtosis, low=1))
    if np.any(c[(zeta > 0) & np.isfinite(zeta)] > REACH[0]):
        raise ValueError(
            f"loss_ratio must be at most {REACH[0]:g} at a damping between 0 and infinity: got "
            f"{float(c.max()):g}"
        )
    strong = _scaled_log(k - 1, c - 1)
    weak = weak_friction(c, k)
    return _plain(_joined(c, zeta, normal_push(k), weak=weak, strong=strong))


@door
def weak_friction(loss_ratio, kurtosis):
    r"""Return the barrier at damping 0, (4/k) log(1 + k (c - 1)/4), k = kurtosis - 1.

    Eq. (momentum-weak): the energy's diffusion, averaged over the swings.

    Args:
        loss_ratio: c >= 1.
        kurtosis: of inputs or noise, at least 1; 1 gives c - 1.

    Example:
        >>> print(np.round(weak_friction(3.0, [1.0, 2.0, 3.0]), 4))
        [2.     1.6219 1.3863]
    """
    c = validate.within("loss_ratio", loss_ratio, low=1)
    k = validate.within("kurtosis", kurtosis, low=1) - 1
    return _scaled_log(k / 4, c - 1)


@door
def gibbs_barrier(loss_ratio):
    """Return c - 1, the exponent of Kunin et al.'s Gibbs law exp(-kappa Psi), at every damping."""
    return validate.within("loss_ratio", loss_ratio, low=1) - 1


def _scaled_log(k, x):
    """log(1 + k x) / k, also at k = 0."""
    k, x = np.broadcast_arrays(np.asarray(k, float), x)
    return np.where(k > 0, np.log1p(k * x) / np.where(k > 0, k, 1), x)


def _joined(c, zeta, push, *, weak, strong):
    """Values at each damping: extremals within their range, the limits joined beyond it."""
    c, zeta, weak, strong = np.broadcast_arrays(c, zeta, weak, strong)
    out = np.where(zeta == 0, weak, strong).astype(float)
    inner = (zeta > 0) & np.isfinite(zeta)
    if np.any(c[inner] > REACH[-1]):
        raise ValueError(
            f"loss_ratio must be at most {REACH[-1]:g} at a damping between 0 and infinity: got "
            f"{float(c[inner].max()):g}"
        )
    for value in np.unique(zeta[inner]):
        here = inner & (zeta == value)
        nearest = float(np.clip(value, SMALLEST, LARGEST))
        found = _followed(push, nearest, c[here])
        if value < SMALLEST:  # corrections are of order zeta^2
            found = weak[here] + (found - weak[here]) * (value / SMALLEST) ** 2
        elif value > LARGEST:  # and of 1/zeta^2
            found = strong[here] + (found - strong[here]) * (LARGEST / value) ** 2
        out[here] = found
    return out


def _followed(push, zeta, c):
    largest = next(r for r in REACH if r >= c.max())
    found = lower_envelope(turns(push, zeta, largest), c - 1)
    if np.isnan(found).any():
        where = float(c[np.isnan(found)][0])
        raise RuntimeError(f"no extremal turns at c = {where:g} for damping {zeta:g}")
    return found


def _ratio_and_damping(loss_ratio, damping):
    c = validate.within("loss_ratio", loss_ratio, low=1)
    zeta = validate.real("damping", damping)
    bad = ~(zeta >= 0)
    if zeta.size == 0 or bad.any():
        value = float(zeta[bad].flat[0]) if zeta.size else None
        raise ValueError(f"damping must be at least 0, infinity allowed: got {value}")
    return np.broadcast_arrays(c, zeta)


def _plain(values):
    values = np.asarray(values, dtype=np.float64)
    return float(values) if values.ndim == 0 else values
