"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import noise_covariance as nc


def test_summary():
    """Four images, three directions of which paths follow two.

    Residuals (1, -1, 3, -3): 2 L = 5. Slopes 1, 2 and s = (2, 0, 0, 0) with h = their mean squares.
    """
    residual = np.array([1.0, -1.0, 3.0, -3.0])
    slope = np.array([[1.0, 2.0, 2.0], [1.0, 2.0, 0.0], [1.0, -2.0, 0.0], [1.0, -2.0, 0.0]])
    sides = np.array([-1.0, 1.0])[None, None, :, None] * np.ones((4, 2, 2, 3))
    step = sides * np.array([0.5, 1.0, 2.0])
    path_slope = slope[:, :2, None, None] + 0 * sides
    path_residual = residual[:, None, None, None] + step * path_slope
    dataset = xr.Dataset(
        {
            "residual": ("image", residual),
            "slope": (("image", "direction"), slope),
            "eigenvalue": ("direction", [1.0, 4.0, 1.0]),
            "output_norm": ("image", [1.0, 1.0, 2.0, 2.0]),
            "path_residual": (("image", "path", "side", "point"), path_residual),
            "path_slope": (("image", "path", "side", "point"), path_slope),
        }
    )
    found = {name: value for name, (value, _) in nc.summary(dataset).items()}
    # Variances of r g: 5; 20 - 0; 1 - 1/4. Means: 0; 0 (2 - 2 - 6 + 6); 1/2.
    expected = {
        "covariance-loss": 2.5,
        "covariance-curvature": 1.0,
        "covariance-ratio-low": 0.75 / 5,
        "covariance-ratio-high": 1.0,
        "covariance-ratio-trace": (1 + 1 + 18 + 18) / 4 / (5 * 1.5),
        "covariance-share": 0.25 / 5,
        "covariance-kappa-first": 1.0,
        "covariance-kappa-low": 1.0,
        "covariance-kappa-high": 1.0,
        "covariance-rate-first": 0.0,  # r g keeps its variance where g is the same for all
    }
    assert found == pytest.approx(expected, abs=1e-12)


def test_kappas_of_the_text_are_those_of_the_paths_after_the_first():
    """Of slopes (s, 1, 1, 1) kappa is (s^4 + 3) / 4 over the square of (s^2 + 3) / 4."""
    slope = np.ones((4, 5))
    slope[0] = [0.0, 2.0, 3.0, 1.0, 9.0]
    ones = np.ones((4, 4, 2, 3)) * np.array([1.0, 2.0, 3.0])
    dataset = xr.Dataset(
        {
            "residual": ("image", [1.0, -1.0, 1.0, -1.0]),
            "slope": (("image", "direction"), slope),
            "eigenvalue": ("direction", np.mean(slope**2, axis=0)),
            "output_norm": ("image", np.ones(4)),
            "path_residual": (("image", "path", "side", "point"), ones),
            "path_slope": (("image", "path", "side", "point"), ones),
        }
    )
    found = {name: value for name, (value, _) in nc.summary(dataset).items()}
    assert found["covariance-kappa-first"] == pytest.approx(12 / 9)
    assert found["covariance-kappa-low"] == pytest.approx(1.0)
    assert found["covariance-kappa-high"] == pytest.approx(84 * 4 / 144)
