"""Checks at the door: every refusal names the argument, its value and the allowed range.

`scalars` takes single values, `arrays` what NumPy holds, `devices` where torch computes, and
`sgd_arguments` what the formulas for SGD with momentum share. What else does not fit together is
no business of these: see `core.doors`.
"""

from sgdescape.core.validate.arrays import (
    each_at_least,
    each_between,
    each_negative,
    each_positive,
    each_whole,
    finite,
    real,
    row,
    times,
    vectors,
    within,
)
from sgdescape.core.validate.devices import device
from sgdescape.core.validate.scalars import between, count, fraction, non_negative, one_of, positive
from sgdescape.core.validate.sgd_arguments import minibatch, optimiser, stable, stiffness

__all__ = [
    "between",
    "count",
    "device",
    "each_at_least",
    "each_between",
    "each_negative",
    "each_positive",
    "each_whole",
    "finite",
    "fraction",
    "minibatch",
    "non_negative",
    "one_of",
    "optimiser",
    "positive",
    "real",
    "row",
    "stable",
    "stiffness",
    "times",
    "vectors",
    "within",
]
