"""`[engine]`: the short spelling, the long one, and how layers meet in it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config import Layer, Origin
from pipelines.foundation.sizes import parse_size
from pipelines.model import EngineKind, EngineSpec, Insecure

if TYPE_CHECKING:
    from tests.unit.config.conftest import Folder

NAME = '[project]\nname = "shop"\n'


def test_a_word_is_short_for_the_kind(folder: Folder) -> None:
    assert folder.load('engine = "embedded"\n' + NAME).project.engine == EngineSpec(kind=EngineKind.EMBEDDED)
    assert folder.load(NAME + '[engine]\nkind = "embedded"\n').project.engine == EngineSpec(kind=EngineKind.EMBEDDED)


def test_every_key_has_behaviour(folder: Folder) -> None:
    loaded = folder.load(NAME + '[engine]\ninsecure = "all"\nmemory = "4GiB"\ncpus = 1.5\nprocesses = 100\n')
    assert loaded.project.engine == EngineSpec(insecure=Insecure.ALL, memory=4 << 30, cpus=1.5, processes=100)
    assert {key: loaded.provenance[key].layer for key in loaded.values if key.startswith("engine.")} == {
        "engine.kind": Layer.DEFAULT,
        "engine.insecure": Layer.FILE,
        "engine.memory": Layer.FILE,
        "engine.cpus": Layer.FILE,
        "engine.processes": Layer.FILE,
    }


def test_a_kind_of_another_layer_leaves_the_rest_of_the_table(folder: Folder) -> None:
    folder.write("lockgate.local.toml", 'engine = "dagger"\n')
    text = NAME + '[engine]\ninsecure = "none"\n'
    loaded = folder.load(text)
    assert loaded.project.engine == EngineSpec(kind=EngineKind.DAGGER, insecure=Insecure.NONE)
    assert loaded.provenance["engine.kind"] == Origin(Layer.LOCAL, str(folder.path / "lockgate.local.toml"))
    folder.environ |= {"LOCKGATE_ENGINE": "embedded", "LOCKGATE_ENGINE_MEMORY": "1 GB"}
    loaded = folder.load(text)
    assert loaded.project.engine == EngineSpec(kind=EngineKind.EMBEDDED, insecure=Insecure.NONE, memory=10**9)
    assert loaded.provenance["engine.kind"] == Origin(Layer.ENV, "LOCKGATE_ENGINE")
    loaded = folder.load(text, engine="auto")
    assert loaded.project.engine.kind is EngineKind.AUTO
    assert loaded.provenance["engine.kind"] == Origin(Layer.FLAG, "engine")


def test_the_long_variable_counts_too(folder: Folder) -> None:
    folder.environ["LOCKGATE_ENGINE_KIND"] = "embedded"
    assert folder.load(NAME).project.engine.kind is EngineKind.EMBEDDED


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("engine = 3", "engine: expected auto, dagger or embedded, or a table"),
        ("[engine]\ninsecure = true", "engine.insecure: expected none, api or all"),
        ("[engine]\nmemory = 'lots'", 'engine.memory: expected a size such as 1048576, "500MB" or "4GiB", more than zero'),
        ("[engine]\ncpus = 0", "engine.cpus: expected more than 0"),
        ("[engine]\nprocesses = 1", "engine.processes: expected 64 or more"),
        ("[engine]\nunsecure = 'all'", "engine.unsecure: unknown key; did you mean insecure?"),
    ],
)
def test_a_wrong_value_is_one_line(folder: Folder, text: str, line: str) -> None:
    assert folder.problems(f"{text}\n{NAME}" if "=" in text.split("\n", maxsplit=1)[0] else NAME + text) == (line,)


@given(st.integers(min_value=1, max_value=2**60))
def test_a_number_of_bytes_is_itself_in_both_spellings(number: int) -> None:
    assert parse_size(number) == parse_size(str(number)) == number


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none())
def test_any_other_size_is_refused(value: object) -> None:
    with contextlib.suppress(ValueError):
        assert 0 < parse_size(value) <= 2**60
