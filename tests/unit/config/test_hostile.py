"""Whatever the file, the environment and the names: a project, or one clean refusal that a terminal can show."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from pipelines.config.lock import locked_images
from pipelines.errors import UsageError
from pipelines.flow.state_file import StateFile
from pipelines.steps.catalog import load
from tests.unit.config.hostile import BASE, environ, file

if TYPE_CHECKING:
    from pathlib import Path

CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]")


def refusal(folder: Path, variables: dict[str, str] | None = None, **more: object) -> str:
    """What a person is told; empty when the configuration is read."""
    try:
        loaded = load(folder, environ=variables or {}, overrides=more)
    except UsageError as error:  # exit code 2
        return "\n".join(error.lines())
    assert not CONTROLS.search("".join(loaded.notes))
    return ""


@pytest.mark.parametrize(
    "seeds", [pytest.param(range(300), id="300"), pytest.param(range(300, 10_300), id="10000", marks=pytest.mark.slow)]
)
@pytest.mark.timeout(900)
def test_every_file_is_read_or_refused(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        (tmp_path / "lockgate.toml").write_bytes(file(seed))
        told = refusal(tmp_path, environ(seed))
        assert not CONTROLS.search(told.replace(str(tmp_path), "")), (seed, told)
        assert len(told) < 50_000, seed


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\xef\xbb\xbf" + BASE.encode(), ""),
        (BASE.replace("\n", "\r\n").encode(), ""),
        (BASE.encode("utf-16"), "UTF-16"),
        (BASE.encode("utf-16-be"), "UTF-16"),
        (BASE.encode("latin-1") + b"# \xff", "not UTF-8"),
        (BASE.encode() + b"\0", "not valid TOML"),
        (b'[tests.t]\nenv = { A = "x\\u0000y" }\n', "tests.t.env.A: paths, variables and commands cannot"),
        (b'[images]\n"a\\u0000" = 1\n', "has a NUL character"),
        (b"a = " + b"9" * 5000, "too many digits"),
        (b"a = " + b"9" * 400, "too large"),
        (b"a = " + b"[" * 50_000 + b"]" * 50_000, "nested too deeply"),
        (b"a." * 5000 + b"b = 1", "nested too deeply"),
        (b"a = " + b"[" * 100 + b"]" * 100, "nested too deeply"),
        (b"#" * (5 << 20), "more than 4 MiB"),
        (b"[project]\nname = 'a'\nname = 'b'\n", "not valid TOML"),
        (b'[project]\nname = "a"\n"\\u001b[31mred" = 1\n', "unknown key"),
        (b'[project]\nname = "a"\n[scan]\nretries = nan\n', "retries"),
    ],
)
def test_files_of_every_kind(tmp_path: Path, data: bytes, told: str) -> None:
    (tmp_path / "lockgate.toml").write_bytes(data)
    said = refusal(tmp_path)
    assert told in said
    assert bool(said) == bool(told)
    assert not CONTROLS.search(said)


def test_what_is_not_a_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "lockgate.toml"
    path.mkdir()
    assert "a folder" in refusal(tmp_path)
    path.rmdir()
    os.mkfifo(path)
    assert "a named pipe" in refusal(tmp_path)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "a character device" in refusal(tmp_path)
    path.unlink()
    path.symlink_to("lockgate.toml")
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"images": 1}', '{"images": {"a": 1}}', "[" * 100_000, '{"images": {"\\u001b[31m": {}}}', "\ufeff{}"]
)
def test_a_lock_that_is_none_is_one_refusal(tmp_path: Path, text: str) -> None:
    lock = tmp_path / ".lockgate" / "images.lock"
    lock.parent.mkdir()
    lock.write_text(text)
    with pytest.raises(UsageError) as refused:
        locked_images(tmp_path, {})
    assert not CONTROLS.search("\n".join(refused.value.lines()))


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"schema": 1}', '{"schema": 1, "steps": []}', "[" * 100_000, '{"schema": 1, "steps": {"a": 1}}', "\xff"]
)
def test_a_state_that_is_none_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_bytes(text.encode("latin-1"))
    assert StateFile.read(tmp_path / "state.json").attempt("a") is None
    (tmp_path / "state.json").write_text(json.dumps({"schema": 10**30}))
    assert StateFile.read(tmp_path / "state.json").attempt("a") is None
