"""Chapters open and close alike: a question with a picture, an answer, what to remember."""

import re
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "book" / "chapters").glob("*.md"))
PAGES = sorted((ROOT / "book").glob("*.md"))
EQUATION = re.compile(r"^\$\$\n", re.M)
PICTURE = re.compile(r"^```\{scene\}|^    name: fig-", re.M)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def title(path):
    return re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.M)[1]


def opening_faults(text):
    """What stands before the first section: at most one formula, a picture, the answer."""
    start = re.split(r"^## ", text, maxsplit=1, flags=re.M)[0]
    picture = PICTURE.search(start)
    if not picture:
        return ["no picture before the first section"]
    before = len(EQUATION.findall(start[: picture.start()]))
    faults = [f"{before} formulas before the picture"] if before > 1 else []
    answer = start.find("**The answer")
    return faults + ([] if answer > picture.start() else ["no answer after the picture"])


def closing_faults(text):
    """The last sections, in their order, and three things to remember."""
    sections = re.findall(r"^## (.+)$", text, re.M)
    if sections[-3:] != ["What to remember", "What is not tested here", "References"]:
        return [f"ends with {sections[-3:]}"]
    kept = text.split("## What to remember")[1].split("## What is not tested here")[0]
    lines = re.findall(r"^- ", kept, re.M)
    return [] if len(lines) == 3 else [f"{len(lines)} things to remember"]


def proof_faults(text):
    """Long proofs that are not folded, and folded ones without their idea before them."""
    faults = []
    for found in re.finditer(r"^:{3,}\{prf:proof\}\n(.*?)^:{3,}$", text, re.M | re.S):
        body, before = found[1], re.split(r"^#+ ", text[: found.start()], flags=re.M)[-1]
        folded = ":class: dropdown" in body
        if len(body) > 620 and not folded:
            faults.append(f"a long proof: {body[:60]!r}")
        if folded and not re.search(r"^\*Idea", before, re.M):
            faults.append(f"no idea before: {body[:80]!r}")
    return faults


def link_faults(text, titles):
    """Links to chapters whose text is not the chapter's title, or its beginning."""
    links = re.findall(r"\[([^\]]+)\]\((?:chapters/)?([a-z_]+)\.md\)", text)
    return [
        f"{' '.join(words.split())!r} for {titles[stem]!r}"
        for words, stem in links
        if stem in titles
        and " ".join(words.split()) not in (titles[stem], *re.split("[:,]", titles[stem])[:1])
    ]


@each_chapter
@pytest.mark.parametrize("faults", [opening_faults, closing_faults, proof_faults])
def test_chapter_opens_and_closes(path, faults):
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", CHAPTERS + PAGES, ids=lambda path: path.stem)
def test_links_name_the_chapters(path):
    titles = {chapter.stem: title(chapter) for chapter in CHAPTERS}
    assert link_faults(path.read_text(encoding="utf-8"), titles) == []


@each_chapter
def test_cells_that_only_call_a_claim_are_hidden(path):
    calls = re.compile(r"\w+\.claims\.\w+\(\w+\)")
    cells = [c for c in jupytext.read(path).cells if calls.fullmatch(c.source.strip())]
    assert cells
    assert [c.source for c in cells if "remove-input" not in c.metadata.get("tags", ())] == []


@each_chapter
def test_exercises_have_a_level(path):
    titles = re.findall(r"^```\{exercise-start\} (.+)$", path.read_text(encoding="utf-8"), re.M)
    assert titles
    assert [name for name in titles if not re.search(r", level [123]$", name)] == []


@each_chapter
def test_what_is_not_known_has_its_page(path):
    assert "available to us" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "faults, text",
    [
        (opening_faults, "# A\n$$\na\n$$\n$$\nb\n$$\n```{scene} x\n```\n**The answer.**\n## B"),
        (opening_faults, "# A\n\nWords.\n\n## B\n```{scene} x\n```\n"),
        (closing_faults, "## What to remember\n- a\n## What is not tested here\n## References"),
        (proof_faults, f":::{{prf:proof}}\n{'long ' * 200}\n:::\n"),
        (proof_faults, ":::{prf:proof}\n:class: dropdown\n\nShort.\n:::\n"),
        (lambda text: link_faults(text, {"a_b": "Title: more"}), "the [next chapter](a_b.md)"),
    ],
)
def test_rules_can_fail(faults, text):
    assert faults(text)
