"""Every claim holds on the measured data, and fails on a wrong theory or on other data."""

from dataclasses import replace

import contract
import matplotlib.pyplot as plt
import numpy as np
import pytest

from sgdescape import decoupling

STEM = "decoupling"
SMALL = replace(decoupling.QUICK, images=800, epochs=(0, 60, 400), shuffles=10)


@pytest.fixture(scope="module")
def measured():
    return decoupling.run(SMALL)


@contract.each(STEM)
def test_claim_holds(measured, name):
    contract.holds(STEM, name, measured)


WRONG = {
    "trace_identity": [("trace_ratio", lambda losses, norms: 1 + 1 / len(losses))],
    "determinant": [("mean_log_ratio", lambda losses: np.log(np.median(losses / losses[0])))],
    "initial_coupling": [
        (
            "direction_error",
            lambda losses, weights: 5 * decoupling.direction_error(losses, weights),  # five sigma
        )
    ],
    "shuffled_shift": [
        (
            "scale_shift",  # the S-transform without its factor (1 - D)
            lambda losses, d: losses.mean() * decoupling.scale_of(losses, d) / np.asarray(d),
        )
    ],
    "exact_shift": [("scale_shift", lambda losses, d: 1 / (1 - np.asarray(d)))],
}


@pytest.mark.parametrize("name", WRONG)
def test_claim_rejects_a_wrong_theory(measured, name, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, measured, WRONG[name], monkeypatch)


def doubled(ds):  # a loss without its 1/2
    return ds.assign(
        exact=2 * ds.exact,
        loss=2 * ds.loss,
        direction_ratio=2 * ds.direction_ratio,
        curvature=2 * ds.curvature,
    )


def aligned(ds):  # the largest loss goes with the largest gradient, in norm and in direction
    order = ds.direction_weight.mean("direction").argsort(axis=1)
    weights = np.take_along_axis(ds.direction_weight.values, order.values[:, None, :], axis=2)
    return ds.assign(
        loss=(("epoch", "image"), np.sort(ds.loss.values)),
        output_norm=(("epoch", "image"), np.sort(ds.output_norm.values)),
        direction_weight=(("epoch", "direction", "image"), weights),
    )


def dealt(ds):  # what a random pairing gives, in its standard deviations
    return draws(ds.width_error.shape)


def draws(shape):
    return np.random.default_rng(0).standard_normal(shape)


OTHER_DATA = {
    "trace": aligned,
    "top_eigenvalue": doubled,
    "large_eigenvalues": doubled,
    "small_eigenvalues": lambda ds: ds.assign(exact=ds.decoupled),
    "initial_spectrum": lambda ds: ds.assign(
        width_exact=ds.width_exact**2 / ds.width_exact.max("part")
    ),
    "stages": lambda ds: ds.assign(exact=ds.decoupled),
    "directions": aligned,
    "wide_networks": lambda ds: ds.assign(width_coupling=1 + ds.width_error * dealt(ds)),
    "wide_directions": lambda ds: ds.assign(
        width_direction_ratio=1 + ds.width_direction_error * draws(ds.width_direction_error.shape)
    ),
    "shuffled_distance": lambda ds: ds.assign(exact=ds.decoupled),
    "sample_size": lambda ds: ds.assign(subset_rank=0 * ds.subset_rank + 40),
    "residual_curvature": doubled,
}


@pytest.mark.parametrize("name", OTHER_DATA)
def test_claim_rejects_other_data(measured, name):
    contract.rejects_other_data(STEM, name, OTHER_DATA[name](measured))


def test_every_claim_is_given_something_wrong():
    contract.complete(STEM, WRONG, OTHER_DATA)


def test_page_shows_all_claims_and_numbers(measured):
    contract.shown(STEM)
    asked = decoupling.summary(measured.assign_coords(epoch=[0, 50, 500]))  # the page's epochs
    contract.glued(STEM, asked)


def test_figures_draw_what_was_measured(measured):
    _, ax = plt.subplots()
    decoupling.figures.ratios(measured, ax, epoch=400)
    curve = next(line for line in ax.lines if line.get_label() == "exact")
    now = measured.sel(epoch=400)
    np.testing.assert_allclose(curve.get_ydata(), now.exact / now.decoupled)
    for plot in (decoupling.figures.spectra, decoupling.figures.directions):
        assert plot(measured, plt.subplots()[1], epoch=0).get_xlabel()
    for plot in (decoupling.figures.shifts, decoupling.figures.subsets):
        assert plot(measured, plt.subplots()[1]).get_legend() is not None
    plt.close("all")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4])
def test_claims_hold_for_other_seeds(seed):
    # Other networks, batches and shuffles, and other images.
    dataset = decoupling.run(replace(decoupling.QUICK, seed=seed, image_seed=seed))
    for name in contract.claims(STEM):
        contract.holds(STEM, name, dataset)
    # The text says that these two signs are the same for all five seeds.
    last = dataset.isel(epoch=-1)
    assert np.corrcoef(last.loss, last.output_norm)[0, 1] < 0
    null = [decoupling.wasserstein(row, last.decoupled) for row in last.shuffled.values]
    assert decoupling.wasserstein(last.exact, last.decoupled) < min(null)
