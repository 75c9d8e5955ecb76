"""Figures of chapter `anomalous_diffusion` on exponents of many settings, the paper's and ours."""

import numpy as np

from sgdescape.anomalous_diffusion import published
from sgdescape.anomalous_diffusion.estimates.collapse import DEGREE, variables
from sgdescape.anomalous_diffusion.estimates.drift_curve import published_curve, sweep_times
from sgdescape.anomalous_diffusion.estimates.exponents import (
    fitted_exponent,
    grid,
    grid_intervals,
)
from sgdescape.anomalous_diffusion.theory.fixed_start import overdamped_start
from sgdescape.core import plotting
from sgdescape.core.doors import door
from sgdescape.core.plotting import SHOWN_LEVEL
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset


@door
def published_exponents(ax, *, variable="eta N / (S (1 - beta))"):
    """Draw the paper's 27 exponents against one variable, with the quartic through them.

    Args:
        ax: matplotlib axes.
        variable: a key of `variables`.
    """
    data = published.published_exponents()
    x = variables(data)[variable]
    _scatter(ax, data, x)
    if variable == "eta N / (S (1 - beta))":
        for number, row in enumerate(published.SWEEPS):
            eta, size, beta, c = row
            tau = eta * published.SAMPLES / (size * (1 - beta))
            label = "sweep of $S$ and $\\eta$" if number == 0 else None
            ax.plot(tau, c, ls="none", marker="x", ms=5, color="grey", label=label)
    curve = np.polynomial.Polynomial.fit(np.log(x), data.exponent, min(DEGREE, _levels(x) - 1))
    fine = np.geomspace(x.min(), x.max(), 100)
    plotting.theory(ax, fine, curve(np.log(fine)), color="grey", lw=1)
    _collapse_axes(ax, variable, "the paper's $c$")
    return ax


@reads_dataset
def grid_exponents(dataset, ax, *, variable="eta N / (S (1 - beta))"):
    """Draw the exponents of the chapter's own 27 runs, with the overdamped theory's curve.

    Args:
        dataset: of `anomalous_diffusion.run`.
        ax: matplotlib axes.
        variable: a key of `variables`.
    """
    data = grid(dataset)
    x = variables(data)[variable]
    epochs = dataset.epoch.values
    for point, found in zip(x, grid_intervals(dataset, level=SHOWN_LEVEL), strict=True):
        ax.plot([point, point], [found.low, found.high], color="#999999", lw=1, zorder=1)
    _scatter(ax, data, x)
    if variable == "eta N / (S (1 - beta))":
        fine = np.geomspace(x.min(), x.max(), 100)
        modes = (
            dataset.grid_curvature.values,
            dataset.grid_noise.values,
            dataset.grid_offset.values,
        )
        size = settings(dataset).grid_samples  # one step an epoch: only tau counts
        curve = sum(
            overdamped_start(epochs, *modes, learning_rate=fine[:, None], momentum=0.0,
                             batch_size=size)
        )  # fmt: skip
        exponents = fitted_exponent(epochs, curve)
        plotting.theory(ax, fine, exponents, color="black", lw=1, label="overdamped theory")
    _collapse_axes(ax, variable, "our $c$")
    return ax


@door
def published_sweeps(axes):
    """Draw the paper's exponents against eta, S and beta, on the curve fitted to its grid.

    Args:
        axes: three of matplotlib's.
    """
    curve, data = published_curve(), published.published_exponents()
    grids = (np.geomspace(1e-5, 1e-3, 40), np.geomspace(32, 1024, 40), np.linspace(0.8, 0.99, 40))
    labels = (r"learning rate $\eta$", "batch size $S$", r"momentum $\beta$")
    default = (1e-4, 256, 0.9)
    for which, ax in enumerate(axes):
        rows = [[*default[:which], x, *default[which + 1 :]] for x in grids[which]]
        if which == 1:
            rows = [[eta, round(size), beta] for eta, size, beta in rows]
        x = [row[which] for row in rows]
        plotting.theory(ax, x, curve(sweep_times(rows)), color="black", lw=1, label="theory")
        points = [r for r in published.SWEEPS if _alike(r, default, which)]
        grid_rows = zip(data.learning_rate, data.batch_size, data.momentum, data.exponent,
                        strict=True)  # fmt: skip
        known = [r for r in grid_rows if _alike(r, default, which)]
        for rows_shown, style in ((known, {"mfc": "white", "label": "grid of 27"}),
                                  (points, {"label": "sweep"})):  # fmt: skip
            x, c = [r[which] for r in rows_shown], np.array([r[3] for r in rows_shown])
            bars = published.READING * c if "mfc" not in style else 0 * c
            ax.errorbar(x, c, bars, ls="none", marker="o", ms=5, color="C0", **style)
        ax.axhline(1, color="grey", lw=0.6, ls="--", zorder=0)
        ax.set(xlabel=labels[which], ylabel="$c$", ylim=(0.75, 1.5))
        if which < 2:
            ax.set_xscale("log")
    axes[0].legend(fontsize=7)
    return axes[0]


def _alike(row, default, which):
    """Whether a setting differs from the default in one coordinate at most."""
    return all(np.isclose(row[i], default[i]) for i in range(3) if i != which)


def _levels(x):
    return np.unique(np.log(x).round(9)).size


def _scatter(ax, data, x):
    betas, sizes = np.unique(data.momentum), np.unique(data.batch_size)
    for i, beta in enumerate(betas):
        for j, size in enumerate(sizes):
            here = (data.momentum == beta) & (data.batch_size == size)
            style = plotting.line(i) | {"marker": plotting.MARKERS[j], "ls": "none", "ms": 5}
            label = rf"$\beta={beta:g}$" if j == 0 else None
            ax.plot(x[here], data.exponent[here], **style, label=label, zorder=3)
    for j, size in enumerate(sizes):
        style = {"marker": plotting.MARKERS[j], "ls": "none", "ms": 5, "mfc": "white"}
        ax.plot([], [], color="grey", **style, label=f"$S={size:g}$")


_LABELS = {
    "eta N / (S (1 - beta))": r"$\tau_{\rm ep}=\eta N/[S(1-\beta)]$",
    "eta / (1 - beta)": r"$\eta/(1-\beta)$",
    "eta / S": r"$\eta/S$",
    "gamma": r"$\gamma$",
    "eta": r"$\eta$",
}


def _collapse_axes(ax, variable, name):
    ax.axhline(1, color="grey", lw=0.6, ls="--", zorder=0)
    ax.set(xlabel=_LABELS[variable], ylabel=name)
    plotting.log_axes(ax, "x")
