from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import ConfigError
from pipelines.steps.catalog import load
from tests.unit.config.conftest import ALONE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.config.conftest import Folder

OWN = '[project]\nname = "own"\n'


def test_the_nearest_ancestor_counts(folder: Folder) -> None:
    folder.write("lockgate.toml", '[project]\nname = "outer"\n')
    folder.write("inner/lockgate.toml", '[project]\nname = "inner"\n')
    deep = folder.path / "inner" / "a" / "b"
    deep.mkdir(parents=True)
    loaded = load(deep, environ=ALONE)
    assert loaded.project.name == "inner"
    assert loaded.project.root == folder.path / "inner"


def test_a_table_in_pyproject_takes_its_name_from_the_distribution(folder: Folder) -> None:
    folder.write("pyproject.toml", '[project]\nname = "My_Shop.API"\n[tool.lockgate]\njobs = 2\n')
    loaded = load(folder.path, environ=ALONE)
    assert (loaded.project.name, loaded.project.jobs) == ("my-shop-api", 2)
    assert loaded.provenance["project.name"].where.endswith("pyproject.toml [project]")


def test_a_pyproject_without_project_says_what_is_missing(folder: Folder) -> None:
    folder.write("pyproject.toml", "[tool.lockgate]\njobs = 2\n")
    with pytest.raises(ConfigError) as caught:
        load(folder.path, environ=ALONE)
    assert caught.value.problems == ("project: missing, and there is no default",)


def test_a_pyproject_that_does_not_speak_of_us_is_passed_by_broken_or_not(folder: Folder) -> None:
    folder.write("lockgate.toml", OWN)
    (folder.path / "a").mkdir()
    folder.write("a/pyproject.toml", "[tool.black\n")
    assert load(folder.path / "a", environ=ALONE).project.name == "own"


def test_two_configurations_in_one_folder_are_refused(folder: Folder) -> None:
    folder.write("lockgate.toml", OWN)
    folder.write("pyproject.toml", "[tool.lockgate]\n")
    with pytest.raises(ConfigError, match="both configure this folder"):
        load(folder.path, environ=ALONE)


def test_no_configuration_points_to_init(folder: Folder) -> None:
    with pytest.raises(ConfigError) as caught:
        load(folder.path, environ=ALONE)
    assert caught.value.next_step is not None
    assert "lockgate init" in caught.value.next_step


def test_a_named_file_is_taken_as_it_is(folder: Folder) -> None:
    path = folder.write("other/ci.toml", OWN)
    loaded = load(folder.path, environ=ALONE, file=path)
    assert (loaded.project.name, loaded.project.root) == ("own", folder.path / "other")


def test_a_named_pyproject_must_have_the_table(folder: Folder) -> None:
    path = folder.write("pyproject.toml", "[project]\nname = 'x'\n")
    with pytest.raises(ConfigError, match=r"no \[tool.lockgate\] table"):
        load(folder.path, environ=ALONE, file=path)


@pytest.mark.parametrize("tables", ["tool = 3\nlockgate = 1", "[tool]\nlockgate = 3"])
def test_a_pyproject_with_tables_of_another_kind_is_no_traceback(folder: Folder, tables: str) -> None:
    folder.write("pyproject.toml", tables)
    with pytest.raises(ConfigError):
        load(folder.path, environ=ALONE)


def test_broken_toml_gives_line_and_column(folder: Folder) -> None:
    folder.write("lockgate.toml", "[project\nname = 1")
    with pytest.raises(ConfigError) as caught:
        load(folder.path, environ=ALONE)
    assert "line 1" in caught.value.problems[0]


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "lockgate.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is UTF-16 text"):
        load(tmp_path, environ=ALONE)


def test_a_folder_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "lockgate.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, environ=ALONE)


def test_a_broken_local_file_is_named(folder: Folder) -> None:
    folder.write("lockgate.toml", OWN)
    folder.write("lockgate.local.toml", "=")
    with pytest.raises(ConfigError, match=r"lockgate\.local\.toml is not valid TOML"):
        load(folder.path, environ=ALONE)


def test_a_byte_order_mark_is_no_part_of_the_file(folder: Folder) -> None:
    (folder.path / "lockgate.toml").write_bytes(b"\xef\xbb\xbf" + OWN.encode())
    assert folder.load().project.name == "own"


def test_a_pipe_in_the_place_of_the_file_is_refused_at_once(folder: Folder) -> None:
    os.mkfifo(folder.path / "lockgate.toml")
    with pytest.raises(ConfigError, match="not a regular file"):
        folder.load()


def test_a_pipe_that_a_person_names_is_read(folder: Folder) -> None:
    """As a shell makes one: --config <(generate)."""
    pipe = folder.path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(OWN,))
    writer.start()
    assert load(folder.path, environ=ALONE, file=pipe).project.name == "own"
    writer.join()
