"""The measured power of a claim's check: read back, and told from other versions of the code."""

import json

import pytest

from sgdescape.core.power import kept as module
from sgdescape.core.power.kept import Power, kept, power, version

STEM = "heavy_tails"
ENTRY = {
    "seeds": 20,
    "false_alarms": 1,
    "rivals": [{"name": "near", "value": 2.0, "rejected": 19}],
    "seen": 0.03,
}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file with one claim of a chapter's present version, and one of another's."""
    content = {
        "chapters": {STEM: {"version": version(STEM)}, "decoupling": {"version": "another"}},
        "claims": {
            f"{STEM}.chain": ENTRY,
            "decoupling.spectra": ENTRY,
            f"{STEM}.computed": ENTRY | {"rivals": []},
        },
    }
    path = tmp_path / "power.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(module, "kept", lambda: kept(path))


def test_a_claim_has_the_numbers_of_the_file(file):
    found = power(f"{STEM}.chain")
    assert found == Power(20, 1, "near", 19, 0.03, False)
    assert str(found) == "false alarms 1 of 20; nearest rival rejected 19 of 20"


def test_another_version_of_the_chapter_is_said(file):
    assert power("decoupling.spectra").stale
    assert str(power("decoupling.spectra")).endswith("made with another version")


def test_what_is_not_measured_is_none(file, tmp_path):
    assert power(f"{STEM}.computed") is None
    assert power(f"{STEM}.no_claim") is None
    assert kept(tmp_path / "absent.json") == {}


def test_versions_change_with_the_code_and_not_with_its_words(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PACKAGE", tmp_path)

    def written(room, text):
        (tmp_path / "chapter").mkdir(exist_ok=True)
        (tmp_path / "chapter" / f"{room}.py").write_text(text, encoding="utf-8")
        version.__wrapped__.cache_clear()
        return version("chapter")

    first = written("theory", '"""A."""\n\n\ndef f(x):\n    """B."""\n    return 2 * x\n')
    assert written("theory", "# why\ndef f(x):\n\n    return 2*x\n") == first
    assert written("figures", "x = 1\n") == first
    assert written("theory", "def f(x):\n    return 3 * x\n") != first
    version.__wrapped__.cache_clear()
    with pytest.raises(ValueError, match="no chapter 'nothing'"):
        version("nothing")
