"""The losses on which the chapter tests the theorem: a valley, a true saddle, a way out.

Along the escape direction the loss is a quartic whose curvatures at the minimum and at the saddle
can be chosen; across it, it is a parabola. Two combinations of the same parts differ only in what
separates: the loss (`separable_loss`) or its logarithm (`separable_log_loss`).
"""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@dataclass(frozen=True)
class Landscape:
    """A valley with its minimum at z = 0 and a saddle on the positive z_e axis.

    The loss along the axis has the slope L' = h z (1 - u)(1 - (1 - r) u) with u = z/z_s, h the
    curvature at the minimum and -r h that at the saddle. For r = 1/2 it is a symmetric double
    well, for r = 1 a cubic.

    Args:
        loss_ratio: c = L(saddle)/L(minimum), above 1.
        minimum_loss: L*, positive, unit of the loss.
        curvature_minimum: h_e*, positive, loss/parameter^2.
        curvature_saddle: h_e^s, negative, in [-h_e*, -h_e*/2]: so that beyond the saddle the loss
            falls back to L* and below.
        transverse: curvatures h_j* of the other directions (n - 1,), positive; the same at the
            saddle if the loss separates.

    Raises:
        ValueError: for a value outside its range.
    """

    loss_ratio: float = 4.0
    minimum_loss: float = 0.5
    curvature_minimum: float = 1.0
    curvature_saddle: float = -0.5
    transverse: tuple[float, ...] = ()

    def __post_init__(self):
        """Refuse what is no valley."""
        if not validate.positive("loss_ratio", self.loss_ratio) > 1:
            raise ValueError(f"loss_ratio must be above 1: got {self.loss_ratio}")
        validate.positive("minimum_loss", self.minimum_loss)
        h = validate.positive("curvature_minimum", self.curvature_minimum)
        saddle = validate.within("curvature_saddle", self.curvature_saddle)
        if saddle.ndim or not -h <= saddle <= -h / 2:
            raise ValueError(
                f"curvature_saddle must lie in [{-h:g}, {-h / 2:g}]: got {self.curvature_saddle}"
            )
        for curvature in validate.row("transverse", self.transverse, least=0):
            validate.positive("transverse", curvature)

    @property
    def dimension(self) -> int:
        """Number n of directions with curvature."""
        return 1 + len(self.transverse)

    @property
    def ratio(self) -> float:
        """r = |h_e^s|/h_e*."""
        return -self.curvature_saddle / self.curvature_minimum

    @property
    def saddle(self) -> float:
        """Position z_e^s of the saddle."""
        height = 12 * (self.loss_ratio - 1) * self.minimum_loss
        return float(np.sqrt(height / (self.curvature_minimum * (1 + self.ratio))))

    @property
    def crossing(self) -> float:
        """Position z_e^c beyond the saddle where the loss is back at L*."""
        middle = (2 - self.ratio) / 3
        root = np.sqrt(max(middle**2 - (1 - self.ratio) / 2, 0.0))
        return float(self.saddle / (middle + root))


def valley(config, **changes) -> Landscape:
    """Return the chapter's valley in one dimension, or with what is changed.

    Args:
        config: with ``loss_ratio``, ``minimum_loss`` and ``curvature_saddle``.
        changes: other arguments of `Landscape`, for example transverse=(0.5,).
    """
    names = ("loss_ratio", "minimum_loss", "curvature_saddle")
    return Landscape(**{name: getattr(config, name) for name in names} | changes)


@door
def path_loss(landscape: Landscape, z):
    """Return the loss on the escape axis.

    Args:
        landscape: the valley.
        z: positions z_e, any shape.

    Example:
        >>> valley = Landscape(loss_ratio=4.0, minimum_loss=0.5)
        >>> path_loss(valley, np.array([0.0, valley.saddle, valley.crossing])).round(12)
        array([0.5, 2. , 0.5])
    """
    u = validate.finite("z", z) / landscape.saddle
    rise = landscape.curvature_minimum * landscape.saddle**2 * axis_profile(landscape.ratio, u)[0]
    return landscape.minimum_loss + rise


@door
def path_slope(landscape: Landscape, z):
    """Return the derivative of `path_loss`."""
    u = validate.finite("z", z) / landscape.saddle
    slope = axis_profile(landscape.ratio, u)[1]
    return landscape.curvature_minimum * landscape.saddle * slope


def axis_profile(ratio, u):
    """Return rise, slope and bend of the loss on the axis, in units of h z_s^2, h z_s and h.

    Unchecked, for inner loops: `path_loss` and `path_slope` are the rise and the slope.

    Args:
        ratio: r of the landscape.
        u: z/z_s, any shape.

    Example:
        >>> print(*(round(value, 12) for value in axis_profile(0.5, 1.0)))  # the saddle
        0.125 0.0 -0.5
    """
    rise = u * u * (1 / 2 - u * ((2 - ratio) / 3 - u * (1 - ratio) / 4))
    slope = u * (1 - u) * (1 - (1 - ratio) * u)
    bend = 1 - u * (2 * (2 - ratio) - 3 * (1 - ratio) * u)
    return rise, slope, bend


def transverse_loss(landscape: Landscape, y):
    """Return the parabola across the axis, L_perp = sum_j h_j y_j^2 / 2.

    Args:
        landscape: the valley.
        y: one array a transverse direction, of shapes that broadcast.
    """
    return sum(h * np.square(z) / 2 for h, z in zip(landscape.transverse, y, strict=True))


@door
def separable_loss(landscape: Landscape, z, *y):
    """Return L = L_e(z_e) + sum_j L_j(z_j), the first reading of Eq. (19).

    Args:
        landscape: the valley.
        z: positions along the axis.
        y: one array a transverse direction.

    Example:
        >>> valley = Landscape(transverse=(2.0,))
        >>> float(separable_loss(valley, 0.0, 1.0))
        1.5
    """
    return path_loss(landscape, z) + transverse_loss(landscape, y)


@door
def separable_log_loss(landscape: Landscape, z, *y):
    """Return L with log L = U_e(z_e) + sum_j U_j(z_j), the second reading of Eq. (19).

    It has the minimum, the saddle, the curvatures at the minimum and the loss on the axis of
    `separable_loss`; but its transverse curvatures at the saddle are c times larger.

    Args:
        landscape: the valley.
        z: positions along the axis.
        y: one array a transverse direction.

    Example:
        >>> valley = Landscape(transverse=(2.0,))
        >>> float(separable_log_loss(valley, 0.0, 1.0))
        1.5
    """
    across = 1.0
    for h, position in zip(landscape.transverse, y, strict=True):
        across = across * (1 + h * np.square(position) / (2 * landscape.minimum_loss))
    return path_loss(landscape, z) * across
