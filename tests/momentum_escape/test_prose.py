"""The number of the text, on data whose number is known by hand."""

import pytest
import xarray as xr

from sgdescape import momentum_escape as me


def test_summary():
    shares = [[0.9, 0.02], [0.7, 0.04], [0.8, 0.03]]
    dataset = xr.Dataset(
        {
            "tail_share": (("chain", "energy"), shares),
            "gibbs_tail": ("energy", [0.5, 0.0015]),
        },
        coords={"energy": [1.0, 2.0]},
    )
    (value, fmt) = me.summary(dataset)["momentum-tail-factor"]
    assert value == pytest.approx(20) and fmt == ".0f"
