"""The papers' image sets as tensors: MNIST, Fashion-MNIST and CIFAR-10 (training images only).

Looked for in this order: the 5,000 images bundled with the package (MNIST, Fashion-MNIST), a data
folder (argument, ``SGDESCAPE_DATA``, the user's cache, Debian's package), a download - the last
only when asked for in so many words. Every file is checked against its SHA-256 before it is used,
and `Dataset.provenance` says which one it was.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sgdescape.core import validate
from sgdescape.core.data import sources as data_sources
from sgdescape.core.data.pinned import SOURCES
from sgdescape.core.doors import door

__all__ = ["Dataset", "available", "load", "origin"]

NAMES = tuple(SOURCES)
TASKS = ("parity", "one_hot")
CLASSES = 10
BUNDLED = 5_000  # images of each bundled subset
MISSING = "missing"  # what `available` says of a set that load() could not get


@dataclass(frozen=True)
class Dataset:
    """Images and what a network is to say of them."""

    inputs: torch.Tensor  # (n, features), or (n, channels, height, width): pixels / 255, in [0, 1]
    targets: torch.Tensor  # (n,) in {-1, +1} for "parity", (n, 10) for "one_hot"
    labels: torch.Tensor  # (n,) int64, class labels in [0, 9]
    provenance: dict  # name, source, sha256 by file, n, seed, task, total


@door
def load(
    name: str,
    *,
    n: int | None = None,
    subset: bool = False,
    seed: int | None = None,
    task: str = "parity",
    images: bool = False,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
    data_dir: str | Path | None = None,
    download: bool = False,
) -> Dataset:
    """Load ``n`` training images of a set, with pixels in [0, 1].

    Targets: y = +1 for an even and -1 for an odd class (Mori et al., Section 5.1), or the
    standard basis vector of the class.

    The bundled 5,000 images serve every n up to 5,000, so that a result does not depend on what
    else a machine has; more, or the full set, comes from a data folder. Nothing shrinks by itself:
    whoever asks for the full set and would be content with the bundled images says so.

    Args:
        name: "mnist", "fashion_mnist" or "cifar10".
        n: number of images; None for the full set.
        subset: let None take the bundled images where the full set is not on this machine.
        seed: None takes the first n in file order; an integer draws n without replacement.
            (The bundled MNIST images lie in a fixed random order, not in that of the full set.)
        task: "parity" or "one_hot".
        images: False gives rows of pixels (n, features), True gives (n, channels, height, width).
        dtype: floating type of inputs and targets.
        device: of all tensors; "auto" is CUDA where there is one.
        data_dir: a data folder; if given, it is used even where the bundled images would do.
        download: allow the network, for a set that is not on this machine.

    Returns:
        The images, targets, labels and provenance.

    Raises:
        TypeError: for an argument of the wrong type.
        ValueError: for an unknown name or task, n or seed out of range, or a file that is
            truncated, corrupt or not the published one.
        FileNotFoundError: if the set is nowhere on this machine and ``download`` is False; the
            message says where it was looked for.
        OSError: if a download fails or has nowhere to go.

    Example:
        >>> data = load("mnist", n=100)
        >>> data.inputs.shape, data.targets[:4], data.labels[:4]
        (torch.Size([100, 784]), tensor([-1., -1., -1.,  1.]), tensor([7, 1, 3, 4]))
        >>> data.provenance["source"]
        'bundled'
    """
    validate.one_of("name", name, NAMES)
    validate.one_of("task", task, TASKS)
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(
            f"dtype must be a floating torch.dtype such as torch.float32: got {dtype!r}"
        )
    if n is not None:
        validate.count("n", n, high=SOURCES[name].total)
    if seed is not None:
        validate.count("seed", seed, low=0, high=2**64 - 1)
    place = validate.device(device)

    pixels, labels, source, hashes = _read(
        name, n=n, subset=subset, data_dir=data_dir, download=download
    )
    total = len(labels)
    if seed is not None:
        draw = np.random.Generator(np.random.Philox(key=seed))
        chosen = draw.choice(total, size=n or total, replace=False)
    else:
        chosen = slice(n)
    pixels = np.array(pixels[chosen])  # a copy: the file's own bytes are read-only
    labels = torch.from_numpy(labels[chosen].astype(np.int64))

    # one image in the folder's layout is (height, width) or (channels, height, width)
    shape = (len(pixels), -1, *pixels.shape[-2:]) if images else (len(pixels), -1)
    inputs = torch.from_numpy(pixels).to(place, dtype).div_(255)
    return Dataset(
        inputs=inputs.reshape(shape),
        targets=_targets(labels, task).to(place, dtype),
        labels=labels.to(place),
        provenance={
            "name": name,
            "source": source,
            "sha256": hashes,
            "n": len(labels),
            "seed": seed,
            "task": task,
            "total": total,
        },
    )


@door
def origin(data: Dataset) -> dict:
    """Return where images come from, for the provenance of a result: no path, as it is published.

    Args:
        data: of `load`.

    Returns:
        Keys ``source`` ("bundled" or "data folder"), ``sha256`` by file, ``n`` and ``total``.

    Example:
        >>> origin(load("mnist", n=100))["source"]
        'bundled'
    """
    found = {key: data.provenance[key] for key in ("source", "sha256", "n", "total")}
    return found | ({} if found["source"] == "bundled" else {"source": "data folder"})


@door
def available(
    name: str, *, n: int | None = None, subset: bool = False, data_dir: str | Path | None = None
) -> str:
    """Return which source `load` would use without a download, for pages and captions.

    Args:
        name: "mnist", "fashion_mnist" or "cifar10".
        n: number of images wanted; None for the full set.
        subset: as in `load`.
        data_dir: as in `load`.

    Returns:
        "bundled", the folder's path, or "missing".

    Raises:
        ValueError: for an unknown name or n out of range.

    Example:
        >>> available("mnist", n=1000), available("cifar10", data_dir="/nowhere")
        ('bundled', 'missing')
    """
    validate.one_of("name", name, NAMES)
    if n is not None:
        validate.count("n", n, high=SOURCES[name].total)
    bundle = SOURCES[name].bundled is not None
    if bundle and data_dir is None and n is not None and n <= BUNDLED:
        return "bundled"
    folder = data_sources.find(name, data_dir=data_dir)
    if folder is not None:
        return str(folder)
    return "bundled" if bundle and data_dir is None and n is None and subset else MISSING


def _read(name, *, n, subset, data_dir, download):
    """Return pixels (uint8), labels (uint8), the source's name and hashes by file."""
    source = available(name, n=n, subset=subset, data_dir=data_dir)
    # n=None with download=True asks for the full set, which the bundled subset is not
    if download and (source == MISSING or (source == "bundled" and n is None)):
        source = str(data_sources.download(name, data_dir))
    if source == "bundled":
        pixels, labels, hashes = data_sources.read_bundled(name)
    elif source == MISSING:
        raise _missing(name, n, data_dir)
    else:
        pixels, labels, hashes = data_sources.read_folder(name, Path(source))
    return pixels, labels, source, hashes


