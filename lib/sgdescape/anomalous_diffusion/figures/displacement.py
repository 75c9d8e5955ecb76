"""Figures of chapter `anomalous_diffusion` on displacement, its local exponents and epochs."""

import numpy as np

from sgdescape.anomalous_diffusion.estimates.exponents import (
    bands,
    fitted_exponent,
    local_exponents,
)
from sgdescape.anomalous_diffusion.measure.batch_orders import power_law_spectrum
from sgdescape.anomalous_diffusion.theory.displacement import (
    free_displacement,
    mean_squared_displacement,
)
from sgdescape.anomalous_diffusion.theory.fixed_start import (
    fixed_start_displacement,
)
from sgdescape.anomalous_diffusion.theory.shuffling import (
    crossover_curvature,
    fixed_order_displacement,
)
from sgdescape.core import plotting, validate
from sgdescape.core.doors import door
from sgdescape.core.plotting import SHOWN_LEVEL
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset

_ORDERS = {"iid": "independent batches", "shuffle": "shuffled epochs", "fixed": "one fixed order"}


@reads_dataset
def displacement(dataset, ax):
    """Draw E|Delta_k|^2 of stationary runs, exact, and free diffusion, for each batch size."""
    lags = dataset.lag.values
    for i, size in enumerate(dataset.batch_size.values):
        at = dataset.sel(batch_size=size)
        plotting.theory(ax, lags, at.displacement_exact, **plotting.line(i))
        plotting.theory(ax, lags, at.displacement_free, ls="--", lw=1, **plotting.line(i))
        found = _means(at.displacement.values)
        plotting.points(ax, lags, *found, **plotting.points_style(i), label=f"$S={size}$")
    plotting.theory(ax, [], [], color="grey", label="exact")
    plotting.theory(ax, [], [], color="grey", ls="--", lw=1, label="free diffusion")
    ax.set(xlabel="steps $k$", ylabel=r"$\mathbb{E}\|\Delta_k\|^2$")
    plotting.log_axes(ax)
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def exponents(dataset, ax):
    """Draw c(k) with bands: stationary, and from a fixed start."""
    lags, steps = dataset.lag.values, dataset.step.values
    at, away = dataset.isel(batch_size=-1), dataset.sel(start="away")
    series = (
        ("stationary", lags, at.displacement.values, at.displacement_exact.values),
        ("from rest off the minimum", steps, away.started.values,
         away.drift_exact.values + away.noise_exact.values),
    )  # fmt: skip
    for i, (label, k, samples, exact) in enumerate(series):
        keep = _spaced(k)
        plotting.theory(ax, *local_exponents(k[keep], exact[keep]), **plotting.line(i))
        k_mid, value, low, high = bands(k[keep], samples[:, keep], level=SHOWN_LEVEL)
        style = plotting.points_style(i) | {"label": label, "ms": 4}
        plotting.points(ax, k_mid, value, low, high, **style)
    keep = _spaced(lags)
    free = at.displacement_free.values[keep]
    style = {"color": "black", "ls": ":", "label": "free direction"}
    plotting.theory(ax, *local_exponents(lags[keep], free), **style)
    ax.axhline(1, color="grey", lw=0.8)
    beta = settings(dataset).momentum
    ax.axvline(1 / (1 - beta), color="grey", lw=0.8, ls="--")
    ax.text(1.08 / (1 - beta), 2.62, r"$1/(1-\beta)$", fontsize=8, color="#555555")
    ax.set(xlabel="steps $k$", ylabel="local exponent $c(k)$", ylim=(0, 3))
    plotting.log_axes(ax, "x")
    ax.legend(fontsize=8, loc="upper right")
    return ax


@reads_dataset
def bowl(dataset, ax):
    """Draw E|Delta_k|^2 in a bowl without momentum: measured, exact, and the sum over steps."""
    lags = dataset.bowl_lag.values
    plotting.theory(ax, lags, dataset.bowl_exact, label="exact", **plotting.line(0))
    style = plotting.line(1) | {"ls": "--", "label": "sum over steps"}
    plotting.theory(ax, lags, dataset.bowl_summed, **style)
    found = _means(dataset.bowl_displacement.values)
    plotting.points(ax, lags, *found, label="SGD")
    ax.set(xlabel="steps $k$", ylabel=r"$\mathbb{E}\|\Delta_k\|^2$")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@door
def power_law(ax, *, exponents=(1.3, 1.5, 1.8), momentum=0.9, learning_rate=0.02, modes=3000):
    """Draw exact c(k) of power-law spectra, with a - 1 as dashed lines."""
    k = np.geomspace(1, 1e6, 61).round()
    k = np.unique(k)
    for i, a in enumerate(exponents):
        rho = power_law_spectrum(modes, a)
        curve = mean_squared_displacement(
            k, rho, rho, learning_rate=learning_rate, momentum=momentum, batch_size=1
        )
        label = f"$a={a:g}$"
        plotting.theory(ax, *local_exponents(k, curve), label=label, **plotting.line(i))
        ax.axhline(a - 1, ls="--", lw=1, **plotting.line(i))
    ax.set(xlabel="steps $k$", ylabel="local exponent $c(k)$", ylim=(0, 2))
    plotting.log_axes(ax, "x")
    ax.legend()
    return ax


