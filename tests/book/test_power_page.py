"""The page *How sure?*: its numbers are the file's, it folds, and it needs no script."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sgdescape.core.power import kept as power

ROOT = Path(__file__).parents[2]
EXTENSIONS = ROOT / "book" / "_ext"
STEM = "heavy_tails"
RIVALS = [
    {"name": "nearest < 1", "value": 0.9, "rejected": 20},
    {"name": "next, $\\log c$", "value": 2.0, "rejected": 12},
    {"name": "last", "value": 3.0, "rejected": 3},
]
SAMPLED = {
    "seeds": 20, "evidence": "sampled", "expected": "confirmed", "predicted": 1.0,
    "false_alarms": 0, "alarms": [], "rivals": RIVALS, "seen": 0.03,
}  # fmt: skip
RESULT = {
    "chapters": {
        STEM: {
            "runs": 20, "size": "QUICK", "processor_seconds": 300, "version": "another",
            "commit": "0123456789abcdef", "processor": "A processor",
        }
    },
    "claims": {
        f"{STEM}.chain": SAMPLED,
        f"{STEM}.momentum": SAMPLED
        | {
            "rivals": RIVALS[:1],
            "false_alarms": 2,
            "alarms": [f"{STEM}.momentum: verdict 'consistent (coarse)'"],
            "seen": None,
        },
        f"{STEM}.small_step": {
            "seeds": 20, "evidence": "computed", "expected": "confirmed", "predicted": 1.0,
            "false_alarms": 0, "alarms": [],
        },
        f"{STEM}.same": {"seeds": 20, "evidence": "identity"},
        f"{STEM}.table": {"seeds": 20, "evidence": "given"},
        f"{STEM}.paper": {"seeds": 20, "evidence": "none"},
    },
}  # fmt: skip
CONFIGURATION = f"""
import sys
sys.path.insert(0, {str(EXTENSIONS)!r})
extensions = ["myst_nb", "power_page"]
nb_execution_mode = "off"
root_doc = "how"
html_theme = "basic"
exclude_patterns = ["out"]
"""
PARTS = ("answer", "chapters", "short", "computed", "made")


@pytest.fixture
def source(tmp_path):
    """A book of one chapter and the page."""
    (tmp_path / "book" / "chapters").mkdir(parents=True)
    (tmp_path / "results").mkdir()
    chapter = f"book/chapters/{STEM}"
    parts = "\n\n".join(f"```{{power}} {part}\n```" for part in PARTS)
    toctree = f"```{{toctree}}\n{chapter}\n```"
    (tmp_path / "how.md").write_text(f"# How sure?\n\n{parts}\n\n{toctree}\n")
    (tmp_path / f"{chapter}.md").write_text("# Heavy tails\n")
    (tmp_path / "_toc.yml").write_text(
        f"parts:\n  - caption: A part\n    chapters:\n      - file: {chapter}\n"
    )
    (tmp_path / "conf.py").write_text(CONFIGURATION)
    return tmp_path


def built(source, result=None):
    from sphinx.cmd.build import build_main

    if result is not None:
        (source / "results" / "power.json").write_text(json.dumps(result))
    power.kept.cache_clear()
    assert build_main(["-q", "-W", "--keep-going", str(source), str(source / "out")]) == 0
    return (source / "out" / "how.html").read_text(encoding="utf-8")


def test_every_number_is_the_files(source):
    page = built(source, RESULT)
    assert "2 claims rest on samples" in page and "judged on 20 runs" in page
    assert "on 2 of these 40 occasions" in page
    assert "Of the 4 wrong theories that they are held against, 2 are rejected" in page
    assert "a deviation of 3 %" in page
    assert "20 runs: 2 false alarms in 40 checks; 2 of 4 wrong theories rejected." in page
    assert "Made with another version" in page
    assert f'href="book/chapters/{STEM}.html#claim-heavy-tails-chain"' in page
    assert "nearest &lt; 1: 20 of 20<br>next, log c: 12 of 20<br>last: 3 of 20" in page
    kinds = (2, 1, 0, 1, 1, 1)  # of evidence
    assert "".join(f"<td>{n}</td>" for n in kinds) in page
    assert "<code>0123456789ab</code>" in page and "A processor" in page


def test_what_falls_short_is_named_with_its_reason(source):
    page = built(source, RESULT)
    assert "2 false alarms of 20 (verdict &#x27;consistent (coarse)&#x27;)." in page
    assert "next, log c rejected only 12 times of 20; last rejected only 3 times of 20." in page


def test_the_picture_has_a_mark_for_every_check_and_needs_no_script(source):
    page = built(source, RESULT)
    (picture,) = re.findall(r"<svg.*?</svg>", page, re.S)
    assert re.findall(r'<circle class="(\w+)"', picture) == ["good", "some"]
    assert re.findall(r'<rect class="(\w+)"', picture) == ["good", "some", "few", "good"]
    (fold,) = re.findall(r"<details.*?</details>", page, re.S)
    assert fold.index("<svg") < fold.index("</summary>") < fold.index("<table")
    assert "<script" not in fold


def test_a_chapter_without_runs_is_named(monkeypatch):
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    import power_html

    made = power_html.made(RESULT, {STEM: "Heavy tails", "other": "Another"})
    assert "<td>Another</td><td>none yet</td>" in made


def test_without_a_result_the_page_says_so(source):
    assert "Not measured yet" in built(source)


def test_what_is_kept_is_judged_and_taken_over(tmp_path):
    """The tool itself, on runs that are kept: other versions with the same numbers count."""
    command = f"""
import sys, pathlib, numpy as np, xarray as xr
sys.path.insert(0, {str(ROOT / "tools")!r})
import power as tool
folder = pathlib.Path({str(tmp_path)!r})
old, new = folder / "s" / "old", folder / "s" / "new"
for place, seeds in ((old, (1, 2)), (folder / "s" / "other", (1, 3)), (new, (1,))):
    place.mkdir(parents=True)
    for seed in seeds:
        value = seed + (place.name == "other")
        xr.Dataset({{"a": value, "b": ("n", [np.nan, 1.0])}}).to_netcdf(place / f"{{seed}}.nc")
tool.adopt(new / "1.nc")
assert sorted(p.name for p in new.iterdir()) == ["1.nc", "2.nc"]
file = folder / "power.json"
tool.write(["heavy_tails"], folder, file)
assert file.read_text() == '{{\\n "chapters": {{}},\\n "claims": {{}}\\n}}\\n'
"""
    subprocess.run([sys.executable, "-c", command], check=True)
