"""Figures of chapter `network_limits`: plots of a dataset; no claims, no simulations."""

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

__all__ = [
    "autocorrelation",
    "displacement",
    "distances",
    "equipartition",
    "exponents",
    "noise",
    "plane",
    "resnet_distance",
    "resnet_norm",
    "resnet_speed",
    "ring",
    "speed",
    "strong",
    "variances",
    "velocity_plane",
]
