"""The chapter's experiment: all measurements with the predictions beside them."""

import time
from dataclasses import asdict

import numpy as np
import xarray as xr

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.random import seeds
from sgdescape.core.runs import provenance
from sgdescape.momentum_escape.config import QUICK, Config
from sgdescape.momentum_escape.measure import index, passages
from sgdescape.momentum_escape.predictions import predict
from sgdescape.momentum_escape.theory.scales import settings


@door
def measurements(config: Config = QUICK) -> xr.Dataset:
    """Make all measurements of the chapter.

    Args:
        config: the sizes.

    Returns:
        ``passage`` (cell, temperature, replica) in steps, ``law_passage`` (inputs, temperature,
        replica), ``tail_share`` (chain, energy), ``scaled_index`` (index_temperature), and the
        settings of each.
    """
    c = config
    inverse = np.stack([c.hot, c.cold], axis=1)
    step, momentum = settings(1 / inverse, np.array(c.dampings)[:, None])
    passage = [
        [
            _passages(c, "gaussian", c.loss_ratios[i], step[i, k], momentum[i, k], 2 * i + k)
            for k in range(2)
        ]
        for i in range(len(c.dampings))
    ]
    law_inverse = np.array([c.law_hot, c.law_cold])
    law_step, law_momentum = settings(1 / law_inverse, c.law_damping)
    laws = [
        [
            _passages(c, law, c.law_ratio, law_step[k], law_momentum[k], 1000 + 2 * i + k)
            for k in range(2)
        ]
        for i, law in enumerate(passages.LAWS)
    ]
    tail_step, tail_momentum = (float(v) for v in settings(c.tail_temperature, c.tail_damping))
    shares = passages.tail_shares(
        np.array(c.tail_energies), step=tail_step, momentum=tail_momentum, chains=c.chains,
        steps=c.chain_steps, burn_in=int(20 / (1 - tail_momentum)),
        seed=seeds.derive(c.seed, "momentum_escape", "tail"),
    )  # fmt: skip
    index_step, index_momentum = settings(np.array(c.index_temperatures), c.index_damping)
    scaled = index.scaled_indices(c.index_temperatures, step=index_step, momentum=index_momentum)
    dataset = xr.Dataset(
        {
            "passage": (("cell", "temperature", "replica"), np.array(passage)),
            "friction": (("cell", "temperature"), 1 - momentum),
            "law_passage": (("inputs", "temperature", "replica"), np.array(laws)),
            "law_friction": ("temperature", 1 - law_momentum),
            "tail_share": (("chain", "energy"), shares),
            "scaled_index": ("index_temperature", scaled),
        },
        coords={
            "damping": ("cell", np.array(c.dampings)),
            "loss_ratio": ("cell", np.array(c.loss_ratios)),
            "inverse_temperature": (("cell", "temperature"), inverse),
            "law_inverse_temperature": ("temperature", law_inverse),
            "inputs": list(passages.LAWS),
            "energy": list(c.tail_energies),
            "index_temperature": list(c.index_temperatures),
        },
        attrs={"config": provenance.to_json(asdict(c))},
    )
    dataset.passage.attrs["units"] = dataset.law_passage.attrs["units"] = "steps"
    return dataset


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only "cpu": scalars need no other.

    Returns:
        What `measurements` returns, what `predict` adds, and provenance.
    """
    validate.one_of("device", str(device), ("cpu", "auto"))
    start = time.perf_counter()
    dataset = predict(measurements(config))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start)
    return dataset


def _passages(config, inputs, loss_ratio, step, momentum, index):
    return passages.first_passages(
        loss_ratio, step=float(step), momentum=float(momentum), inputs=inputs,
        replicas=config.replicas,
        seed=seeds.derive(config.seed, "momentum_escape", "passages", index),
    )  # fmt: skip
