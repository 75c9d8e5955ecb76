"""The figures of chapter `kramers_escape`: theory as lines, measurement as points."""

import numpy as np

from sgdescape.core import plotting
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats import survival
from sgdescape.kramers_escape import estimates
from sgdescape.kramers_escape import landscape as losses
from sgdescape.kramers_escape.landscape import valley
from sgdescape.kramers_escape.theory.detour import off_axis
from sgdescape.kramers_escape.theory.dimension import path_widths, tail_dimension


@reads_dataset
def log_loss(dataset, ax):
    """Draw Fig. 4: the log-loss along the most probable escape path, with its three marks."""
    shape = valley(provenance.settings(dataset), curvature_saddle=-0.75)
    z = np.linspace(-0.35 * shape.saddle, shape.crossing * 1.025, 300)
    rise = np.log(losses.path_loss(shape, z) / shape.minimum_loss)
    loss = losses.path_loss(shape, z) / shape.minimum_loss - 1
    plotting.theory(ax, z, rise, **plotting.line(0), label=r"$U-U(0)=\log(L/L^*)$")
    ax.plot(z, loss, ls=":", **plotting.line(1), label=r"$L/L^*-1$")
    high = np.log(shape.loss_ratio)
    marks = {0.0: "$0$", shape.saddle: r"$z_e^s$", shape.crossing: r"$z_e^c$"}
    for position, height in zip(marks, (0, high, 0), strict=True):
        ax.plot(position, height, "o", ms=5, color="black", zorder=4)
    ax.annotate("", (shape.saddle, high), (shape.saddle, 0), arrowprops={"arrowstyle": "<->"})
    ax.text(shape.saddle * 1.03, high / 2, r"$\Delta U$")
    ax.axhline(0, color="#777777", lw=0.8, zorder=0)
    ax.set_xticks(list(marks), labels=list(marks.values()))
    ax.set_ylim(-0.7, 2.3)
    ax.set(xlabel="position $z_e$ on the escape path", ylabel="height above the minimum")
    ax.legend(loc="upper left")
    return ax


@reads_dataset
def plane(dataset, ax, *, reading="loss", ratio=1.0):
    """Draw level lines of log L in the plane, the escape axis, minimum and saddle.

    Args:
        dataset: of `run`.
        ax: matplotlib axes.
        reading: what separates, "loss" or "log loss".
        ratio: rho = h_j/h_e.
    """
    shape = valley(provenance.settings(dataset), transverse=(ratio,))
    function = {"loss": losses.separable_loss, "log loss": losses.separable_log_loss}[reading]
    z = np.linspace(-0.3 * shape.saddle, 1.15 * shape.crossing, 200)
    y = np.linspace(-3, 3, 161)
    u = np.log(function(shape, z[:, None], y) / shape.minimum_loss)
    levels = np.arange(0.25, 3, 0.5)
    ax.contour(z, y, u.T, levels=levels, cmap="cividis", linewidths=0.9)
    high = np.log(shape.loss_ratio)
    ax.contour(z, y, u.T, levels=[high], colors=[plotting.COLOURS["vermilion"]], linewidths=1.6)
    ax.plot([0, shape.crossing], [0, 0], "--", color="black", lw=1)
    ax.plot(0, 0, "o", color="black", ms=5)
    ax.plot(shape.saddle, 0, "X", color="black", ms=7)
    ax.set(xlabel="$z_e$", ylabel="$z_1$", title=f"{reading} separates")
    ax.grid(False)
    return ax


