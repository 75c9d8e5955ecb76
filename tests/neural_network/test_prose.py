"""The numbers of the text, on data whose numbers are known by hand."""

import pytest
import xarray as xr

import sgdescape.neural_network as net
from sgdescape.core.runs import provenance
from sgdescape.core.stats.intervals import computed

ROOM = "sgdescape.neural_network.prose"
CASES = ["other seed", "twice as wide", "two layers", "fashion"]
NAMES = ("seed", "wide", "deep", "fashion")


def number(value):
    return computed(value, value - 0.25, value + 0.5, "made up")


def made():
    """Exponents 4, 8, 16 at batches of 2 and 8; curvatures 20, 10, 5."""
    return xr.Dataset(
        {
            "curvature": ("direction", [20.0, 10.0, 5.0]),
            "spectrum": ("rank", [20.0, 10.0, 1.25, 1.0, 0.5]),
            "noise_ratio": ("direction", [1.5, 0.5, 2.5]),
            "gradient_share": ("direction", [0.01, 0.04, 0.02]),
            "kurtosis": (("i", "j"), [[3.5, 9.0, 9.0], [9.0, 2.0, 9.0], [9.0, 9.0, 6.0]]),
            "mean_loss": ("exponent", [9.0, 1.25, 9.0]),
            "line_slope": (("exponent", "dimension"), [[9.0] * 3, [1.0, 2.0, 3.0], [9.0] * 3]),
            "overlap": ("path", [0.9, 0.8, 0.95]),
            "dead_motion": ("path", [0.1, 0.25, 0.2]),
            "displacement_share": ("path", [0.1, 0.2, 0.9]),
            "energy_share": ("path", [0.3, 0.4, 0.9]),
            "leading_energy": ("path", [0.5, 0.6, 0.9]),
            "path_coupling": ("path", [1.1, 1.2, 1.9]),
            "path_noise": ("path", [0.7, 0.8, 1.9]),
            "control_curvature": ("case", [10.0, 20.0, 30.0, 40.0]),
            "control_loss": ("case", [0.1, 0.2, 0.3, 0.4]),
            "control_trace": ("case", [50.0, 50.0, 60.0, 60.0]),
            "control_kurtosis": ("case", [3.0, 4.0, 5.0, 6.0]),
            "control_largest_step": ("case", [1.5, 2.5, 3.5, 4.5]),
        },
        coords={
            "exponent": [4.0, 8.0, 16.0],
            "batch_size": [2, 8],
            "replica": [0, 1, 2],
            "dimension": ["outlier_dimension", "participation", "entropy"],
            "case": CASES,
        },
        attrs={
            "config": provenance.to_json({"replicas": 3}),
            "pretraining_steps": 1000, "fall": 0.25, "loss": 0.125, "trace": 60.0,
            "participation": 7.5, "entropy": 30.0, "outlier_dimension": 2.5, "cost": "2 hours",
            "dead_parameters": 77,
        },
    )  # fmt: skip


@pytest.fixture(autouse=True)
def estimators(monkeypatch):
    """Every estimator says what it was asked for: octaves by law and cells, slopes by method."""
    octaves = {"decoupled": 1.0, "measured": 2.0, "continuous": 3.0}

    def cells(ds, batches=slice(None)):
        return tuple(ds.batch_size.values[batches].tolist())

    def slope_of(ds, exponent, batch):
        return number(4.0 if (exponent, batch) == (8.0, 2) else 99.0)

    def bowl_slope(ds, exponent, batch):
        return number(5.0 if (exponent, batch) == (8.0, 2) else 99.0)

    made_up = {
        "cells": cells,
        "against": lambda ds, law, where: number(octaves[law] * sum(where) / 2),
        "beyond": lambda ds, law, where: number(octaves[law] + 10 * sum(where)),
        "slope_of": slope_of,
        "bowl_slope": bowl_slope,
        "implied": lambda ds, slope=slope_of: number(1.5 if slope is slope_of else 2.5),
        "control_times": lambda ds, case: (CASES.index(case), "bowl", "refined", None),
        "linearised_times": lambda ds, case: (CASES.index(case), "linear", None),
    }
    for name, stub in made_up.items():
        monkeypatch.setattr(f"{ROOM}.{name}", stub)
    more = {"bowl": 1, "refined": -1}
    monkeypatch.setattr(
        f"{ROOM}.passages.log_ratio", lambda pairs: number(pairs[0][0] + more[pairs[0][1]])
    )
    monkeypatch.setattr(f"{ROOM}.passages.paired_ratio", lambda runs, linear: number(runs))


def test_summary():
    found = {name[8:]: value for name, (value, _) in net.summary(made()).items()}
    expected = {
        "steps": 1000, "fall": 25.0, "loss": 0.125, "top": 20.0, "second": 10.0, "third": 5.0,
        "trace-ratio": 3.0, "participation": 7.5, "entropy": 30.0, "outlier-dimension": 2.5,
        "large": 3,  # above a twentieth of 20
        "lowest-noise": 0.5, "highest-noise": 2.5, "gradient-share": 4.0, "kurtosis": 3.5,
        "other-kurtosis": 4.0,  # of 2 and 6
        "raised": 1.25, "bowl-factor": 2.0, "measured-factor": 4.0, "all-factor": 2.0**10,
        "continuous-small": 8.0, "continuous-large": 2.0**-12, "slope": 4.0, "bowl-slope": 5.0,
        "line-outlier": 1.0, "line-participation": 2.0, "line-entropy": 3.0, "implied": 1.5,
        "implied-bowl": 2.5,
        "smallest-step": 0.125, "largest-step": 2.0,  # 2 / 16 and 8 / 4
        "overlap": 0.8, "dead": 77, "dead-motion": 25.0, "displacement": 20.0, "energy": 40.0,
        "leading-energy": 60.0,
        "path-coupling": 1.2, "path-noise": 0.8, "replicas": 3,
    }  # fmt: skip
    for i, name in enumerate(NAMES):
        expected[f"{name}-top"] = 10.0 * (i + 1)
        expected[f"{name}-loss"] = 0.1 * (i + 1)
        expected[f"{name}-trace"] = (5.0, 2.5, 2.0, 1.5)[i]
        expected[f"{name}-kurtosis"] = 3.0 + i
        expected[f"{name}-linearised"] = 2.0**i
        expected[f"{name}-bowl"] = 2.0 ** (i + 1)
        expected[f"{name}-measured"] = 2.0 ** (i - 1)
        if name != "wide":
            expected[f"{name}-step"] = 1.5 + i
    assert found == pytest.approx(expected)


def test_large_summary():
    found = {name[14:]: value for name, (value, _) in net.large_summary(made()).items()}
    assert found.pop("cost") == "2 hours"
    expected = {"replicas": 3, "implied": 1.5, "implied-bowl": 2.5}
    expected |= {"implied-half": 0.5, "implied-bowl-half": 0.5}
    laws = {"plain": 5.0, "measured": 10.0, "far-plain": 21.0, "far-measured": 22.0}
    for name, octaves in laws.items():
        expected[name] = 2.0**octaves
        expected[f"{name}-low"] = 2.0 ** (octaves - 0.25)
        expected[f"{name}-high"] = 2.0 ** (octaves + 0.5)
    assert found == pytest.approx(expected)
