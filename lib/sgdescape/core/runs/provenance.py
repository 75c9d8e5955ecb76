"""Where a result comes from: configuration, versions, machine, time. For the attributes of data."""

import json
import platform
import subprocess
import sys
from dataclasses import asdict, is_dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from sgdescape.core import roots, validate
from sgdescape.core.doors import door

__all__ = ["commit", "device_name", "package_version", "processor", "record", "settings", "to_json"]

PACKAGES = ("numpy", "scipy", "torch", "xarray", "numba")


def record(config, *, seconds: float, device: str = "cpu") -> dict:
    """Return the provenance of a result as flat texts and numbers, fit for netCDF attributes.

    It names no path, user or host: results are published with it.

    Args:
        config: the frozen dataclass that the experiment ran with; its ``seed``, if it has one,
            is repeated as an own entry.
        seconds: duration of the run by the clock.
        device: torch device of the run, for example "cpu" or "cuda:0".

    Returns:
        Keys ``config`` (JSON), ``config_class``, ``seed``, ``seconds``, ``device``, ``processor``,
        ``threads``, ``commit``, ``sgdescape``, ``python`` and one for each of `PACKAGES`.

    Raises:
        TypeError: if the configuration is not a dataclass, or holds what JSON cannot.
        ValueError: if the duration is negative.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Config:
        ...     batch_size: int = 100
        ...     seed: int = 7
        >>> found = record(Config(), seconds=1.25)
        >>> found["config"], found["seed"]
        ('{"batch_size": 100, "seed": 7}', 7)
    """
    if not is_dataclass(config) or isinstance(config, type):
        raise TypeError(f"config must be a dataclass instance: got {type(config).__name__}")
    fields = asdict(config)
    seed = {"seed": int(fields["seed"])} if fields.get("seed") is not None else {}
    return {
        "config": to_json(fields),
        "config_class": f"{type(config).__module__}.{type(config).__qualname__}",
        **seed,
        "seconds": round(validate.non_negative("seconds", seconds), 3),
        "device": device_name(device),
        "processor": processor(),
        "threads": _threads(),
        "commit": commit(),
        "sgdescape": package_version("sgdescape"),
        "python": platform.python_version(),
        **{name: package_version(name) for name in PACKAGES},
    }


def settings(dataset) -> SimpleNamespace:
    """Return the configuration that a result was made with, from the result itself.

    Args:
        dataset: with the attribute ``config`` of `record`, or of `to_json` of a configuration.

    Returns:
        The fields as attributes; lists of JSON come back as tuples.

    Raises:
        ValueError: if the dataset holds no configuration.

    Example:
        >>> import xarray as xr
        >>> settings(xr.Dataset(attrs={"config": '{"batches": [1, 2], "seed": 7}'})).batches
        (1, 2)
    """
    if not hasattr(dataset, "attrs"):
        raise TypeError(f"dataset must be an xarray.Dataset: got {type(dataset).__name__}")
    if "config" not in dataset.attrs:
        raise ValueError("the dataset holds no configuration: no attribute 'config'")
    return SimpleNamespace(**_tuples(json.loads(dataset.attrs["config"])))


@door
def to_json(fields) -> str:
    """Return nested dictionaries, tuples, numbers and texts as one line of JSON.

    Args:
        fields: what to write; NumPy numbers and arrays are written as plain ones.

    Returns:
        The JSON text; keys keep their order.

    Raises:
        TypeError: if something has no JSON form.
    """
    return json.dumps(fields, default=_plain, ensure_ascii=False)


@cache
def processor() -> str:
    """Return the processor's name as the system gives it, or its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


@cache
def commit() -> str:
    """Return the commit of the source (with "+" if it was changed since), or "release x.y.z".

    Only a checkout of this package counts: an installed copy inside somebody else's repository
    does not.
    """
    root = roots.PROJECT
    if not (root / ".git").exists() or not (root / "lib" / "sgdescape").is_dir():
        return f"release {package_version('sgdescape')}"
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", "lib")
    except (OSError, subprocess.SubprocessError):  # no git, or a checkout it refuses to read
        return f"release {package_version('sgdescape')}"
    return head + ("+" if changed else "")


def device_name(device) -> str:
    """Return the torch device with the accelerator's name, for example "cuda:0 (NVIDIA H200)"."""
    if str(device) == "cpu":
        return "cpu"
    import torch  # seconds: only where it computed

    try:
        device = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device must be one that torch knows: got {device!r}") from error
    if device.type == "cuda" and torch.cuda.is_available():
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return str(device)


def _threads():
    """Threads of torch where it is in use; else what is computed here has one."""
    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch else 1


def _git(root, *arguments):
    # Without optional locks: a run that is killed here must not leave the checkout locked.
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()


@door
def package_version(package: str) -> str:
    """Return the installed version of a package, or "not installed"."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _tuples(value):
    if isinstance(value, list):
        return tuple(_tuples(v) for v in value)
    return {k: _tuples(v) for k, v in value.items()} if isinstance(value, dict) else value


def _plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if type(value).__module__ == "torch" and type(value).__name__ in ("dtype", "device"):
        return str(value)
    raise TypeError(f"a configuration cannot hold a {type(value).__name__}: {value!r}")
