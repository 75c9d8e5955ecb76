"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import linear_regression as lr
from sgdescape.core.stats.intervals import computed


def number(value):
    return computed(value, value - 1, value + 1, "made up")


def made():
    """Thresholds 1.2, 1.5, 3 in one dimension and 1.2, 1.5, 2 in ten."""
    ratio = np.array([[1.2, 1.5, 3.0], [1.2, 1.5, 2.0]])
    exact = np.array([[10.0, 20.0, 60.0], [10.0, 50.0, 90.0]])
    sde = np.array([[5.0, 5.0, 10.0], [1.2**3, 1.5**3, 30.0]])
    return xr.Dataset(
        {
            "loss_ratio": (("dimension", "threshold"), ratio),
            "time_exact": (("dimension", "threshold"), exact),
            "time_sde": (("dimension", "threshold"), sde),
            "time_linear": (("dimension", "threshold"), 7 * exact),
            "slow_ratio": (("slow_dimension", "threshold"), [[1.1, 1.3, 1.35]]),
            "slow_time_exact": (("slow_dimension", "threshold"), [[1.0, 2.0, 9.0]]),
            "slow_time_sde": (("slow_dimension", "threshold"), [[1.0, 2.0, 6.0]]),
            "spread_time": ("data_set", np.exp([0.0, 1.0, 2.0])),
            "barrier": (("law", "barrier_rate"), [[1.0, 2.0], [3.0, 4.5]]),
        },
        coords={"dimension": [1, 10], "slow_dimension": [1], "law": ["gaussian", "laplace"]},
    )


def test_summary(monkeypatch):
    at = "sgdescape.linear_regression.prose"
    fits = {(1.0, 5): 1.9}
    slopes = {("fresh", 1.1, 1.7, 1): 2.2, ("fresh", 1.1, 1.7, 10): 8.8}
    monkeypatch.setattr(f"{at}.exponent", lambda ds, rate, size: number(fits[rate, size]))
    monkeypatch.setattr(
        f"{at}.window_slope",
        lambda ds, name, low, high, dimension: number(slopes[name, low, high, dimension]),
    )
    found = {name[11:]: value for name, (value, _) in lr.summary(made()).items()}
    expected = {
        "phi-unit": 1.9,
        "c-one": 3.0,
        "sde-factor": 6.0,
        "linear-factor": 7.0,
        "c-ten": 2.0,
        "sde-factor-ten": 3.0,
        "slow-c": 1.35,
        "slow-factor": 1.5,
        "fast-factor": 3.0,  # midway between 10/5 and 20/5
        "barrier-laplace": 4.5,
        "spread": 1.0,
        "spread-factor": np.exp(2),
        "slope-low": 2.2,
        "slope-ten": 8.8,
        "slope-ten-sde": 3.0,
    }
    assert found == pytest.approx(expected)
