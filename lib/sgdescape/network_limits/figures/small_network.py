"""The figures of chapter `network_limits`: theory as lines, measurement as points.

Every function draws a dataset of `network_limits.run` into given axes and returns them.
"""

import numpy as np
from scipy import stats
from scipy.interpolate import RectBivariateSpline

from sgdescape.core import plotting
from sgdescape.core.plotting import SHOWN_LEVEL
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats.intervals import mean_interval
from sgdescape.network_limits.estimates.small_network import mahalanobis
from sgdescape.network_limits.predictions import crossover
from sgdescape.network_limits.theory.balance import equipartition as energies
from sgdescape.network_limits.theory.filtered import released

NAMES = {"iid": "with replacement", "shuffle": "epochs"}
_REFERENCES = {"from_start": ", from the minimum", "from_later": ", after burn-in"}


@reads_dataset
def noise(dataset, ax):
    """Draw Sigma_ii / rho_i against rho_i over the whole spectrum."""
    h, noise = dataset.all_curvature.values, dataset.all_noise.values
    seen = h > 5e-4  # below, curvatures are not told from zero
    plotting.points(ax, h[seen], noise[seen] / h[seen], ms=2)
    top = settings(dataset).top
    ratio = noise[:top].sum() / h[:top].sum()
    ax.axhline(ratio, **plotting.line(0))
    ax.axvline(settings(dataset).weight_decay, color="grey", ls=":", lw=1)
    ax.set(xscale="log", yscale="log", ylim=(0.1, 10))
    ax.set(xlabel=r"curvature $\rho_i$", ylabel=r"$\Sigma_{ii}/\rho_i$")
    return plotting.log_axes(ax)


@reads_dataset
def speed(dataset, ax):
    """Draw the measured speed against the law, short runs of several hyper-parameters."""
    laws = dataset.sweep_speed_exact.values
    for index, (eta, beta, size) in enumerate(settings(dataset).sweep):
        found = mean_interval(dataset.sweep_speed.values[index], level=SHOWN_LEVEL)
        label = rf"$\eta={eta:g},\ \beta={beta:g},\ S={size:g}$"
        style = plotting.points_style(index) | {"label": label}
        ends = [found.value], [found.low], [found.high]
        plotting.points(ax, [laws[index]], *ends, **style)
    ends = np.array(ax.get_xlim())
    ends[0] = max(ends[0], 2e-5)
    plotting.theory(ax, ends, ends, color="grey", label="law")
    ax.set(xlabel=r"law with measured ${\rm Tr}\,\Sigma$", ylabel=r"$E\|\delta\|^2$")
    ax.set(xscale="log", yscale="log")
    plotting.log_axes(ax)
    ax.legend(fontsize=7)
    return ax


@reads_dataset
def variances(dataset, ax, *, what):
    """Draw Var theta_i or E delta_i^2 against rho_i for both samplers with their predictions."""
    x = dataset.curvature.values
    order = np.argsort(x)
    for index, sampler in enumerate(("iid", "shuffle")):
        name = {"position": "position_variance", "step": "step_variance"}[what]
        rows = dataset[name].sel(sampler=sampler).values
        mean, error = rows.mean(0), 2 * rows.std(0, ddof=1) / np.sqrt(len(rows))
        exact = {"position": "variance_exact", "step": "step_exact"}[what]
        line = dataset[exact].sel(sampler=sampler).values
        style = plotting.points_style(index) | {"label": NAMES[sampler], "ms": 3}
        plotting.points(ax, x, mean, mean - error, mean + error, **style)
        plotting.theory(ax, x[order], line[order], **plotting.line(index))
    labels = {"position": r"${\rm Var}\,\theta_i$", "step": r"$E\delta_i^2$"}
    ax.set(xlabel=r"curvature $\rho_i$", ylabel=labels[what], xscale="log", yscale="log")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@reads_dataset
def equipartition(dataset, ax):
    """Draw kinetic over potential energy of each mode, both samplers, with the predictions."""
    config, x = settings(dataset), dataset.curvature.values
    names = ("learning_rate", "momentum", "weight_decay")
    at = {name: getattr(config, name) for name in names}
    order = np.argsort(x)
    for index, sampler in enumerate(("iid", "shuffle")):
        part = dataset.sel(sampler=sampler)
        ratio = energies(
            part.step_variance.mean("replica"), part.position_variance.mean("replica"), x, **at
        )
        line = energies(part.step_exact.values, part.variance_exact.values, x, **at)
        style = plotting.points_style(index) | {"label": NAMES[sampler], "ms": 3}
        plotting.points(ax, x, ratio, **style)
        plotting.theory(ax, x[order], line[order], **plotting.line(index))
    ax.axvline(crossover(config), color="grey", ls=":", label=r"$\rho_\times$")
    ax.set(xlabel=r"curvature $\rho_i$", ylabel="kinetic / potential energy", xscale="log")
    ax.set_ylim(0.6, 3.6)
    plotting.log_axes(ax, "x")
    ax.legend()
    return ax


