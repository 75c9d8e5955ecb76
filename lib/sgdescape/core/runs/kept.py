"""Results of large runs that are kept in ``results/``: written once, read back only as they were.

A chapter pins the SHA-256 of its file. Another file in its place, a damaged one or a pointer of
Git LFS is refused, so that no page shows numbers of a run other than the one that it names.
"""

import hashlib
import json
from pathlib import Path

import xarray as xr

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.roots import PROJECT

__all__ = ["FOLDER", "load", "same_settings", "save"]

FOLDER = PROJECT / "results"
"""Of a checkout; an installed package has none."""


@door
def load(path: str | Path, *, sha256: str | None) -> xr.Dataset:
    """Return a kept result.

    Args:
        path: of the netCDF file.
        sha256: of its bytes; None for a file that is not kept yet.

    Returns:
        The dataset, in memory.

    Raises:
        FileNotFoundError: if the file is not there.
        ValueError: if it is another file, is no netCDF file or holds no provenance.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path must be part of a checkout of the book's repository: there is no {path}"
        )
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise ValueError(
            f"{path} is not the result that this version of the book was written with: SHA-256 "
            f"must be {sha256}, got {found}; restore it with git, or pin the new one's SHA-256"
        )
    try:
        with xr.open_dataset(path, engine="netcdf4") as opened:
            dataset = opened.load()
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no netCDF file: {error}") from error
    missing = [name for name in ("config", "cost") if name not in dataset.attrs]
    if sha256 is not None and missing:
        raise ValueError(f"{path} holds no provenance: no attribute {missing[0]!r}")
    return dataset


@door
def save(dataset: xr.Dataset, path: str | Path, *, cost: str, encoding=None) -> str:
    """Write a result to be kept, compressed; return its SHA-256, to be pinned.

    Args:
        dataset: with the configuration in its attributes.
        path: of the file.
        cost: on what, and how long, in words.
        encoding: of single variables, added to the compression.

    Raises:
        ValueError: if the dataset holds no configuration.
    """
    if "config" not in dataset.attrs:
        raise ValueError("a result to be kept must hold its configuration: no attribute 'config'")
    path = Path(path)
    own = {n: {"zlib": True, "complevel": 9} | (encoding or {}).get(n, {}) for n in dataset}
    dataset.assign_attrs(cost=cost).to_netcdf(path, engine="netcdf4", encoding=own)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@door
def same_settings(dataset: xr.Dataset, fields: dict, *, except_for=()) -> None:
    """Refuse a result that was made with other settings than those that are asked for.

    Args:
        dataset: with the configuration in its attributes.
        fields: of the configuration that the result should have.
        except_for: names of fields that may differ.

    Raises:
        ValueError: naming the first field that differs, with both values.
    """
    except_for = validate.row("except_for", except_for, least=0)
    stored = json.loads(dataset.attrs["config"])
    wanted = json.loads(json.dumps(fields))  # tuples as JSON has them
    for name in sorted((stored.keys() | wanted.keys()) - set(except_for)):
        one, other = stored.get(name), wanted.get(name)
        if one != other:
            raise ValueError(f"the result was made with {name} = {one!r}, not {other!r}")
