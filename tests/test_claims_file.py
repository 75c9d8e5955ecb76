"""`claims.json`: what the schema promises, and the command that prints it."""

import copy
import json

import jsonschema
import pytest
from typer.testing import CliRunner

from sgdescape import claims_file, cli
from sgdescape.core.roots import PROJECT

SCHEMA = json.loads(
    (PROJECT / "book" / "_static" / "claims.schema.json").read_text(encoding="utf-8")
)
CLAIMS = claims_file.stored()


def call(*arguments):
    return CliRunner().invoke(cli.build(list(arguments)), list(arguments))


@pytest.fixture(scope="module")
def content():
    return claims_file.document(CLAIMS, seconds={"decoupling": 3.5})


def test_the_file_is_what_the_schema_says(content):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(claims_file.text(content)), SCHEMA)
    assert content["version"] == SCHEMA["properties"]["version"]["const"]
    fields = set(SCHEMA["$defs"]["claim"]["properties"])
    assert all(set(claim) == fields for claim in content["claims"])
    assert fields == set(SCHEMA["$defs"]["claim"]["required"])


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "likely"},
        {"seed": 1.5},
        {"rivals": [{"name": "x", "value": 1.0}]},
        {"measured": {"value": 1.0}},
        {"extra": 1},
        {"power": {"seeds": 0}},
    ],
)
def test_the_schema_refuses(content, change):
    wrong = copy.deepcopy(content | {"claims": content["claims"][:1]})
    wrong["claims"][0] |= change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)


def test_every_claim_has_its_seed_commit_and_seconds(content):
    assert len({claim["identifier"] for claim in content["claims"]}) == len(CLAIMS) > 200
    for claim in content["claims"]:
        assert isinstance(claim["seed"], int), claim["identifier"]
        assert claim["commit"] == content["book"]["commit"]
        assert claim["seconds"] == (3.5 if claim["chapter"] == "decoupling" else None)
        assert (claim["level"] is not None) == (claim["evidence"] == "sampled")
        assert claim["page"].startswith(f"book/chapters/{claim['chapter']}.html#claim-")


def test_the_command_prints_the_file():
    found = call("claims", "--json")
    assert found.exit_code == 0
    expected = claims_file.document(CLAIMS, seconds=claims_file.seconds())
    assert found.stdout == claims_file.text(expected)


def test_the_command_lists_one_chapter():
    found = call("claims", "decoupling")
    lines = found.stdout.splitlines()
    assert found.exit_code == 0
    assert len(lines) == sum(c["identifier"].startswith("decoupling.") for c in CLAIMS) > 3
    assert all(line.split()[-1].startswith("decoupling.") for line in lines)
    assert call("claims", "no_chapter").exit_code == 2


def test_seconds_are_those_of_the_last_build(tmp_path):
    assert claims_file.seconds(tmp_path) == {}
    (tmp_path / "_build" / "html").mkdir(parents=True)
    content = claims_file.document(CLAIMS[:1], seconds={CLAIMS[0]["identifier"].split(".")[0]: 2.0})
    (tmp_path / "_build" / "html" / "claims.json").write_text(claims_file.text(content))
    assert list(claims_file.seconds(tmp_path).values()) == [2.0]


def test_without_a_checkout_it_says_so(tmp_path):
    with pytest.raises(ValueError, match="kept in the book's notebooks"):
        claims_file.stored(tmp_path)


def test_records_come_from_outputs_only(tmp_path):
    output = {"metadata": {claims_file.METADATA_KEY: {"identifier": "a.b"}}}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"outputs": [output]}, {"metadata": output}]}))
    assert claims_file.records(path) == [{"identifier": "a.b"}]
