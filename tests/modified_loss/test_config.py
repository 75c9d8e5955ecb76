"""Settings of chapter `modified_loss`: what does not fit is refused when it is made."""

from dataclasses import fields, replace

import pytest

import sgdescape.modified_loss as ml

ODD = [float("nan"), float("inf"), -1, 1e300, 10**30, (), True, "text", None, (1, "a"), (-1.0, 2.0)]


@pytest.mark.parametrize("name", [f.name for f in fields(ml.Config)])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_values_are_refused_by_name(name, value):
    with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
        replace(ml.QUICK, **{name: value})


@pytest.mark.parametrize("name", [f.name for f in fields(ml.Config)])
def test_zero_is_refused_where_it_means_nothing(name):
    if name in ("arrow_momentum", "weight_decay", "correlation", "burn_in", "seed"):
        assert getattr(replace(ml.QUICK, **{name: 0}), name) == 0
        return
    if name == "momentum":  # plain SGD, whose edge of stability is lower
        assert replace(ml.QUICK, momentum=0.0, edges=(0.2, 1.0)).momentum == 0
        return
    with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
        replace(ml.QUICK, **{name: 0})


def test_both_sizes_are_accepted():
    assert ml.Config() == ml.QUICK and ml.PAPER.modes == 30
