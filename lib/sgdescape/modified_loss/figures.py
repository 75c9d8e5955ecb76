"""The figures of chapter `modified_loss`: theory as lines, measurement as points.

Every function draws a dataset of `modified_loss.run` into given axes and returns them.
"""

import numpy as np
from matplotlib.ticker import NullLocator
from scipy import stats

from sgdescape.core import plotting
from sgdescape.core.plotting import SHOWN_LEVEL
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.modified_loss import estimates
from sgdescape.modified_loss.measure import single_modes
from sgdescape.modified_loss.theory import decomposition, relations, reversal
from sgdescape.underdamped_langevin import covariance

_GREY = "#9a9a9a"


@reads_dataset
def toy(dataset, ax, *, modified):
    """Draw Fig. 3's path over the contours of its potential, or of Psi with the current."""
    parts = decomposition.decompose(single_modes.TOY_DRIFT, single_modes.TOY_DIFFUSION)
    matrix = parts.precision if modified else parts.drift
    side = np.linspace(-0.1, 0.1, 81)
    grid = np.stack(np.meshgrid(side, side), axis=-1) - single_modes.TOY_CENTRE
    height = 0.5 * np.einsum("...i,ij,...j->...", grid, matrix, grid)
    colour = plotting.line(1 if modified else 0)["color"]
    levels = height.max() * (np.arange(1, 7) / 6) ** 2  # evenly spaced ellipses
    ax.contour(side, side, height, levels=levels, colors=[colour], linewidths=0.9)
    if modified:
        flow = decomposition.probability_velocity(grid, parts)
        ax.streamplot(
            side, side, flow[..., 0], flow[..., 1], color=plotting.line(2)["color"], density=0.26,
            linewidth=0.9, arrowsize=1.3,
        )  # fmt: skip
    ax.plot(*dataset.toy_path.values[::8].T, color="black", lw=0.6, zorder=3)
    ax.plot(*single_modes.TOY_START, "o", color="black", ms=4, zorder=4)
    ax.set(xlabel="$z_1$", ylabel="$z_2$", xlim=(-0.1, 0.1), ylim=(-0.1, 0.1), aspect="equal")
    ax.set(xticks=[-0.1, 0, 0.1], yticks=[-0.1, 0, 0.1])
    ax.set_title(r"$\Psi$ and $J=-QUz\,p$" if modified else r"potential $\Phi$")
    return ax


@reads_dataset
def areas(dataset, ax):
    """Draw the areal rates of all chains of Fig. 3's process with both signs of the current."""
    rates, exact = dataset.toy_area.values, dataset.attrs["toy_rate"]
    ax.hist(rates, bins=24, color=_GREY)
    for sign, dashes, label in ((1, "-", "$-QUz\\,p$"), (-1, "--", "$+QUz\\,p$")):
        ax.axvline(
            sign * exact, ls=dashes, lw=2, label=label, **plotting.line(2 if sign > 0 else 1)
        )
    ax.set(xlabel=r"areal rate, units with $\kappa=1$", ylabel="runs")
    ax.set_xlim(-1.4 * exact, 1.05 * rates.max())
    ax.legend(loc="upper center")
    return ax


@reads_dataset
def spectra(dataset, ax, *, velocity):
    """Draw the variance of every mode against its curvature, in the level's units."""
    rho = dataset.curvature.values
    config = provenance.settings(dataset)
    eta, decay = config.learning_rate, config.weight_decay
    unit = float(dataset.speed[0] / rho[0]) * eta**2 if velocity else float(dataset.level[0])
    name = "square_step" if velocity else "square_position"
    fine = np.geomspace(rho[0], rho[-1], 60)
    curves = {
        "quiet": fine if velocity else np.ones_like(fine),
        "decayed": fine if velocity else relations.decay_factor(fine, weight_decay=decay),
    }
    labels = {"quiet": r"$\lambda=0$", "decayed": rf"$\lambda={decay:g}$"}
    for i, (run, curve) in enumerate(curves.items()):
        value, low, high = estimates.means(dataset, name, run=run, level=SHOWN_LEVEL) / unit
        plotting.points(ax, rho, value, low, high, label=labels[run], **plotting.points_style(i))
        if not (velocity and i):
            plotting.theory(ax, fine, curve, **plotting.line(i))
    if velocity:
        flat = np.full_like(fine, rho.mean())
        plotting.theory(ax, fine, flat, color="grey", ls="--", label="Maxwell")
    else:
        plotting.theory(ax, fine, rho.mean() / fine, color="grey", ls="--", label=r"$e^{-L/T}$")
    ax.set(xlabel=r"curvature $\rho$")
    ax.set_ylabel(r"Var $v$ / $\sigma^2/S(1-\beta^2)$" if velocity else r"Var $\theta$ / level")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@reads_dataset
