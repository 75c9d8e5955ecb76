"""What the package gives to the live figures: a still picture of each, and values too heavy for JS.

Each function draws what its scene shows first, with the package's own functions.
"""

import numpy as np
from scene_drawing import BLUE, GREEN, HERO, HILL, RED, SOFT, VIOLET, given, still, values


def _panels(figure, count=2):
    return figure.subplots(1, count)


@still
def climb_or_jump(figure):
    """Draw the cost of both ways out against the rim."""
    from sgdescape import large_deviations as ld

    left, right = _panels(figure)
    stops = ld.cheapest_path(5.0)
    x = np.linspace(-2.6, 2.6, 60)
    left.fill_between(x, (1 + x**2) / 2, color=HILL)
    left.plot(x, (1 + x**2) / 2, color=SOFT)
    left.axhline(2.5, color=SOFT, ls="--", lw=1)
    climb = np.linspace(0, stops[0], 30)
    left.plot(climb, (1 + climb**2) / 2, color=GREEN, lw=5, label="climb")
    left.annotate(
        "", (stops[1], 2.5), (stops[0], (1 + stops[0] ** 2) / 2),
        arrowprops={"arrowstyle": "->", "color": HERO, "lw": 3, "connectionstyle": "arc3,rad=-0.5"},
    )  # fmt: skip
    left.text(0.6, 3.4, "jump", color=HERO, ha="center")
    left.text(-0.5, 0.15, "climb", color=GREEN, ha="center")
    left.set(ylim=(0, 4), xlabel="parameter θ", ylabel="loss L / 2L*", title="The way out at c = 5")
    c = np.geomspace(1, 24, 80)
    right.plot(c, ld.quasi_potential(c), color=HERO, lw=3.5, label="cheapest")
    right.plot(c, c - 1, color=GREEN, ls="--", label="climb, c − 1")
    right.plot(c, np.log(c), color=RED, ls=":", label="paper's SDE, log c")
    right.set(xscale="log", ylim=(0, 4), xlabel="rim c", title="What it costs")
    right.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    right.minorticks_off()
    right.legend(loc="lower right")


@still
def escape_rate(figure):
    """Draw Eq. (15) and its exponent at the sliders' first positions."""
    from sgdescape import kramers_escape as ke

    left, right = _panels(figure)
    c, noise = np.geomspace(1, 4, 60), {"learning_rate": 10**-0.7, "batch_size": 1}
    for n, colour, style in ((1, SOFT, ":"), (4, BLUE, "-"), (10, GREEN, "--"), (16, RED, "-.")):
        rate = ke.escape_rate(
            c, curvature_minimum=1.0, curvature_saddle=-1.0, effective_dimension=n, **noise
        )
        left.plot(c, 1 / rate, color=colour, ls=style, label=f"n = {n}")
    left.set(xscale="log", yscale="log", xlabel="loss ratio c", title="Mean time to escape, 1/κ")
    left.set_xticks([1, 2, 3, 4], ["1", "2", "3", "4"])
    left.minorticks_off()
    left.legend()
    critical = float(ke.critical_effective_dimension(curvature=1.0, **noise))
    n = np.array([1, 24])
    right.plot(n, 0.5 * (critical - n), color=BLUE)
    right.axhline(0, color=SOFT, lw=1)
    right.axvline(critical, color=RED, ls="--")
    right.text(critical + 0.4, 4, f"n_c = {critical:.1f}", color=RED)
    right.set(xlabel="dimensions n", title="Exponent B/(ηh) + 1 − n/2")


