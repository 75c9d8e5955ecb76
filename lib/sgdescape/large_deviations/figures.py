"""The figures of chapter `large_deviations`: theory as lines, measurement as points.

Every function draws a dataset of `large_deviations.run` into given axes and returns them.
"""

import numpy as np

from sgdescape.core import plotting
from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.large_deviations.estimates.exponents import (
    direction_effects,
    direction_limit,
    direction_runs,
    exponent,
    exponent_between,
)
from sgdescape.large_deviations.estimates.network import growth, predicted_growth
from sgdescape.large_deviations.predictions import barriers
from sgdescape.large_deviations.theory import circle, regression
from sgdescape.noise_covariance import diffusion_barrier

_RIVALS = {
    "barrier_climb": ("climb alone, $c-1$", 0, ":"),
    "barrier_single": (r"one jump, $\sqrt{c-1}$", 3, ":"),
    "barrier_paper": (r"Mori et al., $\log c$", 2, "--"),
    "barrier_covariance": (r"exact covariance, $\frac{1}{2}\log(2c-1)$", 1, "--"),
}


@reads_dataset
def last_steps(dataset, ax, *, index):
    """Draw the last positions of real SGD before a threshold, their mean and the cheapest path."""
    at = dataset.isel(path_ratio=index)
    steps, paths = at.last_step.values, at.last_positions.values
    shown = steps > -41 if index == 0 else steps > -17
    ax.plot(steps[shown], paths[:20, shown].T, color="grey", lw=0.6, alpha=0.4, zorder=1)
    label = "mean of SGD's last steps"
    plotting.points(ax, steps[shown], np.nanmean(paths, axis=0)[shown], ms=3.5, label=label)
    edge, rate = np.sqrt(float(at.path_ratio) - 1), float(at.path_rate)
    ends = regression.cheapest_path(float(at.path_ratio))
    turn = ends[0]  # where the climb stops: the threshold itself if there is no jump
    before = steps[shown][: None if len(ends) == 1 else -1]
    climb = turn * np.exp(rate * (before - before[-1]))
    x = np.append(before, [0] * (len(ends) - 1))
    plotting.theory(ax, x, np.append(climb, ends[1:]), label="cheapest path", **plotting.line(1))
    ax.axhline(edge, color="grey", ls="--", lw=1)
    ax.set(xlabel="step, counted back from the passage", ylabel=r"$\theta$")
    ax.set_title(rf"$c={float(at.path_ratio):g}$, $\eta={rate:g}$")
    ax.legend(loc="upper left")
    return ax


@reads_dataset
def barrier(dataset, ax, *, largest=None):
    """Draw V(c), its rivals and exponents from exact chains with one input."""
    top = float(largest or dataset.far_ratio[-1])
    c = np.linspace(1, top, 400) if top < 12 else np.geomspace(1.2, top, 400)
    curves = barriers(c)
    for name, (label, index, dashes) in _RIVALS.items():
        inside = curves[name] < 1.6 * curves["barrier"].max()
        style = plotting.line(index) | {"ls": dashes}
        plotting.theory(ax, c[inside], curves[name][inside], label=label, **style)
    plotting.theory(ax, c, curves["barrier"], color="black", label="SGD, $V(c)$")
    ratios = dataset.ratio.values[dataset.ratio.values <= top]
    found = [_one(dataset, value) for value in ratios]
    if top >= 12:
        far = dataset.far_ratio.values
        ratios, found = np.append(ratios, far), [*found, *(_far(dataset, c) for c in far)]
    _intervals(ax, ratios, found, color="black", label="exact chains")
    ax.set(xlabel=r"loss ratio $c=L/L^*$", ylabel=r"exponent $(\eta/B)\,\log t$")
    if top >= 12:
        plotting.log_axes(ax, "x")
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=7)
    return ax


