"""The experiment of chapter `modified_loss`, tiny and at QUICK size, made once."""

import functools
from dataclasses import replace

import pytest

import sgdescape.modified_loss as ml

TINY = replace(
    ml.QUICK,
    samples=1000,
    replicas=24,
    steps=150,
    burn_in=100,
    modes=3,
    momenta=(0.5, 0.9),
    step_curvatures=(0.1, 0.5),
    entropy_momenta=(0.5, 0.9),
    chains=20,
    mode_steps=100,
    walkers=20,
    times=(30, 300),
    flat_curvatures=(3e-3, 1e-1),
    epoch_steps=10,
    image_samples=500,
    image_modes=3,
    toy_steps=100,
    toy_chains=20,
    arrow_batches=(2, 4),
    arrow_steps=50,
    arrow_runs=20,
)


@pytest.fixture(scope="session")
def config():
    """The tiny configuration."""
    return TINY


@pytest.fixture(scope="session")
def small():
    """Its dataset."""
    return ml.run(TINY)


@pytest.fixture(scope="session")
def quick():
    """The dataset at QUICK size for a seed, made once."""
    return functools.cache(lambda seed: ml.run(replace(ml.QUICK, seed=seed)))