@still
def escape_movie(figure):
    """Draw both landscapes, and the laws of passage times of three theories."""
    from sgdescape import linear_regression as lr

    axes = _panels(figure, 3)
    x = np.linspace(-1.3, 1.3, 60)
    for ax, height, title in (
        (axes[0], 1 + x**2, "Loss L/L*"), (axes[1], np.log1p(x**2), "log L/L*"),
    ):  # fmt: skip
        ax.fill_between(x, height, height.min() - 0.1, color=HILL)
        ax.plot(x, height, color=SOFT)
        at = [np.interp(end, x, height) for end in (-1, 1)]
        ax.plot([-1, 1], at, "o", color=RED, mfc="none")
        ax.set(title=title, xlabel="parameter θ")
    noise = {"learning_rate": 0.1, "batch_size": 1}
    means = (
        ("additive noise", lr.linear_barrier_time(2.0, dimension=1, **noise), GREEN, "--"),
        ("exact covariance", lr.kurtosis_passage_time(2.0, kurtosis=3.0, **noise), VIOLET, ":"),
        ("the paper's SDE", lr.mean_first_passage_time(2.0, dimension=1, **noise), RED, "-"),
    )
    t = np.geomspace(5, 5e4, 90)
    for label, mean, colour, style in means:
        axes[2].plot(t, t / mean * np.exp(-t / mean), color=colour, ls=style, label=label)
    axes[2].set(xscale="log", ylim=(0, 0.62), xlabel="time t = ηk", title="Passage times at c = 2")
    axes[2].legend(fontsize=9, loc="upper left")


DAMPINGS = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@given
def escape_map_values():
    """Return barriers over damping and loss ratio, and where experiments lie on the map."""
    from sgdescape import large_deviations as ld
    from sgdescape import linear_regression as lr
    from sgdescape import momentum_escape as me
    from sgdescape import underdamped_langevin as ul

    ratios = np.geomspace(1.02, 20, 36)
    settings = [("mori", lr.PAPER.learning_rate, 0.0, lr.PAPER.batch_size, 1.0)]
    settings += [
        ("kunin", *KUNIN[:2], KUNIN[2], curvature) for curvature in ul.PAPER.paper_curvatures
    ]
    marks = [(kind, *_scales(*setting)) for kind, *setting in settings]
    cells = zip(me.QUICK.dampings, me.QUICK.hot, me.QUICK.cold, strict=True)
    marks += [("book", 1 / cold, zeta) for zeta, *pair in cells for cold in pair]
    return {
        "ratios": _short(ratios),
        "dampings": DAMPINGS,
        "barriers": [_short(me.barrier(ratios, damping=z)) for z in DAMPINGS],
        "strong": _short(ld.quasi_potential(ratios)),
        "tails": _short(me.tail_slope(DAMPINGS)),
        "tailsEnd": me.tail_slope(np.inf),
        "marks": [{"kind": kind, "at": _short([t, zeta])} for kind, t, zeta in marks],
    }


KUNIN = (1e-4, 0.9, 256)
"""Learning rate, momentum and batch size of Kunin et al.'s default, their Section 7."""


def _scales(learning_rate, momentum, batch_size, curvature):
    from sgdescape import momentum_escape as me

    at = {"learning_rate": learning_rate, "momentum": momentum, "curvature": curvature}
    return float(me.temperature(batch_size=batch_size, **at)), float(me.damping(**at))


def _short(numbers):
    """Eight digits: more than a picture shows, fewer bytes."""
    return [float(f"{x:.8g}") for x in np.asarray(numbers, float)]