def cloud(dataset, ax, *, velocity):
    """Draw the states in the plane of the flattest and steepest mode over both kinds of contour."""
    rho = dataset.curvature.values[[0, -1]]
    name = "kept_velocity" if velocity else "kept_midpoint"
    unit = np.sqrt(float(dataset.speed[0] / rho.min() if velocity else dataset.level[0]))
    state = dataset[name].values[:, [0, -1]] / unit
    ax.plot(*state[::200].T, ".", color=_GREY, ms=2, zorder=1)
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    axes = np.sqrt(rho) if velocity else np.ones(2)
    for share in (0.5, 0.99):
        radius = np.sqrt(stats.chi2.ppf(share, 2))
        style = plotting.line(1) | {"label": r"$\Psi$: 50, 99 %" if share == 0.5 else None}
        plotting.theory(ax, *(radius * axes * circle).T, **style)
    if not velocity:
        loss = np.sqrt(rho.mean() / rho)
        for share in (0.5, 0.9):
            radius = np.sqrt(stats.chi2.ppf(share, 2))
            label = r"$e^{-L/T}$: 50, 90 %" if share == 0.5 else None
            style = plotting.line(0) | {"ls": "--", "label": label}
            plotting.theory(ax, *(radius * loss * circle).T, **style)
    wide = 7.2 if not velocity else 5.2
    ax.set(xlim=(-wide, wide), ylim=(-wide, wide), aspect="equal")
    symbol = "v" if velocity else r"\theta"
    ax.set(xlabel=rf"${symbol}$, flattest mode", ylabel=rf"${symbol}$, steepest mode")
    ax.legend(loc="upper left", fontsize=8)
    return ax


@reads_dataset
def mahalanobis(dataset, ax):
    """Draw the tail of 2 kappa Psi over all modes, positions and velocities, with chi-square."""
    distance = np.sort(2 * dataset.kept_psi.values)
    tail = 1 - (np.arange(distance.size) + 0.5) / distance.size
    freedom = 2 * dataset.sizes["mode"]
    fine = np.linspace(0, 45, 200)
    plotting.theory(
        ax, fine, stats.chi2.sf(fine, freedom), label=rf"$\chi^2_{{{freedom}}}$", **plotting.line(1)
    )
    take = np.unique(np.geomspace(1, distance.size, 40).astype(int)) - 1
    shown = distance.size - 1 - take
    ends = [
        estimates.share_error(dataset, "kept_psi", distance[k] / 2, level=SHOWN_LEVEL)
        for k in shown
    ]
    low, high = np.array(ends).T
    value = tail[shown]
    low = np.clip(low, 2e-5, value)
    plotting.points(ax, distance[shown], value, low, np.maximum(high, value), ms=3, label="SGD")
    ax.set(xlabel=r"$2\kappa\Psi$", ylabel="share beyond", yscale="log", ylim=(1e-4, 1.3))
    ax.set_xlim(0, 45)
    ax.legend()
    return ax


@reads_dataset
def curvatures(dataset, ax):
    """Draw curvature by equipartition against the true one, three runs."""
    config = provenance.settings(dataset)
    rho, decay = dataset.curvature.values, config.weight_decay
    labels = {
        "quiet": rf"$S={config.batch_size}$",
        "strong": rf"$S={config.strong_batch}$",
        "decayed": rf"$S={config.batch_size}$, $\lambda={decay:g}$",
    }
    fine = np.geomspace(rho[0], rho[-1], 30)
    ratio = relations.shuffled_equipartition(
        fine,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        steps_per_epoch=config.epoch_steps,
    )
    plotting.theory(ax, fine, fine * ratio, **plotting.line(3) | {"ls": "--"})
    value, low, high = estimates.curvatures(dataset, run="epochs", level=SHOWN_LEVEL)
    style = plotting.points_style(3) | {"label": rf"$S={config.batch_size}$, shuffled"}
    plotting.points(ax, rho, value, low, high, **style)
    ends = np.array([rho[0], rho[-1] + decay])
    plotting.theory(ax, ends, ends, **plotting.line(0))
    for i, (run, label) in enumerate(labels.items()):
        true = rho + (decay if run == "decayed" else 0)
        value, low, high = estimates.curvatures(dataset, run=run, level=SHOWN_LEVEL)
        plotting.points(ax, true, value, low, high, label=label, **plotting.points_style(i))
    ax.set(xlabel=r"$\rho+\lambda$", ylabel="by equipartition")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@reads_dataset
