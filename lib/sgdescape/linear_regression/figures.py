"""The figures of chapter `linear_regression`: theory as lines, measurement as points.

Every function draws a dataset of `linear_regression.run` into given axes and returns them.
"""

import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from sgdescape.core import plotting
from sgdescape.core.plotting import SHOWN_LEVEL
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.power_law import exponent_of
from sgdescape.linear_regression import estimates
from sgdescape.linear_regression.theory.large_deviations import quasi_potential

_NAMES = {
    "exact": "discrete SGD, exact",
    "sde": "SDE (12), exact",
    "linear": "linear barrier",
}


@reads_dataset
def exponents(dataset, ax):
    """Draw fitted phi against B for each learning rate, with both formulas."""
    sizes = dataset.batch_size.values
    fine = np.geomspace(sizes[0], sizes[-1], 50)
    for i, eta in enumerate(dataset.learning_rate.values):
        at = dataset.sel(learning_rate=eta)
        colour = plotting.line(i)
        # both are straight lines in B
        for name, dashes in (("paper", "--"), ("discrete", "-")):
            values = np.interp(fine, sizes, at[f"exponent_{name}"])
            plotting.theory(ax, fine, values, ls=dashes, **colour)
        found = [estimates.exponent(dataset, eta, b, level=SHOWN_LEVEL) for b in sizes]
        label = rf"$\eta={eta:g}$"
        _intervals(ax, sizes, found, **plotting.points_style(i) | {"label": label})
        one = [estimates.protocol_exponent(dataset, eta, b, level=SHOWN_LEVEL) for b in sizes]
        hollow = plotting.points_style(i) | {"mfc": "white", "ms": 8, "zorder": 2.5}
        _intervals(ax, sizes, one, **hollow)
    plotting.theory(ax, [], [], color="grey", ls="--", label=r"$1+B/\eta$")
    plotting.theory(ax, [], [], color="grey", label=r"$\frac{1}{2}+B/\eta-B/2$")
    ax.set(xlabel="batch size $B$", ylabel=r"fitted exponent $\phi$")
    ax.set(xscale="log", yscale="log")
    ax.set_ylim(top=2e4)
    plotting.log_axes(ax)
    ax.legend(fontsize=8, ncols=2, loc="upper left")
    return ax