@still
def escape_map(figure):
    """Draw the map with its edges and the barrier at three dampings."""
    from sgdescape import momentum_escape as me

    table = values("escape_map")
    left, right = _panels(figure)
    zeta, batch = np.geomspace(0.01, 100, 60), 8
    w = [barrier[np.searchsorted(table["ratios"], 2.0)] for barrier in table["barriers"]]
    for level in (1, 10, 100, 1000, 1e4):
        left.plot(np.array(w) / level, DAMPINGS, color=SOFT, lw=0.8)
    beta = 1 - np.geomspace(1, 1e-3, 60)
    step = me.stable_step(momentum=beta, batch_size=batch)
    at = {"learning_rate": step, "momentum": beta, "curvature": 1.0}
    edge = me.temperature(batch_size=batch, **at)
    left.plot(edge, me.damping(**at), color=RED, lw=3, label="edge of stability, B = 8")
    t = np.geomspace(1e-5, 10, 9)
    left.plot(t, 1 / np.sqrt(2 * batch * t), color=VIOLET, ls="--", label="no momentum, B = 8")
    for kind, colour in (("mori", VIOLET), ("kunin", GREEN), ("book", SOFT)):
        at = np.array([m["at"] for m in table["marks"] if m["kind"] == kind]).T
        left.plot(*at, "o", color=colour, ms=5, mfc="none" if kind == "book" else colour)
    left.set(xscale="log", yscale="log", xlim=(1e-5, 10), ylim=(zeta[0], zeta[-1]))
    left.set(xlabel="temperature T", ylabel="damping ζ", title="The map")
    left.legend(fontsize=9, loc="lower left")
    c = table["ratios"]
    for name, row, colour, style in (
        ("ζ = 0.03", table["barriers"][0], GREEN, ":"),
        ("ζ = 0.5", table["barriers"][4], HERO, "-"),
        ("ζ = ∞", table["strong"], BLUE, "--"),
        ("log c", np.log(c), VIOLET, "-."),
    ):  # fmt: skip
        right.plot(c, row, color=colour, ls=style, label=name)
    right.set(xscale="log", xlabel="loss ratio c", title="Barrier w: log(time) is w/T")
    right.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    right.minorticks_off()
    right.legend()


@still
def two_clocks(figure):
    """Draw one path of the paper's SDE against both clocks."""
    from sgdescape import random_time_change as rtc

    left, right = _panels(figure)
    rng, step, noise = np.random.default_rng(2), 0.01, 0.8
    theta = [0.0]
    for kick in np.sqrt(2 * noise * step) * rng.standard_normal(1200):
        drift = rtc.log_drift(np.array([[theta[-1]]]), [(1 + theta[-1] ** 2) / 2])[0, 0]
        theta.append(theta[-1] + drift * step + kick)
    theta = np.array(theta)
    tau = step * np.arange(len(theta))
    t = rtc.physical_time((1 + theta**2) / 2, step=step)
    for ax, clock, name in ((left, t, "t"), (right, tau, "τ")):
        ax.plot(clock, theta, color=BLUE, lw=1)
        hot = np.where(theta**2 > 1, theta, np.nan)
        ax.plot(clock, hot, color=RED, lw=1.4)
        ax.set(xlabel=f"clock {name}", title=f"The path on clock {name}")
    left.set_ylabel("parameter θ")


@still
def spiral(figure):
    """Draw the mean path in phase space for two momenta."""
    from sgdescape import underdamped_langevin as ul

    left, right = _panels(figure)
    k, curvature = np.arange(301), 0.0092
    for beta, colour, style in ((0.5, GREEN, "--"), (0.97, RED, "-")):
        at = {"learning_rate": 1.0, "momentum": beta}
        x, v = ul.mean(k, curvature, 1.0, **at).T
        left.plot(x, v / ul.angular_frequency(curvature, **at), color=colour, ls=style)
        right.plot(k, x, color=colour, ls=style, label=f"β = {beta:g}")
    left.set(xlabel="position θ − μ", ylabel="velocity v/ω", title="Phase plane, ηh = 0.0092")
    right.set(xlabel="step k", title="Position against the step")
    right.legend()


