"""Claims of chapter `anomalous_diffusion`: they hold, and fail under wrong theories or data."""

from dataclasses import replace

import contract
import numpy as np
import pytest

import sgdescape.anomalous_diffusion as ad
from sgdescape.anomalous_diffusion import published
from sgdescape.anomalous_diffusion.estimates import drift_curve
from sgdescape.core.claims import declared

STEM = "anomalous_diffusion"
MSD, START = ad.mean_squared_displacement, ad.fixed_start_displacement


def without_momentum(function, name="momentum"):
    return lambda *args, **at: function(*args, **at | {name: 0.0 * np.asarray(at[name])})


def free(k, rho, *rest, **at):
    """No curvature: every direction diffuses."""
    return MSD(k, 0 * np.asarray(rho), *rest, **at)


def at_home(k, rho, s, d, **at):
    """The fixed start without its drift."""
    return START(k, rho, s, 0 * d, **at)


def unbound(k, rho, s, d, **at):
    """A fixed start without any curvature."""
    return START(k, 1e-9 * np.asarray(rho), s, d, **at)


def one_window(k, *rest, **at):
    """The same steps whatever N is."""
    return START(np.round(1000 * np.asarray(k) / np.max(k)), *rest, **at)


def independent(*args, steps_per_epoch, **at):
    """Epochs that take nothing back."""
    return MSD(*args, **at)


def six_tenths(rho, s, *, steps_per_epoch, **at):
    return 0.6 * MSD(10**7, rho[None], s[None], **at)


WRONG = {  # claim -> changes of what `predict` looks up
    "local_displacement": [("mean_squared_displacement", without_momentum(MSD))],
    "global_displacement": [("mean_squared_displacement", free)],
    "first_exponent": [("mean_squared_displacement", without_momentum(MSD))],
    "summed_displacement": [
        ("summed_displacement", lambda k, rho, s, **at: MSD(k, [rho], s, **at))
    ],
    "power_law": [("mean_squared_displacement", free)],
    "stationary_exponent": [("mean_squared_displacement", free)],
    "drift_exponent": [("fixed_start_displacement", at_home)],
    "same_epochs": [("mean_squared_displacement", free)],
    "grid_theory": [("fixed_start_displacement", at_home)],
    "grid_batch": [("overdamped_start", lambda *a, **at: START(*a, **at | {"batch_size": 4.0}))],
    "grid_momentum": [("overdamped_start", lambda *a, **at: START(*a, **at | {"momentum": 0.8}))],
    "grid_batch_steps": [("fixed_start_displacement", at_home)],
    "number_temperature": [("fixed_start_displacement", one_window)],
    "number_epoch_time": [("fixed_start_displacement", at_home)],
    "memory_independent": [("mean_squared_displacement", without_momentum(MSD))],
    "memory_shuffled": [("shuffled_displacement", independent)],
    "memory_fixed": [("fixed_order_displacement", independent)],
    "memory_shorter": [("shuffled_displacement", independent)],
    "plain_sgd": [("fixed_start_displacement", without_momentum(START))],
    "plain_sgd_early": [("fixed_start_displacement", without_momentum(START))],
    "window_drift": [("fixed_start_displacement", at_home)],
    "window_still": [("fixed_start_displacement", unbound)],
    "crossover": [("shuffled_variance", six_tenths)],
    "shuffled_exponent": [("shuffled_displacement", independent)],
    "speed_is_blind": [
        ("shuffled_displacement", lambda *a, steps_per_epoch, **at: 0.3 * MSD(*a, **at))
    ],
}


def bent(ds):
    """Another power of k for the smallest batch."""
    shape = np.where(np.arange(2)[:, None, None] == 0, ds.lag.values**0.2, 1.0)
    return ds.assign(displacement=ds.displacement * shape)


def alike(ds):
    """A fixed order that moves as independent batches do."""
    iid = ds.order_displacement.sel(sampler="iid")
    kept = ds.order_displacement.where(ds.sampler != "fixed", iid)
    return ds.assign(order_displacement=kept)


DATA = {"same_steps": bent, "fixed_order": alike}
SWEPT = {"published_batch", "published_small_batch", "published_speed"}
PUBLISHED = {"vgg_drift", "resnet_drift", "collapse_batch", "collapse_momentum"} | SWEPT


@contract.each(STEM)
def test_claims_hold(measured, name):
    contract.holds(STEM, name, measured)


@pytest.mark.parametrize("name", WRONG)
def test_claims_reject_a_wrong_theory(measured, name, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, measured, WRONG[name], monkeypatch)


@pytest.mark.parametrize("name", DATA)
def test_claims_reject_other_data(measured, name):
    contract.rejects_other_data(STEM, name, DATA[name](measured))


def test_claims_on_published_numbers_reject_others(measured, monkeypatch):
    runs = tuple(replace(r, distance=1.0 * 19 * r.step * 50_000) for r in ad.RUNS)
    monkeypatch.setattr(published, "RUNS", runs)
    for name in ("vgg_drift", "resnet_drift"):
        contract.rejects_other_data(STEM, name, measured)
    data = published.published_exponents()
    cases = {
        "collapse_batch": data.learning_rate / (1 - data.momentum),
        "collapse_momentum": data.learning_rate / data.batch_size,
    }
    for name, variable in cases.items():
        blind = replace(data, exponent=1 - 0.1 * np.log(variable))
        monkeypatch.setattr(published, "published_exponents", lambda blind=blind: blind)
        contract.rejects_other_data(STEM, name, measured)


def test_claims_on_the_sweeps_reject_other_points(measured, monkeypatch):
    curve = drift_curve.published_curve()
    blind = float(curve(drift_curve.sweep_times([(1e-4, 256, 0.9)]))[0])
    here = float(curve(drift_curve.sweep_times([(1e-4, 32, 0.9)]))[0])
    sweeps = ((1e-4, 1024, 0.9, blind), (1e-4, 32, 0.9, here))
    monkeypatch.setattr(published, "SWEEPS", sweeps)
    monkeypatch.setattr(published, "SPEEDS", ((1e-3, 256, 0.9, 1.2e-5),))
    for name in SWEPT:
        contract.rejects_other_data(STEM, name, measured)


def test_every_claim_is_given_a_wrong_theory_or_wrong_data():
    tables = (WRONG, DATA, dict.fromkeys(PUBLISHED))
    contract.complete(STEM, *tables, exempt={"same_steps_network"})


def test_the_page_shows_every_claim():
    contract.shown(STEM)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_claims_hold_for_other_seeds(seed):
    dataset = ad.run(replace(ad.QUICK, seed=seed))
    for claim in declared(STEM):
        claim(dataset)
