"""The figures of chapter `random_time_change`: theory as lines, measurement as points.

Every function draws a dataset of `random_time_change.run` into given axes and returns them.
"""

import numpy as np
from scipy import stats

from sgdescape.core import plotting, validate
from sgdescape.core.doors import door
from sgdescape.core.explorer import Axes, explorer_html
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.random_time_change.theory import clock as theory
from sgdescape.random_time_change.theory import stability

FLOORS = (0.02, 0.1, 0.5)
_NAMES = {"Ito": "Itô", "Stratonovich": "Stratonovich", "anti-Ito": "anti-Itô"}


@door
def double_well(theta, *, floor):
    """Return L = floor + (theta^2 - 1)^2 / 2: two minima of that loss, a barrier of 1/2 on top."""
    floor = validate.non_negative("floor", floor)
    return floor + 0.5 * (validate.finite("theta", theta) ** 2 - 1) ** 2


@door
def landscapes(axes):
    """Draw L and log L of the double well for three losses at the minimum, side by side."""
    theta = np.linspace(-1.6, 1.6, 400)
    for i, floor in enumerate(FLOORS):
        loss = double_well(theta, floor=floor)
        style = plotting.line(i) | {"label": f"$L^*={floor:g}$"}
        plotting.theory(axes[0], theta, loss, **style)
        plotting.theory(axes[1], theta, np.log(loss), **style)
    axes[0].set(xlabel=r"$\theta$", ylabel=r"loss $L$", ylim=(0, 1.8))
    axes[1].set(xlabel=r"$\theta$", ylabel=r"log loss $U=\log L$")
    axes[0].legend(loc="upper center")
    return axes


