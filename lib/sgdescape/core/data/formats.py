"""Readers of the file formats that image sets come in: idx (MNIST) and CIFAR-10's binary records.

Both take bytes and check every number of the header against what follows, because a file that
was cut off while it was copied is otherwise read as a smaller, equally plausible data set.
"""

import gzip
import io
import math
import tarfile
import zlib

import numpy as np

from sgdescape.core.doors import door

__all__ = ["gunzip", "parse_cifar10", "parse_cifar10_archive", "parse_idx"]

IDX_UINT8 = 0x08  # the idx type code of unsigned bytes, the only one these sets use
CIFAR_SHAPE = (3, 32, 32)
CIFAR_RECORD = 1 + math.prod(CIFAR_SHAPE)  # a label byte, then red, green and blue planes


@door
def gunzip(content: bytes, *, name: str, limit: int) -> bytes:
    """Return the unpacked bytes of a gzip file, or ``content`` itself if it is not gzip.

    Args:
        content: a file's bytes.
        name: the file's name, for messages.
        limit: most bytes the unpacked file may have; more is refused before it fills the memory.

    Raises:
        ValueError: if the gzip stream is damaged or cut off, or unpacks to more than ``limit``.

    Example:
        >>> gunzip(gzip.compress(b"abc"), name="a.gz", limit=3)
        b'abc'
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            unpacked = stream.read(limit + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{name} is truncated or corrupt: {error}") from error
    if len(unpacked) > limit:
        raise ValueError(f"{name} must unpack to at most {limit} bytes: got more")
    return unpacked


@door
def parse_idx(content: bytes, *, name: str, dimensions: int) -> np.ndarray:
    """Read one array of unsigned bytes in idx format.

    The header is two zero bytes, a type code, the number of dimensions and then each dimension
    as a big-endian 32-bit integer.

    Args:
        content: the (unpacked) file's bytes.
        name: the file's name, for messages.
        dimensions: how many the array must have: 3 for images, 1 for labels.

    Returns:
        The array (uint8), not writable.

    Raises:
        ValueError: if magic number, number of dimensions or size do not fit.

    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), name="labels", dimensions=1)
        array([7, 9], dtype=uint8)
    """
    header = 4 + 4 * dimensions
    magic, expected = content[:4].hex(), bytes([0, 0, IDX_UINT8, dimensions]).hex()
    if magic != expected:
        raise ValueError(f"{name} must start with the idx magic number 0x{expected}: got 0x{magic}")
    if len(content) < header:
        raise ValueError(f"{name} is truncated: idx header has {header} bytes, got {len(content)}")
    shape = tuple(int(size) for size in np.frombuffer(content[4:header], dtype=">u4"))
    held = len(content) - header
    if held != math.prod(shape):
        words = "is truncated" if held < math.prod(shape) else "is too long"
        raise ValueError(
            f"{name} {words}: its header announces {' x '.join(map(str, shape))}"
            f" = {math.prod(shape)} bytes of data, got {held}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


@door
def parse_cifar10(content: bytes, *, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Read records of CIFAR-10's binary version: a label byte, then 3 x 32 x 32 pixel bytes.

    Args:
        content: the bytes of one ``data_batch_?.bin``.
        name: the file's name, for messages.

    Returns:
        Images (n, 3, 32, 32) and labels (n,), uint8.

    Raises:
        ValueError: if it is empty, not a whole number of records, or a label is above 9.

    Example:
        >>> images, labels = parse_cifar10(bytes([6] + [255] * 3072), name="one.bin")
        >>> images.shape, labels
        ((1, 3, 32, 32), array([6], dtype=uint8))
    """
    if not content or len(content) % CIFAR_RECORD:
        raise ValueError(
            f"{name} must hold a whole number of records of {CIFAR_RECORD} bytes, at least one:"
            f" got {len(content)} bytes (truncated, or not CIFAR-10's binary version)"
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, CIFAR_RECORD)
    labels = records[:, 0].copy()
    if labels.max() > 9:
        row = int(np.argmax(labels > 9))
        raise ValueError(f"{name} must have labels in [0, 9]: got {labels[row]} in record {row}")
    return records[:, 1:].reshape(-1, *CIFAR_SHAPE), labels


@door
def parse_cifar10_archive(
    content: bytes, *, name: str, members: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Read CIFAR-10 batches by name out of the ``tar.gz``, without unpacking anything to disk.

    Args:
        content: the archive's bytes.
        name: the archive's name, for messages.
        members: the files in it to read, in this order.

    Returns:
        Images (n, 3, 32, 32) and labels (n,), uint8, of all members together.

    Raises:
        ValueError: if the archive is damaged or a member is missing or not a regular file.
    """
    parts = []
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            for member in members:
                try:
                    entry = archive.getmember(member)
                except KeyError:
                    raise ValueError(f"{name} must hold the file {member!r}: not found") from None
                if not entry.isreg():  # never follow a link out of the archive
                    raise ValueError(f"{name}: {member!r} must be a regular file, not a link")
                batch = archive.extractfile(entry).read()
                parts.append(parse_cifar10(batch, name=f"{name}:{member}"))
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{name} is truncated or corrupt: {error}") from error
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
