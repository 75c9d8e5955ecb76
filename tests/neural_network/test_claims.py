"""Claims of chapter `neural_network`: they hold, and fail under wrong laws or data."""

import contract
import numpy as np
import pytest
import xarray as xr

import sgdescape.neural_network as net
from neural_network.imitation import SPECTRUM, imitation
from sgdescape.core.claims import ClaimError
from sgdescape.neural_network.estimates import comparisons

STEM = "neural_network"
ELSEWHERE = ("continuous_time", "ratio_alone", "linearised", "depth")  # not of the bowl itself


@pytest.mark.parametrize("name", [n for n in contract.claims(STEM) if n not in ELSEWHERE])
def test_claims_hold_in_the_bowl_itself(name, bowl_network):
    contract.holds(STEM, name, bowl_network)


def test_the_bowl_implies_its_own_dimension():
    ds = imitation("decoupled")
    found = comparisons.implied_excess(ds)
    assert found.low < 0 < found.high
    runs, bowl = comparisons.implied(ds), comparisons.implied(ds, comparisons.bowl_slope)
    np.testing.assert_allclose(found.value, runs.value - bowl.value)
    np.testing.assert_allclose(
        (found.high - found.low) ** 2, (runs.high - runs.low) ** 2 + (bowl.high - bowl.low) ** 2
    )
    coarse = net.claims.implied_dimension(ds)
    assert coarse.verdict == "consistent (coarse)" and coarse.undecided


def scaled(**factors):
    return lambda ds: ds.assign({name: ds[name] * factor for name, factor in factors.items()})


def same_looks(ds):
    looks = ds.looks.copy(deep=True)
    looks[2] = looks.values[0]
    return ds.assign(looks=looks)


def another_power(ds):
    """Runs whose times rise by c to the power of 8 more: another n."""
    steps = ds.passage * (ds.threshold / ds.threshold[0]) ** 8
    return ds.assign(passage=steps.where(ds.passage > 0, -1).clip(max=ds.last_step))


WRONG_DATA = {
    "mean_loss": scaled(late_loss=1.2),
    "decoupling": scaled(noise_ratio=1.4),
    "gauss_newton": scaled(hessian_ratio=0.5),
    "kurtosis": lambda ds: ds.assign(kurtosis=ds.kurtosis * 0 + 2.0),
    "energy": scaled(energy_share=0.4),
    "displacement": scaled(displacement_share=10.0),
    "path_decoupling": scaled(path_coupling=0.75),
    "looks": same_looks,
    "lead_energy": lambda ds: ds.assign(leading_energy=0 * ds.leading_energy + [0.98, 1, 1.01]),
    "rotation": lambda ds: ds.assign(span_overlap=ds.span_overlap / 2),
    "spectral_gap": lambda ds: ds.assign(spectrum=ds.spectrum.where(ds.spectrum > 20, 2.6)),
    "bulk": lambda ds: ds.drop_vars("spectrum").assign(spectrum=("rank", np.full(7000, 110.0))),
    "flat_noise": lambda ds: ds.assign(bin_noise=0 * ds.bin_noise + 1),
    "frozen": lambda ds: ds.assign(motion=0 * ds.motion + 1),
    "implied_dimension": another_power,
    "bowl": None,
    "measured_noise": None,
    "arrhenius": None,
    "participation": None,
    "controls": None,
    **dict.fromkeys(ELSEWHERE),
}
"""Claim -> change of the dataset; None where a test below has it."""


@pytest.mark.parametrize("name", [n for n, change in WRONG_DATA.items() if change])
def test_claims_fail_on_wrong_numbers(name, bowl_network):
    contract.rejects_other_data(STEM, name, WRONG_DATA[name](bowl_network.copy(deep=True)))


@pytest.mark.parametrize("law", ["constant", "equal"])
@pytest.mark.parametrize("name", ["bowl", "measured_noise", "arrhenius"])
def test_claims_reject_another_noise(name, law):
    right = {"arrhenius": "equal"}.get(name)
    if law == right:  # refuted by this law as well, which is then its rival
        return
    with pytest.raises((ClaimError, ValueError), match="verdict|power|passages"):
        contract.claims(STEM)[name](imitation(law))


