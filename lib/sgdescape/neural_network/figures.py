"""The figures of chapter `neural_network`: each draws one dataset on given axes."""

import numpy as np

from sgdescape.core import plotting
from sgdescape.core.plotting import SHOWN_LEVEL
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.neural_network.estimates import comparisons
from sgdescape.neural_network.estimates import passages as estimates

_LAWS = {
    "decoupled": ("noise of (6)", "vermilion", "-"),
    "measured": ("measured noise", "blue", "-"),
    "constant": ("constant noise", "black", "--"),
    "equal": ("n equal curvatures", "purple", ":"),
}


@reads_dataset
def pretraining(ds, ax):
    """Draw the mean loss of each block of the pre-training."""
    block = ds.attrs["pretraining_block"]
    middle = (np.arange(ds.sizes["block"]) + 0.5) * block
    ax.plot(middle, ds.block_losses, **plotting.POINTS | {"ls": "-", "lw": 1})
    ax.set(xlabel="steps", ylabel="mean loss of a block")
    return plotting.log_axes(ax) or ax


@reads_dataset
def spectrum(ds, ax):
    """Draw the histogram of all P eigenvalues of (44); in one bar those below 1e-5 of it."""
    values = ds.spectrum.values
    large = values[values > 1e-5 * values[0]]
    edges = np.geomspace(large[-1], 1.01 * large[0], 32)
    ax.hist(large, edges, color=plotting.COLOURS["sky"])
    below = edges[0] / 4, edges[0] / 2
    count = comparisons.parameter_count(ds) - large.size
    ax.bar(below[0], count, below[1] - below[0], align="edge", color=plotting.COLOURS["orange"])
    ax.text(edges[0], count, "smaller and zero", va="top", fontsize="small")
    ax.set(xlabel="eigenvalue of (44)", ylabel="eigenvalues in bin", yscale="log")
    plotting.log_axes(ax, "x")
    return ax


@reads_dataset
def weights(ds, ax, *, count: int = 30):
    """Draw the largest eigenvalues against their rank, with the three dimensions as lines."""
    rank = np.arange(1, count + 1)
    ax.plot(rank, ds.spectrum.values[:count], **plotting.POINTS)
    names = (("outlier_dimension", "$n_{eff}$", "-"), ("participation", "participation", "--"))
    for name, label, style in names:
        ax.axvline(
            ds.attrs[name], color=plotting.COLOURS["vermilion"], lw=1.2, ls=style, label=label
        )
    ax.set(xlabel="rank", ylabel="eigenvalue of (44)")
    plotting.log_axes(ax, "y")
    ax.legend(fontsize="small")
    return ax


@reads_dataset
def directions(ds, ax):
    """Draw noise ratio and kurtosis of the leading directions."""
    rank = np.arange(1, ds.sizes["direction"] + 1)
    ax.plot(rank, ds.noise_ratio, **plotting.points_style(0), label="noise / (2Lh/B)")
    kurtosis = np.diag(ds.kurtosis.values)
    ax.plot(rank, kurtosis, **plotting.points_style(1), label="kurtosis of $v^T\\nabla f$")
    for value in (1, 2):
        ax.axhline(value, color="#555555", lw=0.8, ls=":")
    ax.set(xlabel="direction", ylim=(0, 1.3 * kurtosis.max()))  # room for the legend
    ax.legend(fontsize="small")
    return ax


@reads_dataset
def passage(ds, ax, *, batch_size: int):
    """Draw mean passage times (95 % intervals) and the bowl of Eq. (12) at every exponent.

    Args:
        ds: result of `neural_network.run`.
        ax: matplotlib axes.
        batch_size: one of the dataset's.
    """
    c = ds.threshold.values
    for index, exponent in enumerate(ds.exponent.values):
        style = plotting.line(index)
        flow = estimates.bowl_times_of(ds, ds.continuous.sel(exponent=exponent))
        _curve(ax, c, flow, ls=":", **style)
        cell = {"exponent": exponent, "batch_size": batch_size}
        for law, dashes in (("decoupled", "--"), ("measured", "-")):
            steps = estimates.bowl_times_of(ds, ds.bowl.sel(law=law, **cell))
            _curve(ax, c, steps, ls=dashes, **style)
        runs = estimates.times_of(ds, exponent=exponent, batch_size=batch_size)
        label = f"{exponent:g}"
        mean, low, high = estimates.mean_times(*runs, level=SHOWN_LEVEL)
        plotting.points(ax, c, mean, low, high, **plotting.points_style(index), label=label)
    top = float(ds.curvature[0])
    step = batch_size / ds.exponent.values
    title = f"B = {batch_size}, $\\eta h^*$ = {step.min():.2f} to {step.max():.2f}"
    ax.set(xlabel="c = L / L*", title=title)
    if batch_size == int(ds.batch_size[0]):
        ax.set_ylabel("mean passage time t")
    ax.set_ylim(0.2 / top, 3 * provenance.settings(ds).watch / top)
    plotting.log_axes(ax)
    ax.legend(title="$B/(\\eta h^*)$", fontsize="small")
    return ax


