"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import large_deviations as ld
from sgdescape.large_deviations.theory import circle, prefactors, regression


def values(found):
    return {name.removeprefix("deviations-"): value for name, (value, _) in found.items()}


def test_summary():
    rates = np.array([0.2, 0.1, 0.05])
    times = np.ones((2, 2, 3))
    times[1, 1] = np.sqrt(rates) * np.exp(2 / rates)
    positions = np.full((2, 3, 5), 9.0)
    positions[1, 1] = [-1.0, -2.0, 4.0, 3.0, np.nan]  # the last ratio, the last step but one
    dataset = xr.Dataset(
        {
            "last_positions": (("path_ratio", "last_step", "path"), positions),
            "law_time": (("law", "law_ratio", "rate"), times),
            "barrier": ("ratio", [0.3, 1.25]),
            "single_factor": (("ratio", "jump_rate"), [[1.0, 2.0], [3.0, 40.0]]),
            "far_time": ("far_ratio", [10.0, 2.5e7, 3.0]),
            "plane_log_factor": 0.625,
            "plane_paper": 0.5,
            "rare_chance": 2e-9,
            "rare_normal": 3e-8,
            "camel_exponent": 0.25,
            "skewed_exponent": ("well", [0.2, 0.5]),
        },
        coords={
            "path_ratio": [1.5, 2.5],
            "law": ["gaussian", "laplace"],
            "law_ratio": [1.2, 1.5],
            "ratio": [1.5, 3.0],
            "rate": rates,
            "well": ["right", "left"],
        },
    )
    heights = np.linspace(0.98, 9.15, 12)
    expected = {
        "camel-theirs": 4.228 / 3.550,
        "camel-low": 0.98,
        "camel-high": 9.15,
        "camel-kramers": 1 + np.polyfit(heights, np.log(heights), 1)[0],
        "camel-right": 0.8,
        "camel-left": 2.0,
        "rare-factor": 15.0,
        "from-other-side": 50.0,  # of the four that are there
        "mean-before": 1.0,
        "turn": regression.cheapest_path(2.5)[0],
        "turn-three": regression.cheapest_path(3.0)[0],
        "v-three": 1.25,
        "jump-rivals": 40.0,
        "two-jumps": prefactors.TWO_JUMPS,
        "slope": regression.tail_slope(),
        "overshoot": float(prefactors.overshoot_factor(1.999)),
        "overshoot-low": float(prefactors.overshoot_factor(1.3)),
        "laplace": 2.0,
        "longest": 7.0,
        "dimension-rate": 0.625,
        "dimension-paper": 0.5,
        "crossover": circle.circle_crossover(),
    }
    assert values(ld.summary(dataset)) == pytest.approx(expected)


def test_network_summary(monkeypatch):
    octaves = {"chain": [0.0, 1.0, 2.0], "bare": [-3.0, -4.0, -5.0], "paper": [1.0, -1.0, 3.0]}
    held = {"chain": (7, 8), "paper": (2, 8)}
    at = "sgdescape.large_deviations.prose"
    for name, known in (("octaves", octaves), ("growths_held", held)):
        monkeypatch.setattr(
            f"{at}.{name}", lambda ds, of, known=known: known[of.removesuffix("_log_time")]
        )
    dataset = xr.Dataset(
        {
            "outlier_threshold": 2.5,
            "leading": ("threshold", [9.0, 0.75]),
            "outliers": 0.5,
            "kurtosis": 3.5,
            "base": ("base_ratio", [1.5, 1.25, 1.125]),
        },
        coords={"threshold": [1.5, 2.5]},
    )
    expected = {
        "kurtosis": 3.5,
        "place": 2.5,
        "leading": 0.75,
        "outliers": 0.5,
        "log": np.log(2.5),
        "base": 1.5,
        "base-low": 1.125,
        "growths": 7,
        "pairs": 8,
        "paper-growths": 2,
        "factor": 2.0,
        "worst": 4.0,
        "bare": 16.0,
        "paper-factor": 2.0,
        "paper-low": 0.5,
        "paper-high": 8.0,
    }
    found = values(ld.network_summary(dataset))
    assert found == pytest.approx({f"network-{name}": v for name, v in expected.items()})
