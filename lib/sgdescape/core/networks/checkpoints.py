"""Checkpoints that are kept with the package: parameters by the recipe that made them.

One npz file holds several, without pickles; a chapter pins its SHA-256, so that a file that was
exchanged or damaged is refused before a number is read from it.
"""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from sgdescape.core.doors import door

__all__ = ["bundled", "store"]


@door
def bundled(file: str, *, sha256: str, recipe: type) -> dict:
    """Return the checkpoints of one of the package's own files.

    Args:
        file: its name in ``sgdescape/bundled``, for example "neural_network.npz".
        sha256: of its bytes, as `store` returned it.
        recipe: frozen dataclass of what made them; its fields hold what JSON can.

    Returns:
        Recipe -> its arrays by name, in the order in which they were stored.

    Raises:
        ValueError: if the file is missing, is another one, or holds recipes with other fields.
    """
    try:
        content = (resources.files("sgdescape") / "bundled" / file).read_bytes()
    except OSError as error:
        raise ValueError(f"bundled {file} cannot be read: {error}; reinstall sgdescape") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"bundled {file} is corrupt: SHA-256 must be {sha256}, got {found}; reinstall sgdescape"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return _parsed(arrays, file, recipe)


@door
def store(path: str | Path, checkpoints: Mapping) -> str:
    """Write checkpoints to one file, all or nothing; return its SHA-256.

    Args:
        path: of the file; one that is there is replaced.
        checkpoints: recipe -> its arrays by name.

    Raises:
        TypeError: if a recipe is not a dataclass, or an array holds Python objects.
        ValueError: if the name of an array cannot be told from the file's own.
    """
    content = {"count": np.array(len(checkpoints))}
    for index, (recipe, arrays) in enumerate(checkpoints.items()):
        if not is_dataclass(recipe) or isinstance(recipe, type):
            raise TypeError(f"a recipe must be a dataclass instance: got {recipe!r}")
        content[f"recipe_{index}"] = np.array(json.dumps(asdict(recipe)))
        for name, values in arrays.items():
            values = np.asarray(values)
            if values.dtype.hasobject:
                raise TypeError(f"{name!r} must be an array of numbers: got objects")
            if name == "recipe" or name.rpartition("_")[2].isdigit():
                raise ValueError(f"name of an array must not be 'recipe' or end in _0: {name!r}")
            content[f"{name}_{index}"] = values
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **content)
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(part, "wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


def _parsed(arrays, file, recipe):
    """The checkpoints of an open file by recipe."""
    found = {}
    for index in range(int(arrays["count"])):
        fields = json.loads(str(arrays[f"recipe_{index}"]))
        try:
            made_by = recipe(**{name: _tuples(value) for name, value in fields.items()})
        except TypeError as error:
            raise ValueError(
                f"{file} was made by a recipe with other fields than {recipe.__name__}: {error}"
            ) from error
        names = (name.rpartition("_") for name in arrays.files)
        found[made_by] = {
            name: arrays[f"{name}_{index}"]
            for name, _, number in names
            if number == str(index) and name != "recipe"
        }
    return found


def _tuples(value):
    """A value from JSON as a frozen dataclass holds it: lists as tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
