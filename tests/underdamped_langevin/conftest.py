"""The experiment of chapter `underdamped_langevin`, small and at QUICK size, made once."""

import functools
from dataclasses import replace

import pytest

import sgdescape.underdamped_langevin as ul

SMALL = replace(
    ul.QUICK,
    samples=512,
    replicas=40,
    burn_in=200,
    records=200,
    growth_replicas=80,
    lags=60,
    kick_replicas=20,
    kick_steps=40,
    sweep_rates=(0.1,),
    sweep_sizes=(4,),
    sweep_momenta=(0.5,),
    sweep_steps=40,
    sweep_replicas=8,
    free_steps=20,
    free_replicas=8,
    edges=(0.1, 0.9),
    edge_momenta=(0.0, 0.9),
    edge_replicas=8,
    paper_replicas=40,
    paper_steps=2500,
    images=600,
    image_batch=16,
    chains=8,
    spiral_steps=60,
    speed_steps=20,
    seed=3,
)


@pytest.fixture(scope="session")
def config():
    """The small configuration."""
    return SMALL


@pytest.fixture(scope="session")
def small():
    """Its dataset."""
    return ul.run(SMALL)


@pytest.fixture(scope="session")
def quick():
    """The dataset at QUICK size for a seed, made once."""
    return functools.cache(lambda seed: ul.run(replace(ul.QUICK, seed=seed)))
