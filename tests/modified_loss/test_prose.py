"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from sgdescape import modified_loss as ml
from sgdescape.core.runs import provenance

ETA, BETA = 0.1, 0.5
CONFIG = {"learning_rate": ETA, "momentum": BETA, "batch_size": 16, "strong_batch": 4}


def made():
    """Two modes of curvature (2, 1); equipartition: delta^2 / theta^2 = 2 eta h / (1 + beta)."""
    law = 2 * ETA * np.array([2.0, 1.0]) / (1 + BETA)
    off = np.array([[1.0, 1.02], [1.1, 0.8]])  # by run and mode, of the curvature
    position = np.array([[[1.0, 2.0]] * 3, [[6.0, 10.0]] * 3])  # run, replica, mode
    return xr.Dataset(
        {
            "square_position": (("run", "replica", "mode"), position),
            "square_step": (("run", "replica", "mode"), position * (law * off)[:, None]),
            "level": ("mode", [1.0, 2.0]),
            "curvature": ("mode", [2.0, 1.0]),
            "minibatch_variance": (("run", "mode"), [[1.1, 2.4], [9.0, 9.0]]),
            "kept_psi": ("sample", [17.6, 10.0, 17.4, 20.0]),
            "entropy_exact": ("case", [0.1, 0.7, 0.3]),
            "swirl_noise": (("i", "j"), [[4.0, -1.5], [-1.5, 1.0]]),
            "image_noise": (("k", "l"), [[4.0, 1.0, 0.0], [1.0, 1.0, -0.8], [0.0, -0.8, 1.0]]),
            "image_curvature": ("image_mode", [2.0, 1.0, 1.0]),
            "flat_mode": ("flat", [0.25, 1.0]),
        },
        coords={"run": ["quiet", "strong"]},
        attrs={
            "config": provenance.to_json(CONFIG),
            "swirl_circulation": 2.0,
            "swirl_circulation_overdamped": 9.0,
            "image_production": 0.37,
        },
    )


def test_summary():
    found = {name: value for name, (value, _) in ml.summary(made()).items()}
    expected = {
        "modified-strong-flat": 50.0,  # 6 for 4 times the level
        "modified-strong-steep": 25.0,  # 10 for 8
        "modified-quiet-excess": 15.0,
        "modified-curvature-quiet": 2.0,
        "modified-curvature-strong": 20.0,
        "modified-tail": 0.5 / stats.chi2.sf(35, 4),
        "modified-correlation": -0.75,
        "modified-entropy-top": 0.7,
        "modified-swirl-inertia": 4.5,
        "modified-image-entropy": 0.37,
        "modified-image-correlation": 0.8,
        "modified-image-low": 0.75,  # of (2, 1, 1)
        "modified-image-high": 1.5,
        "modified-relaxation": 20.0,
    }
    assert found == pytest.approx(expected)
