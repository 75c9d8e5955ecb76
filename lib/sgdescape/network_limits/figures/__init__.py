"""Figures of chapter `network_limits`: plots of a dataset; no claims, no simulations."""

from sgdescape.network_limits.figures.narrow import narrow_cloud, narrow_path, narrow_speeds
from sgdescape.network_limits.figures.resnet import resnet_distance, resnet_norm, resnet_speed
from sgdescape.network_limits.figures.small_network import (
    autocorrelation,
    displacement,
    distances,
    equipartition,
    exponents,
    noise,
    plane,
    ring,
    speed,
    strong,
    variances,
    velocity_plane,
)
from sgdescape.network_limits.figures.watched import (
    accuracy,
    dying,
    losses,
    phase,
    power_iteration,
    sweep_distances,
    transient,
)

__all__ = [
    "accuracy",
    "autocorrelation",
    "displacement",
    "distances",
    "dying",
    "equipartition",
    "exponents",
    "losses",
    "narrow_cloud",
    "narrow_path",
    "narrow_speeds",
    "noise",
    "phase",
    "plane",
    "power_iteration",
    "resnet_distance",
    "resnet_norm",
    "resnet_speed",
    "ring",
    "speed",
    "strong",
    "sweep_distances",
    "transient",
    "variances",
    "velocity_plane",
]