@door
def windows(ax, *, curvatures, noise, offsets, learning_rate, momentum, batch_size, epoch):
    """Draw fitted c against the length of the window, for three starts, from exact displacement.

    Args:
        ax: matplotlib axes.
        curvatures: rho (modes,).
        noise: Sigma_ii (modes,).
        offsets: d (modes,), scaled by 0, 1 and 2.
        learning_rate: eta.
        momentum: beta.
        batch_size: S.
        epoch: M, steps; windows run from one epoch to many.
    """
    offsets, epoch = validate.finite("offsets", offsets), validate.count("epoch", epoch)
    lengths = np.unique(np.geomspace(2, 100, 25).round())
    for i, scale in enumerate((0.0, 1.0, 2.0)):
        found = []
        for length in lengths:
            k = np.linspace(epoch, length * epoch, 60).round()
            total = sum(
                fixed_start_displacement(
                    k,
                    curvatures,
                    noise,
                    scale * offsets,
                    learning_rate=learning_rate,
                    momentum=momentum,
                    batch_size=batch_size,
                )
            )
            found.append(fitted_exponent(k, total))
        plotting.theory(ax, lengths, found, label=_start_label(scale), **plotting.line(i))
    ax.set(xlabel="end of the window, epochs", ylabel="fitted $c$")
    plotting.log_axes(ax, "x")
    ax.legend()
    return ax


@reads_dataset
def orders(dataset, ax):
    """Draw E|Delta_k|^2 with the three samplers, exact and measured."""
    lags, config = dataset.order_lag.values, settings(dataset)
    length = config.order_samples // config.order_size
    fine = np.arange(1, lags[-1])
    exact = fixed_order_displacement(
        fine,
        dataset.order_curvature.values,
        dataset.order_noise.values,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        batch_size=config.order_size,
        steps_per_epoch=length,
    )
    for i, name in enumerate(dataset.sampler.values):
        at = dataset.sel(sampler=name)
        shown = at.order_exact.values > 1e-12 * at.order_exact.values.max()
        x, y = (fine, exact) if name == "fixed" else (lags, at.order_exact.values)
        plotting.theory(ax, x, y, lw=1.2, **plotting.line(i))
        found = _means(at.order_displacement.values)[:, shown]
        style = plotting.points_style(i) | {"label": _ORDERS[str(name)]}
        plotting.points(ax, lags[shown], *found, **style)
    for epoch in (1, 2, 3, 4):
        ax.axvline(epoch * length, color="grey", lw=0.6, ls="--", zorder=0)
    ax.set(xlabel="steps $k$", ylabel=r"$\mathbb{E}\|\Delta_k\|^2$")
    ax.set_ylim(dataset.order_exact.values[0, 0] / 2, 2 * dataset.order_exact.values.max())
    plotting.log_axes(ax)
    ax.legend(fontsize=8)
    return ax


@reads_dataset
def variances(dataset, ax):
    """Draw Var(theta_i) against curvature with independent and with shuffled batches."""
    rho, config = dataset.order_curvature.values, settings(dataset)
    for i, name in enumerate(("iid", "shuffle")):
        at = dataset.sel(sampler=name)
        plotting.theory(ax, rho, at.variance_exact, **plotting.line(i))
        found = _means(at.order_square.values)
        style = plotting.points_style(i) | {"label": _ORDERS[name]}
        plotting.points(ax, rho, *found, **style)
    cross = crossover_curvature(
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        steps_per_epoch=config.order_samples // config.order_size,
    )
    ax.axvline(cross, color="grey", ls="--", lw=1)
    ax.text(cross * 1.1, ax.get_ylim()[0] * 1.6, r"$\rho_\times$", color="#555555")
    ax.set(xlabel=r"curvature $\rho_i$", ylabel=r"$\mathrm{Var}\,\theta_i$")
    plotting.log_axes(ax)
    ax.legend(fontsize=8)
    return ax


@door
def oscillation(ax, *, ratios=(0.5, 3.0, 12.0)):
    """Draw c(t) of single modes against gamma t, for several frequencies in units of gamma."""
    ratios = validate.each_positive("ratios", ratios)
    beta, eta = 0.999, 1.0
    gamma = (1 - beta) / (eta * (1 + beta))
    k = np.unique(np.linspace(20, 1e4, 1200).round())
    for i, ratio in enumerate(ratios):
        h = (ratio * gamma) ** 2 * eta * (1 + beta) / 2
        curve = mean_squared_displacement(
            k, [h], 1.0, learning_rate=eta, momentum=beta, batch_size=1, discrete=False
        )
        middle, c = local_exponents(k, curve)
        label = rf"$\omega={ratio:g}\,\gamma$"
        plotting.theory(ax, gamma * eta * middle, c, lw=1.2, label=label, **plotting.line(i))
    free = free_displacement(k, 1.0, learning_rate=eta, momentum=beta, batch_size=1)
    middle, c = local_exponents(k, free)
    plotting.theory(ax, gamma * eta * middle, c, color="black", ls=":")
    ax.set(xlabel=r"$\gamma t$", ylabel="$c$", ylim=(-3, 4), xlim=(0, 5))
    ax.legend(fontsize=8, loc="lower left")
    return ax


def _means(samples):
    """Mean over replicas with its normal interval: value, low, high."""
    mean = samples.mean(axis=0)
    half = 1.96 * samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    return np.array([mean, mean - half, mean + half])


def _spaced(k, factor=1.3):
    """Indices of steps that are at least a factor apart."""
    kept = [0]
    for i in range(1, len(k)):
        if k[i] >= factor * k[kept[-1]]:
            kept.append(i)
    return np.array(kept)


def _start_label(scale):
    return f"from {scale:g} times the offsets" if scale else "from the minimum"
