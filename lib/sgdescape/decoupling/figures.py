"""The figures of chapter `decoupling`: each draws one dataset on given axes."""

import numpy as np

from sgdescape.core import plotting
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset


@reads_dataset
def spectra(ds, ax, *, epoch: int, bins: int = 36):
    """Draw histograms of log eigenvalues, exact, decoupled and shuffled, at one epoch.

    Args:
        ds: result of `decoupling.run`.
        ax: matplotlib axes.
        epoch: one of the dataset's.
        bins: number of bins, equal in the logarithm, over all that is resolved.

    Returns:
        The axes.
    """
    now = ds.sel(epoch=epoch)
    low = max(float(now.exact.min()), float(now.resolution))
    edges = np.geomspace(low, 1.01 * max(float(now.exact[0]), float(now.decoupled[0])), bins)
    ax.hist(now.exact, edges, color=plotting.COLOURS["sky"], label="exact")
    style = {"histtype": "step", "lw": 1.6}
    ax.hist(now.decoupled, edges, color=plotting.COLOURS["vermilion"], label="decoupled", **style)
    shuffles = now.sizes["shuffle"]
    ax.hist(
        now.shuffled.values.ravel(),
        edges,
        weights=np.full(now.shuffled.size, 1 / shuffles),
        color=plotting.COLOURS["black"],
        ls="--",
        label="shuffled losses",
        **style,
    )
    ax.set(xlabel="eigenvalue", ylabel="eigenvalues in bin", title=f"{epoch} epochs")
    ax.set(yscale="log", ylim=(0.5, 2 * now.sizes["rank"]))  # room for the legend
    plotting.log_axes(ax, "x")
    return _legend_once(ds, ax, epoch, "upper left")


@reads_dataset
def ratios(ds, ax, *, epoch: int):
    """Draw exact over decoupled eigenvalues of equal rank against size, and the null's range."""
    now = ds.sel(epoch=epoch)
    size = (now.decoupled / now.decoupled[0]).values
    null = (now.shuffled / now.decoupled).values
    ax.fill_between(
        size, null.min(0), null.max(0), color=plotting.COLOURS["sky"], lw=0, label="shuffled losses"
    )
    ratio = (now.exact / now.decoupled).values
    ax.plot(size, ratio, color=plotting.COLOURS["black"], lw=1.2, label="exact")
    factor = provenance.settings(ds).factor
    ax.axhline(1, color=plotting.COLOURS["vermilion"], lw=1.2, label="decoupled")
    for edge in (factor, 1 / factor):
        ax.axhline(edge, color="#555555", lw=0.8, ls=":")
    ax.set_ylim(1e-3, 3)
    ax.set(xlabel="relative eigenvalue", ylabel="exact / decoupled", title=f"{epoch} epochs")
    plotting.log_axes(ax)
    return _legend_once(ds, ax, epoch, "lower right")


@reads_dataset
def shifts(ds, ax):
    """Draw the scale shifts of exact and shuffled spectra against the prediction, all epochs."""
    fine = ds.fraction.values
    for index, epoch in enumerate(ds.epoch.values):
        now = ds.sel(epoch=epoch)
        style = plotting.line(index)
        plotting.theory(ax, fine, now.shift_theory, label=f"{epoch} epochs", **style)
        null = now.shift_shuffled.values
        plotting.points(
            ax, fine, null.mean(0), null.min(0), null.max(0), **style, mfc="none", marker="s"
        )
        plotting.points(ax, fine, now.shift_exact, **plotting.points_style(index) | {"marker": "o"})
    ax.plot([], [], **plotting.POINTS, label="exact")
    ax.plot([], [], **plotting.POINTS | {"marker": "s", "mfc": "none"}, label="shuffled")
    ax.set(xlabel="effective dimension / N", ylabel="scale shift")
    plotting.log_axes(ax, "y")
    ax.legend(fontsize="small")
    return ax


@reads_dataset
def directions(ds, ax, *, epoch: int):
    """Draw the noise along the leading curvature directions over its decoupled value."""
    now = ds.sel(epoch=epoch)
    rank = np.arange(1, now.sizes["direction"] + 1)
    for width, shade in ((5, 0.35), (1, 0.7)):
        band = width * now.direction_error.values
        label = f"random pairing ± {width} s.d."
        colour = plotting.COLOURS["sky"]
        ax.fill_between(rank, 1 - band, 1 + band, color=colour, alpha=shade, lw=0, label=label)
    ax.axhline(1, color=plotting.COLOURS["vermilion"], lw=1.2)
    plotting.points(ax, rank, now.direction_ratio)
    ax.set(xlabel="direction", ylabel="noise / (L h)", title=f"{epoch} epochs", ylim=(0.3, 1.9))
    return _legend_once(ds, ax, epoch, "upper right")


@reads_dataset
def subsets(ds, ax):
    """Draw the number of agreeing eigenvalues against the number of images, all epochs."""
    for index, epoch in enumerate(ds.epoch.values):
        now = ds.sel(epoch=epoch)
        ranks = now.subset_rank.values
        mean = np.nanmean(ranks, axis=1)
        style = plotting.points_style(index)
        ends = np.nanmin(ranks, axis=1), np.nanmax(ranks, axis=1)
        plotting.points(ax, now.subset_size, mean, *ends, label=f"{epoch} epochs", **style)
        size = now.subset_size.values
        plotting.power_guide(
            ax, size, through=(size[0], mean[0]), power=1.0, **plotting.line(index)
        )
    ax.set(xlabel="images N", ylabel=f"agreeing within {provenance.settings(ds).factor:g}")
    plotting.log_axes(ax)
    ax.legend(fontsize="small")
    return ax


def _legend_once(ds, ax, epoch, where):
    """Panels of one figure share their legend: the first one shows it."""
    if epoch == int(ds.epoch[0]):
        ax.legend(loc=where, fontsize="small")
    return ax
