"""The measurements of chapter `kramers_escape`: none uses the theorem that it tests."""

from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from sgdescape.core.fokker_planck import operators as fp
from sgdescape.kramers_escape.measure import paths as simulation
from sgdescape.kramers_escape.measure import plane
from sgdescape.kramers_escape.theory import landscape as losses
from sgdescape.kramers_escape.theory.dimension import circle_slope
from sgdescape.kramers_escape.theory.landscape import Landscape
from sgdescape.kramers_escape.theory.passage import log_passage_time

READINGS = {"loss": losses.separable_loss, "log loss": losses.separable_log_loss}
STEP = 0.01  # of log h between the two minima compared for their curvature


def measure(config) -> xr.Dataset:
    """Make all measurements.

    Args:
        config: the chapter's `Config`.

    Returns:
        See the functions below for the variables; the sizes needed later are attributes.
    """
    parts = (line, curvature_bias, in_plane, far_bowl, isotropic_bowl, paths)
    found = xr.merge([part(config) for part in parts])
    names = ("loss_ratio", "minimum_loss", "curvature_saddle", "bias_noise", "learning_rate")
    names += ("batch_size", "path_loss_ratio", "bowl_noise")
    found.attrs = {name: getattr(config, name) for name in names}
    return found


def line_valley(config, **changes) -> Landscape:
    """Return the one-dimensional valley."""
    names = ("loss_ratio", "minimum_loss", "curvature_saddle")
    return Landscape(**{name: getattr(config, name) for name in names} | changes)


def plane_valley(about, ratio: float) -> Landscape:
    """Return the two-dimensional valley with h_j = rho h_e.

    Args:
        about: attributes of the dataset.
        ratio: rho.
    """
    names = ("loss_ratio", "minimum_loss", "curvature_saddle")
    return Landscape(**{name: about[name] for name in names}, transverse=(ratio,))


def log_times(shape: Landscape, noise: float) -> tuple[float, float, float]:
    """Return log of the exact mean times: t to the saddle, t to beyond it, tau to beyond it.

    Args:
        shape: the valley; only its escape axis counts.
        noise: B/(eta h_e*).
    """
    loss = partial(losses.path_loss, shape)
    left = -_reach(shape, noise)
    common = {"temperature": 1 / noise, "start": 0.0, "left": left}
    potential = lambda z: np.log(loss(z))  # noqa: E731
    return (
        log_passage_time(potential, end=shape.saddle, clock=loss, **common),
        log_passage_time(potential, end=shape.crossing, clock=loss, **common),
        log_passage_time(potential, end=shape.crossing, **common),
    )


def line(config) -> xr.Dataset:
    """Measure mean passage times in one dimension.

    Returns:
        ``log_time`` (noise, event) by quadrature; ``line_rate`` (noise): slowest mode of the
        Fokker-Planck operator times the exact mean time; ``log_power`` (noise, loss_ratio): log of
        the mean time to beyond the saddle for other saddles.
    """
    shape = line_valley(config)
    times = [log_times(shape, a) for a in config.noises]
    rates = [
        slowest_mode(shape, a, config.line_cells) * np.exp(t[1])
        for a, t in zip(config.noises, times, strict=True)
    ]
    power = [
        [log_times(line_valley(config, loss_ratio=c), a)[1] for c in config.loss_ratios]
        for a in config.noises
    ]
    return xr.Dataset(
        {
            "log_time": (("noise", "event"), np.array(times), {"units": "log of t, or of tau"}),
            "line_rate": ("noise", rates, {"units": "1 / mean time"}),
            "log_power": (("noise", "loss_ratio"), np.array(power), {"units": "log of t"}),
        },
        coords={
            "noise": list(config.noises),
            "event": ["saddle", "beyond", "beyond, in tau"],
            "loss_ratio": list(config.loss_ratios),
        },
    )


def slowest_mode(shape: Landscape, noise: float, cells: int) -> float:
    """Return the escape rate per t of the absorbing operator, extrapolated from two grids.

    Args:
        shape: the valley; only its escape axis counts.
        noise: B/(eta h_e*).
        cells: of the coarse grid.
    """
    temperature = 1 / noise

    def rate(number):
        edges = np.linspace(-_reach(shape, noise), shape.crossing, number + 1)
        found = fp.operator_1d(
            lambda z: -losses.path_slope(shape, z),
            lambda z: temperature * losses.path_loss(shape, z),
            edges,
            right="absorbing",
        )
        return fp.escape_rate(found)

    coarse, fine = rate(cells), rate(2 * cells)
    return fine + (fine - coarse) / 3


def curvature_bias(config) -> xr.Dataset:
    """Measure how the escape time depends on the curvature of the minimum, all else fixed.

    Returns:
        ``log_bias`` (curvature): log of the mean time in t at fixed eta, B, L*, c and h_e^s.
    """
    middle = -np.log(-config.curvature_saddle) / 2  # h between |h_s| and 2 |h_s|
    h = np.exp(-middle + STEP * np.array([-1, 0, 1])) * 1.0
    found = []
    for curvature in h:
        shape = line_valley(config, curvature_minimum=float(curvature))
        found.append(log_times(shape, config.bias_noise / curvature)[1])
    return xr.Dataset({"log_bias": ("curvature", found)}, coords={"curvature": h})


