"""Figures of chapter `network_limits` on the narrow ResNet-18 that is followed for long."""

import numpy as np
from scipy.interpolate import RectBivariateSpline

from sgdescape.anomalous_diffusion import local_exponents
from sgdescape.core import plotting
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.network_limits.estimates.narrow import end_noise, narrow_law, narrow_level

SEEN = 0.15
"""Half width of the plane that is drawn."""

EXPONENTS = np.array([8, 16, 32, 64, 128, 256, 512, 800])
"""Steps between which local exponents are taken."""


@reads_dataset
def narrow_path(dataset, ax, *, what):
    """Draw squared steps (means of an epoch) or squared distance of the first setting's runs.

    Args:
        dataset: of `network_limits.run` with the run that is kept.
        ax: matplotlib axes.
        what: "speed", "distance", "exponent" or "error".
    """
    first = dataset.isel(setting=0)
    for index in range(first.sizes["narrow_replica"]):
        style = plotting.points_style(index) | {"ms": 3}
        at = first.isel(narrow_replica=index)
        if what == "error":
            values = 1 - at.narrow_test_accuracy.values
            x = np.linspace(0, first.sizes["narrow_step"] / 32, len(values))
        else:
            row = at["narrow_speed" if what == "speed" else "narrow_distance"].values
            x = np.arange(1, len(row) + 1) / 32
            keep = np.unique(np.geomspace(4, len(row), 40).astype(int)) - 1
            blocks = row[: len(row) // 32 * 32].reshape(-1, 32).mean(1)
            x, values = (x[keep], row[keep]) if what == "distance" else (x[15::32], blocks)
            if what == "exponent":
                x, values = local_exponents(EXPONENTS, row[EXPONENTS - 1])
                x = x / 32
        plotting.points(ax, x, values, **style)
    names = {
        "speed": r"$\|\delta_k\|^2$",
        "distance": r"$\|\Delta_k\|^2$",
        "error": "error on unseen images",
        "exponent": "local exponent $c(k)$",
    }
    ax.set(xlabel="epochs", ylabel=names[what])
    if what == "distance":
        middle = float(values[len(values) // 2])
        plotting.power_guide(ax, [1, 25], through=(5, middle), power=1, label="$k$")
        ax.legend()
        plotting.log_axes(ax)
    elif what == "exponent":
        ax.axhline(1, color="grey", lw=0.8)
        ax.set_ylim(0, 2)
        plotting.log_axes(ax, "x")
    else:
        ax.set_ylim(0, 1.6 * np.max(values))
    return ax


@reads_dataset
def narrow_cloud(dataset, ax, *, what):
    """Draw positions over the losses, or steps with the Hessian's ellipse, along two eigenvectors.

    Args:
        dataset: of `network_limits.run` with the run that is kept.
        ax: matplotlib axes.
        what: "position" or "move".
    """
    rows = dataset[f"narrow_{what}"].values[:, 100::9][..., [0, -1]]
    for index, path in enumerate(rows):
        ax.plot(*path.T, ls="none", ms=1.5, marker="o", color=f"C{index}")
    middle, spread = rows.reshape(-1, 2).mean(0), rows.reshape(-1, 2).std(0)
    if what == "position":
        grid = dataset.along_one.values
        fine = np.linspace(-SEEN, SEEN, 41)
        for name, style in (("train", "solid"), ("test", "dashed")):
            values = dataset[f"narrow_{name}_plane"].values
            smooth = RectBivariateSpline(grid, grid, values)(fine, fine)
            ax.contour(fine, fine, smooth.T, 6, colors="grey", linestyles=style, linewidths=0.8)
    else:
        rho = dataset.narrow_curvature.values[[0, -1]]
        size = np.sqrt(rho / rho.sum()) * np.sqrt((spread**2).sum())
        angle = np.linspace(0, 2 * np.pi, 100)
        for n in (1, 2):
            circle = middle[:, None] + n * size[:, None] * np.array([np.cos(angle), np.sin(angle)])
            ax.plot(*circle, color="C3")
    names = {"position": "position", "move": "step"}
    last = dataset.sizes["narrow_mode"]
    ax.set(xlabel=f"{names[what]} along $q_1$", ylabel=f"along $q_{{{last}}}$")
    return ax


@reads_dataset
def narrow_speeds(dataset, ax):
    """Draw mean squared steps of all settings against the law, crosses: with the noise at the end.

    Args:
        dataset: of `network_limits.run` with the run that is kept.
        ax: matplotlib axes.
    """
    noise = float(dataset.narrow_noise.sel(narrow_batch=32).mean())
    for index, (eta, beta, size, *_) in enumerate(dataset.narrow_at.values):
        law = noise * narrow_law(dataset, index)
        found = narrow_level(dataset, index)
        label = rf"$\eta={eta:g},\ \beta={beta:g},\ S={size:g}$"
        style = plotting.points_style(index % 7) | {"label": label, "ms": 4}
        plotting.points(ax, np.full(len(found), law), found, **style)
        ends = law * end_noise(dataset, index).reshape(len(found), -1).mean(1) / noise
        ax.plot(ends, found, ls="none", marker="x", ms=4, color=style["color"])
    ends = np.array(ax.get_xlim())
    plotting.theory(ax, ends, ends, color="grey")
    ax.set(xlabel="law, noise of batches of 32", ylabel=r"$\|\delta\|^2$")
    plotting.log_axes(ax)
    ax.legend(fontsize=6)
    return ax
