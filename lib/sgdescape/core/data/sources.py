"""Where to look for the image sets' files, and how to get them; which they are says `pinned`."""

import hashlib
import io
import os
import tempfile
import threading
from importlib import resources
from pathlib import Path

import numpy as np

from sgdescape.core import validate
from sgdescape.core.data import formats
from sgdescape.core.data.pinned import CIFAR_MEMBERS, SOURCES, Pinned
from sgdescape.core.doors import door

__all__ = [
    "default_folder",
    "download",
    "find",
    "read_bundled",
    "read_folder",
    "searched",
]

VARIABLE = "SGDESCAPE_DATA"
_PATIENCE = 60  # seconds that a mirror has in any case, and
_SLOWEST = 100_000  # bytes a second that it must serve on the average
SYSTEM_FOLDERS = (Path("/usr/share/datasets"),)  # Debian's package dataset-fashion-mnist


_KINDS = (  # first bytes of files that are found in the place of others
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
    (b"pk\x03\x04", "a zip archive: unpack it"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
)


def default_folder() -> Path:
    """Return where downloads go: ``$SGDESCAPE_DATA``, or the user's cache folder."""
    import pooch  # imported where needed: it takes longer to load than the bundled images

    return Path(os.environ.get(VARIABLE) or pooch.os_cache("sgdescape"))


@door
def find(name: str, *, data_dir: str | Path | None = None) -> Path | None:
    """Return the folder that holds the full data set, or None. Looks at names only, reads nothing.

    Args:
        name: key of `SOURCES`.
        data_dir: the one folder to look in; None for `default_folder`, then the system's.

    Raises:
        TypeError: if ``data_dir`` is not a path.

    Example:
        >>> find("mnist", data_dir="/nowhere") is None
        True
    """
    source = SOURCES[name]
    if data_dir is not None and not isinstance(data_dir, (str, Path)):
        raise TypeError(f"data_dir must be a path: got {data_dir!r} of {type(data_dir).__name__}")
    for root in (Path(data_dir),) if data_dir is not None else _roots():
        # the folder itself counts if it is named for this set: mnist and fashion_mnist have
        # files of the same names, so an unnamed folder could be either
        own = [root] if root.name in source.folders else []
        for folder in [*(root / sub for sub in source.folders), *own]:
            if all(_locate(folder, pinned) is not None for pinned in source.files):
                return folder
    return None


@door
def searched(name: str) -> str:
    """Return in words where `find` looks for a set, and which of these folders do not exist.

    Args:
        name: key of `SOURCES`.

    Example:
        >>> "datasets" in searched("mnist")
        True
    """
    places = []
    for root in _roots():
        notes = [VARIABLE] if os.environ.get(VARIABLE) and root == default_folder() else []
        notes += [] if root.is_dir() else ["no such folder"]
        places.append(f"{root} ({', '.join(notes)})" if notes else str(root))
    return f"{' and '.join(places)}, there in {', '.join(SOURCES[name].folders)}"


def _roots():
    """Data folders in the order in which they are searched."""
    return default_folder(), *SYSTEM_FOLDERS


@door
def read_bundled(name: str) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Return images, labels and SHA-256 by file of the subset that comes with the package.

    Args:
        name: key of `SOURCES` that has a bundled subset.

    Raises:
        ValueError: if the file is missing or is not the one the package was released with.
    """
    file = f"{name}.npz"
    try:
        content = resources.files("sgdescape").joinpath("bundled", file).read_bytes()
    except OSError as error:
        raise ValueError(f"bundled {file} cannot be read: {error}; reinstall sgdescape") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SOURCES[name].bundled:
        raise ValueError(
            f"bundled {file} is corrupt: SHA-256 must be {SOURCES[name].bundled}, got {found};"
            " reinstall sgdescape"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"], {file: found}


@door
def read_folder(name: str, folder: Path) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Return images (n, ...), labels (n,) and SHA-256 by file of the full set in ``folder``.

    Args:
        name: key of `SOURCES`.
        folder: what `find` returned.

    Raises:
        ValueError: if a file is missing, truncated, corrupt or not the published one.
    """
    pins = SOURCES[name].files
    contents = [_verified(folder, pinned) for pinned in pins]
    hashes = {pinned.name: pinned.content for pinned in pins}
    if name == "cifar10":
        images, labels = formats.parse_cifar10_archive(
            contents[0], name=str(folder / pins[0].name), members=CIFAR_MEMBERS
        )
    else:
        images, labels = (
            formats.parse_idx(content, name=str(folder / pinned.name), dimensions=dimensions)
            for content, pinned, dimensions in zip(contents, pins, (3, 1), strict=True)
        )
    return images, labels, hashes


@door
def download(name: str, folder: str | Path | None = None) -> Path:
    """Fetch the full data set from the first mirror that serves the published files.

    Files that are already there and right are kept; a file is put in place only when it is
    complete and its SHA-256 is right, so that an interruption leaves nothing half-written.

    Args:
        name: "mnist", "fashion_mnist" or "cifar10".
        folder: data folder; the set goes into a folder of its own in it. None: `default_folder`.

    Returns:
        The folder that now holds the set.

    Raises:
        ValueError: for an unknown name.
        OSError: if the folder cannot be written, or no mirror serves the right file.
    """
    validate.one_of("name", name, SOURCES)
    root = Path(folder) if folder is not None else default_folder()
    target = root / SOURCES[name].folders[0]
    _writable(target)
    for pinned in SOURCES[name].files:
        try:
            _verified(target, pinned)
        except ValueError:
            _fetch(pinned, SOURCES[name].mirrors, target)
    return target


def _fetch(pinned: Pinned, mirrors: tuple[str, ...], target: Path) -> None:
    import pooch
    import requests

    most = _PATIENCE + pinned.size / _SLOWEST
    failures = []
    for mirror in mirrors:
        try:
            pooch.retrieve(
                mirror + pinned.name,
                known_hash=f"sha256:{pinned.packed}",
                fname=pinned.name,
                path=target,
                downloader=_in_time(pooch.HTTPDownloader(timeout=30), most),
            )
            return
        except (ValueError, TimeoutError, requests.RequestException) as error:  # wrong, or late
            failures.append(f"{mirror}: {error}")
    raise OSError(
        f"{pinned.name}: none of {len(mirrors)} mirrors served it: " + "; ".join(failures)
    )


def _in_time(download, seconds: float):
    """A downloader that gives up after so many seconds, however small the pieces that arrive.

    A time limit of the connection alone does not end what comes in at 5 bytes a second.
    """

    def limited(url, output_file, pooch):
        result: list = []
        stop = threading.Event()

        def fetch():
            try:
                download(url, output_file, pooch)
                result.append(None)
            except BaseException as error:
                result.append(error)
            stop.set()

        threading.Thread(target=fetch, daemon=True).start()
        if not stop.wait(seconds):
            raise TimeoutError(f"not complete after {seconds:.0f} s")
        if result[0] is not None:
            raise result[0]

    return limited


def _writable(folder: Path) -> None:
    """Refuse early, before minutes of download, and leave nothing behind."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"data folder {folder} cannot be written ({error.strerror or error}):"
            f" set data_dir or the variable {VARIABLE} to a folder that can"
        ) from error


def _locate(folder: Path, pinned: Pinned) -> Path | None:
    for candidate in (folder / pinned.name, folder / pinned.name.removesuffix(".gz")):
        if candidate.is_file():
            return candidate
    return None


def _verified(folder: Path, pinned: Pinned) -> bytes:
    """Return the content of a pinned file (unpacked, for idx), or say what is wrong with it."""
    path = _locate(folder, pinned)
    if path is None:
        raise ValueError(f"{folder} must hold {pinned.name}: not found")
    content = path.read_bytes()
    _named_for_what_it_is(path, content, pinned)
    if not pinned.name.endswith(".tar.gz"):
        content = formats.gunzip(content, name=str(path), limit=pinned.size)
        _named_for_what_it_is(path, content, pinned)
    if len(content) < pinned.size:
        raise ValueError(f"{path} is truncated: must hold {pinned.size} bytes, got {len(content)}")
    found = hashlib.sha256(content).hexdigest()
    if found != pinned.content:
        raise ValueError(
            f"{path} is not the published file: SHA-256 of its content must be {pinned.content},"
            f" got {found}"
        )
    return content


def _named_for_what_it_is(path: Path, content: bytes, pinned: Pinned) -> None:
    """Refuse what is plainly another kind of file, by its first bytes."""
    head = content[:80].lstrip().lower()
    kinds = [what for start, what in _KINDS if head.startswith(start)]
    others = [p for s in SOURCES.values() for p in s.files if p.size == len(content)]
    if not kinds and others and pinned.size != len(content):
        if hashlib.sha256(content).hexdigest() in {p.content for p in others}:
            kinds = [f"the content of {others[0].name}"]
    if kinds:
        raise ValueError(f"{path} must be {pinned.name} as published: it is {kinds[0]}")
