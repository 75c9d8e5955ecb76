"""Small networks, sizes and datasets that several test files need."""

import json

import torch
import xarray as xr

import sgdescape.noise_strength as ns
from sgdescape.core.networks import models
from sgdescape.core.training import sgd

TINY = ns.Config(
    images=40,
    cnn_images=40,
    hidden=(6, 5, 4),
    stacks=((2, 1), (3, 1)),
    batch_size=20,
    cnn_batch_size=20,
    mlp_epochs=8,
    cnn_epochs=6,
    entropy_epochs=5,
    marks=5,
    replicas=2,
    cnn_replicas=2,
)


def small_network(outputs=3, *, loss="square"):
    """A network, nine samples, their targets and the loss."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(9, 5, generator=generator, dtype=torch.float64)
    labels = torch.arange(9) % outputs
    y = torch.nn.functional.one_hot(labels, outputs).double()
    if outputs == 1:
        y = torch.where(x[:, :1] > 0, 1.0, -1.0).double()
    model = models.mlp((5, 6, 4, outputs), seed=0, dtype=torch.float64)
    return model, x, y, sgd.LOSSES[loss]


def as_dataset(values, outputs):
    """One case with one replica and one mark."""
    ds = xr.Dataset({k: (("case", "replica"), [[float(v)]]) for k, v in values.items()})
    config = json.dumps({"hidden": [6, 5, 4], "stacks": [[2, 1]]})
    ds = ds.assign_coords(case=["MLP, square"], outputs=("case", [outputs]))
    return ds.assign_attrs(config=config)
