"""Figures of chapter `network_limits` on the narrow ResNet-18."""

import numpy as np

from sgdescape.core import plotting
from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.network_limits.estimates.resnet import settled


@reads_dataset
def resnet_speed(dataset, ax):
    """Draw |delta_k|^2 of each run, smoothed over ten steps, with the law."""
    for index, (_, beta, _, steps) in enumerate(settings(dataset).residual_runs):
        speed = dataset.residual_speed.values[index, : int(steps)]
        blocks = speed[: len(speed) // 10 * 10].reshape(-1, 10).mean(1)
        style = plotting.points_style(index) | {"label": rf"$\beta={beta:g}$"}
        plotting.points(ax, 5 + 10 * np.arange(len(blocks)), blocks, **style)
        law = float(dataset.residual_law[index])
        plotting.theory(ax, [0, steps], [law, law], **plotting.line(index))
    ax.set(xlabel="step $k$", ylabel=r"$\|\delta_k\|^2$", yscale="log")
    plotting.log_axes(ax, "y")
    ax.legend()
    return ax


@reads_dataset
def resnet_distance(dataset, ax):
    """Draw |Delta_k|^2 from the checkpoint with slopes 1 and 2 as guides."""
    for index, (_, beta, _, steps) in enumerate(settings(dataset).residual_runs):
        k = np.arange(1, int(steps) + 1)
        distance = dataset.residual_distance.values[index, : int(steps)]
        style = plotting.points_style(index) | {"label": rf"$\beta={beta:g}$", "ms": 3}
        plotting.points(ax, k, distance, **style)
    first = dataset.residual_distance.values[0, 9]
    plotting.power_guide(ax, [3, k.max() * 2], through=(10, first), power=1, label="$k$")
    plotting.power_guide(ax, [2, 30], through=(10, first), power=2, label="$k^2$", ls=":")
    ax.set(xlabel="step $k$", ylabel=r"$\|\Delta_k\|^2$", xscale="log", yscale="log")
    plotting.log_axes(ax)
    ax.legend()
    return ax


@reads_dataset
def resnet_norm(dataset, ax):
    """Draw |theta|^2 of the convolutions with the slope of right angles and weight decay."""
    for index, (_, beta, _, steps) in enumerate(settings(dataset).residual_runs):
        norm = dataset.residual_norm.values[index, : int(steps)]
        k = np.arange(1, len(norm) + 1)
        style = plotting.points_style(index) | {"label": rf"$\beta={beta:g}$", "ms": 3}
        plotting.points(ax, k[::4], (norm - norm[0])[::4], **style)
        slope, first = float(dataset.residual_drift[index]), settled(dataset, index).start
        line = norm[first] - norm[0] + slope * (k[first:] - k[first])
        plotting.theory(ax, k[first:], line, **plotting.line(index))
    ax.set(xlabel="step $k$", ylabel=r"$\|\theta_k\|^2-\|\theta_1\|^2$, convolutions")
    ax.legend()
    return ax
