"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import kramers_escape as ke
from sgdescape.core.runs import provenance

CONFIG = {"batch_size": 10, "learning_rate": 0.5}
RATIOS = [0.1, 0.5, 2.0]
COUNTS = {"loss": [1.0, 2.0, 4.0], "log loss": [3.0, 2.5, 2.0]}


def test_summary(monkeypatch):
    monkeypatch.setattr(
        "sgdescape.kramers_escape.prose.dimension",
        lambda ds, reading, ratio: ke.estimates.computed(
            COUNTS[reading][RATIOS.index(ratio)], 0.0, 9.0, "made up"
        ),
    )
    times = [[7.0, 9.0], [1.04, 0.98]]  # by event and noise, in units of the theory's
    theory = np.array([0.1, 1e-12])
    dataset = xr.Dataset(
        {
            "log_time": (("event", "noise"), np.log(np.array(times) / theory)),
            "rate_theory": ("noise", theory),
            "passage": (("place", "path"), [[np.nan] * 4, [1.0, np.nan, 2.0, 3.0]]),
            "path_time": ("place", [1.0, 20.0]),
            "linear_time": 300.0,
            "detour_ratio": [2.0, 4.0],
            "axis_end": ("detour_ratio", [0.2, 0.4]),
            "focusing": ("detour_ratio", [1.2, 1.4]),
            "dimension_theory": ("ratio", [1.0, 2.5, 3.2]),
        },
        coords={
            "event": ["at", "beyond"],
            "place": ["at", "beyond"],
            "noise": [10.0, 160.0],
            "ratio": RATIOS,
        },
        attrs={
            "config": provenance.to_json(CONFIG),
            "path_theory": 0.04,
            "detour_loss": 1.7,
            "odds_chain": 2.6,
            "odds_climb": 2.5,
        },
    )
    found = {name[8:]: value for name, (value, _) in ke.summary(dataset).items()}
    expected = {
        "error-10": 4.0,
        "error-160": 2.0,
        "time-160": 12 + np.log10(0.98),
        "path-noise": 20.0,
        "path-time": 20.0,
        "path-theory": 25.0,
        "path-linear": 300.0,
        "odds-chain": 2.6,
        "odds-climb": 2.5,
        "path-censored": 25.0,
        "axis-two": 0.2,
        "axis-four": 0.4,
        "focus-two": 1.2,
        "focus-four": 1.4,
        "detour-loss": 1.7,
        "n-half": 2.0,
        "n-stiff": 4.0,
        "n-soft": 1.0,
        "n-log-half": 2.5,
        "n-worst": 25.0,  # 4 for 3.2
    }
    assert found == pytest.approx(expected)
