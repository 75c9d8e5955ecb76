"""The result that is kept in results/."""

import json

import numpy as np
import pytest

import sgdescape.neural_network as net
from neural_network.imitation import imitation
from sgdescape.neural_network import kept_result
from sgdescape.neural_network.estimates import comparisons


def test_kept_result_bears_out_the_claims_with_sharper_intervals():
    large = net.load_result()
    assert large.sizes["replica"] >= 2400 and large.attrs["cost"]
    records = json.loads(large.attrs["provenance"])
    assert len(records) == np.size(large.attrs["seeds"]) and all("torch" in r for r in records)
    assert kept_result.FILE.stat().st_size < 10**6
    for claim in (
        net.claims.mean_loss, net.claims.bowl, net.claims.arrhenius, net.claims.ratio_alone,
        net.claims.continuous_time, net.claims.measured_noise, net.claims.participation,
        net.claims.implied_dimension,
    ):  # fmt: skip
        claim(large)
    found = comparisons.against(large, "continuous", comparisons.cells(large, batches=slice(1)))
    assert found.low > 0.1  # no need of exactness: the SDE is 7 % off at the least
    cells = comparisons.cells(large, batches=slice(1))
    far = {law: comparisons.beyond(large, law, cells) for law in ("decoupled", "measured")}
    assert far["decoupled"].low > 0.3 and far["measured"].high < 0  # on two sides of the runs
    assert far["decoupled"].value > -1.5 * far["measured"].value
    numbers = net.large_summary(large)
    assert all(format(value, fmt) for value, fmt in numbers.values())


def test_seeds_are_joined(bowl_network, tmp_path):
    first, second = bowl_network.copy(), imitation(seed=1)
    for seed, ds in enumerate((first, second)):
        config = json.loads(ds.attrs["config"]) | {"seed": seed}
        ds.attrs |= {"config": json.dumps(config), "seconds": 60.0}
        ds.to_netcdf(tmp_path / f"{seed}.nc")
    target = tmp_path / "both.nc"
    kept_result.main(target, "one core", tmp_path / "0.nc", tmp_path / "1.nc")
    both = kept_result.load(target, sha256=None)
    n = first.sizes["replica"]
    np.testing.assert_array_equal(both.passage[:, :, n:], second.passage)
    np.testing.assert_array_equal(both.passage[:, :, :n], first.passage)
    assert (
        both.attrs["cost"] == "2 minutes on one core"
        and both.sizes["path"] == 2 * first.sizes["path"]
    )
    with pytest.raises(ValueError, match=r"seed alone: got seeds \[0, 0\]"):
        kept_result.join([first, first])
    with pytest.raises(FileNotFoundError, match="part of a checkout"):
        kept_result.load(tmp_path / "none.nc")


def test_another_file_in_its_place_is_refused(bowl_network, tmp_path):
    wrong = tmp_path / "neural_network.nc"
    bowl_network.to_netcdf(wrong)
    with pytest.raises(ValueError, match="not the result that this version of the book was wri"):
        kept_result.load(wrong)


@pytest.mark.slow
def test_a_piece_of_it_can_be_made_again():
    large = net.load_result()
    assert net.remade_share(large, replicas=range(4)) > 0.95
    other = large.assign(passage=large.passage.roll(replica=4))
    assert net.remade_share(other, replicas=range(4)) < 0.7
