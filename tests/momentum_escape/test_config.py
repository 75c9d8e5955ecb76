"""Settings of chapter `momentum_escape`: what does not fit is refused when it is made."""

from dataclasses import fields, replace

import pytest

import sgdescape.momentum_escape as me

ODD = [float("nan"), float("inf"), -1, (), True, "text", None, (1, "a"), (-1.0, 2.0), 0]


@pytest.mark.parametrize("name", [f.name for f in fields(me.Config)])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_values_are_refused_by_name(name, value):
    if name == "seed" and value == 0 and value is not True:
        return
    with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
        replace(me.QUICK, **{name: value})


def test_momentum_must_exist():
    with pytest.raises(ValueError, match="hot"):
        replace(me.QUICK, hot=(2.5, 4.0, 1.5, 19.0))
