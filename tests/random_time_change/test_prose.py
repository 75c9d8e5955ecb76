"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import random_time_change as rtc


def test_summary():
    equations, clocks = ["Eq. (12)", "Eq. (14)"], ["t", "tau"]
    passage = np.zeros((2, 2, 10))
    passage[0, 0] = np.arange(10)  # Eq. (12) in t
    passage[1, 0] = np.arange(10)  # the same law
    passage[1, 1] = np.arange(10) + 4.5  # five of ten pass before any of these
    dataset = xr.Dataset(
        {
            "passage": (("equation", "clock", "path"), passage),
            "direct": ("walker", [1.0, 2.0, 3.0]),
            "mapped": ("walker", [4.0, 5.0, 6.0]),  # wholly apart: 2 of the 20 orders
            "frozen_tau": ("frozen", [0.25, 0.2, 0.3, 0.4]),
            "kurtosis_theory": 1.5,
            "operator_error": ("case", [1e-9, 3e-8, 2e-9]),
        },
        coords={"equation": equations, "clock": clocks},
    )
    found = {name: value for name, (value, _) in rtc.summary(dataset).items()}
    expected = {
        "time-change-ks-law": 0.1,
        "time-change-ks-passage": 1.0,
        "time-change-ks-unread": 0.5,
        "time-change-kurtosis": 4.5,
        "time-change-operator": 3e-8,
        "time-change-frozen-share": 0.5,
    }
    assert found == pytest.approx(expected)
