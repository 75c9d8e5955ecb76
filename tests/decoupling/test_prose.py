"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import decoupling
from sgdescape.core.runs import provenance

CONFIG = {"cut": 0.05, "factor": 2.0}
DECOUPLED = np.array([100.0, 10.0, 1.0, 0.1])


def made():
    """Spectra of four ranks: the exact one has factors 1, 2, 1/2 and 1/10 of the decoupled."""
    exact = DECOUPLED * np.array([1.0, 2.0, 0.5, 0.1])
    null = np.array([DECOUPLED * np.array([10.0, 1, 1, 1]), DECOUPLED * np.array([10.0, 10, 1, 1])])
    null[1, 2:] *= 10
    both = np.ones((2, 1))
    return xr.Dataset(
        {
            "curvature": (("epoch", "direction"), [[3.0, 2.0], [9.0, 9.0]]),
            "gauss_newton": (("epoch", "direction"), [[2.0, 4.0], [1.0, 1.0]]),
            "width_coupling": (("width", "network"), [[1.2, 0.6], [1.01, 0.99]]),
            "width_error": (("width", "network"), [[0.1, 0.1], [0.01, 0.005]]),
            "width_exact": (("width", "few", "part"), [[DECOUPLED], [exact]]),
            "width_decoupled": (("width", "few", "part"), [[DECOUPLED], [DECOUPLED]]),
            "loss": (("epoch", "image"), both * np.array([1.0, 3.0])),
            "output_norm": (("epoch", "image"), both * np.array([5.0, 4.0])),
            "exact": (("epoch", "rank"), both * exact),
            "decoupled": (("epoch", "rank"), both * DECOUPLED),
            "shuffled": (("epoch", "shuffle", "rank"), np.array([null, null])),
            "trace_error": ("epoch", [0.01, 0.02]),
            "log_theory": ("epoch", np.log([10.0, 100.0])),
            "direction_ratio": (("epoch", "direction"), both * np.array([1.3, 0.8])),
            "direction_error": (("epoch", "direction"), both * np.array([0.1, 0.2])),
        },
        coords={"epoch": [0, 50]},
        attrs={"config": provenance.to_json(CONFIG), "seconds": 12.0},
    )


def test_summary():
    found = {name[11:]: value for name, (value, _) in decoupling.summary(made()).items()}
    ratio = 120.51 / 111.1
    gaussian = np.sqrt(2 / np.pi)  # mean |z|
    distance = (np.log10(2) + np.log10(2) + 1) / 4
    first = {
        "seconds": 12.0,
        "curvature-low-0": 0.5,
        "curvature-high-0": 1.5,
        "narrow": 3 / gaussian,
        "narrow-size": 30.0,
        "wide": 1.5 / gaussian,
        "wide-size": 1.0,
        "loss-0": 2.0,
        "carriers-0": 2 / (1 + 1 / 4),
        "correlation-0": -1.0,
        "trace-0": ratio,
        "trace-z-0": (ratio - 1) / 0.01,
        "log-0": 1.0,
        "near-exact-0": np.log10(2) / 2,  # of ranks 1 and 2, those above 5 % of the first
        "near-null-0": 0.75,  # of 1/2 and 1
        "near-z-0": (np.log10(2) / 2 - 0.75) / np.sqrt(0.125),
        "all-exact-0": distance,
        "all-null-0": 0.625,  # of 1/4 and 1
        "all-z-0": (distance - 0.625) / np.sqrt(0.28125),
        "untrained": 2,
        "untrained-whole": 1,
        "coupling-0": 5.0,  # of 3^2 and 1
    }
    last = {
        "top-50": 1.0,
        "factor-50": 2.0,
        "large-50": 2,
        "rank-50": 3,
        "share-50": 75.0,
        "size-50": 0.01,
        "lowest-50": 0.8,
        "highest-50": 1.3,
        "log-50": 2.0,
        "trace-z-50": (ratio - 1) / 0.02,
    }
    expected = first | last
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert not {"top-0", "factor-0", "large-0", "rank-0", "lowest-0"} & set(found)
