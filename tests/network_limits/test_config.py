"""Settings of chapter `network_limits` are refused before anything runs."""

from dataclasses import fields, replace

import pytest

from sgdescape.network_limits.config import PAPER, QUICK, Config


@pytest.mark.parametrize("field", [f.name for f in fields(Config) if f.name != "residual_dataset"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, "1", True, ()], ids=repr)
def test_every_field_refuses_what_it_cannot_be(field, value):
    with pytest.raises((ValueError, TypeError)):
        replace(QUICK, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("modes", 201), ("burn_in", 1500), ("swing_lags", 10**4), ("decay_low", 700),
        ("batch_size", 60), ("momentum", 1.0), ("sweep", ((0.1, 0.9),)), ("strong", (0.1, 1.0, 8)),
        ("residual_runs", ((0.1, 0.9, 8, 0),)), ("ring_modes", 61), ("sweep", ((0.1, 0.9, 60),)),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_named(field, value):
    with pytest.raises((ValueError, TypeError), match=field.split("_")[0] + "|batch_size"):
        replace(QUICK, **{field: value})


def test_the_paper_sizes_fit():
    assert PAPER.residual_modes == 30
