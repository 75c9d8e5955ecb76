"""A dataset in which bowls play the part of the network: quick, and with any noise law."""

from dataclasses import asdict, replace
from functools import cache

import numpy as np
import torch
import xarray as xr

import sgdescape.neural_network as net
from sgdescape.core.networks import models
from sgdescape.core.runs import provenance
from sgdescape.neural_network import predictions
from sgdescape.neural_network.measure import bowl, checkpoints

BINS = np.geomspace(1e-6, 1e-2, 8)
SPECTRUM = np.concatenate([np.array([110.0, 42, 26]), np.geomspace(20, 0.05, 60)])
NOISE = {"ratio": np.ones(3), "kurtosis": np.where(np.eye(3), 3.0, 1.1)}
NOISE["kurtosis"][0, 0] = 1.6
IMITATED = replace(
    net.QUICK, watch=900.0, bowl_paths=96, continuous_paths=32, bowl_step=0.1, looks=(1, 5, 40)
)
CELLS = [(a, b) for a in IMITATED.exponents for b in IMITATED.batches]
VALLEY = bowl.grouped(SPECTRUM, singles=3, bins=3)
LAWS = {
    "decoupled": bowl.decoupled(*VALLEY),
    "measured": bowl.measured(*VALLEY, **NOISE),
    "constant": bowl.constant(*VALLEY),
    "equal": bowl.decoupled(SPECTRUM[:1], np.array([round(net.participation_ratio(SPECTRUM))])),
}


def small(hidden=(1,)):
    recipe = checkpoints.Recipe(images=60, hidden=hidden)
    images = checkpoints.images_of(recipe)
    return models.mlp((784, *hidden, 1), seed=3, dtype=torch.float64), images


@cache
def bowl_times(law, use):
    """Passage times of one law's bowls in every cell (exponent, batch_size, path, threshold)."""
    config = replace(IMITATED, seed=use)
    found = [
        predictions.bowl_times(LAWS[law], config, exponent=a, batch_size=b, curvature=SPECTRUM[0])
        for a, b in CELLS
    ]
    return np.array(found).reshape(len(IMITATED.exponents), len(IMITATED.batches), *found[0].shape)


def imitation(law="measured", *, seed=0):
    """A dataset in which bowls of one noise law play the part of the network."""
    config = IMITATED
    bowls = np.stack([bowl_times(name, 0) for name in LAWS])
    rates = np.array([b / (a * SPECTRUM[0]) for a, b in CELLS]).reshape(bowls.shape[1:3])
    shape = rates.shape
    runs = bowl_times(law, 777 + seed)[:, :, : config.replicas]
    flow = [
        predictions.continuous_times(LAWS["decoupled"], config, exponent=a, curvature=SPECTRUM[0])
        for a in config.exponents
    ]
    steps = np.where(np.isfinite(runs), runs / rates[..., None, None], -1).round().astype(int)
    last = np.round(config.watch / SPECTRUM[0] / rates).astype(int)
    trace = SPECTRUM.sum()
    raised = net.raised_loss(np.array(config.exponents), trace_ratio=trace / SPECTRUM[0])
    late = np.random.default_rng(seed).normal(
        raised[:, None, None], 0.01, (*shape, config.replicas)
    )
    rare = np.where(steps[1, 1] > 0, np.minimum(40 * steps[1, 1], last[1, 1]), -1)
    dims = {
        "control_passage": np.array([steps[1, 1]] * 4),
        "control_last_step": np.full((4, IMITATED.replicas), last[1, 1]),
    }
    cell = ("exponent", "batch_size")
    kurtosis = NOISE["kurtosis"]
    ds = xr.Dataset(
        {
            "passage": ((*cell, "replica", "threshold"), steps),
            "last_step": ((*cell, "replica"), np.repeat(last[..., None], config.replicas, -1)),
            "late_loss": ((*cell, "replica"), late),
            "learning_rate": (cell, rates),
            "looks": (
                ("look", "replica", "threshold"), np.array([steps[1, 1], steps[1, 1], rare])
            ),
            "bowl": (("law", *cell, "path", "threshold"), bowls),
            "continuous": (("exponent", "continuous_path", "threshold"), np.array(flow)),
            "spectrum": (("rank",), SPECTRUM),
            "curvature": (("direction",), SPECTRUM[:3]),
            "noise_ratio": (("direction",), NOISE["ratio"]),
            "gradient_share": (("direction",), np.full(3, 0.001)),
            "kurtosis": (("direction", "other"), kurtosis),
            "hessian_ratio": (("hessian_direction",), np.array([0.9999, 1.0001, 1.0])),
            "block_losses": (("block",), np.array([3.0, 2.0])),
            **{
                name: (("end",), np.array([0.95, 1.0, 1.03]) * value)
                for name, value in {
                    "overlap": 0.99, "span_overlap": 0.96, "dead_motion": 0.0,
                    "curvature_ratio": 1.0, "displacement_share": 0.1,
                    "energy_share": 0.93, "leading_energy": 0.8, "path_loss": 2.3,
                    "path_coupling": 1.35, "path_noise": 0.8,
                }.items()
            },
            "bin_curvature": ("curvature_bin", BINS),
            "bin_noise": ("curvature_bin", 2 * BINS**1.05),
            "motion": (("mover", "curvature_bin"), np.outer([0.9, 1.0, 1.1], BINS**0.97)),
            "control_passage": (("case", "control_replica", "threshold"), dims["control_passage"]),
            "control_linearised": (
                ("case", "control_replica", "threshold"), dims["control_passage"]
            ),
            "control_last_step": (("case", "control_replica"), dims["control_last_step"]),
            "control_bowl": (("case", "path", "threshold"), bowls[[0] * 4, 1, 1]),
            "control_refined": (("case", "path", "threshold"), bowls[[1] * 4, 1, 1]),
            "control_equal": (("case", "path", "threshold"), bowls[[3] * 4, 1, 1]),
            **{
                f"control_{name}": (("case",), [value] * 4)
                for name, value in {
                    "learning_rate": rates[1, 1], "curvature": SPECTRUM[0], "trace": trace,
                    "loss": 0.02, "steps": 10, "kurtosis": 1.6, "participation": 10.0,
                    "largest_step": 1.0,
                }.items()
            },
        },
        coords={
            "exponent": list(config.exponents),
            "batch_size": list(config.batches),
            "threshold": list(config.thresholds),
            "look": list(config.looks),
            "law": list(LAWS),
            "case": list(checkpoints.recipes(net.QUICK))[1:],
        },
        attrs={
            "loss": 0.02, "trace": trace, "square": float(np.sum(SPECTRUM**2)), "fall": 0.01,
            "dead_parameters": 100,
            "pretraining_steps": 10, "pretraining_block": 5,
            "config": provenance.to_json(asdict(config)),
        },
    )  # fmt: skip
    return net.predict(ds)
