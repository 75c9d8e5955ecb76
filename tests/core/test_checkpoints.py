"""Checkpoints kept with the package: what was stored comes back, anything else is refused."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pytest

from sgdescape.core.networks import checkpoints


@dataclass(frozen=True)
class Recipe:
    """How something was made."""

    seed: int = 0
    hidden: tuple[int, ...] = (3,)
    schedule: tuple[tuple[float, int], ...] = ((0.1, 5), (0.01, 2))


@dataclass(frozen=True)
class Other:
    """A recipe with another field."""

    seeds: int = 0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "bundled").mkdir()
    monkeypatch.setattr(checkpoints.resources, "files", lambda package: tmp_path)
    return tmp_path / "bundled"


def made():
    return {
        Recipe(): {"theta": np.arange(5.0), "block_losses": np.array([2.0, 1.5])},
        Recipe(seed=1, hidden=(4, 4)): {"theta": np.ones(3, np.float32)},
    }


def test_what_was_stored_comes_back(folder):
    digest = checkpoints.store(folder / "some.npz", made())
    again = checkpoints.bundled("some.npz", sha256=digest, recipe=Recipe)
    assert list(again) == list(made())
    for recipe, arrays in made().items():
        assert set(again[recipe]) == set(arrays)
        for name, values in arrays.items():
            np.testing.assert_array_equal(again[recipe][name], values)
            assert again[recipe][name].dtype == values.dtype
    assert [p.name for p in folder.iterdir()] == ["some.npz"]


def test_twelve_checkpoints_are_not_mixed_up(folder):
    many = {Recipe(seed=k): {"theta": np.full(2, float(k))} for k in range(12)}
    digest = checkpoints.store(folder / "many.npz", many)
    again = checkpoints.bundled("many.npz", sha256=digest, recipe=Recipe)
    assert all(again[Recipe(seed=k)]["theta"].tolist() == [k, k] for k in range(12))


def test_one_flipped_bit_is_refused(folder):
    digest = checkpoints.store(folder / "some.npz", made())
    content = bytearray((folder / "some.npz").read_bytes())
    for place in range(0, len(content), 97):
        content[place] ^= 1
        (folder / "some.npz").write_bytes(content)
        with pytest.raises(ValueError, match=f"some.npz is corrupt: SHA-256 must be {digest}"):
            checkpoints.bundled("some.npz", sha256=digest, recipe=Recipe)
        content[place] ^= 1


def test_missing_file_and_other_recipe_are_named(folder):
    with pytest.raises(ValueError, match="bundled none.npz cannot be read: .*reinstall"):
        checkpoints.bundled("none.npz", sha256="0" * 64, recipe=Recipe)
    digest = checkpoints.store(folder / "some.npz", made())
    with pytest.raises(ValueError, match="recipe with other fields than Other"):
        checkpoints.bundled("some.npz", sha256=digest, recipe=Other)


def test_pickles_are_neither_written_nor_read(folder):
    with pytest.raises(TypeError, match="'theta' must be an array of numbers: got objects"):
        checkpoints.store(folder / "some.npz", {Recipe(): {"theta": np.array([None])}})
    assert not list(folder.iterdir())
    np.savez(folder / "bad.npz", count=np.array(1), recipe_0=np.array([{}], dtype=object))
    digest = hashlib.sha256((folder / "bad.npz").read_bytes()).hexdigest()
    with pytest.raises(ValueError, match="allow_pickle=False"):
        checkpoints.bundled("bad.npz", sha256=digest, recipe=Recipe)


def test_what_cannot_be_stored_is_refused(folder):
    with pytest.raises(TypeError, match="a recipe must be a dataclass instance"):
        checkpoints.store(folder / "some.npz", {"seed": {}})
    with pytest.raises(ValueError, match="must not be 'recipe' or end in _0: 'theta_1'"):
        checkpoints.store(folder / "some.npz", {Recipe(): {"theta_1": np.ones(1)}})