WRONG_THEORY = {
    "mean_loss": [("raised_loss", lambda a, *, trace_ratio: net.raised_loss(a, trace_ratio=1.0))],
    "participation": [("participation_ratio", lambda spectrum: 1.3)],
}


@pytest.mark.parametrize("name", WRONG_THEORY)
def test_a_wrong_formula_fails_its_claim(name, bowl_network, monkeypatch):
    bare = bowl_network.drop_vars(["mean_loss", "line_slope"]).drop_vars("dimension")
    contract.holds(STEM, name, net.predict(bare))
    contract.rejects_wrong_theory(STEM, name, bare, WRONG_THEORY[name], monkeypatch)


def test_equal_times_at_equal_ratio_fail_their_claim(bowl_network):
    equal = bowl_network.copy(deep=True)
    for b in range(3):  # all batch sizes get the smallest one's times
        scale = equal.learning_rate.values[:, 0] / equal.learning_rate.values[:, b]
        first = bowl_network.passage.values[:, 0]
        equal["passage"][:, b] = np.where(
            first > 0, np.round(first * scale[:, None, None]).clip(1), -1
        )
    contract.rejects_other_data(STEM, "ratio_alone", equal)


def test_times_of_the_sde_fail_the_claim_against_it(bowl_network):
    steps = (
        bowl_network.continuous.values[:, None, :36]
        / bowl_network.learning_rate.values[..., None, None]
    )
    steps = np.where(np.isfinite(steps), np.round(steps).clip(1), -1).astype(int)
    there = steps[:, :, np.arange(bowl_network.sizes["replica"]) % steps.shape[2]]
    flowing = bowl_network.assign(passage=(bowl_network.passage.dims, there))
    contract.rejects_other_data(STEM, "continuous_time", flowing)


def test_claims_about_other_networks_tell_the_laws_apart(bowl_network):
    other = bowl_network.copy(deep=True)
    other["control_bowl"][2] *= 16  # with two layers the bowl is slower
    net.claims.linearised(other)
    fast = other.control_passage[2].values  # and two layers faster
    deep = bowl_network.copy(deep=True)
    deep["control_passage"][2] = np.where(fast > 0, np.maximum(fast // 16, 1), -1)
    net.claims.depth(deep)
    late = other.control_linearised.values
    other["control_linearised"].values = np.where(late > 0, 2 * late, -1)
    contract.rejects_other_data(STEM, "linearised", other)
    slow = bowl_network.copy(deep=True)
    slow["control_refined"] = slow.control_refined / 8
    with pytest.raises((ClaimError, ValueError)):
        net.claims.controls(slow)


def test_every_claim_is_tested():
    contract.complete(STEM, WRONG_DATA, WRONG_THEORY, exempt=("paper_numbers",))


def test_the_page_shows_every_claim_and_number(bowl_network):
    contract.shown(STEM)


def test_cells_are_exponents_and_batches(bowl_network):
    assert comparisons.cells(bowl_network, exponents=slice(1), batches=slice(-1, None)) == [(6, 8)]


def test_shares_of_the_trace_and_of_the_parameters(bowl_network):
    share = comparisons.stationary_share(bowl_network)
    np.testing.assert_allclose(share, SPECTRUM[:3].sum() / SPECTRUM.sum())
    np.testing.assert_allclose(comparisons.isotropic_share(bowl_network), 3 / 7861)


def test_the_farthest_ratio_is_farthest_either_way():
    assert comparisons.farthest([1.1, 0.8, 1.2], error=0.01).value == 0.8
    found = comparisons.farthest(xr.DataArray([1.5, 0.9]), error=0.01)
    assert (found.value, found.level) == (1.5, None)
    np.testing.assert_allclose([found.low, found.high], [1.485, 1.515])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_claims_hold_for_every_seed(seed):
    dataset = net.run(net.Config(seed=seed))
    for name in contract.claims(STEM):
        contract.holds(STEM, name, dataset)
    assert set(net.summary(dataset))
