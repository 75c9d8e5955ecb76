"""Figures of chapter `network_limits` on what the paper's pictures show, small network."""

import numpy as np
from scipy.interpolate import RectBivariateSpline

from sgdescape.core import plotting
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.network_limits.estimates.lines import line_exponent


@reads_dataset
def accuracy(dataset, ax):
    """Draw the error on fresh samples and the distance, in units of their first values."""
    at = dataset.sel(sampler="iid")
    steps = at.snapshot_step.values
    error = 1 - at.accuracy.mean("replica").values
    plotting.points(ax, steps, error / error[0], **plotting.points_style(0), label="error")
    lags = dataset.lag.values
    seen = lags >= steps[0]
    moved, exact = at.from_start.mean("replica").values[seen], at.start_exact.values[seen]
    style = plotting.points_style(1) | {"ms": 3, "label": r"$\|\Delta_k\|^2$"}
    plotting.points(ax, lags[seen], moved / exact[0], **style)
    plotting.theory(ax, lags[seen], exact / exact[0], **plotting.line(1))
    ax.set(xlabel="steps $k$", ylabel="in units of the first value")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@reads_dataset
def transient(dataset, ax):
    """Draw the first squared steps from rest in units of their level, with the theory."""
    for index, (_, beta, _) in enumerate(settings(dataset).sweep):
        level = float(dataset.sweep_speed_exact[index])
        k = np.arange(1, dataset.sizes["early_step"] + 1)
        found = dataset.sweep_early[index].mean("run").values
        label = rf"$\beta={beta:g}$" if index in (0, 3, 5) else None
        style = plotting.points_style(index) | {"ms": 3, "label": label}
        plotting.points(ax, k, found / level, **style)
        exact = dataset.sweep_early_exact[index].values
        plotting.theory(ax, k, exact / level, **plotting.line(index))
    ax.set(xlabel="step $k$", ylabel=r"$\|\delta_k\|^2$ over its level")
    ax.legend()
    return ax


@reads_dataset
def sweep_distances(dataset, ax):
    """Draw |Delta_k|^2 of the six short runs with the theory; c of the window in the legend."""
    lags = dataset.sweep_lag.values
    for index, (eta, beta, size) in enumerate(settings(dataset).sweep):
        found = dataset.sweep_distance[index].mean("run").values
        c = line_exponent(lags, found, 64, lags[-1])
        label = rf"$\eta={eta:g},\ \beta={beta:g},\ S={size:g}$: $c={c:.2f}$"
        style = plotting.points_style(index) | {"ms": 3, "label": label}
        plotting.points(ax, lags, found, **style)
        plotting.theory(ax, lags, dataset.sweep_exact[index].values, **plotting.line(index))
    ax.set(xlabel="steps $k$", ylabel=r"$\|\Delta_k\|^2$")
    plotting.log_axes(ax)
    ax.legend(fontsize=6)
    return ax


@reads_dataset
def losses(dataset, ax):
    """Draw contours of training loss and test loss in the plane, and the cloud's two deviations."""
    x, y = dataset.along_first.values, dataset.along_last.values
    fine = np.linspace(x[0], x[-1], 81)
    levels = np.quantile(dataset.plane_loss.values, [0.08, 0.3, 0.6])
    for name, style, label in (
        ("plane_loss", "solid", "training"),
        ("plane_test", "dashed", "test"),
    ):
        smooth = RectBivariateSpline(x, y, dataset[name].values)(fine, fine)
        ax.contour(fine, fine, smooth.T, levels=levels, colors="grey", linestyles=style)
        ax.plot([], [], color="grey", ls=style, label=label)
    scale = np.sqrt(dataset.sel(sampler="iid").variance_exact.values[[0, -1]])
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = {"color": "C3", "label": r"$\Psi$, two deviations"}
    ax.plot(2 * scale[0] * np.cos(angle), 2 * scale[1] * np.sin(angle), **circle)
    ax.set(xlabel="along $q_1$", ylabel="along $q_{200}$", aspect="equal")
    ax.legend(fontsize=7)
    return ax


@reads_dataset
def phase(dataset, ax, *, mode=0, swing=False, smooth=20, shown=300):
    """Draw a path in the plane of position and step, smoothed as the paper's pictures are.

    Args:
        dataset: of `network_limits.run`.
        ax: matplotlib axes.
        mode: 0 for the first watched eigenvector, 1 for the last.
        swing: the run with more momentum, where both oscillate.
        smooth: steps of the moving average.
        shown: steps drawn.
    """
    path = dataset.swing_path if swing else dataset.phase_path.sel(sampler="iid")
    kernel = np.ones(smooth) / smooth
    position, step = (np.convolve(row, kernel, "valid")[:shown] for row in path.values[mode])
    ax.plot(position, step, lw=0.8, color=f"C{mode}")
    names = "$q_1$", "$q_{200}$"
    ax.set(xlabel=f"position along {names[mode]}", ylabel="step")
    return ax


@reads_dataset
def power_iteration(dataset, ax):
    """Draw residuals of ten block power iterations, in their order, and of Lanczos."""
    k = np.arange(1, dataset.sizes["power_mode"] + 1)
    for index, (name, label) in enumerate(
        (("power", "ten block power iterations"), ("lanczos", "Lanczos, as many products"))
    ):
        values = np.maximum(dataset[f"{name}_residual"].values, 1e-16)
        plotting.points(ax, k, values, **(plotting.points_style(index) | {"label": label}))
    ax.set(xlabel="eigenvector", ylabel=r"$\|Hq-\rho q\|/\rho$", yscale="log")
    ax.legend(fontsize=7)
    return ax


@reads_dataset
def dying(dataset, ax):
    """Draw the squared step against the loss of a network that fits all its labels."""
    x, y = dataset.fit_loss.values, dataset.fit_speed.values
    for row in range(len(x)):
        plotting.points(ax, x[row], y[row], **(plotting.points_style(0) | {"ms": 3}))
    end = x.mean(0)[-1], y.mean(0)[-1]
    for power, style in ((1, ":"), (2, "-")):
        label = "$L$" if power == 1 else "$L^2$"
        plotting.power_guide(
            ax, [x.min(), x.max()], through=end, power=power, label=label, ls=style
        )
    ax.set(xlabel="loss $L$", ylabel=r"$\|\delta\|^2$")
    plotting.log_axes(ax)
    ax.legend()
    return ax
