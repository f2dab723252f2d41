from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.steps import schema

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(ROOT.glob("examples/*/lockgate.toml"))


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    document = json.loads(schema.schema_text())
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def plain(tables: dict[str, Any]) -> Any:
    """TOML values as JSON has them: dates become strings."""
    return json.loads(json.dumps(tables, default=str))


def test_the_shipped_schema_is_the_one_of_the_tables() -> None:
    assert schema.schema_text() == schema.generate(), "run: python -m pipelines.steps.schema"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_example_fits_the_schema(validator: jsonschema.Draft202012Validator, path: Path) -> None:
    validator.validate(plain(tomllib.loads(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "text",
    [
        "[images.shop]",
        "[project]\nname = 'Shop'",
        "[project]\nname = 'shop'\n[pref.x]",
        "[project]\nname = 'shop'\n[images.Shop]",
        "[project]\nname = 'shop'\n[images.shop]\nx = 1",
        "[project]\nname = 'shop'\n[images.shop]\ntimeout = []",
        "[project]\nname = 'shop'\n[registry]\nurl = 'a'\nauth = 'hunter2'",
        "[project]\nname = 'shop'\n[environments.staging]",
    ],
)
def test_what_load_refuses_the_schema_refuses(validator: jsonschema.Draft202012Validator, text: str) -> None:
    assert list(validator.iter_errors(plain(tomllib.loads(text))))


def test_every_key_has_a_sentence() -> None:
    document = json.loads(schema.schema_text())
    tables = [document, *document["$defs"].values()]
    missing = [key for table in tables for key, value in table.get("properties", {}).items() if not value.get("description")]
    assert missing == []


def test_in_pyproject_the_name_has_a_default() -> None:
    jsonschema.validate({"jobs": 2}, schema.tool_schema("lockgate"))


@given(st.sampled_from(["10m", 5, "1h30m", 0.5]), st.sampled_from(["shop", {"name": "shop"}, {"name": "shop", "target": "test"}]))
def test_short_and_long_spellings_fit(timeout: object, image: object) -> None:
    document = {"project": {"name": "a"}, "tests": {"unit": {"image": image, "command": ["x"], "timeout": timeout}}}
    jsonschema.validate(document, json.loads(schema.schema_text()))