@reads_dataset
def exponent_ratio(dataset, ax):
    """Draw fitted phi in units of the paper's 1 + B/eta against the learning rate's B."""
    sizes = dataset.batch_size.values
    fine = np.geomspace(sizes[0], sizes[-1], 50)
    for i, eta in enumerate(dataset.learning_rate.values):
        at = dataset.sel(learning_rate=eta)
        paper = np.interp(fine, sizes, at.exponent_paper)
        ratio = np.interp(fine, sizes, at.exponent_discrete) / paper
        plotting.theory(ax, fine, ratio, **plotting.line(i))
        found = [estimates.exponent(dataset, eta, b, level=SHOWN_LEVEL) for b in sizes]
        units = at.exponent_paper.values
        rows = np.array([[f.value, f.low, f.high] for f in found]) / units[:, None]
        plotting.points(ax, sizes, *rows.T, **plotting.points_style(i), label=rf"$\eta={eta:g}$")
    ax.axhline(1, color="grey", ls="--", lw=1.2, label="paper")
    ax.set(xlabel="batch size $B$", ylabel=r"$\phi\ /\ (1+B/\eta)$", xscale="log", ylim=(0.4, 1.15))
    ax.set_xticks(sizes, labels=[f"{b:g}" for b in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.legend()
    return ax


@reads_dataset
def law(dataset, ax, *, learning_rate, batch_size):
    """Draw the density of |theta| by histogram with the best power law and the best Gaussian."""
    at = dataset.sel(learning_rate=learning_rate, batch_size=batch_size)
    theta = np.abs(at.kept.values[np.isfinite(at.kept.values)])
    spread = float(np.sqrt(at.mean_square.mean()))
    edges = np.linspace(0, 5.5 * spread, 34)
    counts, _ = np.histogram(theta, edges)
    density = counts / theta.size / np.diff(edges) / 2
    middle, seen = (edges[1:] + edges[:-1]) / 2, counts > 0
    error = density / np.sqrt(np.maximum(counts, 1))
    ends = np.maximum(density - 2 * error, density / 10)[seen], (density + 2 * error)[seen]
    fine = np.linspace(0, edges[-1], 300)
    phi = exponent_of(float(at.mean_log.mean()), dimension=1)
    for index, (label, logs) in enumerate(
        {
            rf"$L^{{-\phi}}$, $\phi={phi:.1f}$": -phi * np.log1p(fine**2),
            "Gaussian": -(fine**2) / (2 * spread**2),
        }.items()
    ):
        curve = np.exp(logs)
        curve /= 2 * np.trapezoid(curve, fine)
        style = plotting.line(index) | {"ls": ("-", "--")[index]}
        plotting.theory(ax, fine, curve, label=label, **style)
    plotting.points(ax, middle[seen], density[seen], *ends, ms=3, label="SGD")
    ax.set(xlabel=r"$|\theta-\theta^*|$", ylabel="density", yscale="log")
    ax.set_ylim(density[seen].min() / 5, None)
    ax.set_title(rf"$\eta={learning_rate:g}$, $B={batch_size}$")
    ax.legend()
    return ax


@reads_dataset
def passages(dataset, ax, *, dimension):
    """Draw mean first-passage times against c: SGD, and every theory of it."""
    at = dataset.sel(dimension=dimension)
    c = at.loss_ratio.values
    exact = at.time_exact.values
    top = 4 * exact[-1]
    for index, kind in enumerate(("sde", "linear")):
        shown = at[f"time_{kind}"].values
        plotting.theory(ax, c, shown, label=_NAMES[kind], **plotting.line(index))
    anchor = len(c) // 3
    for name, index, dashes, at_point in (
        ("paper", 2, "--", anchor),
        ("kesten", 3, ":", len(c) - 1),
    ):
        slope = float(at[f"slope_{name}"])
        guide = exact[at_point] * (c / c[at_point]) ** slope
        label = {"paper": "the paper's slope", "kesten": "Kesten's slope"}[name]
        far = c >= (c[0] if name == "paper" else c[len(c) // 2])
        style = plotting.line(index) | {"ls": dashes}
        plotting.theory(ax, c[far], guide[far], label=label, **style)
    plotting.theory(ax, c, exact, color="black", lw=1.2, label=_NAMES["exact"])
    fresh = estimates.mean_times(dataset, "fresh", level=SHOWN_LEVEL, dimension=dimension)
    plotting.points(ax, c, *fresh, ms=4, label="SGD, fresh samples")
    data = estimates.mean_times(dataset, "data", level=SHOWN_LEVEL, dimension=dimension)
    style = plotting.points_style(5) | {"mfc": "white", "marker": "s", "ms": 5}
    plotting.points(ax, c, *data, **style, label=f"SGD, N = {dataset.sizes['sample']}")
    ax.set(title=f"$d={dimension}$", xlabel="loss ratio $c$", ylabel=r"$t_p$")
    ax.set_ylim(exact[0] / 4, top)
    plotting.log_axes(ax)
    _ratio_ticks(ax, c)
    return ax


@reads_dataset
def local_slopes(dataset, ax, *, dimension):
    """Draw the local log-log slopes of discrete SGD and of the SDE, and the paper's constant."""
    at = dataset.sel(dimension=dimension)
    logs = np.log(at.loss_ratio.values)
    middle = np.exp((logs[1:] + logs[:-1]) / 2)
    for kind, style in (
        ("exact", {"color": "black"}),
        ("sde", plotting.line(0)),
        ("linear", plotting.line(1)),
    ):
        slopes = np.diff(np.log(at[f"time_{kind}"])) / np.diff(logs)
        plotting.theory(ax, middle, slopes, label=_NAMES[kind], **style)
    style = plotting.line(2) | {"ls": "--"}
    paper = float(at.slope_paper)
    plotting.theory(ax, middle[[0, -1]], 2 * [paper], label="paper", **style)
    ax.set(title=f"$d={dimension}$", xlabel="loss ratio $c$", ylabel="local slope")
    ax.set(xscale="log", ylim=(0, 18))
    _ratio_ticks(ax, at.loss_ratio.values)
    return ax


@reads_dataset
def smaller_rate(dataset, ax):
    """Draw passage times in units of those of the SDE (12), at two learning rates."""
    index, about = 0, provenance.settings(dataset)
    for prefix, name, dims in (
        ("", "fresh", dataset.slow_dimension.values),
        ("slow_", "slow", dataset.slow_dimension.values),
    ):
        for d in dims:
            where = {f"{prefix}dimension": int(d)}
            at = dataset.sel(where)
            c = at["slow_ratio" if prefix else "loss_ratio"].values
            keep = c <= 2.01
            sde = at[f"{prefix}time_sde"].values[keep]
            exact = at[f"{prefix}time_exact"].values[keep]
            plotting.theory(ax, c[keep], exact / sde, **plotting.line(index))
            found = estimates.mean_times(dataset, name, level=SHOWN_LEVEL, **where)[:, keep] / sde
            rate = about.slow_rate if prefix else about.learning_rate
            style = plotting.points_style(index) | {"label": rf"$d={d}$, $\eta={rate:g}$"}
            plotting.points(ax, c[keep], *found, **style)
            index += 1
    ax.axhline(1, color="grey", ls="--", lw=1.2)
    ax.set(xlabel="loss ratio $c$", ylabel=r"$t_p\ /\ t_p$ of the SDE (12)", yscale="log")
    ax.set_yticks([1, 2, 5], labels=["1", "2", "5"])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.legend()
    return ax


@reads_dataset
def laws(dataset, ax):
    """Draw passage times against c for each input law, with the transition matrix's answer."""
    c = dataset.law_ratio.values
    for index, law in enumerate(dataset.law.values):
        at = dataset.sel(law=law)
        plotting.theory(ax, c, at.law_exact, **plotting.line(index))
        plotting.theory(ax, c, at.law_sde, ls=":", lw=1.2, **plotting.line(index))
        found = estimates.mean_times(dataset, "law", level=SHOWN_LEVEL, law=law)
        plotting.points(ax, c, *found, **plotting.points_style(index) | {"label": str(law)})
    plotting.theory(ax, [], [], color="grey", label="discrete SGD, exact")
    plotting.theory(ax, [], [], color="grey", ls=":", label="diffusion, exact covariance")
    ax.set(xlabel="loss ratio $c$", ylabel=r"mean first-passage time $t_p$", yscale="log")
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def barriers(dataset, ax):
    """Draw the barrier of each input law against its kurtosis: exact times, and the diffusion's."""
    steps = dataset.barrier_step.size
    kurtosis = np.array([1.0, 1.8, 3.0, 6.0])
    about = provenance.settings(dataset)
    c = about.barrier_ratio
    plotting.theory(
        ax, kurtosis, dataset.barrier_diffusion, label="diffusion", ls=":", **plotting.line(0)
    )
    ax.axhline(c - 1, label="$c-1$", **plotting.line(1))
    ax.axhline(np.log(c), ls="--", label=r"$\log c$ (paper)", **plotting.line(2))
    rates = about.barrier_rates
    for k in range(steps):
        label = rf"SGD, $\eta={rates[k]:g}$ to ${rates[k + 1]:g}$"
        style = plotting.POINTS | {"mfc": "white" if k < steps - 1 else "black", "label": label}
        plotting.points(ax, kurtosis, dataset.barrier.isel(barrier_step=k), **style)
    ax.set(xlabel=r"kurtosis of the inputs", ylabel=rf"barrier to $c={c:g}$, times $\eta/B$")
    ax.set_ylim(0, 0.72)
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def exponent_curve(dataset, ax):
    """Draw the exponent of SGD against c: exact slopes, the cheapest sequence, and its rivals."""
    fine = np.linspace(1, 1.1 * float(dataset.jump_ratio[-1]), 300)
    plotting.theory(ax, fine, quasi_potential(fine), color="black", label="climb and jump")
    plotting.theory(ax, fine, fine - 1, ls=":", label="climb alone", **plotting.line(1))
    single = np.sqrt(fine - 1)
    plotting.theory(ax, fine, single, ls=":", label="jump from the minimum", **plotting.line(3))
    plotting.theory(ax, fine, np.log(fine), ls="--", label=r"$\log c$", **plotting.line(2))
    last = dataset.isel(jump_step=-1)
    low, high = last.jump_slope - last.jump_error, last.jump_slope + last.jump_error
    plotting.points(ax, dataset.jump_ratio, last.jump_slope, low, high, label="SGD, exact")
    ax.set(xlabel="loss ratio $c$", ylabel=r"exponent $V$, $\log t_p\simeq VB/\eta$")
    ax.set_ylim(0, 3.2)
    ax.legend()
    return ax


@reads_dataset
def data_sets(dataset, ax):
    """Draw the exact passage times of single data sets in units of those of fresh samples."""
    at = dataset.sel(dimension=1)
    c, exact = at.loss_ratio.values, at.time_exact.values
    ratio = dataset.set_time.values / exact
    for k, row in enumerate(ratio[1:]):
        label = f"other data sets of N = {dataset.sizes['sample']}" if k == 0 else None
        plotting.theory(ax, c, row, color="#999999", lw=0.8, label=label)
    plotting.theory(ax, c, ratio[0], **plotting.line(5), label="this data set, exact")
    data = estimates.mean_times(dataset, "data", level=SHOWN_LEVEL, dimension=1) / exact
    style = plotting.points_style(5) | {"mfc": "white", "marker": "s"}
    runs = dataset.sizes["run"]
    plotting.points(ax, c, *data, **style, label=f"this data set, {runs} runs")
    ax.axhline(1, color="black", lw=1.2, label="fresh samples, exact")
    ax.set(xlabel="loss ratio $c$", ylabel=r"$t_p\ /\ t_p$ of fresh samples", yscale="log")
    ax.set_yticks([0.5, 1, 2], labels=["0.5", "1", "2"])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.legend()
    return ax


def _intervals(ax, x, found, **style):
    rows = np.array([[f.value, f.low, f.high] for f in found])
    plotting.points(ax, x, *rows.T, **style)


def _ratio_ticks(ax, c):
    """A few readable ticks on a short logarithmic axis of loss ratios."""
    wanted = [1.1, 1.2, 1.4, 1.7, 2, 3, 4, 6, 8, 12]
    inside = [t for t in wanted if c[0] * 0.999 <= t <= c[-1] * 1.001]
    ticks = inside if len(inside) <= 5 else inside[:: 1 + len(inside) // 5]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
