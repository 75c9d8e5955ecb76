"""Finished pieces of a long run, one file each: written whole or not at all, checked when read.

A file is a NumPy archive without pickles. It holds the arrays, the identity of the piece as JSON
and a SHA-256 over both, so that a truncated, altered or misnamed file is seen and never used; and
beside them, where the piece comes from.
"""

import hashlib
import io
import json
import os
import platform
import time
import uuid
import warnings
from pathlib import Path

import numpy as np

from sgdescape.core.doors import door

__all__ = [
    "CorruptChunkWarning",
    "StoreError",
    "about",
    "drop_leftovers",
    "name_of",
    "open_store",
    "read",
    "write",
]

_IDENTITY, _DIGEST, _ABOUT = "__identity__", "__sha256__", "__about__"
_STALE = 24 * 3600  # seconds after which a temporary file belongs to a run that was killed


class StoreError(OSError):
    """The store cannot be used; what was written before is complete and stays."""


class CorruptChunkWarning(UserWarning):
    """A stored piece was damaged and is computed again."""


@door
def open_store(folder) -> Path:
    """Create the folder if needed, drop temporary files of runs that were killed, return its path.

    Those of this machine go as soon as their process is gone, others after a day.

    Args:
        folder: where the files lie.

    Returns:
        The folder, absolute.

    Raises:
        StoreError: if it cannot be created or written to.
    """
    folder = Path(folder).absolute()  # workers may stand elsewhere
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drop_leftovers(folder)
        probe = folder / f".{uuid.uuid4().hex}.tmp"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StoreError(
            f"store must be a folder that can be written: {folder}: {error}"
        ) from error
    return folder


@door
def drop_leftovers(folder: Path) -> None:
    """Delete temporary files of processes that are gone, or older than a day.

    Args:
        folder: of a store.

    Raises:
        OSError: if one cannot be deleted.
    """
    for leftover in Path(folder).glob(".*.tmp"):
        if _orphaned(leftover) or time.time() - leftover.stat().st_mtime > _STALE:
            leftover.unlink(missing_ok=True)


@door
def name_of(identity: str) -> str:
    """Return the file name of a piece: the hash of its identity.

    Example:
        >>> name_of('{"seed": 1}')
        'a4bbadc1c78966d28872dbe60ff40cb9.npz'
    """
    return hashlib.sha256(identity.encode()).hexdigest()[:32] + ".npz"


@door
def write(folder: Path, identity: str, arrays: dict, *, about: dict | None = None) -> Path:
    """Write a piece under a temporary name, flush it to the disk, then give it its name.

    Args:
        folder: from `open_store`.
        identity: JSON text that says what the piece is.
        arrays: name -> array without Python objects.
        about: provenance, anything JSON can hold; not part of what the piece is.

    Returns:
        The file.

    Raises:
        StoreError: if it cannot be written (disk full, read-only, gone); no part of it remains.
    """
    folder = Path(folder)
    target = folder / name_of(identity)
    own = f"{_machine()}.{os.getpid()}.{uuid.uuid4().hex}"
    temporary = folder / f".{target.stem}.{own}.tmp"
    buffer = io.BytesIO()
    digest = np.frombuffer(_digest(identity, arrays), dtype=np.uint8)
    beside = {_IDENTITY: identity, _DIGEST: digest, _ABOUT: json.dumps(about or {})}
    np.savez(buffer, **arrays, **{name: np.asarray(value) for name, value in beside.items()})
    try:
        with open(temporary, "wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _flush_folder(folder)
    except OSError as error:
        try:
            temporary.unlink(missing_ok=True)
        except OSError:  # its own folder is gone or a file: nothing of ours is left
            pass
        raise StoreError(
            error.errno,
            f"cannot write a finished piece to {folder}: {error.strerror or error}; the pieces "
            "already there are complete, and the same call continues from them",
        ) from error
    return target


@door
def read(folder: Path, identity: str) -> dict | None:
    """Return the arrays of a piece, or None if it is not there or damaged (then with a warning).

    Args:
        folder: from `open_store`.
        identity: the text it was written with.

    Returns:
        name -> array, or None.
    """
    path = Path(folder) / name_of(identity)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        stored, digest = str(arrays.pop(_IDENTITY)), arrays.pop(_DIGEST).tobytes()
        arrays.pop(_ABOUT, None)
        if stored != identity:
            raise ValueError("it holds another piece")
        if digest != _digest(identity, arrays):
            raise ValueError("its checksum does not match")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception as error:  # zipfile, zlib, struct and NumPy each have their own
        warnings.warn(
            f"{path.name} is damaged and is computed again: {error}",
            CorruptChunkWarning,
            stacklevel=4,  # past the door
        )
        return None
    return arrays


@door
def about(path: Path) -> dict:
    """Return what a stored piece is, under ``identity``, and where it comes from.

    Args:
        path: of its file.

    Returns:
        The provenance it was written with, and its identity as a dictionary or text.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"path must be a piece of a store: there is no {path}")
    with np.load(path, allow_pickle=False) as file:
        identity, found = str(file[_IDENTITY]), json.loads(str(file[_ABOUT]))
    try:
        identity = json.loads(identity)
    except ValueError:
        pass
    return {"identity": identity, **found}


def _machine():
    """This machine in a file name; what lies beside a store's pieces is not published."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _orphaned(temporary):
    """Whether a process of this machine that is gone left this file."""
    *_, machine, process, _, _ = [""] * 4 + temporary.name.split(".")
    if os.name != "posix" or machine != _machine() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is there, and another user's
        pass
    return False


def _digest(identity, arrays):
    total = hashlib.sha256(identity.encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        total.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.digest()


def _flush_folder(folder):
    """Make the new name survive a power cut, where the system lets a folder be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