@reads_dataset
def theorem(dataset, ax):
    """Draw mean times in one dimension in units of Eq. (15), against the weakness of the noise."""
    noise = dataset.noise.values
    for i, (event, limit) in enumerate((("beyond", 1.0), ("saddle", 0.5))):
        times = np.exp(dataset.log_time.sel(event=event)) * dataset.rate_theory
        label = {"beyond": "beyond the saddle", "saddle": "to the saddle"}[event]
        ax.axhline(limit, **plotting.line(i), lw=1.5)
        ax.plot(noise, times, **plotting.points_style(i) | {"label": label})
    slowest = np.exp(dataset.log_time.sel(event="beyond")) / dataset.line_rate * dataset.rate_theory
    hollow = {"marker": "s", "ms": 8, "mfc": "none", "ls": "none", "color": "black"}
    ax.plot(noise, slowest, **hollow, label="1/slowest mode")
    ax.set(xlabel=r"$B/(\eta h_e^*)$", ylabel=r"mean time $\times\ \kappa$", ylim=(0.4, 1.1))
    plotting.log_axes(ax, "x")
    ax.legend(loc="center right")
    return ax


@reads_dataset
def power(dataset, ax):
    """Draw mean escape times against the loss ratio for three noises, with Eq. (15)."""
    c = dataset.loss_ratio.values
    for i, noise in enumerate((5.0, 10.0, 20.0)):
        at = dataset.sel(noise=noise)
        plotting.theory(ax, c, 1 / at.power_theory, **plotting.line(i))
        style = plotting.points_style(i) | {"label": rf"$B/\eta h={noise:g}$"}
        ax.plot(c, np.exp(at.log_power), **style)
    near = np.geomspace(c[0], 4, 60)
    start = float(np.exp(dataset.log_power.sel(noise=5.0)[0]))
    linear = start * np.exp(5.0 * (near - near[0]))
    ax.plot(near, linear, "k:", lw=1.2, label=r"linear barrier, $B/\eta h=5$")
    ax.set(xlabel="loss ratio $c$", ylabel=r"mean time beyond the saddle, $1/h_e^*$")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@reads_dataset
def dimension(dataset, ax):
    """Draw the n that the escape rate has, against the transverse curvature."""
    ratios = dataset.ratio.values
    fine = np.linspace(0.01, 1, 200)
    plotting.theory(ax, ratios, dataset.dimension_theory, **plotting.line(0))
    plotting.theory(ax, fine, tail_dimension(fine[:, None]), **plotting.line(1))
    for i, (reading, label) in enumerate(
        (("loss", "saddle, loss separates"), ("log loss", "saddle, log-loss separates"))
    ):
        found = [estimates.dimension(dataset, reading, float(r)).value for r in ratios]
        style = plotting.points_style(2 * i) | {"label": label}
        ax.plot(ratios, found, **style)
    bowl = dataset.sel(ratio=ratios[ratios <= 1])
    found = [estimates.bowl_dimension(dataset, float(rho)).value for rho in bowl.ratio.values]
    ax.plot(bowl.ratio, found, **plotting.points_style(1) | {"label": "bowl, large $c$"})
    ax.axhline(2, color="black", ls=":", lw=1.2, label="number of outliers")
    ax.set(xlabel=r"$\rho=h_1^*/h_e^*$", ylabel="$n$ in the exponent", ylim=(0.8, 3.4))
    ax.legend(loc="upper left")
    return ax


@reads_dataset
def widths(dataset, ax):
    """Draw the transverse width factor g along the path for several curvature ratios."""
    for i, ratio in enumerate((0.1, 0.5, 1.0, 2.0)):
        shape = valley(provenance.settings(dataset), transverse=(ratio,))
        found = path_widths(shape, points=4000)
        inside = found.position < 0.999 * shape.saddle
        x = found.position[inside] / shape.saddle
        label = rf"$\rho={ratio:g}$"
        plotting.theory(ax, x, found.width[0][inside], **plotting.line(i), label=label)
    ax.set(xlabel="position $z_e/z_e^s$", ylabel="$g$")
    ax.legend()
    return ax


