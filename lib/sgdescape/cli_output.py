"""What the command line writes: results, checked before the run, whole, never lost; messages."""

import functools
import importlib.util
import os
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

import typer

from sgdescape import cli_config

__all__ = ["check_target", "keep", "message", "reported", "save"]


def check_target(out: Path, *, overwrite: bool) -> None:
    """Refuse a target that cannot be written before the run, not after it.

    Args:
        out: of the result.
        overwrite: whether a file of that name is replaced.

    Raises:
        typer.BadParameter: if a result could not be written there.
    """
    if importlib.util.find_spec("netCDF4") is None:
        raise typer.BadParameter("--out needs the package netCDF4: python -m pip install netCDF4")
    try:
        there = out.exists()
        if out.is_dir() or not out.absolute().parent.is_dir():
            raise typer.BadParameter(f"--out must name a file in an existing folder: got {out}")
    except (OSError, ValueError) as error:  # too long, or with characters that no name has
        reason = getattr(error, "strerror", None) or error
        raise typer.BadParameter(f"--out must name a file: got {out} ({reason})") from error
    if there and not out.is_file():
        raise typer.BadParameter(f"--out must name a regular file: got {out}")
    if there and not overwrite:
        raise typer.BadParameter(f"--out exists: {out}; give --overwrite to replace it")
    try:
        with tempfile.TemporaryFile(dir=out.resolve().parent):
            pass
    except OSError as error:
        raise typer.BadParameter(
            f"--out must lie in a folder that can be written: got {out} ({error.strerror})"
        ) from error


def save(dataset, path: Path, *, overwrite: bool = True) -> None:
    """Write a data set as netCDF: under a temporary name first, so that no half file appears.

    Args:
        dataset: xarray data set; attributes that netCDF cannot hold are written as JSON.
        path: of the file; its folder must exist.
        overwrite: whether a file of that name is replaced.

    Raises:
        FileExistsError: if there is one, and it is not to be replaced.
        OSError: if it cannot be written; a file of that name is then untouched.
    """
    path = Path(path).resolve()  # a link stays one: the file that it names is replaced
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    plain = dataset.copy()
    plain.attrs = cli_config.flat(dataset.attrs)
    for name in plain.variables:
        plain[name].attrs = cli_config.flat(plain[name].attrs)
    try:
        plain.to_netcdf(temporary, engine="netcdf4")
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        if overwrite:
            os.replace(temporary, path)
        else:
            _move_without_replacing(temporary, path)
    except RuntimeError as error:  # what the library makes of a full disk
        raise OSError(f"{path} cannot be written ({error}): is the disk full?") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def keep(dataset, out: Path, *, overwrite: bool) -> None:
    """Write a result where it was asked for; if that fails, beside it or in the temporary folder.

    Args:
        dataset: the result.
        out: where it was asked for.
        overwrite: whether a file of that name is replaced.

    Raises:
        SystemExit: with 1, after a message that says where it is, if it is not ``out``.
        OSError: if it could be written nowhere.
    """
    try:
        save(dataset, out, overwrite=overwrite)
        return
    except OSError as error:
        reason = f"--out exists by now: {out}" if isinstance(error, FileExistsError) else str(error)
    for folder in (out.absolute().parent, Path(tempfile.gettempdir())):
        other = folder / f"{out.stem[:100]}-{uuid.uuid4().hex[:8]}.nc"
        try:
            save(dataset, other, overwrite=False)
        except OSError:
            continue
        typer.echo(f"error: {reason}; the result is kept as {other}", err=True)
        raise SystemExit(1)
    raise OSError(f"{reason}; and nowhere else")


def _move_without_replacing(source: Path, target: Path) -> None:
    """Give a finished file its name, unless another has it."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # no links on this disk: the name is taken first
        with open(target, "xb"):
            pass
        os.replace(source, target)


_FAILURES = (ValueError, ArithmeticError, OSError, RuntimeError, AssertionError)
"""What a command reports in a line; divergence is of the second kind, ClaimError of the last."""


def reported(command):
    """Return a command that turns expected failures into one line on stderr and exit code 1."""

    @functools.wraps(command)
    def wrapped(*arguments, **options):
        try:
            return command(*arguments, **options)
        except typer.Exit:
            raise
        except KeyboardInterrupt:
            message("interrupted")
            raise SystemExit(130) from None
        except _FAILURES as error:
            if isinstance(error, typer.Abort):
                raise
            message(f"error: {error}")
            raise SystemExit(1) from error

    return wrapped


def message(text: str) -> None:
    """Write one line to stderr."""
    typer.echo(text, err=True)
