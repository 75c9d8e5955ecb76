"""The interface page leaves nothing public out."""

import importlib
import inspect
import re
import sys
from types import SimpleNamespace

import pytest

from sgdescape.core.roots import PROJECT as ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import interface  # noqa: E402


def test_interface_page_shows_every_public_name():
    for stem in interface.chapters(ROOT):
        face = importlib.import_module(f"sgdescape.{stem}")
        text = interface.chapter_text(stem)
        shown = set(re.findall(r"^\.\. (?:auto|py:)\w+:: ([\w.]+)", text, re.M))
        rooms = {"claims": face.claims, "figures": face.figures}
        inner = {f"{r}.{n}" for r, module in rooms.items() for n in interface.public_names(module)}
        plain = {n for n in face.__all__ if not inspect.ismodule(getattr(face, n))}
        assert shown == plain | inner, stem


def test_interface_page_shows_every_module_of_core():
    names = set(interface.core_modules())
    assert {"sgdescape.core.stats.intervals", "sgdescape.core.random.seeds"} <= names
    assert not any("kernels" in name for name in names)
    for name in names:
        assert importlib.import_module(name).__all__, name
    source = ["## Core\n<!-- interface: core -->\n"]
    interface.write(SimpleNamespace(srcdir=ROOT), "book/api", source)
    assert all(f".. automodule:: {name}\n" in source[0] for name in names)


def test_constants_carry_their_text_and_not_that_of_their_type():
    text = interface.constant_text("sgdescape.linear_regression", "KURTOSES")
    assert text == "Kurtosis of each input law."
    with pytest.raises(ValueError, match="nothing_of_this_name has no text"):
        interface.constant_text("sgdescape.linear_regression", "nothing_of_this_name")


def test_a_module_shows_what_it_defines_and_not_what_it_passes_on():
    text = interface.core_text("sgdescape.core.ensembles.regression")
    members = re.search(r":members: (.*)", text)[1].split(", ")
    assert "first_passage" in members and "FiniteData" not in members


def test_interface_leaves_other_pages_alone():
    source = ["<!-- interface: core -->"]
    interface.write(SimpleNamespace(srcdir=ROOT), "book/intro", source)
    assert source == ["<!-- interface: core -->"]