def rotation(dataset, ax):
    """Draw the areal rate over E[delta^2] of single modes against eta h."""
    fine = np.linspace(0, 1.6, 50)
    for i, beta in enumerate(dataset.momentum.values):
        plotting.theory(ax, fine, -(1 + beta - fine / 2), **plotting.line(i))
        found = [
            estimates.turn_ratio(dataset, momentum=beta, step_curvature=x, level=SHOWN_LEVEL)
            for x in dataset.step_curvature.values
        ]
        rows = np.array([[f.value, f.low, f.high] for f in found]).T
        style = plotting.points_style(i) | {"label": rf"$\beta={beta:g}$"}
        plotting.points(ax, dataset.step_curvature.values, *rows, **style)
    ax.axhline(-2, color="grey", ls="--", lw=1.2, label="continuous")
    ax.axhline(0, color="black", lw=0.8)
    ax.set(xlabel=r"$\eta h$", ylabel=r"areal rate / $E\,\delta^2$", ylim=(-2.2, 0.6))
    ax.legend(fontsize=8, ncols=3, loc="upper left")
    return ax


@reads_dataset
def edge(dataset, ax):
    """Draw the variance of theta_k and of its midpoint up to the edge of stability."""
    beta = provenance.settings(dataset).momentum
    fine = np.linspace(0, 2 * (1 + beta) - 0.3, 100)
    unit = dataset.edge_formula.values
    plotting.theory(ax, fine, 1 / (1 - fine / (2 * (1 + beta))), **plotting.line(0))
    plotting.theory(ax, fine, np.ones_like(fine), **plotting.line(1))
    labels = {"edge_full": r"$\theta_k$", "edge_half": r"$\theta_k-\delta_k/2$"}
    for i, (name, label) in enumerate(labels.items()):
        rows = dataset[name].values / unit[:, None]
        error = (
            stats.norm.isf((1 - SHOWN_LEVEL) / 2)
            * rows.std(axis=1, ddof=1)
            / np.sqrt(rows.shape[1])
        )
        value = rows.mean(axis=1)
        style = plotting.points_style(i) | {"label": label}
        plotting.points(ax, dataset.edge.values, value, value - error, value + error, **style)
    ax.axvline(2 * (1 + beta), color="grey", ls=":", lw=1.2)
    ax.set(xlabel=r"$\eta h$", ylabel="variance / continuous theory", ylim=(0, 8))
    ax.legend()
    return ax


@reads_dataset
def arrow(dataset, ax):
    """Draw the asymmetry under time reversal of SGD in one direction against the batch size."""
    size = dataset.arrow_batch.values
    plotting.theory(ax, size, -dataset.arrow_exact.values, label="closed moments")
    found = [estimates.arrow(dataset, index, level=SHOWN_LEVEL) for index in range(size.size)]
    rows = -np.array([[f.value, f.high, f.low] for f in found]).T
    low = np.maximum(rows[1], 1e-4)  # for the logarithmic axis
    plotting.points(ax, size, rows[0], low, rows[2], label="SGD")
    ax.set(xlabel="batch size $S$", xscale="log", yscale="log", ylim=(2e-4, 3e-2))
    ax.set_ylabel(r"$(E[x\,x'^3]-E[x^3x'])/\mathrm{Var}^2$")
    ax.set_xticks(size, labels=[str(s) for s in size])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.legend()
    return ax


@reads_dataset
def flow(dataset, ax, *, commuting):
    """Draw the mean velocity at each place of a plane of positions."""
    if commuting:
        state, velocity = dataset.kept_midpoint.values, dataset.kept_velocity.values
        state, velocity = state[:, [-1, 0]], velocity[:, [-1, 0]]
    else:
        state, velocity = dataset.swirl_midpoint.values, dataset.swirl_velocity.values
        # flow draws the first axis to the right: the steeper mode, the last of the eigenbasis
        state, velocity = state[:, ::-1], velocity[:, ::-1]
    unit = state.std(axis=0)
    x, y, u, v = estimates.flow(state / unit, velocity / unit, bins=7, width=2.3)
    ax.plot(*(state / unit)[::200].T, ".", color="#cfcfcf", ms=1.5, zorder=0)
    ax.quiver(x, y, u, v, color=plotting.line(1)["color"], scale=45, width=0.008, zorder=3)
    ax.set(xlim=(-2.9, 2.9), ylim=(-2.9, 2.9), aspect="equal")
    ax.set_title(r"$[\Sigma,H]=0$" if commuting else r"$[\Sigma,H]\neq0$")
    ax.set(xlabel=r"$\theta$, steep mode / s.d.", ylabel=r"$\theta$, flat mode / s.d.")
    return ax