def _missing(name: str, n: int | None, data_dir) -> Exception:
    source = SOURCES[name]
    files = " and ".join(pinned.name for pinned in source.files)
    cure = (
        f"get the full set of {source.total} with `sgdescape download {name}` or download=True, or "
        f"name a folder that holds it by data_dir or {data_sources.VARIABLE}"
    )
    if data_dir is not None:
        sub = Path(data_dir) / source.folders[0]
        return FileNotFoundError(f"data_dir must hold {sub}/ with {files}: not found; {cure}")
    looked = f"looked for {files} in {data_sources.searched(name)}"
    if source.bundled is None:
        return FileNotFoundError(f"{name} is not bundled and not on this machine: {looked}; {cure}")
    if n is None:
        return FileNotFoundError(
            f"the full set of {source.total} images of {name} is not on this machine: {looked}; "
            f"{cure}, or accept the bundled {BUNDLED} with subset=True (in configurations: "
            "accept_subset)"
        )
    return ValueError(
        f"n must lie in [1, {BUNDLED}] with the bundled {name}: got {n}; {looked}; {cure}"
    )


def _targets(labels: torch.Tensor, task: str) -> torch.Tensor:
    if task == "one_hot":
        return torch.nn.functional.one_hot(labels, CLASSES)
    return 1 - 2 * (labels % 2)


# Part of this module's face, bound last: above, `download` is the name of an argument.
download = data_sources.download