def in_plane(config) -> xr.Dataset:
    """Measure escape rates in two dimensions with the Fokker-Planck operator.

    Returns:
        ``plane_rate`` (reading, ratio, plane_noise) per t, for both readings of Eq. (19);
        ``space_rate`` (plane_noise): two transverse directions of ratio 1/2, the loss separates.
    """
    about = {
        name: getattr(config, name) for name in ("loss_ratio", "minimum_loss", "curvature_saddle")
    }
    rates = [
        [
            [
                plane.rate(plane_valley(about, rho), loss, noise=a, cells=config.plane_cells)
                for a in config.plane_noises
            ]
            for rho in config.ratios
        ]
        for loss in READINGS.values()
    ]
    three = replace(plane_valley(about, 0.5), transverse=(0.5, 0.5))
    space = [
        plane.rate(three, losses.separable_loss, noise=a, cells=config.plane_cells)
        for a in config.plane_noises
    ]
    return xr.Dataset(
        {
            "plane_rate": (("reading", "ratio", "plane_noise"), np.array(rates)),
            "space_rate": ("plane_noise", space),
        },
        coords={
            "reading": list(READINGS),
            "ratio": list(config.ratios),
            "plane_noise": list(config.plane_noises),
        },
    )


def far_bowl(config) -> xr.Dataset:
    """Measure the growth exponent of the passage time in a parabolic bowl, large loss ratio.

    Returns:
        ``circle`` (ratio, circle_noise): the exponent of c; NaN for ratios above 1.
    """
    found = [
        [circle_slope(rho, noise=a) if rho <= 1 else np.nan for a in config.circle_noises]
        for rho in config.ratios
    ]
    return xr.Dataset(
        {"circle": (("ratio", "circle_noise"), np.array(found))},
        coords={"ratio": list(config.ratios), "circle_noise": list(config.circle_noises)},
    )


def isotropic_bowl(config) -> xr.Dataset:
    """Measure mean times to a level of the loss in parabolic bowls of n equal curvatures h = 1.

    Returns:
        ``bowl_time`` (dimension, level) in t, by quadrature in log |z|.
    """
    temperature, low = 1 / config.bowl_noise, config.minimum_loss
    loss = lambda x: low + np.exp(2 * x) / 2  # noqa: E731

    def mean_time(n, level):
        potential = lambda x: np.log(loss(x)) - temperature * (n - 2) * x  # noqa: E731
        found = log_passage_time(
            potential,
            temperature=temperature,
            start=-8.0,
            end=np.log(2 * low * (level - 1)) / 2,
            left=-20.0,
            clock=lambda x: loss(x) / np.exp(2 * x),
            panels=200,
        )
        return np.exp(found)

    times = [[mean_time(n, c) for c in config.levels] for n in config.dimensions]
    return xr.Dataset(
        {"bowl_time": (("dimension", "level"), np.array(times), {"units": "t"})},
        coords={"dimension": list(config.dimensions), "level": list(config.levels)},
    )


def paths(config) -> xr.Dataset:
    """Simulate Eq. (12) over a saddle in two dimensions.

    Returns:
        ``passage`` (replica, place) and ``watched`` (replica) in t; ``path_time`` (place): the
        exact means by the Fokker-Planck operator; ``line_time`` by quadrature without the second
        direction; ``linear_time`` by `linear_barrier_time`.
    """
    shape = Landscape(
        loss_ratio=config.path_loss_ratio,
        minimum_loss=config.minimum_loss,
        curvature_saddle=config.curvature_saddle,
        transverse=(1.0,),
    )
    times, last, lost = simulation.escapes(
        shape,
        learning_rate=config.learning_rate,
        batch_size=config.batch_size,
        dt=config.dt,
        max_time=config.max_time,
        replicas=config.replicas,
        seed=config.seed,
    )
    noise = config.batch_size / config.learning_rate
    size = {"noise": noise, "cells": config.plane_cells}
    exact = [
        1 / plane.rate(shape, losses.separable_loss, end=end, **size)
        for end in (shape.saddle, shape.crossing)
    ]
    return xr.Dataset(
        {
            "passage": (("replica", "place"), times, {"units": "t"}),
            "watched": ("replica", last, {"units": "t"}),
            "lost": ("replica", lost),
            "path_time": ("place", exact, {"units": "t"}),
            "line_time": float(np.exp(log_times(shape, noise)[1])),
            "linear_time": linear_barrier_time(shape, noise),
        },
        coords={"place": ["saddle", "beyond"]},
    )


def linear_barrier_time(shape: Landscape, noise: float) -> float:
    """Return the exact mean time to beyond the saddle for additive noise, Eq. (5), in t.

    The noise is that of the minimum everywhere, D = eta h_e* L*/B; a separable loss.

    Args:
        shape: the valley; only its escape axis counts.
        noise: B/(eta h_e*).
    """
    loss = partial(losses.path_loss, shape)
    diffusion = shape.minimum_loss / noise
    ends = {"start": 0.0, "end": shape.crossing, "left": -_reach(shape, noise)}
    return float(np.exp(log_passage_time(loss, temperature=diffusion, **ends)))


def _reach(shape, noise):
    """Distance left of the minimum at which the density is exp(-30) of that at the saddle."""
    high = shape.loss_ratio * shape.minimum_loss * np.exp(30 / noise)
    steps = np.geomspace(1e-3, 1e4, 8001) * shape.saddle
    return float(steps[np.argmax(losses.path_loss(shape, -steps) >= high)])