@reads_dataset
def bowls(ds, ax):
    """Draw runs at the middle exponent and smallest batch against every bowl."""
    c, exponent = ds.threshold.values, comparisons.middle(ds)
    smallest = int(ds.batch_size[0])
    for law, (label, colour, style) in _LAWS.items():
        valley = ds.bowl.sel(law=law, exponent=exponent, batch_size=smallest)
        sample = estimates.bowl_times_of(ds, valley)
        _curve(ax, c, sample, ls=style, color=plotting.COLOURS[colour], label=label)
    runs = estimates.times_of(ds, exponent=exponent, batch_size=smallest)
    plotting.points(ax, c, *estimates.mean_times(*runs, level=SHOWN_LEVEL), label="network")
    ax.axvline(float(ds.mean_loss.sel(exponent=exponent)), color="#555555", lw=0.8, ls=":")
    top = float(ds.curvature[0])
    ax.set(xlabel="c = L / L*", ylabel="mean passage time t")
    ax.set_ylim(0.2 / top, 5 * provenance.settings(ds).watch / top)
    plotting.log_axes(ax)
    ax.legend(fontsize="small")
    return ax


@reads_dataset
def slopes(ds, ax, *, laws=("decoupled",)):
    """Draw local slopes minus B/(eta h*) - 1 against c: -n/2, if there were such an n.

    Args:
        ds: result of `neural_network.run`.
        ax: matplotlib axes.
        laws: bowls to draw, at most two: full and dashed.
    """
    c = ds.threshold.values
    smallest = int(ds.batch_size[0])
    for index, exponent in enumerate(ds.exponent.values):
        runs = estimates.times_of(ds, exponent=exponent, batch_size=smallest)
        centre, *ends = estimates.local_slopes(*runs, c, level=SHOWN_LEVEL)
        style = plotting.points_style(index)
        shifted = [end - exponent - 1 for end in ends]
        plotting.points(ax, centre, *shifted, **style, label=f"{exponent:g}")
        cell = {"exponent": exponent, "batch_size": smallest}
        for law, dashes in zip(laws, ("-", "--"), strict=False):
            valley = estimates.bowl_times_of(ds, ds.bowl.sel(law=law, **cell))
            centre, slope, _, _ = estimates.local_slopes(*valley, c)
            plotting.theory(ax, centre, slope - exponent - 1, ls=dashes, **plotting.line(index))
        ax.axvline(
            float(ds.mean_loss.sel(exponent=exponent)), lw=0.8, ls=":", **plotting.line(index)
        )
    for name, style in (("outlier_dimension", "-"), ("participation", "--")):
        ax.axhline(-ds.attrs[name] / 2, color=plotting.COLOURS["black"], lw=1, ls=style)
    ax.set(xlabel="c = L / L*", ylabel="local slope $- B/(\\eta h^*) - 1$", ylim=(-12, 8))
    plotting.log_axes(ax, "x")
    ax.legend(title="$B/(\\eta h^*)$", fontsize="small")
    return ax


@reads_dataset
def looks(ds, ax):
    """Draw mean passage times if the loss is looked at in every 1, 10, 100 steps."""
    c = ds.threshold.values
    one = ds.sel(exponent=comparisons.middle(ds)).isel(batch_size=1)
    rate, last = float(one.learning_rate), one.last_step.values[:, None]
    for index, look in enumerate(ds.look.values):
        passages = ds.looks.sel(look=look).values
        times = np.where(passages > 0, passages, last) * rate
        found = estimates.mean_times(times, passages > 0, level=SHOWN_LEVEL)
        plotting.points(ax, c, *found, **plotting.points_style(index), label=f"every {look}")
    ax.set(xlabel="c = L / L*", ylabel="mean passage time t")
    plotting.log_axes(ax)
    ax.legend(title="loss seen", fontsize="small")
    return ax


@reads_dataset
def control(ds, ax, *, case: str):
    """Draw passage times of another network with its own two bowls."""
    one, c = ds.sel(case=case), ds.threshold.values
    watch = provenance.settings(ds).watch / float(one.control_curvature)
    bowls = (one.control_bowl, "vermilion", "--", "noise of (6)"), (
        one.control_refined, "blue", "-", "measured noise",
    )  # fmt: skip
    for valley, colour, style, label in bowls:
        seen = np.isfinite(valley.values)
        sample = np.where(seen, valley.values, watch), seen
        _curve(ax, c, sample, ls=style, color=plotting.COLOURS[colour], label=label)
    passage, last = one.control_passage.values, one.control_last_step.values[:, None]
    times = np.where(passage > 0, passage, last) * float(one.control_learning_rate)
    steps = one.control_linearised.values
    linear = np.where(steps > 0, steps * float(one.control_learning_rate), watch), steps > 0
    _curve(ax, c, linear, ls="-.", color=plotting.COLOURS["black"], label="linearised")
    found = estimates.mean_times(times, passage > 0, level=SHOWN_LEVEL)
    plotting.points(ax, c, *found, label="network")
    ax.set(xlabel="c = L / L*", title=case)
    ax.set_ylim(0.3 * watch / 2000, 5 * watch)
    plotting.log_axes(ax)
    if case == ds.case.values[0]:
        ax.set(ylabel="mean passage time t")
        ax.legend(fontsize="small")
    return ax


def _curve(ax, c, sample, **style):
    mean, _, _ = estimates.mean_times(*sample)
    plotting.theory(ax, c, mean, **style)
