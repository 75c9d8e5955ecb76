"""A chapter made from the templates keeps the house rules as it stands."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from sgdescape.core.roots import PROJECT

sys.path.insert(0, str(PROJECT / "tools"))
import new_chapter  # noqa: E402  (tools is no package)

STEM = "template_trial"
COPIED = ("lib", "book", "tools", "tests", "_toc.yml", "_config.yml", "pyproject.toml")
COPIED += ("environment.yml", "requirements.lock", "README.md", "CONTRIBUTING.md")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the project with the new chapter, its notebook executed."""
    root = tmp_path_factory.mktemp("checkout")
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.npz")
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=skip)
        else:
            shutil.copy(source, root / name)
    assert command(root, "tools/new_chapter.py", STEM).returncode == 0
    made = command(root, "tools/notebooks.py", STEM)
    assert made.returncode == 0, made.stderr
    return root


def command(root, *arguments):
    environment = os.environ | {"PYTHONPATH": str(root / "lib"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True
    )


def house_rules():
    """The house rules that no chapter names, as ``make check`` runs them."""
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    return re.search(r"^HOUSE = (.*)$", text, re.M)[1]


def test_new_chapter_passes_its_tests_and_the_house_rules(checkout):
    done = command(
        checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow",
        f"tests/{STEM}", f"lib/sgdescape/{STEM}", "tests/book/test_house.py",
        "tests/book/test_notebooks.py", "tests/book/test_chapters.py",
        "tests/book/test_interface.py", "-k",
        f"{STEM} or {house_rules()}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout


def test_new_chapter_is_in_the_table_of_contents_once(checkout):
    toc = (checkout / "_toc.yml").read_text(encoding="utf-8")
    assert toc.count(f"book/chapters/{STEM}\n") == 1 and toc.count(f"book/api/{STEM}\n") == 1
    assert new_chapter.listed(toc, STEM) == toc


@pytest.mark.parametrize("stem", ["Kramers", "two words", "class", "../up", ""])
def test_names_that_are_no_stems_are_refused(tmp_path, stem):
    with pytest.raises(SystemExit, match="STEM must be a Python name"):
        new_chapter.create(tmp_path, stem)


def test_nothing_is_overwritten(checkout):
    with pytest.raises(SystemExit, match="STEM must be new: there is book/chapters/template_trial"):
        new_chapter.create(checkout, STEM)
