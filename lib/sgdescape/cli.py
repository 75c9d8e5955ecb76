"""The command line, generated from the chapter modules: list, run, show, claims, download, data.

A chapter is any part of the package with `QUICK`, `PAPER` and `run`; the fields of its `Config`
become options. Messages and progress go to stderr, results to files. Exit codes: 0 done, 1 it
failed while running, 2 wrong usage, 130 interrupted.
"""

import ast
import pkgutil
import sys
from pathlib import Path
from typing import Annotated

import typer

import sgdescape
from sgdescape.cli_output import message, reported, save
from sgdescape.cli_run import run_command

__all__ = [
    "build",
    "chapters",
    "data",
    "download",
    "list_",
    "main",
    "save",
    "show",
]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the entry point ``sgdescape``.

    Args:
        arguments: without the program's name; None for those of the process.

    Raises:
        SystemExit: always, with the exit code.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:  # importing a chapter takes seconds
        application = build(arguments)
    except KeyboardInterrupt:
        message("interrupted")
        raise SystemExit(130) from None
    application(args=arguments, prog_name="sgdescape")


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
        command = run_command(stem) if stem in arguments else _placeholder
        runs.command(stem, help=summary)(command)
    app.add_typer(runs, name="run")
    for command in (list_, show, claims, download, data):
        app.command(command.__name__.rstrip("_"))(reported(command))
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


def _show_claims(stem, dataset):
    from sgdescape.core import claims

    failed = 0
    for claim in claims.declared(stem):
        try:
            typer.echo(claims.as_text(claim(dataset)).replace("\u2060", ""))
        except AssertionError as error:
            failed += 1
            typer.echo(f"Claim not borne out: {error}")
        except (ValueError, ArithmeticError, LookupError, AttributeError) as error:
            failed += 1  # too few runs, say
            name = f"{stem}.{claim.__name__}"
            typer.echo(f"Claim {name}: cannot be judged on this result: {error}")
    if failed:
        raise typer.Exit(1)


def _placeholder():
    """Stands for a chapter that the arguments do not name."""


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
