"""Files of weights: a run's own checkpoints, with a checksum, and those of other programs.

A checkpoint holds tensors, numbers and text and a SHA-256 over all of them, so that a flipped bit
is seen and a half-written file never appears. Of other programs' files the usual wrappers and
prefixes are taken off; what is no state dictionary of the network is refused in one sentence.
"""

import hashlib
import io
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

__all__ = ["load_foreign", "read_checkpoint", "write_checkpoint", "write_whole"]

PREFIXES = ("module.", "_orig_mod.")  # of DataParallel, and of torch.compile
WRAPPERS = ("state_dict", "model_state_dict", "model")
_SUM = "sha256"
_POINTER = b"version https://git-lfs"


def write_whole(path: Path, write: Callable) -> None:
    """Let ``write(file)`` fill a new file, flush it to the disk, then give it its name.

    Args:
        path: of the file; one that is there is replaced.
        write: takes an open binary file.

    Raises:
        OSError: if it cannot be written; what was there before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_checkpoint(path: Path, content: dict) -> None:
    """Write a checkpoint with its checksum, all or nothing.

    Args:
        path: of the file.
        content: names -> tensors, numbers, texts, or lists and dictionaries of them.

    Raises:
        OSError: if it cannot be written; an earlier checkpoint is untouched.
    """
    buffer = io.BytesIO()
    torch.save(content | {_SUM: _digest(content)}, buffer)
    write_whole(path, lambda file: file.write(buffer.getbuffer()))


def read_checkpoint(path: Path, *, device="cpu") -> dict:
    """Return what a checkpoint holds.

    Args:
        path: of the file.
        device: of its tensors.

    Raises:
        ValueError: if it is damaged, or was written without a checksum.
    """
    try:
        found = torch.load(path, map_location=device, weights_only=True)
        stored = found.pop(_SUM)
        right = stored == _digest(found)
    except Exception as error:  # damaged bytes raise whatever zip, pickle and torch meet
        raise ValueError(_damaged(path, type(error).__name__)) from error
    if not right:
        raise ValueError(_damaged(path, "its checksum does not match"))
    return found


def load_foreign(model: nn.Module, path: str | Path) -> None:
    """Write the weights of a file into a model.

    The file is ``torch.save`` of a state dictionary, perhaps inside {"state_dict": ...}, with
    names that may begin with "module." or "_orig_mod.".

    Args:
        model: whose parameters and statistics are overwritten.
        path: of the file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds anything else, or weights of another network.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"start must be a file of weights: there is no {path}")
    with open(path, "rb") as file:
        head = file.read(len(_POINTER))
    if not head:
        raise ValueError(f"start must be a file of weights: {path} is empty")
    if head == _POINTER:
        raise ValueError(f"start must be a file of weights: {path} is a pointer of Git LFS")
    device = next(model.parameters()).device
    try:
        found = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # as above
        raise ValueError(
            f"start must be torch.save of a state dictionary, tensors only: {path} cannot be read "
            f"by torch {torch.__version__} ({type(error).__name__}); save model.state_dict()"
        ) from error
    _fit(model, _unwrapped(found, path), path)


def _unwrapped(found, path):
    """The state dictionary inside the usual wrappers, its names without the usual prefixes."""
    for name in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    tensors = isinstance(found, Mapping) and all(isinstance(v, Tensor) for v in found.values())
    if not tensors or not found:
        raise ValueError(
            f"start must hold a state dictionary, names -> tensors: {path} holds a "
            f"{type(found).__name__}"
        )
    for prefix in PREFIXES * 2:  # either may be the outer one
        if all(name.startswith(prefix) for name in found):
            found = {name.removeprefix(prefix): value for name, value in found.items()}
    return found


def _fit(model, found, path):
    """Load a state dictionary, or say what first does not fit."""
    own = model.state_dict()
    counters = [name for name in own if name.endswith("num_batches_tracked")]  # not in old files
    found = {name: own[name] for name in counters} | found
    missing, unknown = sorted(own.keys() - found), sorted(found.keys() - own)
    if missing or unknown:
        raise ValueError(
            f"start must hold the weights of this network: {path} lacks {missing[:3]} and has "
            f"{unknown[:3]} beside it"
        )
    for name, value in found.items():
        if value.shape != own[name].shape:
            raise ValueError(
                f"start must hold {name} of shape {tuple(own[name].shape)}: {path} has "
                f"{tuple(value.shape)}"
            )
        if not torch.isfinite(value).all():
            raise ValueError(f"start must hold finite weights: {name} of {path} has NaN or inf")
    model.load_state_dict(found)


def _damaged(path, reason):
    return (
        f"checkpoint {path} is damaged ({reason}): remove it to start again, or put back a copy "
        "of it"
    )


def _digest(content) -> str:
    total = hashlib.sha256()
    _add(total, content)
    return total.hexdigest()


def _add(total, value):
    """Add a value with its type, so that no two contents are the same bytes."""
    if isinstance(value, Tensor):
        plain = value.detach().cpu().contiguous()
        total.update(f"{plain.dtype}{tuple(plain.shape)}".encode())
        total.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    elif isinstance(value, Mapping):
        total.update(f"map {len(value)}".encode())
        for name in sorted(value):
            total.update(name.encode() + b"\0")
            _add(total, value[name])
    elif isinstance(value, (list, tuple)):
        total.update(f"list {len(value)}".encode())
        for item in value:
            _add(total, item)
    else:
        total.update(f"{type(value).__name__} {value!r}\0".encode())
