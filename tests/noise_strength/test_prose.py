"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import noise_strength as ns
from sgdescape.core.runs import provenance

CONFIG = {"images": 40, "cnn_images": 30, "cnn_replicas": 2, "cnn_epochs": 60}


def made():
    """Two cases of three replicas; the first mark is before training, whatever it holds."""
    loss = np.array([9e9, 0.32, 0.16, 0.016, 0.008, 0.004])
    replicas = np.array([1.0, 1.0, 1.0])[:, None]
    late = np.array([9e9, 1.0, 1.0, 8.0, 2.0, 0.5])  # as loss^2 below 0.02
    turn = np.array([9e9, 1.0, 1.0, 4.0, 8.0, 16.0])  # as 1 / loss
    jacobian = np.array([9e9, 2.0, 5.0, 100.0, 100.0, 100.0])
    ratio = np.array([9e9, 1.0, 3.0, 7.0, 2.0, 1.0])
    shuffled = np.array([1.0, 1.0, 1.0, 2.0, 1.0, 1.0])
    names = ("loss", "noise", "direction_factor", "jacobian", "ratio")
    rows = dict(zip(names, (loss, late, turn, jacobian, ratio), strict=True))
    rows |= {"second_moment": 5 * np.ones(6), "shuffled": shuffled}
    one = rows | {"loss": np.array([9e9, 1.0, 0.1, 0.01, 0.001, 0.0001])}
    gradient = np.tile([0.0, 0.9, 0.9, 0.9, 0.9, 0.6], (2, 3, 1))
    return xr.Dataset(
        {n: (("case", "replica", "mark"), [replicas * rows[n], replicas * one[n]]) for n in rows}
        | {"gradient_factor": (("case", "replica", "mark"), gradient)},
        coords={"case": ["MLP, square", "MLP, one output"]},
        attrs={"config": provenance.to_json(CONFIG), "cost": "2 hours"},
    )


def test_summary():
    found = {name: value for name, (value, _) in ns.summary(made()).items()}
    assert found.pop("strength-cost") == "2 hours"
    expected = {
        "strength-images": 40,
        "strength-cnn-images": 30,
        "strength-replicas": 3,
        "strength-cnn-replicas": 2,
        "strength-cnn-epochs": 60,
        "strength-early-loss": 0.15,
        "strength-jacobian-growth": 2.5,  # 5 over 2, at losses above 0.15
        "strength-worst-ratio": 7.0,
        "strength-shuffled": 2.5,  # 5 over 2 there
        "strength-loss-range": 80.0,
        "strength-loss-range-one": 1e4,
        "strength-late-slope": 2.0,
        "strength-late-direction": -1.0,
        "strength-gradient-share": 16.0,  # of 10, 10, 10, 10 and 40 %
        "strength-gradient-most": 40.0,
    }
    assert found == pytest.approx(expected)
