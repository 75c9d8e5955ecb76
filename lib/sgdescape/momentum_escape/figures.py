"""The figures of chapter `momentum_escape`: theory as lines, measurement as points.

Every function draws into given axes and returns them.
"""

import numpy as np

from sgdescape.core import plotting
from sgdescape.core.doors import door
from sgdescape.core.plotting import SHOWN_LEVEL
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.momentum_escape import estimates
from sgdescape.momentum_escape.theory import plane, scales
from sgdescape.momentum_escape.theory.barrier import barrier, weak_friction
from sgdescape.momentum_escape.theory.minimum_action import minimum_action
from sgdescape.momentum_escape.theory.tail import tail_slope

_GREY = "#767676"
_BETWEEN = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.6, 2.5, 4.0, 8.0)


@door
def paths(ax, *, loss_ratio=3.0):
    """Draw the cheapest ways to a loss ratio: swinging, critical and creeping."""
    for index, (zeta, points, swings) in enumerate(
        ((0.1, 2000, None), (0.3, 1000, None), (1.0, 1200, 9.0))
    ):
        _, times, path = minimum_action(loss_ratio, damping=zeta, points=points, swings=swings)
        shown = times > times[-1] - 38
        ax.plot(times[shown] - times[-1], path[shown], label=rf"$\zeta={zeta:g}$",
                ls=("-", "--", ":")[index], **plotting.line(index))  # fmt: skip
    ax.axhline(np.sqrt(loss_ratio - 1), color=_GREY, lw=1)
    ax.set_xlabel("time before the passage, in units of the swing")
    ax.set_ylabel(r"$(\theta-\theta^*)\sqrt{h}/\sigma$")
    ax.legend()
    return ax


@reads_dataset
def between(dataset, ax, *, loss_ratio=3.0):
    """Draw the barrier against the damping, between its limits, with measured slopes."""
    zeta = np.array(_BETWEEN)
    w = [barrier(loss_ratio, damping=z) for z in zeta]
    ax.plot(zeta, w, label="normal inputs", **plotting.line(0))
    few = zeta[[0, 3, 5, 7, 8, 10]]
    w = [barrier(loss_ratio, damping=z, inputs="uniform") for z in few]
    ax.plot(few, w, ls="-.", label="uniform inputs", **plotting.line(2))
    ends = (zeta[0] / 1.6, zeta[-1] * 1.6)
    limits = barrier(loss_ratio, damping=np.array([0, np.inf]))
    ax.plot(ends, limits, marker="d", ls="none", label="its limits", **plotting.line(0))
    ax.axhline(loss_ratio - 1, ls="--", label="$c-1$: Gibbs; inputs ±1", **plotting.line(1))
    ax.axhline(np.log(loss_ratio), ls=":", label=r"$\log c$: Mori et al.", **plotting.line(3))
    for cell in np.flatnonzero(dataset.loss_ratio.values == loss_ratio):
        found = estimates.cell_slope(dataset, cell, level=SHOWN_LEVEL)
        plotting.points(ax, [float(dataset.damping[cell])], [found.value], [found.low],
                        [found.high])  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlabel(r"damping $\zeta$")
    ax.set_ylabel(rf"barrier to $L={loss_ratio:g}L^*$, units of $T$")
    ax.set_ylim(0.6, 2.1)
    ax.legend(loc="lower right", fontsize=8, ncols=2)
    return ax


@door
def curves(ax):
    """Draw the barrier against the loss ratio at several dampings."""
    c = np.geomspace(1.01, 100, 120)
    ax.plot(c, c - 1, ls="--", color=_GREY, label="$c-1$: Gibbs law")
    for index, (zeta, style) in enumerate(((0.0, "-"), (0.3, "--"), (1.0, "-."), (np.inf, ":"))):
        label = r"$\zeta=\infty$" if np.isinf(zeta) else rf"$\zeta={zeta:g}$"
        ax.plot(c, barrier(c, damping=zeta), ls=style, label=label, **plotting.line(index))
    ax.set_xscale("log")
    ax.set_ylim(0, 8)
    ax.set_xlabel("loss ratio $c$")
    ax.set_ylabel(r"barrier $w(c;\zeta)$")
    ax.legend()
    return ax


@reads_dataset
def tail(dataset, ax):
    """Draw the stationary law of the energy: share of time beyond, against both laws."""
    e = np.linspace(0, float(dataset.energy.max()), 100)
    from_zero = np.concatenate([[1.0], dataset.energy_tail.values])
    gibbs = np.exp(-e / provenance.settings(dataset).tail_temperature)
    at = np.concatenate([[0.0], dataset.energy.values])
    fine = np.exp(np.interp(e, at, np.log(from_zero)))
    ax.plot(e, fine, label="power law of weak friction", **plotting.line(0))
    ax.plot(e, gibbs, ls="--", label=r"Gibbs law $e^{-\kappa\Psi}$", **plotting.line(1))
    found = [estimates.tail_share(dataset, x, level=SHOWN_LEVEL) for x in dataset.energy.values]
    plotting.points(
        ax, dataset.energy.values, [f.value for f in found],
        [max(f.low, 1e-7) for f in found], [f.high for f in found],
    )  # fmt: skip
    ax.set_yscale("log")
    ax.set_xlabel(r"energy $T\kappa\Psi$")
    ax.set_ylabel("share of time beyond it")
    ax.legend()
    return ax


