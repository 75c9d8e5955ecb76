"""The experiment of chapter `momentum_escape`, tiny and at QUICK size, made once."""

import functools
from dataclasses import replace

import pytest

import sgdescape.momentum_escape as me

TINY = replace(
    me.QUICK,
    loss_ratios=(1.5, 1.5, 1.5, 1.2),
    hot=(2.5, 3.0, 3.0, 19.0),
    cold=(3.5, 4.0, 4.0, 20.0),
    law_ratio=1.5,
    law_hot=3.0,
    law_cold=4.0,
    replicas=20,
    chains=8,
    chain_steps=1000,
)


@pytest.fixture(scope="session")
def config():
    """The tiny configuration."""
    return TINY


@pytest.fixture(scope="session")
def small():
    """Its dataset."""
    return me.run(TINY)


@pytest.fixture(scope="session")
def quick():
    """The dataset at QUICK size for a seed, made once."""
    return functools.cache(lambda seed: me.run(replace(me.QUICK, seed=seed)))
