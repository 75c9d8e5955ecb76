"""Checkpoints of chapter `neural_network`: the bundled ones and how they are made."""

import numpy as np
import pytest
import torch

import sgdescape.neural_network as net
from sgdescape.core.networks import checkpoints as kept
from sgdescape.core.training import sgd
from sgdescape.neural_network.measure import checkpoints
from sgdescape.neural_network.measure import minimum as measurement


def test_bundled_checkpoints_are_those_of_quick():
    kept = checkpoints.bundled()
    assert list(kept) == list(checkpoints.recipes(net.QUICK).values())
    for recipe, checkpoint in kept.items():
        assert checkpoint.fall <= recipe.drift
        assert checkpoint.fall == checkpoints.fall(checkpoint.block_losses, recipe)
        images = checkpoints.images_of(recipe)
        model = checkpoints.network(recipe, checkpoint.theta)
        with torch.no_grad():
            loss = sgd.square_loss(model(images.inputs), images.targets[:, None]).mean().item()
        assert 0.8 < loss / checkpoint.block_losses[-1] < 1.2
        assert checkpoint.steps % recipe.block == 0


def test_a_changed_checkpoint_file_is_refused(monkeypatch):
    monkeypatch.setattr(checkpoints, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="neural_network.npz is corrupt: SHA-256 must be 0000"):
        checkpoints.bundled()


def test_store_and_read_back(tmp_path, monkeypatch):
    recipe = checkpoints.Recipe(images=50, hidden=(2,))
    made = checkpoints.Checkpoint(recipe, np.ones(1573, np.float32), np.array([2.0, 1.99]), 0.0)
    folder = tmp_path / "bundled"
    folder.mkdir()
    digest = checkpoints.store(folder / checkpoints.BUNDLED, [made])
    monkeypatch.setattr(checkpoints, "SHA256", digest)
    monkeypatch.setattr(kept.resources, "files", lambda package: tmp_path)
    again = checkpoints.load(recipe)
    np.testing.assert_array_equal(again.theta, made.theta)
    assert again.recipe == recipe and 0 < again.fall < 0.01


def test_a_loss_that_falls_is_not_a_minimum():
    recipe = checkpoints.Recipe(images=120, hidden=(2,), block=50, most_blocks=2)
    seen = []
    with pytest.raises(checkpoints.NotStationaryError, match="after 100 steps.*still falls") as e:
        checkpoints.pretrain(recipe, progress=lambda *row: seen.append(row))
    assert e.value.checkpoint.fall > recipe.drift and len(seen) == 2


@pytest.mark.slow
def test_a_checkpoint_can_be_made_again():
    recipe = checkpoints.recipes(net.QUICK)["Fashion-MNIST"]
    kept, made = checkpoints.bundled()[recipe], checkpoints.pretrain(recipe)
    assert made.fall <= recipe.drift and abs(made.steps - kept.steps) <= 2 * recipe.block
    images = checkpoints.images_of(recipe)
    old, new = (
        measurement.minimum(checkpoints.network(recipe, c.theta), images, directions=3, seed=0)
        for c in (kept, made)
    )
    assert 0.85 < new["loss"] / old["loss"] < 1.15
    assert 0.8 < new["curvature"][0] / old["curvature"][0] < 1.25
    assert 0.85 < new["trace"] / old["trace"] < 1.15