@reads_dataset
def far(dataset, ax):
    """Draw the slope of the barrier in log c far out, with what discrete SGD has at small T."""
    zeta = np.geomspace(0.01, 100, 121)
    ax.plot(zeta, tail_slope(zeta), label="theory", **plotting.line(0))
    ax.axhline(tail_slope(np.inf), ls="--", label="without momentum", **plotting.line(1))
    few, ends = np.array([0.03, 0.1, 0.3, 0.6]), np.array([200.0, 2000.0])
    slopes = [np.diff(barrier(ends, damping=z))[0] / np.log(10) for z in few]
    ax.plot(few, slopes, **(plotting.points_style(0) | {"label": "barrier, $c$ from 200 to 2000"}))
    index = dataset.scaled_index.values
    at = np.full(index.size, provenance.settings(dataset).index_damping)
    style = plotting.points_style(2) | {"label": "$T$ times the exact index"}
    ax.plot(at, index, **style)
    ax.set_xscale("log")
    ax.set_xlabel(r"damping $\zeta$")
    ax.set_ylabel(r"$A(\zeta)$")
    ax.legend()
    return ax


@door
def orbits(ax):
    """Draw the barrier of two equal directions: line, circle and the optimum, decoupled noise."""
    c = np.geomspace(1.2, 100, 100)
    ax.plot(c, weak_friction(c, 2.0), ls="--", label="along one line", **plotting.line(1))
    ax.plot(c, plane.circle_barrier(c), ls=":", label="along circles", **plotting.line(2))
    ax.plot(c, plane.plane_barrier(c), label="optimum", **plotting.line(0))
    ax.set_xscale("log")
    ax.set_xlabel("loss ratio $c$")
    ax.set_ylabel(r"barrier at weak friction, units of $T$")
    ax.legend()
    return ax


OPTIMISERS = (
    ("SGD, 0.1, batch 128", 0.1, 0.0, 128),
    ("momentum 0.9, 0.1, batch 256", 0.1, 0.9, 256),
    ("momentum 0.9, 0.01, batch 32", 0.01, 0.9, 32),
    ("momentum 0.99, 0.01, batch 256", 0.01, 0.99, 256),
)
"""Name, learning rate, momentum, batch size of common settings; curvature runs along the line."""

NETWORK_RUNS = {2: (6.0, 8.5, 12.0), 4: (6.0, 8.5, 12.0), 8: (6.0, 8.5, 12.0)}
"""Batch size -> S/(eta h) of the network's runs in the chapter on its escape."""


@reads_dataset
def escape_map(dataset, ax, *, loss_ratio=2.0):
    """Draw the map: exponent over temperature and damping, edges, runs and usual settings."""
    t, zeta = np.geomspace(1e-4, 3, 60), np.geomspace(0.01, 100, 60)
    between = np.geomspace(0.01, 100, 13)
    w = np.interp(np.log(zeta), np.log(between), [barrier(loss_ratio, damping=z) for z in between])
    levels = (1, 3, 10, 30, 100, 300, 1000, 3000)
    lines = ax.contour(t, zeta, w[:, None] / t[None, :], levels=levels, colors=_GREY,
                       linewidths=0.8)  # fmt: skip
    ax.clabel(lines, fmt=lambda v: f"$e^{{{v:g}}}$", fontsize=7, inline=False)
    ax.axvline(1.0, lw=2, label="no second moments right of it", **plotting.line(1))
    tails = tail_slope(zeta)
    for index, label in ((3, "tail index 3, 30"), (30, None)):
        ax.plot(tails / index, zeta, ls="-.", lw=1.2, label=label, **plotting.line(2))
    for size, style in ((1, "-"), (32, "--"), (256, ":")):
        ax.plot(t, 1 / np.sqrt(2 * size * t), ls=style, label=f"no momentum, batch {size}",
                **plotting.line(3))  # fmt: skip
    for index, (_, eta, beta, size) in enumerate(OPTIMISERS):
        h = np.geomspace(1, float(scales.stable_step(momentum=beta, batch_size=size)) / eta, 30)
        at = {"learning_rate": eta, "momentum": beta, "curvature": h}
        x, y = scales.temperature(batch_size=size, **at), scales.damping(**at)
        ax.plot(x, y, lw=3, alpha=0.5, solid_capstyle="round", **plotting.line(0))
        ax.annotate(f" {index + 1}", (x[0], y[0]), fontsize=9)
    for size, exponents in NETWORK_RUNS.items():
        shares = np.array(exponents)  # S/(eta h): the temperature is its inverse without momentum
        ax.plot(1 / shares, np.sqrt(shares / (2 * size)), "s", ms=4, mfc="none", color="black",
                label="Fig. 3c of Mori et al., as here" if size == 2 else None)  # fmt: skip
    cells = dataset.isel(temperature=[0, 1])
    ax.plot(1 / cells.inverse_temperature.values.ravel(), np.repeat(cells.damping.values, 2),
            **(plotting.POINTS | {"label": "passages here"}))  # fmt: skip
    ax.set(xscale="log", yscale="log", xlim=(t[0], t[-1]), ylim=(zeta[0], zeta[-1]))
    ax.set_xlabel(r"temperature $T=\eta h/(S(1-\beta))$")
    ax.set_ylabel(r"damping $\zeta=(1-\beta)/\sqrt{2\eta h(1+\beta)}$")
    ax.legend(fontsize=7, loc="upper right", frameon=True)
    return ax
