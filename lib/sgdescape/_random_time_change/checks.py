"""Checks at the door for arrays that broadcast: every entry counts."""

import numpy as np

from sgdescape.core import validate


def positive(name, values):
    """Return a float64 array if all its entries are finite and above zero."""
    array = validate.finite(name, values)
    if np.any(array <= 0):
        raise ValueError(f"{name} must be positive: least is {array.min()}")
    return array


def at_least(name, values, low):
    """Return a float64 array if all its entries are finite and at least ``low``."""
    array = validate.finite(name, values)
    if np.any(array < low):
        raise ValueError(f"{name} must be at least {low}: least is {array.min()}")
    return array


def within(name, values, low, high):
    """Return a float64 array if all its entries lie in [low, high]."""
    array = validate.finite(name, values)
    if np.any((array < low) | (array > high)):
        raise ValueError(f"{name} must lie in [{low}, {high}]: got {values}")
    return array