@reads_dataset
def detours(dataset, ax):
    """Draw paths of least action over the saddle for several loss ratios, the axis among them."""
    about = provenance.settings(dataset)
    for i, c in enumerate((4.0, 8.0, 16.0)):
        shape = valley(about, loss_ratio=c, transverse=(about.hot_ratio,))
        found = off_axis(shape)
        label = rf"$c={c:g}$: $L/L^*$ up to {found.loss_ratio.max():.0f}"
        scale = shape.saddle
        ax.plot(found.along / scale, found.across / scale, **plotting.line(i), label=label)
    ax.plot([0, 1], [0, 0], "--", color="black", lw=1, label="axis")
    ax.plot(0, 0, "o", color="black", ms=5)
    ax.plot(1, 0, "X", color="black", ms=7)
    ax.set(xlabel="along the axis, $z_e/z_e^s$", ylabel="across, $z_1/z_e^s$")
    ax.set_ylim(top=1.55 * ax.get_ylim()[1])  # room for the legend above the arches
    ax.legend(loc="upper center", fontsize="small", ncols=2)
    return ax


@reads_dataset
def axis_limits(dataset, ax):
    """Draw up to which loss ratio the axis is the cheapest path, against the transverse curvature.

    Two lines: a path far from the axis is cheaper, and the axis is no local minimum any more.
    """
    rho = dataset.detour_ratio.values
    for i, (name, label) in enumerate(
        (("axis_end", "a path off the axis is cheaper"), ("focusing", "focusing on the axis"))
    ):
        style = plotting.line(i) | {"marker": "o", "ms": 4}
        ax.plot(rho, dataset[name], **style, label=f"above: {label}")
    ax.fill_between(rho, 1, dataset.axis_end, color="#dddddd", alpha=0.5, lw=0)
    ax.text(rho[len(rho) // 2], 1.4, "Theorem 4.7's exponent", ha="center")
    ax.set(xlabel=r"$\rho=h_1^*/h_e^*$", ylabel="loss ratio $c$ of the saddle")
    plotting.log_axes(ax, "y")
    ax.legend()
    return ax


@reads_dataset
def paths(dataset, ax):
    """Draw the fraction of simulated paths that have not escaped, with the exponential law."""
    for i, place in enumerate(("beyond", "saddle")):
        times, seen = survival.right_censored(
            dataset.passage.sel(place=place).values, dataset.watched.values
        )
        curve = survival.kaplan_meier(times, seen)
        label = {"beyond": "beyond the saddle", "saddle": "to the saddle"}[place]
        where = np.r_[0, curve.times]
        ax.step(where, np.r_[1, curve.survival], where="post", **plotting.line(i), label=label)
        mean = float(dataset.path_time.sel(place=place))
        fine = np.linspace(0, where[-1], 100)
        ax.plot(fine, np.exp(-fine / mean), "k--", lw=1, label="exponential" if i else None)
    ax.set(xlabel="time $t$", ylabel="fraction of paths")
    ax.set_yscale("log")
    ax.set_ylim(0.02, 1.1)
    ax.set_yticks([0.05, 0.1, 0.2, 0.5, 1], labels=["0.05", "0.1", "0.2", "0.5", "1"])
    ax.minorticks_off()
    ax.legend()
    return ax


@reads_dataset
def bowls(dataset, ax):
    """Draw mean times to a level of the loss in isotropic bowls of several dimensions."""
    c, noise = dataset.level.values, provenance.settings(dataset).bowl_noise
    for i, n in enumerate(dataset.dimension.values):
        ax.plot(c, dataset.bowl_time.sel(dimension=n), **plotting.line(i), label=f"$n={n}$")
    for n in (2, 4):
        end = float(dataset.bowl_time.sel(dimension=n)[-1])
        power = -float(dataset.growth_theory.sel(dimension=n)) * noise
        plotting.power_guide(ax, c[[4, -1]], through=(c[-1], 2 * end), power=power)
    ax.set(xlabel="loss ratio $c$", ylabel="mean time to $L=cL^*$")
    plotting.log_axes(ax)
    ax.legend()
    return ax
