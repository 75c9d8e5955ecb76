"""Settings of chapter `underdamped_langevin`: what does not fit is refused when it is made."""

from dataclasses import fields, replace

import pytest

import sgdescape.underdamped_langevin as ul

ODD = [float("nan"), float("inf"), -1, 1e300, 10**30, (), True, "text", None, (1, "a"), (-1.0, 2.0)]


@pytest.mark.parametrize("name", [f.name for f in fields(ul.Config)])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_values_are_refused_by_name(name, value):
    with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
        replace(ul.QUICK, **{name: value})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lags": 2000}, "lags must be below records = 1000"),
        ({"replicas": 30}, "replicas must lie in"),
        ({"learning_rate": 2.5}, "learning_rate must lie in"),
        ({"sweep_rates": (5.0,)}, "sweep_rates must lie in"),
        ({"edges": (0.5, 1.0)}, "edges must lie in"),
        ({"curvatures": tuple(range(1, 9))}, "curvatures must fall"),
        ({"order_rates": (0.3, 0.1)}, "order_rates must be 1 / n"),
        ({"spiral_momenta": (1.0,)}, "spiral_momenta must be in"),
        ({"sweep_sizes": (2.5,)}, "sweep_sizes must be an integer"),
    ],
)
def test_what_does_not_fit_the_rest_is_refused(change, words):
    with pytest.raises((ValueError, TypeError), match=words):
        replace(ul.QUICK, **change)


def test_both_sizes_are_accepted():
    assert ul.Config() == ul.QUICK and ul.PAPER.images == 50_000
