"""The whole experiment at small sizes: the same bits on every engine and from a store."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

import sgdescape.neural_network as net
from sgdescape.core.runs import engines
from sgdescape.neural_network.measure import escapes

SMALL = replace(
    net.QUICK,
    exponents=(6.0,),
    replicas=3,
    bowl_paths=2,
    continuous_paths=2,
    path_replicas=1,
    motion_replicas=2,
    control_replicas=2,
)


@pytest.mark.slow
def test_engines_stores_and_threads_give_the_same_bits(tmp_path):
    before = torch.get_num_threads()
    first = net.run(SMALL, store=tmp_path)
    torch.set_num_threads(2)
    try:
        again = net.run(SMALL, store=tmp_path)  # everything is found in the store
        with engines.executor("processes", workers=2) as pool:
            elsewhere = net.run(SMALL, executor=pool)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    xr.testing.assert_identical(first.drop_attrs(), again.drop_attrs())
    xr.testing.assert_identical(first.drop_attrs(), elsewhere.drop_attrs())
    assert '"source": "bundled"' in first.attrs["data"]


def runs(diverged):
    shape = ("exponent", "replica")
    return xr.Dataset(
        {
            "diverged_at": (shape, np.array(diverged)),
            "passage": ((*shape, "threshold"), np.full((2, 2, 3), 4)),
            "looks": ((*shape, "look", "threshold"), np.full((2, 2, 1, 3), 4)),
            "last_step": (shape, np.full((2, 2), 9)),
            "late_loss": (shape, np.ones((2, 2))),
        },
        coords={"exponent": [6.0, 8.5], "replica": [0, 1]},
    )


def test_diverged_runs_are_named_and_count_nothing():
    with pytest.warns(RuntimeWarning, match="exponent = 8.5, replica = 1 at step 7"):
        found = escapes.without_diverged(runs([[-1, -1], [-1, 7]]))
    assert "diverged_at" not in found and found.passage.dtype.kind == "i"
    assert (found.passage.values[1, 1] == -1).all() and (found.passage.values[0] == 4).all()
    assert found.last_step.values.tolist() == [[9, 9], [9, 0]]
    assert np.isnan(found.late_loss.values[1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        untouched = escapes.without_diverged(runs([[-1, -1], [-1, -1]]))
    assert (untouched.passage == 4).all()


def test_all_diverged_is_an_error():
    with pytest.raises(
        FloatingPointError, match="all runs of a cell diverged: exponent = 6.0, rep"
    ):
        escapes.without_diverged(runs([[3, 5], [-1, 7]]))
