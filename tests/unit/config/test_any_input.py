"""Whatever is in the file: a project or a ConfigError with a line for every problem, nothing else."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config.document import document_of, tables_in
from pipelines.errors import ConfigError
from pipelines.steps.catalog import load, sections_of

if TYPE_CHECKING:
    from pipelines.config import Loaded

TABLES = tables_in(document_of(sections_of()))
KEYS = sorted({key for table in TABLES for key in table.model_fields} | {"shop", "unit", "environments", "shards", "Bad Name", "x"})
WORDS = ["shop", "high", "always", "10m", "", "env://A", "a/b:1", "2027-01-31", "{version}", "pytest"]

scalars = st.booleans() | st.integers(-1, 70000) | st.floats() | st.sampled_from(WORDS)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4), max_leaves=12
)
documents = st.dictionaries(st.sampled_from(KEYS), values, max_size=6)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


@settings(deadline=None)
@given(documents, st.booleans())
def test_a_project_or_a_clean_refusal(document: dict[str, Any], named: bool) -> None:
    if named:
        document["project"] = {"name": "shop"}
    with tempfile.TemporaryDirectory() as folder:
        text = "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in document.items())
        (Path(folder) / "lockgate.toml").write_text(text, encoding="utf-8")
        loaded, lines = attempt(Path(folder))
    assert (loaded is None) == bool(lines)
    assert all(": " in line and "\n" not in line for line in lines)
    assert loaded is None or loaded.values.keys() == loaded.provenance.keys()


def attempt(folder: Path) -> tuple[Loaded | None, tuple[str, ...]]:
    try:
        return load(folder, environ={"LOCKGATE_SCAN_RETRIES": "1"}), ()
    except ConfigError as error:
        return None, error.problems