@reads_dataset
def other_inputs(dataset, ax):
    """Draw exponents of other dimensions, batches and input laws on the curves that they belong to.

    Laplace inputs have none: their local exponents still fall.
    """
    c = np.linspace(1, float(dataset.law_ratio[-1]) + 0.1, 200)
    plotting.theory(ax, c, barriers(c)["barrier"], color="black", label="$V(c)$")
    plotting.theory(ax, c, c - 1, color="black", ls=":", label="$c-1$")
    series = [(rf"$d={int(d)}$", _many(dataset, int(d))) for d in dataset.dimension.values]
    series += [(f"{law} inputs", _law(dataset, law)) for law in dataset.law.values]
    for index, (label, (ratios, found)) in enumerate(series):
        style = plotting.points_style(index)
        shift = 0.012 * (index - 2)  # apart, where several lie on one point
        _intervals(ax, np.asarray(ratios) + shift, found, label=label, **style)
    ax.set(xlabel=r"loss ratio $c=L/L^*$", ylabel=r"exponent $(\eta/B)\,\log t$")
    ax.legend(fontsize=7)
    return ax


@door
def modulation(ax):
    """Draw V(c) - (z*/4) log c: every further jump is a bump, lower than the one before."""
    c = np.geomspace(2, 1e10, 1500)
    rest = regression.quasi_potential(c) - regression.tail_slope() * np.log(c)
    plotting.theory(ax, c, rest, color="black")
    ax.set(xlabel=r"loss ratio $c$", ylabel=r"$V-\frac{1}{4}z_*\,\log c$")
    plotting.log_axes(ax, "x")
    return ax


@reads_dataset
def prefactors(dataset, ax):
    """Draw exact times in units of the formulas with prefactors, for each learning rate."""
    c = dataset.ratio.values
    for index, rate in enumerate(dataset.rate.values):
        at = dataset.sel(rate=rate)
        known = np.isfinite(at.time_predicted.values)
        share = (at.time / at.time_predicted).values[known]
        error = at.time_error.values[known] * share
        style = plotting.points_style(index) | {"label": rf"$\eta={rate:g}$"}
        plotting.points(ax, c[known], share, share - error, share + error, **style)
    ax.axhline(1, color="black", lw=1)
    ax.axvline(2, color="grey", ls=":", lw=1)
    ax.set(xlabel=r"loss ratio $c$", ylabel="exact time / formula", ylim=(0, 1.3))
    plotting.log_axes(ax, "x")
    ax.legend()
    return ax


@reads_dataset
def circle_barriers(dataset, ax):
    """Draw the barrier of the circle against the noise: SGD, its rivals, exact chains."""
    v = np.geomspace(0.1, 8, 60)
    top = np.pi
    for name, label, index, dashes in (
        ("arrhenius", r"Arrhenius, $4/\sigma^2$", 0, ":"),
        ("sgd", r"climb, $\frac{2}{\sigma}\arctan\frac{2}{\sigma}$", 3, "-"),
        ("paper", r"Mori et al., $\log(1+4/\sigma^2)$", 2, "--"),
        ("covariance", "exact covariance", 1, "--"),
    ):
        values = circle.circle_potential(top, v, theory=name)
        plotting.theory(ax, v, values, label=label, **(plotting.line(index) | {"ls": dashes}))
    plotting.theory(ax, v, circle.circle_barrier(v), color="black", label="SGD, with jumps")
    found = [_circle(dataset, value) for value in dataset.variance.values]
    _intervals(ax, dataset.variance.values, found, color="black", label="exact chains")
    ax.set(xlabel=r"label noise $\sigma^2$", ylabel=r"exponent $(\eta/B)\,\log t$")
    plotting.log_axes(ax)
    ax.set_ylim(0.25, 12)
    ax.legend(fontsize=7)
    return ax


