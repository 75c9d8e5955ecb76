"""Settings of chapter `heavy_tails`: what does not fit is refused when it is made."""

from dataclasses import fields, replace

import pytest

import sgdescape.heavy_tails as ht

ODD = [float("nan"), float("inf"), -1, 1e300, 10**30, (), True, "text", None, (1, "a"), (-1.0, 2.0)]


@pytest.mark.parametrize("name", [f.name for f in fields(ht.Config)])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_values_are_refused_by_name(name, value):
    with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
        replace(ht.QUICK, **{name: value})


def test_sizes_must_fit_together():
    with pytest.raises(ValueError, match="chain_rates must be among rates"):
        replace(ht.QUICK, chain_rates=(0.07,))
    with pytest.raises(ValueError, match="share x replicas"):
        replace(ht.QUICK, replicas=10_000)
    assert ht.Config() == ht.QUICK and ht.PAPER.replicas > ht.QUICK.replicas
