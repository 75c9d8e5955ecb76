"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import anomalous_diffusion as ad
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import computed

TIMES = np.array([1.0, 2.0, 4.0, 8.0])


def power(exponent):
    """t^exponent inside the window [2, 8], something else outside."""
    return np.where(TIMES < 2, 50.0, TIMES**exponent)


def made():
    """Three runs of the grid, of which the last has the smallest batch."""
    grid = np.array([TIMES**1.2, TIMES**1.5, TIMES**0.9])
    square = np.array([[[1.0, 2.0], [1.0, 2.0]], [[2.0, 4.0], [1.0, 5.0]]])
    return xr.Dataset(
        {
            "displacement": (
                ("batch_size", "replica", "lag"),
                [[power(0.5)] * 3, [power(1.3)] * 3],
            ),
            "started": (("start", "replica", "step"), [[power(0.4)] * 3, [power(1.7)] * 3]),
            "order_square": (("order_mode", "order_replica", "sampler"), square),
            "variance_exact": (("order_mode", "sampler"), [[9.0, 9.0], [9.0, 3.0]]),
            "bowl_summed": ("bowl_lag", [1.0, 60.0]),
            "bowl_exact": ("bowl_lag", [1.0, 4.0]),
            "grid_displacement": (("run", "grid_replica", "epoch"), np.stack([grid, grid], axis=1)),
            "grid_exact": (("run", "epoch"), grid),
            "fixed_exact": (("run", "fixed_step"), grid**2),
            "grid_rate": ("run", [0.1, 0.1, 0.1]),
            "grid_size": ("run", [8, 8, 4]),
            "grid_momentum": ("run", [0.5, 0.0, 0.5]),
        },
        coords={
            "batch_size": [4, 8],
            "start": ["still", "away"],
            "sampler": ["iid", "shuffle"],
            "lag": TIMES,
            "step": TIMES,
            "epoch": TIMES,
            "fixed_step": TIMES,
        },
        attrs={"config": provenance.to_json({"window": (2, 8), "grid_samples": 100})},
    )


def test_summary(monkeypatch):
    at = "sgdescape.anomalous_diffusion.prose"
    powers = [computed(value, 0.0, 2.0, "made up") for value in (0.7, 0.9)]
    monkeypatch.setattr(f"{at}.free_powers", lambda data, resamples: powers)
    monkeypatch.setattr(f"{at}.explained", lambda variable, exponents: variable[-1])
    found = {name[10:]: value for name, (value, _) in ad.summary(made()).items()}
    misfit = found.pop("fit-misfit")
    assert 0 < misfit < 0.1  # of exponents between 0.9 and 2: the curve follows them
    expected = {
        "still": 1.3,
        "moving": 1.7,
        "paper-powers-s": 0.7,
        "paper-powers-beta": 0.9,
        "summed": 15.0,
        "flat-excess": 50.0,  # 4.5 for 3
        "speed-batch": 11.4 / 1.2 / 8,  # a batch of 32 for 256
        "speed-momentum": 12.8 / 1.2 / (0.19 / 0.0199),
        "batch-epochs": 1.35 - 0.9,
        "batch-steps": 2.7 - 1.8,
        "own-tau": 5.0,
        "own-rate": 0.2,
        "own-noise": 0.025,
        "own-gamma": 3.333,
    }
    assert found == pytest.approx(expected, rel=1e-6)
