"""The figures of chapter `underdamped_langevin`: theory as lines, measurement as points.

Every function draws a dataset of `underdamped_langevin.run` into given axes and returns them.
"""

import numpy as np
from matplotlib.ticker import NullLocator

from sgdescape.core import plotting
from sgdescape.core.plotting import SHOWN_LEVEL
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.underdamped_langevin.measure.images import MAIN


@reads_dataset
def order(dataset, ax):
    """Draw the errors of three differential equations against the learning rate."""
    eta = dataset.order_rate.values
    labels = ("gradient flow, no mass", "oscillator from $t=0$", r"oscillator from $t=-\eta/2$")
    for index, label in enumerate(labels):
        error = dataset.order_error.values[:, index]
        plotting.points(ax, eta, error, **plotting.points_style(index), label=label)
        order = 2 if index == 2 else 1
        plotting.power_guide(
            ax, eta, through=(eta[-1], error[-1]), power=order, color=plotting.line(index)["color"]
        )
    ax.set(xlabel=r"learning rate $\eta$", ylabel=r"$|\theta(t)-\theta_k|$ at $t=1$")
    plotting.log_axes(ax)
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def edge(dataset, ax):
    """Draw the variance of single modes in units of the SDE's, up to the stability edge."""
    fine = np.linspace(0, 0.93, 200)
    plotting.theory(ax, fine, 1 / (1 - fine), color="black", label="discrete time")
    ax.axhline(1, color="grey", ls="--", lw=1.2, label="SDE")
    for index, beta in enumerate(dataset.edge_momentum.values):
        at = dataset.sel(edge_momentum=beta, coordinate="position")
        ratio = at.edge_square.values / at.edge_sde.values[:, None]
        _intervals(ax, at.edge.values, ratio, label=rf"$\beta={beta:g}$", index=index)
    ax.set(xlabel=r"$\eta h\,/\,2(1+\beta)$", ylabel=r"Var $\theta$ / that of the SDE")
    ax.set(yscale="log", ylim=(0.8, 16))
    plotting.log_axes(ax, "y")
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def noise(dataset, ax):
    """Draw Sigma_ii / rho_i in units of 2 L*: synthetic data and images."""
    rho = dataset.image_curvature.values
    seen = rho > 1e-4 * rho[0]
    ratio = dataset.image_noise.values[seen] / rho[seen] / (2 * float(dataset.image_loss))
    style = plotting.points_style(1) | {"ms": 3, "alpha": 0.6, "zorder": 2}
    ax.plot(rho[seen] / rho[0], ratio, **style, label="Fashion-MNIST")
    rho = dataset.curvature.values
    squares = dataset.gradients.values**2 / rho / (2 * dataset.attrs["minimum_loss"])
    _intervals(ax, rho / rho[0], squares.T, index=0, label="normal inputs")
    ax.axhline(1, color="black", lw=1.2, label=r"$\Sigma=2L^*H$")
    ax.set(xlabel=r"$\rho_i/\rho_1$", ylabel=r"$\Sigma_{ii}\,/\,2L^*\rho_i$", xscale="log")
    ax.set_ylim(0.5, 1.5)
    plotting.log_axes(ax, "x")
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def spiral(dataset, ax, *, momentum):
    """Draw the phase plane of q_1 on images: chains, their mean and the discrete oscillator."""
    at, scale, speed = _spiral(dataset, momentum)
    x = at.spiral_position.values / scale
    v = at.spiral_velocity.values / (scale * speed)
    exact = at.spiral_exact.values / np.array([scale, scale * speed])
    plotting.theory(ax, *exact.T, **plotting.line(1), label="theory, mean")
    few = slice(None, None, 8)
    plotting.points(ax, x.mean(1)[few], v.mean(1)[few], ms=2.5, label="SGD, mean of chains")
    ax.set(xlabel=r"$q_1\cdot(\theta-\mu)$", ylabel=r"$q_1\cdot v\,/\,\omega$")
    ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25))
    ax.set_aspect("equal")
    ax.set_title(rf"$\beta={momentum:g}$")
    return ax


@reads_dataset
def path(dataset, ax, *, momentum):
    """Draw position along q_1 against the step, with the band of a single chain."""
    at, scale, _ = _spiral(dataset, momentum)
    k = dataset.spiral_step.values
    exact = at.spiral_exact.sel(coordinate="position").values / scale
    half = 1.96 * np.sqrt(at.spiral_variance.sel(coordinate="position").values) / abs(scale)
    ax.fill_between(k, exact - half, exact + half, alpha=0.25, lw=0, **plotting.line(1))
    x = at.spiral_position.values / scale
    ax.plot(k, x[:, :3], color="#777777", lw=0.5, marker="", zorder=1)
    plotting.theory(ax, k, exact, **plotting.line(1))
    few = slice(None, None, 8)
    plotting.points(ax, k[few], x.mean(1)[few], ms=2.5)
    ax.set(xlabel="step $k$", ylabel=r"$q_1\cdot(\theta-\mu)$", ylim=(-1.7, 1.7))
    return ax


