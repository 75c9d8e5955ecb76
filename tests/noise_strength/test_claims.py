"""Claims of chapter `noise_strength` on the kept result; they fail under wrong theories or data."""

import contract
import numpy as np
import pytest

import sgdescape.noise_strength as ns
from sgdescape.noise_strength import kept_result

STEM = "noise_strength"


@pytest.fixture(scope="module")
def kept():
    return ns.load_result()


@contract.each(STEM)
def test_claims_hold(name, kept):
    contract.holds(STEM, name, kept)


def summed(loss, jacobian, *, outputs):
    return 2 * loss * jacobian


def squared(loss, jacobian, *, outputs):
    return loss**2 * jacobian


WRONG_THEORIES = {
    "late_prediction": [("predicted_noise", squared)],
    "outputs": [
        ("predicted_noise", summed),
        ("predicted_noise", lambda loss, j, *, outputs: loss * j / outputs),
    ],
    "cnn_outputs": [("predicted_noise", summed)],
    "factor": [("predicted_noise", summed), ("predicted_noise", squared)],
    "one_output": [("predicted_noise", squared)],
    "margin_growth": [("margin_exponent", lambda layers: 2 * layers - 2)],
    "entropy_prediction": [("residual_noise", lambda r, j, *, outputs: r * j)],
}


@pytest.mark.parametrize("name", WRONG_THEORIES)
def test_claims_fail_under_a_wrong_theory(name, kept, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, kept, WRONG_THEORIES[name], monkeypatch)


def noise(change):
    """Give the noise strength another law, whatever the gradients were."""
    return lambda ds: ds.assign(second_moment=change(ds), gradient_square=0 * ds.gradient_square)


WRONG_DATA = {
    "early_slope": noise(lambda ds: 3 * ds.loss),
    "late_slope": noise(lambda ds: ds.noise**2),
    "late_slope_undirected": lambda ds: ds.assign(joint=ds.joint * ds.loss),
    "late_slope_one_output": noise(lambda ds: ds.noise**2),
    "cnn_late_slope": noise(lambda ds: ds.noise * ds.loss),
    "direction": lambda ds: ds.assign(joint=ds.second_moment * ds.outputs),
    "entropy_middle": noise(lambda ds: 3 * ds.loss),
    "cnn_entropy_middle": noise(lambda ds: 3 * ds.loss),
    "entropy_early": lambda ds: ds.assign(residual=ds.loss**2),
    "entropy_residual": lambda ds: ds.assign(residual=2 * ds.loss),
    "entropy_late": noise(lambda ds: ds.prediction),
    "cnn_entropy_late": noise(lambda ds: ds.prediction),
    "whole_training": noise(lambda ds: ds.prediction),
}


@pytest.mark.parametrize("name", WRONG_DATA)
def test_claims_fail_on_other_data(name, kept):
    contract.rejects_other_data(STEM, name, ns.predict(WRONG_DATA[name](kept)))


def test_every_claim_is_tested():
    contract.complete(STEM, WRONG_THEORIES, WRONG_DATA, exempt=("paper_curves",))


def test_the_page_shows_every_claim_and_number(kept):
    contract.shown(STEM)
    contract.glued(STEM, ns.summary(kept))


def test_too_few_runs_are_said(kept):
    with pytest.raises(ValueError, match="interval of level 0.99999 needs 18 runs: got 5"):
        ns.claims.factor(kept.isel(replica=slice(5)))


# the kept result


def test_the_kept_result_is_what_it_says(kept):
    assert kept.sizes["replica"] == ns.KEPT.replicas and not kept.attrs["diverged"]
    assert kept_result.FILE.stat().st_size < 10**6
    assert '"source": "bundled"' in kept.attrs["data"] and kept.attrs["cost"]


def test_another_file_in_its_place_is_refused(kept, tmp_path):
    (kept + 0.0).assign_attrs(kept.attrs).to_netcdf(tmp_path / "noise_strength.nc")
    with pytest.raises(ValueError, match="not the result that this version of the book was wri"):
        kept_result.load(tmp_path / "noise_strength.nc")


def piece(kept):
    part = kept.isel(replica=slice(2), mark=slice(9))
    return part.assign_attrs(config=kept.attrs["config"].replace('"stop": null', '"stop": 9'))


def test_a_piece_must_be_the_same_piece(kept):
    assert ns.agree(piece(kept), kept)
    near = piece(kept)
    assert ns.agree(near.assign(loss=near.loss * 1.001), kept)
    assert not ns.agree(near.assign(loss=near.loss * 1.05), kept)
    assert not ns.agree(near.isel(replica=[1, 0]), kept)
    with pytest.raises(ValueError, match="made with learning_rate = 0.2, not 0.1"):
        other = near.attrs["config"].replace('"learning_rate": 0.1', '"learning_rate": 0.2')
        ns.agree(near.assign_attrs(config=other), kept)
    with pytest.raises(ValueError, match="images must be"):
        ns.agree(near.assign_attrs(data="{}"), kept)


@pytest.mark.slow
def test_the_piece_of_the_page_agrees(kept):
    assert ns.agree(ns.run(ns.QUICK), kept)
    other = ns.run(ns.Config(**{**vars(ns.QUICK), "seed": 1}))
    with pytest.raises(ValueError, match="made with seed = 1, not 0"):
        ns.agree(other, kept)


def test_median_runs_are_where_the_cards_say(kept):
    # by hand, without the chapter's estimates: late slope of the network with one output
    ds = kept.sel(case="MLP, one output")
    found = []
    for loss, strength in zip(ds.loss.values, ds.noise.values, strict=True):
        late = loss < 0.02
        found.append(np.polyfit(np.log(loss[late]), np.log(strength[late]), 1)[0])
    card = ns.claims.late_slope_one_output(kept)
    np.testing.assert_allclose(card.measured.value, np.median(found), rtol=1e-9)
    assert card.measured.low == min(found) and card.measured.high == max(found)