@reads_dataset
def plane(dataset, ax, *, sampler="iid"):
    """Draw the cloud in the plane of the first and last watched mode over the loss."""
    x, y = dataset.along_first.values, dataset.along_last.values
    scale = np.sqrt(dataset.sel(sampler="iid").variance_exact.values[[0, -1]])
    levels = np.quantile(dataset.plane_loss.values, [0.02, 0.08, 0.2, 0.4, 0.65, 0.9])
    fine = np.linspace(x[0], x[-1], 81)
    smooth = RectBivariateSpline(x, y, dataset.plane_loss.values)(fine, fine)
    ax.contour(fine, fine, smooth.T, levels=levels, colors="grey", linewidths=0.8)
    cloud = dataset.cloud.sel(sampler=sampler).values[:, ::8][..., [0, -1]].reshape(-1, 2)
    style = {"ms": 2, **plotting.line(0)}
    plotting.points(ax, *cloud.T, **style)
    angle = np.linspace(0, 2 * np.pi, 100)
    for radius in (1, 2):
        plotting.theory(
            ax,
            radius * scale[0] * np.cos(angle),
            radius * scale[1] * np.sin(angle),
            **plotting.line(1),
        )
    ax.set(xlabel=r"along $q_1$", ylabel=rf"along $q_{{{settings(dataset).top}}}$")
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), aspect="equal")
    ax.set(xticks=(-0.05, 0, 0.05), yticks=(-0.05, 0, 0.05))
    return ax


@reads_dataset
def velocity_plane(dataset, ax):
    """Draw the cloud of steps in the same plane with the ellipses of the modified loss."""
    scale = np.sqrt(dataset.sel(sampler="iid").step_exact.values[[0, -1]])
    cloud = dataset.cloud_step.sel(sampler="iid").values[:, ::8][..., [0, -1]].reshape(-1, 2)
    plotting.points(ax, *cloud.T, ms=2, **plotting.line(0))
    angle = np.linspace(0, 2 * np.pi, 100)
    for radius in (1, 2):
        plotting.theory(
            ax,
            radius * scale[0] * np.cos(angle),
            radius * scale[1] * np.sin(angle),
            **plotting.line(1),
        )
    ax.set(xlabel=r"$\delta$ along $q_1$", aspect="equal", xticks=(-0.003, 0, 0.003))
    ax.set_ylabel(rf"$\delta$ along $q_{{{settings(dataset).top}}}$")
    return ax


@reads_dataset
def distances(dataset, ax):
    """Draw quantiles of the distance under the modified loss against those of chi-square."""
    for index, sampler in enumerate(("iid", "shuffle")):
        rows, freedom = mahalanobis(dataset, sampler)
        share = np.linspace(0.01, 0.99, 50)
        found = np.quantile(rows, share)
        style = plotting.points_style(index) | {"label": NAMES[sampler], "ms": 3}
        plotting.points(ax, stats.chi2.ppf(share, freedom) / freedom, found, **style)
    ends = np.array([0.7, 1.35])
    plotting.theory(ax, ends, ends, color="grey")
    ax.set(xlabel=r"quantiles of $\chi^2$ a degree", ylabel=r"of $2\kappa\Psi$ a degree")
    ax.legend()
    return ax


@reads_dataset
def ring(dataset, ax):
    """Draw the ring-down of two kicked modes with the prediction."""
    config = settings(dataset)
    k = np.arange(dataset.sizes["ring_step"])
    at = {"learning_rate": config.ring_rate, "momentum": config.ring_momentum}
    for index, mode in enumerate((0, 7)):
        x, rho = dataset.ring.values[:, mode], float(dataset.curvature[mode])
        (curve,) = released([rho], k[-1], weight_decay=config.weight_decay, **at)
        label = rf"$\rho={rho:.2f}$"
        style = plotting.points_style(index) | {"label": label, "ms": 3}
        plotting.points(ax, k[::5], x[::5], **style)
        plotting.theory(ax, k, config.ring_kick * curve, **plotting.line(index))
    ax.axhline(0, color="grey", lw=0.6)
    ax.set(xlabel="step $k$", ylabel=r"$q_i\cdot(\theta_k-\theta^*)$")
    ax.legend()
    return ax