@reads_dataset
def growth(dataset, ax):
    """Draw how the variance of three modes grows from the minimum, in units of its final value."""
    k, every = dataset.growth_step.values, np.arange(1, 1 + dataset.sizes["curve_step"])
    for index, mode in enumerate((0, 3, 7)):
        at = dataset.isel(mode=mode).sel(coordinate="position")
        final = float(at.variance_real)
        zeta = float(at.damping)
        plotting.theory(ax, every, at.growth_curve.values / final, **plotting.line(index))
        _intervals(
            ax,
            k,
            at.growth_square.values / final,
            index=index,
            label=rf"$\zeta={zeta:.2f}$",
            ms=3.5,
        )
    config = provenance.settings(dataset)
    eta, beta = config.learning_rate, config.momentum
    rho = float(dataset.curvature[0])
    slow = -np.expm1(-2 * eta * rho * k / (1 - beta))
    plotting.theory(ax, k, slow, **plotting.line(0), ls=":", label="overdamped theory")
    ax.set(xlabel="step $k$", ylabel=r"Var $\theta$ / stationary value", xscale="log")
    plotting.log_axes(ax, "x")
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def speed(dataset, ax, *, varied):
    """Draw the speed in units of the constant-noise law against one hyper-parameter."""
    names = dataset.setting_varied.values
    chosen = np.flatnonzero((names == varied) | (names == "default"))
    column = dataset[f"setting_{varied}"].values
    chosen = chosen[np.argsort(column[chosen])]
    x, law = column[chosen].astype(float), dataset.speed_law.values[chosen]
    if varied == "momentum":
        x = 1 - x
    for name, style, label in (
        ("real", {"color": "black"}, "real minibatches, exact"),
        ("exact", {"color": "black", "ls": "--"}, "constant noise, discrete"),
    ):
        value = dataset[f"speed_{name}"].values[chosen] / law
        plotting.theory(ax, x, value, label=label, **style)
    ax.axhline(1, color="grey", ls=":", lw=1.2, label="constant noise, SDE")
    _intervals(ax, x, dataset.speed.values[chosen] / law[:, None], index=0, label="SGD")
    free = dataset.free_speed.values[chosen] / law[:, None]
    _intervals(ax, x, free, index=1, label="noise without loss", mfc="white")
    labels = {
        "learning_rate": r"learning rate $\eta$",
        "batch_size": "batch size $S$",
        "momentum": r"$1-\beta$",
    }
    ax.set(xlabel=labels[varied], xscale="log", ylim=(0.85, 1.8))
    ax.set_xticks(x, labels=[f"{value:.3g}" for value in x])
    ax.xaxis.set_minor_locator(NullLocator())
    return ax


@reads_dataset
def autocorrelation(dataset, ax):
    """Draw the autocorrelation of the position of four modes, above and below rho_c."""
    lags = np.arange(dataset.sizes["lag"])
    few = slice(0, None, 8)
    for index, mode in enumerate((0, 2, 4, 7)):
        at = dataset.isel(mode=mode)
        plotting.theory(ax, lags, at.acf_exact.values, **plotting.line(index))
        ratio = float(at.curvature / dataset.critical)
        _intervals(
            ax, lags[few], at.acf.values.T[few], index=index, label=rf"$\rho={ratio:.2g}\,\rho_c$",
            ms=3.5,
        )  # fmt: skip
    ax.axhline(0, color="grey", lw=0.8)
    ax.set(xlabel="lag (steps)", ylabel="autocorrelation of position")
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def paper_correlation(dataset, ax):
    """Draw the autocorrelations of q_1 and q_30 at the paper's default setting."""
    lags = np.arange(dataset.sizes["paper_lag"])
    few = slice(0, None, 10)
    for index, (name, rho) in enumerate(
        zip(("q_1", "q_{30}"), dataset.paper_mode.values, strict=True)
    ):
        at = dataset.isel(paper_mode=index)
        plotting.theory(ax, lags, at.paper_acf_exact.values, **plotting.line(index))
        label = rf"${name}$, $\rho={rho:g}$, $\zeta={float(at.paper_damping):.2f}$"
        _intervals(ax, lags[few], at.paper_acf.values.T[few], index=index, label=label, ms=3.5)
    ax.axhline(0, color="grey", lw=0.8)
    ax.set(xlabel="lag (steps)", ylabel="autocorrelation of position")
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def paper_path(dataset, ax, *, mode):
    """Draw a smoothed path of q_1 or q_30 in its phase plane, as the paper does."""
    window = np.ones(20) / 20
    x, v = dataset.paper_path.isel(paper_mode=mode).values[:, :520]
    x, v = (np.convolve(a / a.std(), window, mode="valid") for a in (x, v))
    ax.plot(x, v, lw=0.8, marker="", **plotting.line(mode))
    ax.set(xlabel=r"position / s.d.", ylabel="velocity / s.d.")
    ax.set_title("$q_1$" if mode == 0 else "$q_{30}$")
    return ax


def _spiral(dataset, momentum):
    """One momentum and the main output; its start and its angular frequency."""
    at = dataset.sel(spiral_momentum=momentum).isel(output=MAIN)
    rate = float(dataset.image_curvature[0] / dataset.image_rate)
    return at, float(at.spiral_start), np.sqrt(2 * rate / (1 + momentum))


def _intervals(ax, x, samples, *, index, **style):
    """Means of the rows of samples (positions, replicas) with their intervals."""
    found = [mean_interval(row[np.isfinite(row)], level=SHOWN_LEVEL) for row in samples]
    rows = np.array([[f.value, f.low, f.high] for f in found]).T
    plotting.points(ax, x, *rows, **(plotting.points_style(index) | style))
