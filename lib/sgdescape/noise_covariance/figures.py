"""The figures of chapter `noise_covariance`: theory as lines, measurement as points.

Every function draws a dataset of `noise_covariance.run` into given axes and returns them.
"""

import numpy as np

from sgdescape.core import plotting
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.noise_covariance.estimates import noise_slopes

_LAW_NAMES = {
    "rademacher": r"Rademacher, $\kappa_e=1$",
    "uniform": r"uniform, $\kappa_e=1.8$",
    "three-point": r"three-point, $\kappa_e=2$",
    "gaussian": r"Gaussian, $\kappa_e=3$",
    "laplace": r"Laplace, $\kappa_e=6$",
}


@reads_dataset
def batch_factor(dataset, ax):
    """Draw B times the noise's trace, in units of the sample covariance, against B."""
    total = dataset.gradient.values.var(axis=0).sum()
    sizes = dataset.batch_size.values
    labels = {"without_replacement": "without replacement", "iid": "with replacement"}
    for i, (sampler, label) in enumerate(labels.items()):
        theory = dataset.factor_theory.sel(sampler=sampler).values
        plotting.theory(ax, sizes, sizes * theory, **plotting.line(i))
        scaled = dataset.trace.sel(sampler=sampler).values * sizes[:, None] / total
        _points(ax, sizes, scaled, **plotting.points_style(i), label=label)
    ax.set(xlabel="batch size $B$", ylabel=r"$B\,\mathrm{Tr}\,\Sigma\ /\ \mathrm{Tr}\,S$")
    ax.set_ylim(-0.05, 1.2)
    ax.legend()
    return ax


@reads_dataset
def covariance_entries(dataset, ax):
    """Draw every entry of the measured covariance against its prediction."""
    theory = dataset.covariance_theory.values
    half = np.triu_indices(len(theory))
    measured = dataset.covariance.values.mean(axis=0)[half]
    ends = np.array([theory.min(), theory.max()])
    plotting.theory(ax, ends, ends, **plotting.line(0), label="measured = predicted")
    ax.plot(theory[half], measured, ".", color="black", ms=2, zorder=3, rasterized=True)
    ax.set(xlabel=r"$\Sigma_{ij}$ by Eq. (8)", ylabel=r"$\Sigma_{ij}$ measured")
    ax.locator_params(nbins=5)
    ax.legend()
    return ax


@reads_dataset
def weak_order(dataset, ax):
    """Draw the error of the SDE's second moment at time 1 against the learning rate."""
    eta = dataset.learning_rate.values
    error = np.abs(dataset.sgd_moment - dataset.sde_moment) / dataset.sgd_moment
    ax.plot(eta, error, **plotting.POINTS | {"label": r"$E[z^2]$ at $t=1$"})
    start = (eta[-1], float(error[-1]))
    plotting.power_guide(ax, eta[[0, -1]], through=start, power=1, label="slope 1")
    ax.set(xlabel=r"learning rate $\eta$", ylabel="relative error of the SDE")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@reads_dataset
def kurtosis_noise(dataset, ax):
    """Draw the noise along the path against the loss, for each input law."""
    c = dataset.loss_ratio.values
    fine = np.linspace(c[0], c[-1], 200)
    for i, law in enumerate(dataset.law.values):
        at = dataset.sel(law=law)
        straight = np.interp(fine, c, at.variance_theory)  # exact: a straight line in c
        plotting.theory(ax, fine, straight, **plotting.line(i))
        style = plotting.points_style(i) | {"label": _LAW_NAMES[str(law)]}
        _points(ax, c[::2], at.variance.values[::2], **style)
    ax.set(xlabel="loss ratio $c = L/L^*$", ylabel=r"$B\Sigma_{ee}\ /\ (2h_eL^*)$")
    ax.set_yscale("log")
    ax.set_yticks([1, 2, 5, 10], labels=["1", "2", "5", "10"])
    ax.minorticks_off()
    ax.legend()
    return ax


@reads_dataset
def diffusion_barrier(dataset, ax):
    """Draw the barrier against the loss ratio, for each input law; three-point gives log c."""
    c = dataset.loss_ratio.values
    fine = np.linspace(c[0], c[-1], 100)
    for i, law in enumerate(dataset.law.values):
        at = dataset.sel(law=law)
        plotting.theory(ax, c, at.barrier_theory, **plotting.line(i))
        measured = [_running_integral(c, v) for v in at.variance.values.T]
        style = plotting.points_style(i) | {"label": _LAW_NAMES[str(law)]}
        _points(ax, c[2::2], np.transpose(measured), **style)
    ax.plot(fine, np.log(fine), "k:", lw=1.2, label="paper, $\\log c$", zorder=4)
    ax.set(xlabel="loss ratio $c = L/L^*$", ylabel=r"barrier, units of $B/(\eta h_e)$")
    ax.legend()
    return ax


