"""The command line, generated from the chapter modules: list, run, show, claims, download, data.

A chapter is any part of the package with `QUICK`, `PAPER` and `run`; the fields of its `Config`
become options. Messages and progress go to stderr, results to files. Exit codes: 0 done, 1 it
failed while running, 2 wrong usage, 130 interrupted.
"""

import ast
import functools
import importlib
import inspect
import os
import pkgutil
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

import sgdescape
from sgdescape import cli_config
from sgdescape.core import validate

SCALES = ("quick", "paper")
_ENGINE_OPTIONS = {  # of chapters that run in chunks
    "engine": (
        str | None,
        None,
        "serial|processes|dask",
        "What computes; processes (cpu) or serial (cuda).",
    ),
    "workers": (int | None, None, "INTEGER", "Worker processes here; one a core."),
    "address": (str | None, None, "HOST:PORT|FILE.json", "Of a running Dask scheduler."),
    "store": (Path | None, None, "FOLDER", "Keep finished chunks; the same call continues."),
}
_FAILURES = (ValueError, OSError, RuntimeError, AssertionError)  # ClaimError is of the last kind


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the entry point ``sgdescape``.

    Args:
        arguments: without the program's name; None for those of the process.

    Raises:
        SystemExit: always, with the exit code.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    build(arguments)(args=arguments, prog_name="sgdescape")


