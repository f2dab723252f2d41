from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Said(Protocol):
    code: int
    out: str
    err: str


Lockgate = Callable[..., Said]


def test_every_value_says_where_it_comes_from(project: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_PROJECT_WIDTH", "")
    text = lockgate("config", "show").out
    assert text.split() == ["project.name", "=", '"demo"', "#", "file", f"({project}/lockgate.toml)"]
    assert len(lockgate("config", "show", "--all").out.splitlines()) > 1


def test_a_flag_wins_and_is_named(project: Path, lockgate: Lockgate) -> None:
    document = json.loads(lockgate("config", "show", "--json", "--set", "engine=embedded").out)
    assert document["schema"] == 1
    assert document["values"]["engine.kind"] == {"value": "embedded", "layer": "flag", "where": "engine"}
    assert document["values"]["project.name"]["layer"] == "file"


def test_validate(project: Path, lockgate: Lockgate) -> None:
    said = lockgate("config", "validate")
    assert (said.code, said.out, said.err) == (0, "", "lockgate.toml is valid\n")
    (project / "lockgate.toml").write_text("[project]\nname = 3\n")
    said = lockgate("config", "validate")
    assert (said.code, said.out) == (2, "")
    assert "project.name" in said.err


def test_the_schema_is_json(lockgate: Lockgate) -> None:
    assert json.loads(lockgate("config", "schema").out)["type"] == "object"


def test_without_a_subcommand_help_comes_and_the_exit_code_is_usage(lockgate: Lockgate) -> None:
    said = lockgate("config")
    assert said.code == 2
    assert said.err.startswith("Usage: ")


def test_init_writes_what_plan_can_read(tmp_path: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch AS runtime\n")
    monkeypatch.chdir(tmp_path)
    assert "[project]" in lockgate("init", "--print").out
    assert not (tmp_path / "lockgate.toml").exists()
    assert lockgate("init").code == 0
    assert lockgate("plan").code == 0
    said = lockgate("init")
    assert said.code == 2
    assert "already there" in said.err
    assert lockgate("init", "--force").code == 0


def test_a_secret_that_stands_elsewhere_in_the_configuration_is_shown_by_no_command(
    tmp_path: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = 'env = { COPY = "hunter2-hunter2" }\nsecrets = { T = "env://SECRET" }\n'
    test = f'[tests.unit]\nimage = "shop"\ncommand = ["echo", "hunter2-hunter2"]\n{given}'
    (tmp_path / "lockgate.toml").write_text(f'[project]\nname = "p"\n[images.shop]\n{test}')
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", "hunter2-hunter2")
    for command in (("config", "show"), ("config", "show", "--json"), ("plan",), ("plan", "--json")):
        said = lockgate(*command)
        assert said.code == 0
        assert "hunter2" not in said.out + said.err
    assert '"***"' in lockgate("config", "show").out


def test_a_document_has_no_commands_of_a_ci_and_the_same_values(
    tmp_path: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lockgate.toml").write_text('[project]\nname = "p"\n[images.shop]\nlabels = { a = "##[error]x" }\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = lockgate("config", "show", "--json")
    assert "##[" not in said.out
    assert json.loads(said.out)["values"]["images.shop.labels.a"]["value"] == "##[error]x"