@reads_dataset
def autocorrelation(dataset, ax):
    """Draw the autocorrelation of two modes, momentum 0.98, with the exact prediction."""
    lags = dataset.sizes["swing_lag"] - 1
    h = dataset.curvature.values
    for index, mode in enumerate((0, len(h) - 1)):
        rows = dataset.autocorrelation.values[:, :, mode]
        rows = rows / rows[:, :1].mean(0)
        mean, error = rows.mean(0), 2 * rows.std(0, ddof=1) / np.sqrt(len(rows))
        k = np.arange(lags + 1)
        curve = dataset.autocorrelation_exact.values[:, mode]
        few, style = k[::16], plotting.points_style(index) | {"ms": 3}
        ends = (mean - error)[few], (mean + error)[few]
        plotting.points(ax, few, mean[few], *ends, **style)
        plotting.theory(ax, k, curve, label=rf"$\rho={h[mode]:.2f}$", **plotting.line(index))
    ax.axhline(0, color="grey", lw=0.6)
    ax.set(xlabel="lag in steps", ylabel=r"autocorrelation of $q_i\cdot\theta$")
    ax.legend()
    return ax


@reads_dataset
def displacement(dataset, ax):
    """Draw |Delta_k|^2 against k: both samplers, from the start and from after the burn-in."""
    lags = dataset.lag.values
    cases = (("from_start", "iid"), ("from_later", "iid"), ("from_start", "shuffle"))
    for index, (name, sampler) in enumerate(cases):
        rows = dataset[name].sel(sampler=sampler).values
        seen = np.isfinite(rows).all(0)
        curve = dataset[name.replace("from_", "") + "_exact"].sel(sampler=sampler).values
        label = NAMES[sampler] + _REFERENCES[name]
        style = plotting.points_style(index) | {"label": label, "ms": 3}
        plotting.points(ax, lags[seen], rows[:, seen].mean(0), **style)
        plotting.theory(ax, lags[seen], curve[seen], **plotting.line(index))
    ax.set(xlabel="step $k$", ylabel=r"$E\|\Delta_k\|^2$", xscale="log", yscale="log")
    plotting.log_axes(ax)
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def exponents(dataset, ax):
    """Draw the local exponent c(k), measured and predicted."""
    lags = dataset.lag.values
    edges = lags[1::4]
    cases = (("from_start", "iid"), ("from_later", "iid"), ("from_start", "shuffle"))
    for index, (name, sampler) in enumerate(cases):
        rows = dataset[name].sel(sampler=sampler).values
        ends = edges[edges <= lags[np.isfinite(rows).all(0)].max()]
        exact = dataset[name.replace("from_", "") + "_exact"].sel(sampler=sampler).values
        curve = exact[np.isin(lags, ends)]
        at = rows[:, np.isin(lags, ends)]
        middle, width = np.sqrt(ends[1:] * ends[:-1]), np.diff(np.log(ends))
        found = np.diff(np.log(at), axis=1) / width
        mean, error = found.mean(0), 2 * found.std(0, ddof=1) / np.sqrt(len(found))
        style = plotting.points_style(index) | {"ms": 3.5}
        plotting.points(ax, middle, mean, mean - error, mean + error, **style)
        plotting.theory(ax, middle, np.diff(np.log(curve)) / width, **plotting.line(index))
    ax.axhline(1, color="grey", ls="--", lw=1)
    ax.set(xlabel="step $k$", ylabel="local exponent $c(k)$", xscale="log")
    return plotting.log_axes(ax, "x")


@reads_dataset
def strong(dataset, ax):
    """Draw the falling speed at strong noise, in units of the law at the minimum."""
    law = float(dataset.strong_exact)
    time = dataset.strong_time.values + 32
    plotting.points(ax, time, dataset.strong_block_speed.values / law, label="measured")
    ax.axhline(1, label=r"${\rm Tr}\,\Sigma$ at the minimum", ls="--", **plotting.line(1))
    along = float(dataset.strong_noise.mean()) / dataset.attrs["trace_noise"]
    ax.axhline(along, label=r"${\rm Tr}\,\Sigma$ along the path", **plotting.line(0))
    ax.set(xlabel="step $k$", ylabel=r"$E\|\delta\|^2$ / law", ylim=(0.4, 1.15))
    ax.legend()
    return ax
