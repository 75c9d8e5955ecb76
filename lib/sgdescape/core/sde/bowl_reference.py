"""Stationary averages in a quadratic valley: the reference tier, and which engine does the work."""

import importlib.util

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.random import brownian
from sgdescape.core.sde.averages import Stationary
from sgdescape.core.sde.models import Bowl, _library, bowl_sde
from sgdescape.core.sde.passage import apply_noise

ENGINES = ("auto", "reference", "numba", "triton")
QUANTITIES = ("loss_ratio", "radius")
CLOCKS = ("t", "tau")
OWN_CLOCK = {"decoupled": "t", "time_changed": "tau", "gld": "t"}


def engine_for(engine: str, device: str) -> str:
    """Return the engine that "auto" stands for: Triton on a CUDA device if there, else numba.

    Args:
        engine: "auto", "reference", "numba" or "triton".
        device: "auto", "cpu" or "cuda".

    Raises:
        ValueError: for an unknown engine, or numba asked for on a GPU.
        ModuleNotFoundError: if Triton is asked for and not installed.
    """
    validate.one_of("engine", engine, ENGINES)
    cuda = validate.device(device).type == "cuda"
    triton = importlib.util.find_spec("triton") is not None
    if engine == "auto":
        return "triton" if cuda and triton else "reference" if cuda else "numba"
    if engine == "triton" and not triton:
        raise ModuleNotFoundError(
            "engine 'triton' needs the package triton, which is not installed"
        )
    if engine == "numba" and device != "auto" and cuda:
        raise ValueError(f"engine 'numba' runs on the CPU: got device {device!r}")
    return engine


@np.errstate(over="ignore", invalid="ignore")  # a diverged path is flagged, not warned of
def stationary_reference(
    bowl: Bowl,
    start,
    *,
    process: str,
    diffusion: float | None,
    clock: str,
    dt: float,
    steps: int,
    burn_in: int,
    replicas: range,
    seed: int,
    record_every: int,
    edges: np.ndarray,
    quantity: str,
    keep_every: int,
) -> dict:
    """Return the arrays of `Stationary`; NumPy or torch, whichever ``start`` (replicas, d) is.

    The arguments are those of `sde.stationary` after its checks; ``keep_every`` = 0 keeps nothing.
    """
    sde, library = bowl_sde(bowl, process, diffusion=diffusion), _library(start)
    theta, (n, d) = start, start.shape
    sums = np.zeros((4, n))
    counts, samples, diverged = np.zeros(len(edges) + 1), [], np.full(n, -1)
    batch = brownian.batch_of_steps(n, d, 1)
    for step in range(burn_in + steps):
        if step % batch == 0:
            span = range(step, min(step + batch, burn_in + steps))
            draws = brownian.increments(
                seed, steps=span, dt=dt, replicas=replicas, noises=d, like=start
            )
        if step >= burn_in:
            level = _numpy(bowl.loss(theta)).astype(np.float64)
            square = _numpy((theta * theta).sum(-1)).astype(np.float64)
            weight = weights(level, process, clock)
            sums += weight * np.stack([np.ones(n), level, level**2, square])
            if (step - burn_in) % record_every == 0:
                value = level / bowl.minimum_loss if quantity == "loss_ratio" else np.sqrt(square)
                bins = np.searchsorted(edges, value, side="right")
                counts += np.bincount(bins, weight, minlength=len(counts))
            if keep_every and (step - burn_in) % keep_every == 0:
                samples.append(_numpy(theta))
        noise = apply_noise(sde.noise(theta), draws[step % batch])
        theta = theta + sde.drift(theta) * dt + noise
        lost = ~_numpy(library.isfinite(bowl.loss(theta))) & (diverged < 0)
        diverged[lost] = step + 1
    return {
        "sums": sums,
        "counts": counts,
        "samples": np.stack(samples) if samples else np.empty((0, n, d)),
        "diverged_at": diverged,
        "theta": _numpy(theta),
    }


def weights(level, process: str, clock: str):
    """Return how much of ``clock`` passes in a unit of the SDE's own: 1, L or 1 / L, Eq. (13)."""
    if clock == OWN_CLOCK[process]:
        return np.ones_like(level)
    return level if clock == "tau" else 1 / level


def stationary_result(arrays: dict, *, edges: np.ndarray, dt: float) -> Stationary:
    """Return `Stationary` of an engine's sums."""
    total, loss, loss_squared, radius_squared = arrays["sums"]
    counts = arrays["counts"]
    return Stationary(
        duration=dt * total,
        loss=loss / total,
        loss_squared=loss_squared / total,
        radius_squared=radius_squared / total,
        counts=counts[1:-1],
        edges=edges,
        outside=counts[[0, -1]],
        samples=arrays["samples"],
        diverged_at=arrays["diverged_at"],
        theta=arrays["theta"],
    )


def _numpy(array):
    return array.cpu().numpy() if isinstance(array, torch.Tensor) else array