def chapters() -> dict[str, str]:
    """Return stem -> first docstring line of every chapter, without importing any."""
    found = {}
    for module in pkgutil.iter_modules(sgdescape.__path__):
        folder = Path(module.module_finder.path)
        source = folder / module.name / "__init__.py" if module.ispkg else None
        source = source or folder / f"{module.name}.py"
        if not source.is_file():
            continue
        tree = ast.parse(source.read_text(encoding="utf-8"))
        if {"QUICK", "PAPER", "run"} <= _names(tree):
            found[module.name] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def build(arguments: list[str]) -> typer.Typer:
    """Return the application; only chapters named in the arguments are imported (torch is slow)."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Experiments of the book How SGD Escapes.",
        epilog="Example: sgdescape run noise_covariance --seed 1 --out result.nc",
    )
    runs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Run a chapter.")
    for stem, summary in chapters().items():
        command = _run_command(stem) if stem in arguments else _placeholder
        runs.command(stem, help=summary)(command)
    app.add_typer(runs, name="run")
    for command in (list_, show, claims, download, data):
        app.command(command.__name__.rstrip("_"))(_reported(command))
    return app


def list_() -> None:
    """List the chapters that can be run."""
    found = chapters()
    width = max(map(len, found), default=0)
    for stem, summary in found.items():
        typer.echo(f"{stem:<{width}}  {summary}")


def show(
    file: Annotated[Path, typer.Argument(help="Result written by `sgdescape run`.")],
    claims: Annotated[bool, typer.Option(help="Check the chapter's claims on it.")] = True,
) -> None:
    """Show what a result holds, where it comes from and which claims it bears out."""
    import xarray as xr

    with xr.open_dataset(file, engine="netcdf4") as opened:
        dataset = opened.load()
    typer.echo(f"{file}: " + ", ".join(f"{k}={v}" for k, v in dataset.sizes.items()))
    for name, variable in dataset.variables.items():
        unit = f" ({variable.attrs['units']})" if "units" in variable.attrs else ""
        typer.echo(f"  {name}{unit}: {', '.join(map(str, variable.dims)) or 'one number'}")
    for name, value in dataset.attrs.items():
        typer.echo(f"  {name} = {value}")
    stem = dataset.attrs.get("chapter")
    if claims and stem in chapters():
        _show_claims(stem, dataset)


def claims(
    stem: Annotated[str | None, typer.Argument(help="Of one chapter; all unless given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print claims.json.")] = False,
) -> None:
    """List the claims of the executed chapters with their verdicts."""
    from sgdescape import claims_file

    found = claims_file.stored()
    if stem is not None:
        found = [record for record in found if record["identifier"].startswith(f"{stem}.")]
        if not found:
            raise typer.BadParameter(f"STEM must be a chapter with claims: got {stem!r}")
    if as_json:
        content = claims_file.document(found, seconds=claims_file.seconds())
        typer.echo(claims_file.text(content), nl=False)
        return
    for record in found:
        typer.echo(f"{record['verdict']:<36}  {record['identifier']}")


def download(
    name: Annotated[str, typer.Argument(help="mnist, fashion_mnist or cifar10.")],
    folder: Annotated[Path | None, typer.Option(help="Data folder.")] = None,
) -> None:
    """Download a full data set, checked by SHA-256."""
    from sgdescape.core.data import sources as data_sources

    if name not in data_sources.SOURCES:
        raise typer.BadParameter(
            f"NAME must be one of {', '.join(data_sources.SOURCES)}: got {name!r}"
        )
    typer.echo(str(data_sources.download(name, folder)))


def data() -> None:
    """Say which source each data set would be loaded from."""
    from sgdescape.core.data import image_sets as core_data
    from sgdescape.core.data import sources as data_sources

    for name in data_sources.SOURCES:
        try:
            typer.echo(f"{name}: {core_data.available(name, subset=True)}")
        except (OSError, ValueError) as error:
            typer.echo(f"{name}: not here ({error})")


def save(dataset, path: Path) -> None:
    """Write a data set as netCDF: under a temporary name first, so that no half file appears.

    Args:
        dataset: xarray data set; attributes that netCDF cannot hold are written as JSON.
        path: of the file; its folder must exist.

    Raises:
        OSError: if it cannot be written; a file of that name is then untouched.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    plain = dataset.copy()
    plain.attrs = cli_config.flat(dataset.attrs)
    for name in plain.variables:
        plain[name].attrs = cli_config.flat(plain[name].attrs)
    try:
        plain.to_netcdf(temporary, engine="netcdf4")
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _run_command(stem: str) -> Callable:
    """A command with one option for each field of the chapter's configuration."""
    module = importlib.import_module(f"sgdescape.{stem}")

    @_reported
    def command(*, scale, device, seed, out, overwrite, **overrides):
        how = {name: overrides.pop(name) for name in _ENGINE_OPTIONS if name in overrides}
        given = {name: text for name, text in overrides.items() if text is not None}
        try:
            validate.one_of("--scale", scale, SCALES)
            config = module.PAPER if scale == "paper" else module.QUICK
            given = {name: cli_config.parse(config, name, text) for name, text in given.items()}
            if seed is not None:
                given["seed"] = validate.count("--seed", seed, low=0)
            config = replace(config, **given)
        except (ValueError, TypeError) as error:
            raise typer.BadParameter(str(error)) from error
        out = out or Path(f"{stem}-{scale}-seed{config.seed}.nc")
        _check_target(out, overwrite)
        _say_size(module, config, scale)
        _execute(module, config, _device(device), stem, scale, out, how)

    command.__signature__ = inspect.Signature(_options(module))
    command.__annotations__ = {
        p.name: p.annotation for p in command.__signature__.parameters.values()
    }
    return command


def _options(module: ModuleType) -> list[inspect.Parameter]:
    """Parameters of a run command: the common ones, then the fields of the configuration."""
    common = {
        "scale": (str, "quick", "quick|paper", "Sizes: of the book, or of the paper."),
        "device": (str, "auto", "auto|cpu|cuda", "auto: CUDA if there; cuda:N: the N-th."),
        "seed": (int | None, None, "INTEGER", "Of all random numbers."),
        "out": (Path | None, None, "FILE.nc", "Result; STEM-SCALE-seedN.nc unless given."),
        "overwrite": (bool, False, None, "Replace an existing file."),
    }
    if "executor" in inspect.signature(module.run).parameters:
        common |= _ENGINE_OPTIONS
    for name, (metavar, text) in cli_config.describe(module.QUICK, module.PAPER).items():
        common.setdefault(name, (str | None, None, metavar, text))
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[
                kind, typer.Option(f"--{name.replace('_', '-')}", metavar=metavar, help=text)
            ],
        )
        for name, (kind, default, metavar, text) in common.items()
    ]


