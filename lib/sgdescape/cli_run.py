"""The command `run` of a chapter, made of its configuration: options, engine, clock."""

import importlib
import inspect
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from sgdescape import cli_config, cli_output
from sgdescape.cli_output import message, reported
from sgdescape.core import validate

__all__ = ["options", "run_command"]

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


def run_command(stem: str) -> Callable:
    """Return a command with one option for each field of the chapter's configuration."""
    module = importlib.import_module(f"sgdescape.{stem}")

    @reported
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
        out = Path(f"{stem}-{scale}-seed{config.seed}.nc") if out is None else out
        cli_output.check_target(out, overwrite=overwrite)
        _say_size(module, config, scale)
        _execute(module, config, _device(device), stem, scale, out, how, overwrite)

    command.__signature__ = inspect.Signature(options(module))
    command.__annotations__ = {
        p.name: p.annotation for p in command.__signature__.parameters.values()
    }
    return command


def options(module: ModuleType) -> list[inspect.Parameter]:
    """Return the parameters of a run command: the common ones, then the configuration's fields."""
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


def _execute(module, config, device, stem, scale, out, how, overwrite):
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
    cli_output.keep(dataset, out, overwrite=overwrite)
    message(f"{stem}: {seconds:.1f} s on {device}")
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


def _say_size(module, config, scale):
    """Before a long run: what it is larger in, and its cost if the chapter knows it."""
    if scale != "paper":
        return
    message("paper scale: " + cli_config.difference(module.QUICK, config))
    if hasattr(module, "cost"):
        message(f"expected: {module.cost(config)}")


def _device(name):
    try:
        found = validate.device(name)
    except ValueError as error:
        if name.startswith("cuda"):
            raise typer.BadParameter(f"--{error}") from error
        found = None
    if found is None or found.type not in ("cpu", "cuda"):
        raise typer.BadParameter(f"--device must be auto, cpu, cuda or cuda:N: got {name!r}")
    return str(found)


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