@reads_dataset
def entropy(dataset, ax):
    """Draw the entropy production against momentum: measured, exact, continuous, naive."""
    config, h = provenance.settings(dataset), dataset.swirl_curvature.values
    noise = dataset.entropy_noise.values
    fine = 1 - np.geomspace(1, 0.01, 120)
    eta = config.learning_rate
    at = {"learning_rate": eta, "batch_size": config.batch_size}
    curves = {
        "exact": [reversal.entropy_production(h, noise, momentum=m, **at) for m in fine],
        "every current counted": [
            reversal.current_strength(h, learning_rate=eta, momentum=m) for m in fine
        ],
    }
    for (label, values), colour, dashes in zip(curves.items(), (0, 3), ("-", "--"), strict=True):
        plotting.theory(ax, 1 - fine, values, label=label, ls=dashes, **plotting.line(colour))
    slow = {"momentum": 0.0, "batch_size": 1}
    for_small = reversal.entropy_production(h, noise, learning_rate=1e-6, **slow) * 1e6
    plotting.theory(
        ax, 1 - fine, for_small * eta / (1 - fine), label="overdamped",
        **plotting.line(2) | {"ls": ":"},
    )  # fmt: skip
    rows = dataset.entropy.values
    error = (
        stats.norm.isf((1 - SHOWN_LEVEL) / 2) * rows.std(axis=1, ddof=1) / np.sqrt(rows.shape[1])
    )
    value = rows.mean(axis=1)
    where = 1 - dataset.entropy_momentum.values
    plotting.points(ax, where, value, value - error, value + error, label="paths")
    ax.set(xlabel=r"$1-\beta$", ylabel="entropy production, nats a step")
    ax.set_ylim(0.005, 2)
    plotting.log_axes(ax)
    ax.invert_xaxis()
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def images(dataset, ax):
    """Draw measured against predicted areal rates of all planes, regression on images."""
    exact, value, low, high = 1e3 * estimates.image_pairs(dataset, level=SHOWN_LEVEL)
    ends = 1.1 * np.array([exact.min(), exact.max()])
    plotting.theory(ax, ends, ends, **plotting.line(0))
    plotting.theory(ax, ends, [0, 0], color="grey", ls="--", label=r"$\Sigma=\sigma^2H$")
    plotting.points(ax, exact, value, low, high, ms=3.5, label="SGD")
    ax.set(xlabel="predicted areal rate / 0.001", ylabel="measured / 0.001")
    ax.legend()
    return ax


@reads_dataset
def growth(dataset, ax):
    """Draw the variance of each mode after a number of steps, in units of the stationary one."""
    config, rho = provenance.settings(dataset), dataset.flat_mode.values
    fine = np.geomspace(rho[0], rho[-1], 40)
    names = ("learning_rate", "momentum", "batch_size")
    at, times = {name: getattr(config, name) for name in names}, dataset.time.values
    curves = covariance(times[:, None], fine, fine, **at)[..., 0, 0]
    level = relations.midpoint_variance(fine, fine, **at)
    for i, k in enumerate(times):
        plotting.theory(ax, fine, curves[i] / level, **plotting.line(i))
        rows = dataset.growth.sel(time=k).transpose("walker", "flat_mode").values
        rows = rows / dataset.growth_level.values
        error = (
            stats.norm.isf((1 - SHOWN_LEVEL) / 2) * rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
        )
        value = rows.mean(axis=0)
        style = plotting.points_style(i) | {"label": f"{k} steps"}
        plotting.points(ax, rho, value, value - error, value + error, **style)
    ax.axhline(1, color="grey", ls="--", lw=1.2, label="stationary")
    ax.set(xlabel=r"curvature $\rho$", ylabel=r"Var $\theta$ / stationary", ylim=(3e-3, 3))
    plotting.log_axes(ax)
    ax.legend()
    return ax
