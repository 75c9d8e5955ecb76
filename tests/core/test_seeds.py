"""Seeds are derived by hashing: every use its own, the same on every machine."""

import itertools

import pytest

from sgdescape.core.random import seeds


def test_uses_do_not_collide():
    uses = itertools.product(range(40), ("a", "b"), ("data", "paths"), range(40))
    found = [seeds.derive(*use) for use in uses]
    assert len(set(found)) == len(found) == 40 * 2 * 2 * 40
    assert all(0 <= s < 2**63 for s in found)


def test_names_are_not_glued_together():
    assert seeds.derive(1, "ab", "c") != seeds.derive(1, "a", "bc")
    assert seeds.derive(1, "a", "b", 11) != seeds.derive(11, "a", "b", 1)


def test_same_on_every_machine():
    assert seeds.derive(7, "linear_regression", "data", 3) == 5803405230116422697


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((-1, "a", "b"), ValueError, "seed must lie in"),
        ((0.5, "a", "b"), TypeError, "seed must be an integer: got 0.5"),
        ((2**64, "a", "b"), ValueError, "seed must lie in"),
        ((0, "a", "b", -1), ValueError, "index must be at least 0: got -1"),
        ((0, "", "b"), ValueError, "chapter must not be empty"),
        ((0, "a", 3), TypeError, "purpose must be a text: got 3"),
    ],
)
def test_bad_input(arguments, error, words):
    with pytest.raises(error, match=words):
        seeds.derive(*arguments)
