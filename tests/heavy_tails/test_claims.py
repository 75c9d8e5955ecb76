"""Claims of chapter `heavy_tails`: their verdicts, and what makes them fail."""

from dataclasses import asdict

import contract
import numpy as np
import pytest
import xarray as xr
from scipy import special

import sgdescape.heavy_tails as ht
from sgdescape.core.runs import provenance
from sgdescape.heavy_tails import estimates, predictions

STEM = "heavy_tails"


def scaled(name, factor):
    true = getattr(predictions, name)
    return name, lambda *args, **options: factor * true(*args, **options)


def without_wave(*, learning_rate):
    true = ht.wave(learning_rate=learning_rate)
    return type(true)(true.root, 0.6 * true.fading, true.frequency)


def as_if(published):
    """A published index in place of the exact one, deaf to momentum and inputs."""

    def wrong(*, dimension, learning_rate, batch_size, **_):
        at = {"learning_rate": learning_rate, "batch_size": batch_size}
        return published(dimension=dimension, **at)

    return "tail_index", wrong


THEORIES = {
    "chain": [scaled("tail_index", 1.03), as_if(ht.paper_index)],
    "equal_variances": [scaled("discrete_index", 1.2)],
    "small_step": [scaled("jump_index", 1.05)],
    "many_inputs": [scaled("tail_index", 1.3), as_if(ht.covariance_index)],
    "momentum": [scaled("tail_index", 1.3)],
    "wave_fades": [("wave", without_wave)],
    "finite_data": [scaled("data_root", 1.3), scaled("data_root", 0.7)],
    "images_fast": [scaled("data_root", 1.3), scaled("data_root", 0.7)],
}


def exact_tail(ds):
    """Images whose tail is that of the formula."""
    rank = (np.arange(ds.sizes["rank"]) + 0.5)[::-1] / ds.sizes["rank"]
    power = rank[None, :] ** (-0.5 / ds.image_theory.values[:, None])
    return ds.assign(image_tail=(("image_rate", "rank"), power))


def paper_tail(ds):
    """A chain whose tail is that of Eq. (17)."""
    shift = -2 * (2.5 - ds.chain_theory) * np.log(ds.radius.clip(min=1e-9))
    return ds.assign(chain_log=ds.chain_log + shift)


def covering(ds):
    """Intervals that hold the truth."""
    wide = ds.estimate.copy()
    wide.loc[{"end": "low"}], wide.loc[{"end": "high"}] = 0.0, 100.0
    return ds.assign(estimate=wide)


def continuous(ds):
    """Estimates of a continuous fit to whole numbers."""
    return ds.assign(estimate=ds.estimate * ds.zipf_continuous / 2)


DATA = {
    "paper": paper_tail,
    "images_slow": exact_tail,
    "chosen_minimum": covering,
    "whole_numbers": continuous,
}


@contract.each(STEM)
def test_claim_holds(name, dataset):
    contract.holds(STEM, name, dataset)


@pytest.mark.parametrize("name", THEORIES)
def test_claim_rejects_wrong_theories(name, dataset, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, fresh(dataset), THEORIES[name], monkeypatch)


@pytest.mark.parametrize("name", DATA)
def test_claim_rejects_other_data(name, dataset):
    contract.rejects_other_data(STEM, name, DATA[name](dataset))


def test_every_claim_is_tried_and_shown(dataset):
    contract.complete(STEM, THEORIES, DATA)
    contract.shown(STEM)
    contract.glued(STEM, ht.summary(dataset))


def test_drawn_indices_in_ten_dimensions(dataset):
    x, along = special.roots_hermitenorm(150)
    y, across = special.roots_genlaguerre(80, 3.5)  # of half a chi squared with nine degrees
    weight = along[:, None] * across
    for rate in dataset.rate_ten.values:
        at = dataset.index_ten.sel(rate_ten=rate)
        growth = (1 - rate * x[:, None] ** 2) ** 2 + rate**2 * x[:, None] ** 2 * 2 * y
        # E|(1 - eta x x^T) e|^(2a) = 1 by another quadrature, for any unit vector e
        moment = np.sum(weight * growth ** float(at.sel(theory="exact"))) / weight.sum()
        assert moment == pytest.approx(1, rel=1e-6)
        assert at.sel(theory="jump") == dataset["index"].sel(rate=rate, theory="jump")
        assert np.isnan(at.sel(theory="discrete"))


def test_drawn_wave_turns_as_the_chain_does(dataset):
    rate = 0.05
    found = estimates.fitted_wave(dataset, rate).frequency
    assert found.low < dataset.wave_frequency.sel(wave_rate=rate) < found.high
    assert found.high - found.low < 0.1 * found.value


def fresh(ds) -> xr.Dataset:
    """The measurements alone, with fewer settings than were predicted for them: quick."""
    names = ("largest", "data_tail", "image_tail", "data_input", "image_input", "chain_log")
    kept = ds[[*names, "estimate"]]
    few = ht.Config(rates=(0.05, 0.5), data_sets=4, data_sizes=(10,))
    kept = kept.drop_vars([c for c in kept.coords if c not in kept.dims])
    return kept.assign_attrs(config=provenance.to_json(asdict(few)))
