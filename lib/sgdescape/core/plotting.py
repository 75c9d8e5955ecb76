"""The look of every figure: importing this module sets the style.

Theory is drawn as lines, measurement as points with intervals. Colours are those of Okabe
and Ito (2008), which readers with any common colour vision tell apart; series differ in marker or
line style too where they may overlap.
"""

import sys
from pathlib import Path

import matplotlib
import matplotlib.style
import matplotlib.ticker
import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = [
    "COLOURS",
    "FIGURE_SIZES",
    "POINTS",
    "SHOWN_LEVEL",
    "figure",
    "line",
    "log_axes",
    "points",
    "points_style",
    "power_guide",
    "theory",
]

matplotlib.style.use(Path(__file__).with_name("sgdescape.mplstyle"))
if "ipykernel" in sys.modules:
    from sgdescape.core import page_figures  # here: its parts of matplotlib take time to load

    page_figures.show()

COLOURS = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "orange": "#E69F00",
    "black": "#000000",
}
"""Okabe-Ito without yellow, which is invisible on white; the first four reach 3:1 on white."""

FIGURE_SIZES = {
    "single": (6.0, 3.7),
    "double": (9.0, 3.7),
    "triple": (9.6, 3.2),
    "tall": (6.0, 6.0),
}
"""Width and height in inches of figures with one, two or three panels side by side, or two rows."""

POINTS = {"ls": "none", "marker": "o", "ms": 4.5, "color": COLOURS["black"], "zorder": 3}
"""Arguments of measured points, for `Axes.plot` and `Axes.errorbar`."""

SHOWN_LEVEL = 0.95
"""Of the intervals that figures draw, as readers expect it; claims use a higher one."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def line(index: int) -> dict:
    """Return the arguments of the line number ``index`` of a figure, from 0: its colour.

    Example:
        >>> line(1)
        {'color': '#D55E00'}
    """
    validate.count("index", index, low=0)
    return {"color": list(COLOURS.values())[index % len(COLOURS)]}


def points_style(index: int) -> dict:
    """Return the arguments of the measured series number ``index``: colour and marker differ."""
    return POINTS | line(index) | {"marker": MARKERS[index % len(MARKERS)]}


@door
def figure(size: str = "single", *, rows: int = 1, columns: int = 1, **options):
    """Return a new figure and its axes.

    Args:
        size: a key of `FIGURE_SIZES`.
        rows: of panels.
        columns: of panels.
        options: further arguments of `matplotlib.pyplot.subplots`, for example ``sharey=True``.

    Returns:
        The figure, and its axes as `matplotlib.pyplot.subplots` gives them.

    Raises:
        ValueError: if there is no such size.
    """
    import matplotlib.pyplot as plt  # chooses a backend: not on import

    size = FIGURE_SIZES[validate.one_of("size", size, FIGURE_SIZES)]
    return plt.subplots(rows, columns, figsize=size, **options)


@door
def points(ax, x, value, low=None, high=None, **style):
    """Draw measured values as points, with their intervals if given.

    Args:
        ax: matplotlib axes.
        x: (n,) positions; NaN or infinity leaves a gap.
        value: (n,) estimates; NaN or infinity leaves a gap.
        low: (n,) lower ends, or None; NaN or infinity leaves a gap.
        high: (n,) upper ends, or None; NaN or infinity leaves a gap.
        style: overrides `POINTS`, for example ``**points_style(1)``, ``label=...``.

    Returns:
        The axes.

    Raises:
        TypeError: if something holds no real numbers.
        ValueError: if only one end is given, or an interval does not contain its value.
    """
    if (low is None) != (high is None):
        raise ValueError("low and high must be given together")
    x, value = validate.real("x", x), validate.real("value", value)
    if low is None:
        ax.plot(x, value, **(POINTS | style))
        return ax
    bars = np.stack([value - validate.real("low", low), validate.real("high", high) - value])
    if np.any(bars < 0):
        raise ValueError(f"every interval must contain its value: {np.sum(bars < 0)} ends do not")
    ax.errorbar(x, value, bars, **(POINTS | style))
    return ax


@door
def theory(ax, x, y, **style):
    """Draw a prediction as a line without points; on top of it the measured points stay visible.

    Args:
        ax: matplotlib axes.
        x: (n,) positions; NaN or infinity leaves a gap.
        y: (n,) predictions; NaN or infinity leaves a gap.
        style: further arguments of `Axes.plot`, for example ``**line(0)``, ``label=...``.

    Returns:
        The axes.

    Raises:
        TypeError: if something holds no real numbers.
    """
    for name, values in {"x": x, "y": y}.items():
        validate.real(name, values)
    ax.plot(x, y, **({"marker": "", "zorder": 2} | style))
    return ax


@door
def log_axes(ax, axes: str = "xy"):
    """Make axes logarithmic, labelled in powers of ten (1, 2, 5 within a decade and a half).

    Beyond two and a half decades there are no ticks between the powers, which say enough there: to
    place such ticks takes longer than to draw all the rest.

    Args:
        ax: matplotlib axes, after drawing: the labels depend on the range.
        axes: "x", "y" or "xy".

    Returns:
        The axes.

    Raises:
        ValueError: for other names.
    """
    for name in validate.one_of("axes", axes, ("x", "y", "xy")):
        getattr(ax, f"set_{name}scale")("log")
        axis = getattr(ax, f"{name}axis")
        low, high = sorted(getattr(ax, f"get_{name}lim")())
        decades = np.log10(high / low)
        short = decades < 1.5  # powers alone would leave one label or none
        axis.set_major_locator(_locator(low, high, (1.0, 2.0, 5.0) if short else (1.0,)))
        if not short or low < 1e-2 or high >= 1e4:
            labels = matplotlib.ticker.LogFormatterSciNotation(minor_thresholds=(np.inf, np.inf))
        else:
            labels = matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}")
        axis.set_major_formatter(labels)
        axis.set_minor_formatter(matplotlib.ticker.NullFormatter())
        if decades > 2.5:
            axis.set_minor_locator(matplotlib.ticker.NullLocator())
    return ax


def _locator(low, high, digits):
    """Ticks at these leading digits, or a few round numbers where less than three would be seen."""
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    places = np.outer(powers, digits)
    if len(digits) > 1 and np.sum((places >= low) & (places <= high)) < 3:
        return matplotlib.ticker.MaxNLocator(4, steps=[1, 2, 5, 10])
    return matplotlib.ticker.LogLocator(base=10, subs=digits)


@door
def power_guide(ax, x, *, through, power: float, label: str = "", **style):
    """Draw a thin dashed line of a given log-log slope through a point, as a guide to the eye.

    Args:
        ax: matplotlib axes.
        x: (2,) or (n,) positions, positive.
        through: (x0, y0), positive, a point on the line.
        power: the slope p of y = y0 (x / x0)^p.
        label: in the legend.
        style: further arguments of `Axes.plot`.

    Returns:
        The axes.

    Raises:
        TypeError: if something holds no real numbers.
        ValueError: if a number is not finite, or not positive where it must be.
    """
    x, through = validate.each_positive("x", x), validate.each_positive("through", through)
    y = through[1] * (x / through[0]) ** float(validate.finite("power", power))
    default = {"color": "#555555", "ls": "--", "lw": 1.0, "zorder": 1, "label": label or None}
    ax.plot(x, y, **(default | style))
    return ax