def barrier_explorer(*, start: float = 0.1) -> str:
    """Return an interactive drawing: the log barrier of the double well as its floor is moved."""
    theta = np.linspace(-1.5, 1.5, 121)
    floors = (0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
    curves = {f: np.log(double_well(theta, floor=f) / f).tolist() for f in floors}
    readings = {}
    for f in floors:
        barrier = float(theory.log_barrier(f + 0.5, f))
        readings[f] = (
            f"Loss at the minima {f:g}: the linear barrier is 0.5, the log barrier {barrier:.2f}."
        )
    axes = Axes(
        theta.tolist(), 4.5, "θ", "U - U*", "Log loss of a double well above its minima, by θ"
    )
    linear = (double_well(theta, floor=0.0)).tolist()
    return explorer_html(
        axes,
        curves,
        slider="Loss L* at the minima",
        start=start,
        readings=readings,
        references={"L - L*": linear},
    )


@reads_dataset
def clock(dataset, axes):
    """Draw one path against t, its clock, and the same path against tau with Eq. (14) on it."""
    t, tau = dataset.example_time.values, dataset.example_tau.values
    state = dataset.example_state.values
    plotting.theory(axes[0], t, state, **plotting.line(0) | {"lw": 1.0})
    axes[0].set(xlabel="time $t$", ylabel=r"$\theta$")
    plotting.theory(axes[1], t, tau, **plotting.line(0), label=r"$\tau(t)$")
    floor = provenance.settings(dataset).minimum_loss * t
    axes[1].plot(t, floor, "k:", lw=1.2, label=r"$L^*t$")
    axes[1].set(xlabel="time $t$", ylabel=r"clock $\tau$")
    axes[1].legend()
    label = "Eq. (12)"
    plotting.theory(axes[2], tau, state, **plotting.line(0) | {"lw": 1.0}, label=label)
    style = plotting.points_style(1) | {"ms": 4}
    knots = dataset.example_changed_tau.values
    axes[2].plot(knots, dataset.example_changed.values, **style, label="Eq. (14)")
    axes[2].set(xlabel=r"clock $\tau$", ylabel=r"$\theta$")
    axes[2].legend()
    return axes


@reads_dataset
def strong_errors(dataset, ax):
    """Draw the mean distance between paths on one Brownian motion against the step."""
    labels = {
        "time-changed": r"Eq. (14), step of $\tau$",
        "not rescaled": r"Eq. (14) with $dW$ itself",
        "Euler": "Eq. (12), Euler",
        "Milstein": "Eq. (12), Milstein",
    }
    for i, (scheme, label) in enumerate(labels.items()):
        at = dataset.sel(scheme=scheme)
        found = [mean_interval(row) for row in at.strong_error.values]
        value, low, high = np.transpose([(f.value, f.low, f.high) for f in found])
        low = np.maximum(low, value / 3)  # a log axis has no room for less
        style = plotting.points_style(i) | {"label": label}
        plotting.points(ax, at.strong_step.values, value, low, high, **style)
    step = dataset.sel(scheme="time-changed").strong_step.values
    first = float(dataset.sel(scheme="time-changed").strong_error[0].mean())
    plotting.power_guide(ax, step[[0, -1]], through=(step[0], first), power=1, label="slope 1")
    euler = dataset.sel(scheme="Euler")
    step, first = euler.strong_step.values, float(euler.strong_error[0].mean())
    guide = {"ls": ":", "label": "slope 1/2"}
    plotting.power_guide(ax, step[[0, -1]], through=(step[0], first), power=0.5, **guide)
    ax.set(xlabel=r"step of $t$ or $\tau$", ylabel="mean distance at the end")
    plotting.log_axes(ax)
    ax.legend(fontsize="small")
    return ax


@reads_dataset
def driver(dataset, ax):
    """Draw quantiles of the driver at fixed tau and at fixed t against those of a normal law."""
    levels = np.linspace(0.001, 0.999, 60)
    normal = stats.norm.ppf(levels)
    plotting.theory(ax, normal, normal, **plotting.line(0), label="normal law")
    for i, (name, label) in enumerate(
        (("driver_fixed_tau", r"at fixed $\tau$"), ("driver_fixed_t", "at fixed $t$"))
    ):
        values = dataset[name].values
        scaled = np.quantile(values / values.std(), levels)
        style = plotting.points_style(i + 1) | {"ms": 3.5, "label": label}
        ax.plot(normal, scaled, **style)
    ax.set(xlabel="normal quantile", ylabel=r"quantile of $\int\sqrt{L}\,dW$, scaled")
    ax.legend()
    return ax


@reads_dataset
def laws(dataset, ax):
    """Draw the distribution of |theta| at a fixed t by both equations, and by Eq. (14) unread."""
    grid = dataset.law_radius.values
    exact = dataset.law_cdf.sel(reading="Eq. (12)")
    plotting.theory(ax, grid, exact, **plotting.line(0), label="Fokker-Planck, Eq. (12)")
    quantiles = np.linspace(0.02, 0.98, 25)
    for i, (name, label) in enumerate((("direct", "Eq. (12)"), ("mapped", "Eq. (14) mapped back"))):
        style = plotting.points_style(i + 1) | {"label": label, "ms": 4.5 + 3 * (i == 0)}
        style |= {"mfc": "none"} if i == 0 else {}
        ax.plot(np.quantile(dataset[name].values, quantiles), quantiles, **style)
    for style, name in ((":", r"tau = t"), ("--", "tau = L* t")):
        label = {"tau = t": r"Eq. (14) at $\tau=t$", "tau = L* t": r"Eq. (14) at $\tau=L^*t$"}[name]
        ax.plot(grid, dataset.law_cdf.sel(reading=name), "k" + style, lw=1.2, label=label)
    ax.set(xlabel=r"$|\theta_t|$", ylabel="distribution function", xlim=(0, 3))
    ax.legend(fontsize="small")
    return ax


@reads_dataset
def passages(dataset, ax):
    """Draw the share of runs that have not passed yet, in t by both equations, and in tau."""
    probability = np.linspace(0.0, 0.98, 30)
    shown = (
        ("Eq. (12)", "t", "Eq. (12), $t$", {}),
        ("Eq. (14)", "t", "Eq. (14), clock $t$", {}),
        ("Eq. (14)", "tau", r"Eq. (14), $\tau$", {}),
    )
    for i, (equation, clock, label, _) in enumerate(shown):
        values = dataset.passage.sel(equation=equation, clock=clock).values
        style = plotting.points_style(i) | {"label": label}
        style |= {"mfc": "none", "ms": 8} if i == 0 else {}
        ax.plot(np.quantile(values, probability), 1 - probability, **style)
    far = float(dataset.passage.sel(clock="t").quantile(0.98))
    times = np.linspace(0, far, 50)
    for i, clock in ((1, "t"), (2, "tau")):
        mean = float(dataset.passage_theory.sel(clock=clock))
        label = "exponential, exact mean" if i == 1 else None
        plotting.theory(ax, times, np.exp(-times / mean), **plotting.line(i), label=label)
    ax.set(xlabel=r"$t$ or $\tau$", ylabel="share not yet passed", ylim=(0.015, 1.1))
    plotting.log_axes(ax, "y")
    ax.legend(fontsize="small")
    return ax


@reads_dataset
def both_clocks(dataset, ax):
    """Draw the stationary densities in tau and in t against the loss."""
    for i, (law, samples, label) in enumerate(
        (
            ("tau", dataset.gibbs, r"$\tilde P_{ss}$, in $\tau$"),
            ("Ito", dataset.stationary.sel(convention="Ito"), r"$P_{ss}$, in $t$"),
        )
    ):
        _density(dataset, law, samples.values.ravel(), ax, series=i, label=label)
    return _density_axes(ax)


@reads_dataset
def conventions(dataset, ax):
    """Draw the stationary density in t against the loss for the three conventions."""
    for i, name in enumerate(_NAMES):
        samples = dataset.stationary.sel(convention=name).values
        _density(dataset, name, samples, ax, series=i, label=_NAMES[name])
    return _density_axes(ax)


@reads_dataset
def growth(dataset, ax):
    """Draw the mean rate of log|z| far away against the number of directions."""
    n = dataset.dimension.values
    for i, name in enumerate(_NAMES):
        line = dataset.growth_theory.sel(convention=name).values
        style = plotting.line(i) | {"label": _NAMES[name], "ls": "-" if i == 0 else "--"}
        plotting.theory(ax, n, line, **style)
    found = [mean_interval(row) for row in dataset.growth.values]
    ends = np.transpose([(f.value, f.low, f.high) for f in found])
    plotting.points(ax, n, *ends, label="simulation of Eq. (12)")
    ax.axhline(0.0, color="black", lw=0.8)
    ax.set(xlabel="number of directions $n$", ylabel=r"rate of $\log|z|$")
    ax.legend(fontsize="small")
    return ax


@reads_dataset
def clock_power(dataset, ax):
    """Draw the typical clock against t where the mean loss is infinite."""
    t = dataset.mark.values
    median = np.median(dataset.long_tau.values, axis=1)
    spread = np.quantile(dataset.long_tau.values, (0.25, 0.75), axis=1)
    label = f"$n={provenance.settings(dataset).wide}$, median, quartiles"
    plotting.points(ax, t, median, *spread, label=label)
    power = float(dataset.clock_power_theory)
    options = {"through": (t[0], median[0])}
    plotting.power_guide(ax, t[[0, -1]], power=power, label=r"$t^{1/\nu}$", **options)
    plotting.power_guide(ax, t[[0, -1]], power=1, label=r"$\bar L\,t$", ls=":", **options)
    ax.set(xlabel="time $t$", ylabel=r"clock $\tau$")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@reads_dataset
def frozen_clock(dataset, ax):
    """Draw the law of the time at which the clock stops at a global minimum."""
    sizes = provenance.settings(dataset)
    noise = sizes.learning_rate * sizes.curvature / sizes.batch_size
    law = stability.frozen_clock(1.0, index=-float(dataset.floor_theory), temperature=noise)
    edges = np.geomspace(*law.ppf([0.001, 0.995]), 25)
    counts = np.histogram(dataset.frozen_tau.values, edges)[0]
    density = counts / (dataset.sizes["life"] * np.diff(edges))
    x = np.geomspace(edges[0], edges[-1], 300)
    plotting.theory(ax, x, law.pdf(x), **plotting.line(0), label="inverse gamma")
    ax.plot(np.sqrt(edges[1:] * edges[:-1]), density, **plotting.POINTS, label="simulation")
    ax.axvline(0.25, color="black", ls=":", lw=1.2, label="without noise")
    ax.set(xlabel=r"$\tau(\infty)$", ylabel="density")
    ax.set_xlim(0, law.ppf(0.98))
    ax.legend()
    return ax


@reads_dataset
def floor(dataset, ax):
    """Draw the mean passage time from a global minimum against the constant added to the loss."""
    floor, mean = dataset.floor.values, dataset.floor_passage.values[-1]
    ax.plot(floor, mean, **plotting.POINTS, label="Fokker-Planck")
    power = float(dataset.floor_theory)
    options = {"power": power, "label": r"$\epsilon^{-\nu}$"}
    plotting.power_guide(ax, floor[[0, -1]], through=(floor[-1], mean[-1]), **options)
    ax.set(xlabel=r"added constant $\epsilon$", ylabel="mean passage time $t$")
    plotting.log_axes(ax)
    ax.legend()
    return ax


def _density(dataset, law, samples, ax, *, series, label):
    """Density of theta against L: histogram (points) and Fokker-Planck operator (line)."""
    scale = np.sqrt(
        2 * provenance.settings(dataset).minimum_loss / provenance.settings(dataset).curvature
    )
    edges = np.sqrt(np.expm1(np.linspace(0, 4.6, 24))) * scale
    counts = np.histogram(np.abs(samples), edges)[0]
    seen = counts >= 5
    value = counts / (2 * len(samples) * np.diff(edges))
    middle = 0.5 * (edges[1:] + edges[:-1])
    error = 2 * value / np.sqrt(np.maximum(counts, 1))
    at = dataset.operator_density.sel(law=law)
    ratio = 1 + (at.cell.values / scale) ** 2
    keep = (at.cell.values >= 0) & (ratio < 130)
    plotting.theory(ax, ratio[keep], at.values[keep], **plotting.line(series))
    plotting.points(
        ax,
        (1 + (middle / scale) ** 2)[seen],
        value[seen],
        (value - error)[seen],
        (value + error)[seen],
        **plotting.points_style(series),
        label=label,
    )


def _density_axes(ax):
    ax.set(xlabel="loss ratio $L/L^*$", ylabel="stationary density", ylim=(2e-6, 2))
    plotting.log_axes(ax)
    ax.legend()
    return ax