@reads_dataset
def directions(dataset, ax):
    """Draw noise over prediction in the trace and along the path, against the dimension."""
    d = dataset.directions.values
    plotting.theory(ax, d, dataset.trace_theory, **plotting.line(0))
    plotting.theory(ax, d, np.full(d.shape, float(dataset.trace_theory[0])), **plotting.line(1))
    _points(ax, d, dataset.trace_part.values, **plotting.points_style(0), label="trace")
    label = "along the path"
    _points(ax, d, dataset.escape_part.values, **plotting.points_style(1), label=label)
    ax.axhline(1.0, ls=":", color="black", lw=1.2, label="Eq. (6)")
    ax.set(xlabel="number of inputs $d$", ylabel="noise / Eq. (6)")
    plotting.log_axes(ax, "x")
    ax.legend()
    return ax


@reads_dataset
def alignment(dataset, ax):
    """Draw the noise along each eigendirection of the network against its curvature."""
    h = dataset.curvature.values
    gradient = dataset.residual.values[:, None] * dataset.slope.values
    ax.plot(h, gradient.var(axis=0), **plotting.POINTS | {"label": "network"})
    order = np.argsort(h)
    theory = dataset.noise_theory.values
    plotting.theory(ax, h[order], theory[order], **plotting.line(0), label="$2Lh$, Eq. (6)")
    for power, label in ((0, "isotropic"), (2, r"$\propto H^2$")):
        same = theory.sum() * h**power / np.sum(h**power)
        ax.plot(h[order], same[order], "--", lw=1, **plotting.line(1 + power), label=label)
    ax.set(xlabel="curvature $h_i$", ylabel=r"noise $B\,\Sigma_{ii}$")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@reads_dataset
def alignment_matrix(dataset, ax):
    """Draw the noise in the eigenbasis in units of Eq. (6): the unit matrix if that is exact."""
    count = min(12, dataset.sizes["direction"])
    gradient = (dataset.residual.values[:, None] * dataset.slope.values)[:, :count]
    scale = np.sqrt(dataset.noise_theory.values[:count])
    matrix = np.cov(gradient.T, ddof=0) / np.outer(scale, scale)
    image = ax.imshow(matrix, cmap="RdBu_r", vmin=-1.3, vmax=1.3)
    ticks = np.arange(0, count, 3)
    ax.set_xticks(ticks, labels=ticks + 1)
    ax.set_yticks(ticks, labels=ticks + 1)
    ax.set(xlabel="eigendirection $j$", ylabel="eigendirection $i$")
    ax.grid(False)
    bar = ax.figure.colorbar(image, ax=ax)
    bar.set_label(r"$B\,\Sigma_{ij}\ /\ (2L\sqrt{h_ih_j})$")
    return ax


@reads_dataset
def network_paths(dataset, ax):
    """Draw how the noise grows with the loss along a few directions of the network."""
    slopes, losses, noises = _paths(dataset)
    for i, path in enumerate((0, 1, 5)):
        start = losses[path, 0]
        c, noise = losses[path] / start, noises[path] / start
        line = noise[0] + dataset.path_slope_theory.values[path] * (c - 1)
        label = rf"direction {path + 1}, $\kappa={1 + dataset.path_slope_theory.values[path]:.1f}$"
        plotting.theory(ax, c, line, **plotting.line(i))
        ax.plot(c, noise, **plotting.points_style(i) | {"label": label})
    c = losses[0] / losses[0, 0]
    ax.plot(c, c, "k:", lw=1.2, label="Eq. (6)")
    ax.set(xlabel="loss ratio $c = L/L^*$", ylabel=r"$B\Sigma_{ee}\ /\ (2h_eL^*)$")
    ax.legend()
    return ax


@reads_dataset
def network_kurtosis(dataset, ax):
    """Draw the measured growth rate of the noise against kappa - 1, a point a direction."""
    slopes, _, _ = _paths(dataset)
    theory = dataset.path_slope_theory.values
    ends = np.array([min(theory.min(), 1) * 0.8, theory.max() * 1.2])
    plotting.theory(ax, ends, ends, **plotting.line(0), label=r"$\kappa_e-1$")
    ax.plot(ends, [1, 1], "k:", lw=1.2, label="Eq. (6)")
    ax.plot(theory, slopes, **plotting.POINTS | {"label": "network"})
    ax.set(xlabel=r"$\kappa_e - 1$ at the minimum", ylabel=r"$d(B\Sigma_{ee}/2h_e)\,/\,dL$")
    plotting.log_axes(ax)
    ax.legend()
    return ax


def _points(ax, x, samples, **style):
    """Means over the last axis (groups) with intervals."""
    found = [mean_interval(row) for row in samples]
    value, low, high = np.transpose([(i.value, i.low, i.high) for i in found])
    plotting.points(ax, x, value, low, high, **style)


def _running_integral(c, variances):
    """Barrier at every second point after the first, each by Simpson's rule on its piece."""
    f = 1 / variances
    pieces = (f[:-2:2] + 4 * f[1:-1:2] + f[2::2]) * (c[2::2] - c[:-2:2]) / 6
    return np.cumsum(pieces)


def _paths(dataset):
    paths = dataset.sizes["path"]
    return noise_slopes(
        dataset.residual.values,
        dataset.slope.values[:, :paths],
        dataset.path_residual.values,
        dataset.path_slope.values,
        dataset.eigenvalue.values[:paths],
    )