@door
def circle_paths(ax, *, variances=(0.25, 1.0, 2.0)):
    """Draw the cheapest ways from 0 to pi on the loss: climbs as lines, jumps as arcs."""
    theta = np.linspace(-np.pi, np.pi, 400)
    for index, variance in enumerate(variances):
        lift = 2.6 * index
        ax.plot(theta, 1 - np.cos(theta) + lift, color="grey", lw=1)
        at, colour = 0.0, plotting.line(index)["color"]
        for kind, stop in circle.circle_path(variance)[1]:
            way = np.linspace(at, stop, 80)
            height = 1 - np.cos(way) + lift
            if kind == "jump":
                ends = np.interp([0, 1], [0, 1], [height[0], height[-1]])
                bow = np.linspace(0, 1, 80)
                height = ends[0] + (ends[1] - ends[0]) * bow + 2.4 * bow * (1 - bow)
            ax.plot(way, height, color=colour, lw=2.2, ls="-" if kind == "climb" else (0, (3, 1.5)))
            at = stop
        ax.text(-3.05, lift + 0.75, rf"$\sigma^2={variance:g}$", color=colour)
    ax.set(xlabel=r"$\theta$", ylabel="loss, lifted", yticks=[])
    ax.set_xticks([-np.pi, 0, np.pi], labels=[r"$-\pi$", "0", r"$\pi$"])
    return ax


@reads_dataset
def directions(dataset, ax):
    """Draw by how much each further direction lowers log t over the circle's saddle."""
    rates = dataset.plane_rate.values
    for name, label, style in (
        ("plane_log_factor", "SGD, $I$", {"color": "black"}),
        (
            "plane_paper",
            r"Mori et al., $\log(L^s/L^*)/2$",
            plotting.line(2) | {"ls": "--"},
        ),
    ):
        level = float(dataset[name])
        plotting.theory(ax, [0, rates[0]], [level, level], label=label, **style)
    _intervals(ax, rates, direction_effects(dataset), color="black", label="exact chain, $n=2$")
    limit = [direction_limit(dataset)]
    _intervals(ax, [0.0], limit, label="extrapolated", **plotting.points_style(1))
    rate = provenance.settings(dataset).plane_run_rate
    for index, n in enumerate(dataset.plane_dimension.values):
        found = [direction_runs(dataset, int(n))]
        style = plotting.points_style(3 + index) | {"label": f"real SGD, $n={n}$"}
        _intervals(ax, [rate * (1.03 + 0.03 * index)], found, **style)
    ax.set(xlabel=r"$\eta/B$", ylabel="fall of $\\log t$ a direction")
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


@reads_dataset
def camel_normal(dataset, ax):
    """Draw the camel's mean number of steps with normal noise, Kramers' formula, the exponent."""
    rates, barrier = dataset.camel_rate.values, float(dataset.camel_exponent)
    height, steps = barrier / rates, dataset.camel_predicted.values / rates
    plotting.theory(ax, height, steps, color="black", label="Kramers' formula")
    alone = steps[0] * np.exp(height - height[0])
    style = plotting.line(1) | {"ls": "--"}
    plotting.theory(ax, height, alone, label=r"$e^{E/\eta}$ alone", **style)
    found = [mean_interval(runs) for runs in dataset.camel_steps.values]
    _intervals(ax, height, found, color="black", label="SGD")
    ax.set(xlabel=r"barrier $E/\eta$", ylabel="mean number of steps")
    plotting.log_axes(ax, "y")
    ax.legend()
    return ax


@reads_dataset
def camel_skewed(dataset, ax):
    """Draw mean times out of mirror wells with skewed noise, their slopes, and that of an SDE."""
    for index, well in enumerate(dataset.well.values):
        at = dataset.sel(well=well)
        x, style = 1 / at.skewed_rate.values, plotting.line(index)
        found = [mean_interval(runs) for runs in at.skewed_steps.values / x[:, None]]
        marks = plotting.points_style(index) | {"label": f"{well} well"}
        _intervals(ax, x, found, **marks)
        middle = np.mean(np.log([one.value for one in found]))
        for name, dashes in (("skewed_predicted", "-"), ("skewed_sde", ":")):
            logs = np.log(at[name].values)
            line = np.exp(logs - logs.mean() + middle)
            plotting.theory(ax, x, line, **(style | {"ls": dashes}))
    ax.set(xlabel=r"$1/\eta$", ylabel=r"mean time $t=\eta k$")
    plotting.log_axes(ax, "y")
    ax.legend()
    return ax


