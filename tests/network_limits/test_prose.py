"""The numbers of the text, on data whose numbers are known by hand."""

import numpy as np
import pytest
import xarray as xr

from sgdescape import network_limits as nl
from sgdescape.core.runs import provenance
from sgdescape.network_limits import predictions

CONFIG = {
    "learning_rate": 0.1, "momentum": 0.81, "batch_size": 10, "strong": (0.2, 0.5, 4), "top": 2,
    "early_snapshots": 1, "residual_runs": ((0.1, 0.9, 64), (0.2, 0.0, 64)), "samples": 1000,
    "weight_decay": 0.001, "residual_ring": (1.0, 2.0, 3.0, 5.0), "fit_samples": 700,
    "swing_rate": 0.2, "swing_momentum": 0.64,
}  # fmt: skip
SCALARS = {"speed_exact": 2.0, "strong_exact": 4.0}
MODES = ("train, batches", "eval", "train, all", "all images")


def narrow():
    """Three settings: batches of 32 without and with momentum, and of 4."""
    nan = np.nan
    speed = np.full((3, 2, 10), 9.0)
    speed[2] = [[99.0] * 2 + [0.4] * 8, [nan] * 10]  # after the first fifth
    return {
        "narrow_noise": (("narrow_draw", "narrow_batch"), [[3.0, 1.0], [5.0, 3.0]]),
        "narrow_at": (("setting", "field"), [[0.1, 0.0, 32], [0.1, 0.5, 32], [0.2, 0.5, 4]]),
        "narrow_curvature": ("narrow_mode", [7.0, 5.0, 3.0]),
        "narrow_end_noise": (
            ("setting", "narrow_replica", "narrow_draw"),
            [[[9.0, 9.0]] * 2, [[4.0, 6.0], [5.0, 5.0]], [[10.0, 14.0], [nan, nan]]],
        ),
        "narrow_speed": (("setting", "narrow_replica", "narrow_step"), speed),
    }


def made():
    """The first snapshot is early; of three directions two are looked at."""
    by_sampler = ("sampler", "snapshot")
    data = {
        "all_noise": ("direction", [2.0, 3.0, 900.0]),
        "all_curvature": ("direction", [4.0, 2.0, 1.0]),
        "curvature": ("mode", [8.0, 6.0, 0.5]),
        "speed": (by_sampler, [[9.0, 9.0, 9.0], [9.0, 2.0, 4.0]]),
        "excess": (by_sampler, [[9.0, 6.0, 10.0], [9.0, 1.0, 3.0]]),
        "excess_rule": (by_sampler, [[9.0, 4.0, 4.0], [9.0, 8.0, 8.0]]),
        "excess_exact": (by_sampler, [[9.0, 5.0, 7.0], [9.0, 9.0, 9.0]]),
        "sample_kurtosis": ("mode", [3.0, 5.0, 7.0]),
        "norm_mode": list(MODES),
        "residual_mode_curvature": ("norm_mode", [1.0, 2.0, 3.0, 4.0]),
        "residual_quarter": ("norm_mode", [10.0, 20.0, 30.0, 40.0]),
        "norm_batch": [4, 128],
        "residual_batch_loss": ("norm_batch", [0.3, 0.4]),
        "strong_speed": ("snapshot", [1.0, 2.0, 3.0]),
        "strong_noise": ("snapshot", [30.0, 60.0, 90.0]),
        "residual_curvature": ("residual_mode", [50.0, 20.0]),
        "residual_residual": ("residual_mode", [1.0, 2.0]),
        "residual_ring_share": (("ring_run", "ring_step"), [[0.9, 0.2], [0.9, 0.4]]),
        "power_residual": ("power_mode", [0.1, 0.3, 0.2, 0.1]),
        "power_curvature": ("power_mode", [5.0, 6.0, 4.0, 4.5]),
        **{name: ((), value) for name, value in SCALARS.items()},
        **narrow(),
    }
    attrs = {
        "loss": 0.5, "gradient_norm": 1e-3, "least_stiffness": 2e-4, "trace_hessian": 38.0,
        "trace_noise": 20.0, "noise_correlation": 0.0625,
    }  # fmt: skip
    attrs["config"] = provenance.to_json(CONFIG)
    coords = {"sampler": ["iid", "shuffle"], "narrow_batch": [4, 32]}
    return xr.Dataset(data, coords=coords, attrs=attrs)


EXPECTED = {
    "loss": 0.5, "gradient": 1e-3, "least": 2e-4, "trace-h": 38.0, "trace-noise": 20.0,
    "largest": 8.0, "last": 0.5,
    "r": 1.0,  # 0.1 x 38 / (2 x 10 x 0.19)
    "r-strong": 1.9,  # 0.2 x 38 / (2 x 4 x 0.5)
    "noise-low": 0.5, "noise-high": 1.5, "noise-correlation": 6.25, "kurtosis": 5.0,
    "speed-epochs": 1.5, "excess-ratio": 4.0, "excess-share": 0.25, "excess-exact": 1.5,
    "critical": 0.1,  # (1 - 0.9)^2 / 0.1
    "critical-swing": 0.2,  # (1 - 0.8)^2 / 0.2
    "norm-time": 500.0,  # 0.1 / (2 x 0.1 x 0.001)
    "strong-speed": 0.5, "strong-noise": 3.0, "resnet-top": 50.0, "resnet-residual": 0.1,
    "resnet-quarter": 10.0, "resnet-quarter-eval": 20.0, "resnet-quarter-all": 30.0,
    "resnet-kick": 5.0, "resnet-share": 30.0, "fit-samples": 700, "power-worst": 0.3,
    "power-unordered": 2, "resnet-eval": 2.0, "resnet-all": 3.0, "resnet-whole": 4.0,
    "resnet-loss-few": 0.3, "resnet-loss-many": 0.4,
    "narrow-top": 7.0, "narrow-last": 3.0,
    "narrow-noise": 2.0,  # 4 for batches of 4, 2 for those of 32
    "narrow-grown": 3.0,  # 12 for 4
    "narrow-small": 7.5,  # 0.4 over 0.2^2 / (4 x 0.75) over 4
    "narrow-warm": 2.5,  # 5 for 2
}  # fmt: skip


def test_summary():
    dataset = made()
    found = {name[7:]: value for name, (value, _) in nl.summary(dataset).items()}
    assert found.pop("crossover") == predictions.crossover(provenance.settings(dataset))
    assert found == pytest.approx(EXPECTED)


def test_without_the_long_runs_their_numbers_are_missing():
    found = nl.summary(made().drop_vars(list(narrow())))
    missing = {name[7:] for name, (value, _) in found.items() if np.isnan(value)}
    assert missing == {name for name in EXPECTED if name.startswith("narrow-")}
