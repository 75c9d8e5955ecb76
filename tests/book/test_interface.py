"""The interface pages leave nothing public out."""

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
    shown = "".join(map(interface.page_text, interface.rooms_of_core()))
    assert set(re.findall(r"^.. automodule:: ([\w.]+)$", shown, re.M)) == names


def test_every_chapter_and_every_room_of_core_has_its_page():
    pages = {*interface.chapters(ROOT), *interface.rooms_of_core()}
    files = sorted((ROOT / "book" / "api").glob("*.md"))
    assert {path.stem for path in files} == pages
    listed = re.findall(r"- file: book/api/(\w+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(pages)
    for path in files:
        assert interface.MARK in path.read_text(encoding="utf-8"), path
        assert interface.page_text(path.stem)
    source = [(ROOT / "book" / "api.md").read_text(encoding="utf-8")]
    interface.write(SimpleNamespace(srcdir=ROOT), "book/api", source)
    assert set(re.findall(r"\(api/(\w+)\.md\)", source[0])) == pages


def test_a_page_of_another_name_is_refused():
    with pytest.raises(ValueError, match=r"book/api/kramers\.md must be named by a chapter"):
        interface.page_text("kramers")


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
    source = [interface.MARK]
    interface.write(SimpleNamespace(srcdir=ROOT), "book/intro", source)
    assert source == [interface.MARK]