@reads_dataset
def network_times(dataset, ax, *, batch_size):
    """Draw a network's kept passage times with what one direction predicts."""
    c = dataset.threshold.values
    for index, value in enumerate(dataset.exponent.values):
        at = dataset.sel(exponent=value, batch_size=batch_size)
        style = plotting.line(index)
        plotting.theory(ax, c, np.exp(at.chain_log_time), **style)
        plotting.theory(ax, c, np.exp(at.paper_log_time), **(style | {"ls": ":"}))
        low, high = (np.exp(at.log_time + sign * at.half_width) for sign in (-1, 1))
        label = rf"$B/(\eta h)={value:g}$"
        marks = plotting.points_style(index) | {"label": label}
        plotting.points(ax, c, np.exp(at.log_time), low, high, **marks)
    ax.set(xlabel=r"loss ratio $c$", title=f"$B={batch_size}$")
    plotting.log_axes(ax)
    ax.set_ylim(0.01, 60)
    if batch_size == int(dataset.batch_size[0]):
        ax.set_ylabel(r"$t_p$")
        ax.legend(fontsize=7)
    return ax


@reads_dataset
def network_exponents(dataset, ax):
    """Draw exponents of the leading direction and the growth of the runs' log times."""
    c = dataset.threshold.values
    plotting.theory(ax, c, dataset.leading, color="black", label="measured gradients, $hV(c)$")
    kurtosis = diffusion_barrier(c, kurtosis=float(dataset.kurtosis))
    plotting.theory(ax, c, kurtosis, label="their kurtosis", **(plotting.line(1) | {"ls": "--"}))
    plotting.theory(ax, c, np.log(c), label=r"$\log c$", **(plotting.line(2) | {"ls": "--"}))
    batch = int(dataset.batch_size[0])
    exponents = [float(a) for a in dataset.exponent.values]
    for index, pair in enumerate(zip(exponents[:-1], exponents[1:], strict=True)):
        both = dataset.log_time.sel(batch_size=batch, exponent=list(pair)).values
        known = np.flatnonzero(np.isfinite(both).all(axis=0))
        at = [{"batch_size": batch, "pair": pair, "threshold": c[k]} for k in known]
        label = rf"runs, {pair[0]:g} to {pair[1]:g}"
        style = plotting.points_style(index) | {"label": label}
        _intervals(ax, c[known], [growth(dataset, **one) for one in at], **style)
        found = [predicted_growth(dataset, "chain_log_time", **one) for one in at]
        plotting.theory(ax, c[known], found, **(plotting.line(index) | {"ls": ":"}))
    ax.set(xlabel=r"loss ratio $c$", ylabel=r"growth of $\log t$ with $B/(\eta h)$")
    plotting.log_axes(ax, "x")
    ax.set_ylim(0, 2.4)
    ax.legend(fontsize=7)
    return ax


def _one(dataset, ratio):
    at = dataset.sel(ratio=ratio)
    return exponent(at.time, at.time_error, dataset.rate, power=0.5)


def _far(dataset, ratio):
    at = dataset.sel(far_ratio=ratio)
    return exponent(at.far_time, at.far_time_error, dataset.far_rate, power=0.5)


def _many(dataset, dimension):
    at = dataset.sel(dimension=dimension)
    ratios = at.dimension_ratio.values
    rows = zip(at.dimension_time.values.T, at.dimension_time_error.values.T, strict=True)
    found = [exponent(*row, dataset.dimension_rate, power=dimension / 2) for row in rows]
    return ratios, found


def _law(dataset, law):
    at = dataset.sel(law=law)
    known = np.isfinite(at.law_time.values).all(axis=0)
    rows = zip(at.law_time.values.T[known], at.law_time_error.values.T[known], strict=True)
    found = [exponent(*row, dataset.rate, power=0.5, extrapolated=False) for row in rows]
    return at.law_ratio.values[known], found


def _circle(dataset, variance):
    at = dataset.sel(variance=variance)
    # a path with a jump has a prefactor between 1 and the root of eta, the climb none
    jumps = float(at.circle_barrier) < float(at.circle_climb) - 1e-9
    powers = (0.0, 0.5) if jumps else (0.0, 0.0)
    return exponent_between(at.circle_time, at.circle_error, at.circle_rate, powers=powers)


def _intervals(ax, x, found, **style):
    rows = np.array([[f.value, f.low, f.high] for f in found])
    plotting.points(ax, x, *rows.T, **style)
