"""Every field of every `Config` and every option of the command line, with what no run uses.

A field is refused when it is made, by name, or the configuration stands: nothing is found out
minutes later under another function's argument.
"""

import importlib
import math
import zlib
from collections import Counter
from dataclasses import fields, replace
from types import NoneType
from typing import get_args, get_origin, get_type_hints

import pytest
from typer.testing import CliRunner

from sgdescape import cli, cli_run, intro
from sgdescape.core.training import sgd
from sgdescape.network_limits.imagenet import train as imagenet

STEMS = sorted(cli.chapters())
NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "complex": 1j, "object": object()}
OTHERS = {"bytes": b"1", "dictionary": {}, "set": {1}, "function": len}


def wrong(hint):
    """What a field of this type never is: name -> value."""
    origin, inner = get_origin(hint), get_args(hint)
    kinds = [k for k in inner if k is not NoneType] if NoneType in inner else [hint]
    found = dict(OTHERS) if NoneType in inner else OTHERS | {"None": None}
    kind = kinds[0]
    if kind is bool:
        return found | {"number": 2, "text": "yes", "nan": math.nan}
    if kind in (int, float):
        found |= NUMBERS | {"text": "1", "bool": True, "list": [1], "empty": ()}
        return found | ({"fraction": 2.5, "huge": 10**30} if kind is int else {})
    if kind is str or origin is None and inner == ():
        return found | {"no such": "no such thing", "number": 3, "empty": "", "list": ["a"]}
    if get_origin(kind) in (tuple, list):
        return found | {"number": 3, "text": "12", "nested": (((1,),),), "nan": (math.nan,)}
    return found | {"no such": "no such thing", "number": 3.5}  # one of several words


def odd(hint):
    """What some fields may be and others not: either the configuration stands or it is refused."""
    kind = next(k for k in (*get_args(hint), hint) if k is not NoneType)
    if hint in (int, float) or kind in (int, float):
        return {"0": kind(0), "-1": kind(-1), "large": kind(10**12), "tiny": kind(1)}
    return {"empty": ()} if get_origin(kind) is tuple or get_origin(hint) is tuple else {}


def configs():
    found = {stem: importlib.import_module(f"sgdescape.{stem}").QUICK for stem in STEMS}
    found["intro"] = intro.QUICK
    found["core.training.sgd"] = sgd.Config(0.1, 2, 3)
    found["imagenet"] = imagenet.Config()
    return found


CONFIGS = configs()
CELLS = [(name, f.name) for name, config in CONFIGS.items() for f in fields(config)]


def made(config, field, value):
    """Return the refusal, None if the configuration stands; anything else is an error."""
    try:
        replace(config, **{field: value})
    except (ValueError, TypeError) as error:
        last = error.__traceback__
        while last.tb_next:
            last = last.tb_next
        assert "sgdescape" in last.tb_frame.f_code.co_filename, f"raised by a library: {error!r}"
        return str(error)
    return None


@pytest.mark.parametrize(("name", "field"), CELLS)
def test_fields_refuse_what_they_are_not(name, field):
    config = CONFIGS[name]
    hint = get_type_hints(type(config))[field]
    stand, nameless = [], []
    for label, value in wrong(hint).items():
        said = made(config, field, value)
        if said is None:
            stand.append(label)
        elif field.rstrip("s") not in said:
            nameless.append((label, said))
    assert not stand and not nameless
    for value in odd(hint).values():
        made(config, field, value)


def test_a_field_that_is_not_checked_is_seen():
    assert made(sgd.Config(0.1, 2, 3), "seed", 5) is None
    assert len(CELLS) > 200 and min(Counter(name for name, _ in CELLS).values()) >= 7


# --- the command line ------------------------------------------------------------------------

TEXTS = (
    "nan",
    "inf",
    "-inf",
    "2.5",
    "x",
    "",
    "1e400",
    "-1",
    "[[",
    "1,,x",
    "none",
    "\u0661",
    "9" * 30,
)
GENERAL = ("--scale", "--device", "--seed", "--workers", "--engine", "--address")


@pytest.mark.parametrize("share", [5, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("stem", STEMS)
def test_options_are_refused_by_name_or_taken(stem, share, monkeypatch, tmp_path):
    module = importlib.import_module(f"sgdescape.{stem}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli_run, "_execute", lambda *_: None)  # what is taken is not computed here
    application = cli.build(["run", stem])
    taken = {p.name for p in cli_run.options(module)} - {"overwrite", "out", "store"}
    bad = []
    for name in sorted(taken):
        option = f"--{name.replace('_', '-')}"
        for text in TEXTS[zlib.crc32(option.encode()) % share :: share]:
            result = CliRunner().invoke(application, ["run", stem, f"{option}={text}"])
            said = " ".join(result.output.replace("│", " ").split())
            named = option in said or name.rstrip("s") in said
            refused = result.exit_code == 2 and named and "Traceback" not in said
            if not (refused or (result.exit_code == 0 and result.exception is None)):
                bad.append((option, text, result.exit_code, repr(result.exception), said[-200:]))
    assert not bad
    assert not list(tmp_path.iterdir())
