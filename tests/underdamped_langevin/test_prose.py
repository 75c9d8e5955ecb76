"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import underdamped_langevin as ul


def made():
    rho = np.full(70, 4.0)
    noise = np.full(70, 4.0)
    noise[[0, 59, 60]] = 2.0, 8.0, 800.0  # the last is not among the sixty
    spiral = np.zeros((10, 3, 200, 2))
    spiral[8, :, 0] = [2.0, 0.0]  # output MAIN starts at 2
    spiral[8, 2, 100:, 0] = 0.06  # of the last setting: 3 % of it
    spiral[8, 2, 1:100, 0] = 7.0  # not late
    steps = np.array([[[1.0, 3.0], [1.0, 3.0], [1.0, 3.0]]]).reshape(3, 2)
    return xr.Dataset(
        {
            "gradients": (("sample", "parameter"), [[1.0, 1.0], [1.0, -1.0], [2.0, 2.0]]),
            "image_curvature": ("image_mode", rho),
            "image_noise": ("image_mode", noise),
            "image_loss": 0.25,
            "setting_batch_size": ("setting", [64, 8, 32]),
            "speed": (("setting", "replica"), [[9.0, 9.0], [3.0, 5.0], [9.0, np.nan]]),
            "speed_law": ("setting", [1.0, 2.0, 1.0]),
            "spiral_exact": (("output", "spiral", "spiral_step", "coordinate"), spiral),
            "square_step": (("record", "chain"), steps),
        },
        coords={"coordinate": ["position", "velocity"]},
    )


def test_summary():
    found = {name: value for name, (value, _) in ul.summary(made()).items()}
    expected = {
        "phase-noise-off": 4 / 6,  # (1 - 1 + 4) / (1 + 1 + 4)
        "phase-image-low": 2 / 4 / 0.5,
        "phase-image-high": 8 / 4 / 0.5,
        "phase-image-top": 4.0,
        "phase-speed-small": 2.0,
        "phase-scatter": 0.5,  # of 1 and 3: standard deviation 1 about 2
        "phase-scatter-bound": 100 * (2 * 52.8 / 1.2e4) ** 0.5,
        "phase-mean-bias-high": 3.0,
    }
    assert found == pytest.approx(expected)