@still
def modified_loss(figure):
    """Draw the levels of loss and modified loss, particles, and the current."""
    from sgdescape import modified_loss as ml

    left, right = _panels(figure)
    parts = ml.decompose([[2.5, -1.5], [-1.5, 2.5]], np.diag([4.0, 1.0]))
    angle = np.linspace(0, 2 * np.pi, 61)
    circle = np.array([np.cos(angle), np.sin(angle)])
    cloud = np.linalg.cholesky(parts.shape) @ np.random.default_rng(1).standard_normal((2, 120))
    left.plot(*cloud, "o", color=BLUE, ms=2.5)
    for radius in (1, 1.7, 2.4):
        left.plot(*(1.2 * radius * np.linalg.cholesky(np.linalg.inv(parts.drift)) @ circle),
                  color=SOFT, ls="--", lw=1)  # fmt: skip
        ring = radius * np.linalg.cholesky(parts.shape) @ circle
        for ax in (left, right):
            ax.plot(*ring, color=RED, lw=1.6)
        at = ring[:, :-1:10]
        flow = ml.probability_velocity(at.T, parts).T
        right.quiver(*at, *flow, color=HERO, angles="xy", scale=40, width=0.008)
    left.set(xlabel="z₁", ylabel="z₂", title="Loss (grey), modified loss, particles")
    right.set(xlabel="z₁", title="The current −QUz")


@still
def displacement(figure):
    """Draw the displacement of a power-law spectrum and its local exponent."""
    from sgdescape import anomalous_diffusion as ad

    left, right = _panels(figure)
    k = np.unique(np.round(np.geomspace(1, 3e4, 60)))
    rho = ad.power_law_spectrum(32, 1.5)
    for beta, colour, style in ((0.0, GREEN, "--"), (0.9, BLUE, "-")):
        at = {"learning_rate": 0.05, "momentum": beta, "batch_size": 1}
        square = ad.mean_squared_displacement(k, rho, rho, **at)
        left.plot(k, square, color=colour, ls=style, label=f"β = {beta:g}")
        right.plot(*ad.local_exponents(k, square), color=colour, ls=style)
    right.axhline(1, color=SOFT, ls=":", lw=1)
    left.set(xscale="log", yscale="log", xlabel="steps k", title="Mean-square displacement")
    right.set(xscale="log", xlabel="steps k", title="Local exponent")
    left.legend()


@still
def batches(figure):
    """Draw the displacement with both samplers, and the share of variance that shuffling leaves."""
    from sgdescape import anomalous_diffusion as ad

    left, right = _panels(figure)
    k = np.unique(np.round(np.geomspace(1, 400, 60))).astype(int)
    at = {"learning_rate": 0.1, "momentum": 0.0, "batch_size": 1}
    free = ad.mean_squared_displacement(k, [0.02], 1.0, **at)
    mixed = ad.shuffled_displacement(k, [0.02], 1.0, steps_per_epoch=50, **at)
    left.plot(k, free, color=RED, ls="--", label="independent")
    left.plot(k, mixed, color=BLUE, label="shuffled")
    left.axvline(50, color=SOFT, ls=":", lw=1)
    left.set(xscale="log", yscale="log", xlabel="steps k", title="Displacement, epoch of 50 steps")
    left.legend()
    x = np.geomspace(0.01, 100, 60)
    right.plot(x, ad.shuffled_fraction(x), color=BLUE)
    right.set(xscale="log", xlabel="relaxations an epoch", title="Variance that shuffling leaves")


@still
def noise_ellipse(figure):
    """Draw the noise along the path for four input laws, against Eq. (6)."""
    from sgdescape import noise_covariance as nc

    left, right = _panels(figure)
    c = np.linspace(1, 4, 40)
    left.plot(c, c, color=BLUE, ls="--", label="decoupled, Eq. (6)")
    right.plot(c, np.log(c), color=BLUE, ls="--", label="log c")
    for kappa, colour, style in ((1.0, GREEN, ":"), (3.0, HERO, "-"), (6.0, VIOLET, "-.")):
        noise = nc.kurtosis_noise(c, kurtosis=kappa)
        left.plot(c, noise, color=colour, ls=style, label=f"exact, κ = {kappa:g}")
        right.plot(c, nc.diffusion_barrier(c, kurtosis=kappa), color=colour, ls=style)
    left.set(xlabel="loss ratio c", title="Noise along the path, of that at the minimum")
    right.set(xlabel="loss ratio c", title="Barrier of the diffusion")
    left.legend()