def _execute(module, config, device, stem, scale, out, how):
    from sgdescape.core.runs import provenance

    accepted = inspect.signature(module.run).parameters
    extra = {"device": device, "progress": True}
    start = time.perf_counter()
    with _engine(device, **how) as chosen, _clock(stem, shown="progress" not in accepted):
        extra |= chosen
        dataset = module.run(config, **{k: v for k, v in extra.items() if k in accepted})
    seconds = time.perf_counter() - start
    record = provenance.record(config, seconds=seconds, device=device)
    dataset.attrs = record | dataset.attrs | {"chapter": stem, "scale": scale}
    save(dataset, out)
    _message(f"{stem}: {seconds:.1f} s on {device}")
    typer.echo(str(out))


@contextmanager
def _engine(device, engine=None, workers=None, address=None, store=None):
    """What computes the chunks, and where the finished ones are kept."""
    from sgdescape.core.runs import engines

    if engine is None:  # several processes on one GPU would only wait for each other
        engine = "dask" if address else "processes" if workers or device == "cpu" else "serial"
    try:
        opened = engines.executor(engine, workers=workers, address=address)
        pool = opened.__enter__()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with ExitStack() as stack:
        stack.push(opened)
        yield {"executor": pool, "store": store}


def _show_claims(stem, dataset):
    from sgdescape.core import claims

    failed = 0
    for claim in claims.declared(stem):
        try:
            typer.echo(claims.as_text(claim(dataset)).replace("\u2060", ""))
        except AssertionError as error:
            failed += 1
            typer.echo(f"Claim not borne out: {error}")
        except ValueError as error:  # a result of a smaller size than the claim needs
            typer.echo(f"Claim not judged: {stem}.{claim.__name__}: {error}")
    if failed:
        raise typer.Exit(1)


def _say_size(module, config, scale):
    """Before a long run: what it is larger in, and its cost if the chapter knows it."""
    if scale != "paper":
        return
    _message("paper scale: " + cli_config.difference(module.QUICK, config))
    if hasattr(module, "cost"):
        _message(f"expected: {module.cost(config)}")


def _check_target(out, overwrite):
    """Refuse a target that cannot be written before the run, not after it."""
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"--out must name a file in an existing folder: got {out}")
    if out.exists() and not overwrite:
        raise typer.BadParameter(f"--out exists: {out}; give --overwrite to replace it")
    if not os.access(out.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"--out must lie in a folder that can be written: got {out}")


def _device(name):
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name)
    except RuntimeError:
        kind = None
    if kind is None or kind.type not in ("cpu", "cuda"):
        raise typer.BadParameter(f"--device must be auto, cpu, cuda or cuda:N: got {name!r}")
    if kind.type == "cuda" and not (kind.index or 0) < torch.cuda.device_count():
        raise typer.BadParameter(f"--device {name}: {torch.cuda.device_count()} CUDA devices here")
    return name


@contextmanager
def _clock(label, *, shown):
    """The time since the start, on a terminal, for chapters that report no progress themselves."""
    from tqdm import tqdm

    done = threading.Event()
    bar = tqdm(desc=label, bar_format="{desc}: {elapsed}", disable=None if shown else True)

    def tick():
        while not done.wait(1):
            bar.refresh()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        bar.close()


def _reported(command):
    """Turn expected failures into one line on stderr and exit code 1."""

    @functools.wraps(command)
    def wrapped(*arguments, **options):
        try:
            return command(*arguments, **options)
        except typer.Exit:
            raise
        except KeyboardInterrupt:
            _message("interrupted")
            raise SystemExit(130) from None
        except _FAILURES as error:
            if isinstance(error, typer.Abort):
                raise
            _message(f"error: {error}")
            raise SystemExit(1) from error

    return wrapped


def _placeholder():
    """Stands for a chapter that the arguments do not name."""


def _message(text):
    typer.echo(text, err=True)


def _names(tree):
    """Names defined at the top of a module."""
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return names
