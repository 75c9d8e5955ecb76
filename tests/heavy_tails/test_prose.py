"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import xarray as xr

from sgdescape import heavy_tails as ht


def test_summary():
    estimate = xr.DataArray(
        np.full((3, 3, 2, 4), np.nan),
        dims=("end", "law", "estimator", "repetition"),
        coords={
            "end": ["value", "low", "high"],
            "law": ["sgd", "bounded", "gaussian"],
            "estimator": ["clauset", "hill_hundredth"],
        },
    )
    at = {"law": "sgd", "estimator": "clauset"}
    estimate.loc[{"end": "low", **at}] = [2.0, 2.0, 2.0, 3.5]  # the last does not hold 3
    estimate.loc[{"end": "high", **at}] = [4.0, 4.0, 3.0, 5.0]
    at["estimator"] = "hill_hundredth"
    estimate.loc[{"end": "low", **at}] = [4.0, 4.0, 2.0, 4.0]
    estimate.loc[{"end": "high", **at}] = [5.0, 5.0, 4.0, 5.0]
    for law, values in (("bounded", [5.0, 7.0, 9.0, 40.0]), ("gaussian", [1.0, 2.0, 12.0, 60.0])):
        estimate.loc[{"end": "value", "law": law, "estimator": "clauset"}] = values
    index = xr.DataArray([3.0, np.inf, np.inf], dims="law", coords={"law": estimate.law})
    attrs = {"config": '{"replicas": 4000}'}
    found = ht.summary(xr.Dataset({"estimate": estimate, "law_index": index}, attrs=attrs))
    assert found == {
        "heavy-tails-runs": (4000, ",.0f"),
        "heavy-tails-clauset-coverage": (75.0, ".0f"),
        "heavy-tails-hill-coverage": (25.0, ".0f"),
        "heavy-tails-bounded": (8.0, ".1f"),
        "heavy-tails-gaussian": (7.0, ".1f"),
    }
