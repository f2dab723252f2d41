from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from pipelines.config import load
from pipelines.config.init import propose, write
from pipelines.errors import UsageError
from tests.unit.config.conftest import ALONE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.config.conftest import Folder

DOCKERFILE = """\
    # syntax=docker/dockerfile:1
    ARG BASE
    FROM ${BASE} AS deps
    RUN --mount=type=cache,target=/root/.cache pip install .
    FROM deps AS test
    FROM deps AS runtime
    EXPOSE 53/udp 8000/tcp
"""


def test_a_project_is_recognised_and_the_proposal_loads(folder: Folder) -> None:
    folder.write("Dockerfile", DOCKERFILE)
    folder.write("tests/test_it.py", "")
    folder.write("perf/check_out.js", "import http from 'k6/http'\n")
    folder.write("src/other.js", "import x from './k6'\n")
    folder.write("node_modules/a/b.js", "import http from 'k6/http'\n")
    folder.write("pyproject.toml", '[project]\nname = "My.Shop"\n')
    write(folder.path)
    project = load(folder.path, environ=ALONE).project
    assert project.name == "my-shop"
    image = project.images["my-shop"]
    assert (image.target, image.base) == ("runtime", "python")
    assert project.tests["unit"].image.target == "test"
    assert list(project.perf) == ["check-out"]
    assert project.perf["check-out"].service.port == 8000
    assert project.scan is not None


def test_a_bare_folder_gets_a_file_that_loads(folder: Folder) -> None:
    write(folder.path)
    project = load(folder.path, environ=ALONE).project
    assert not project.images


def test_two_scripts_of_one_name_get_two_names(folder: Folder) -> None:
    folder.write("Dockerfile", "FROM scratch\nEXPOSE 80\n")
    for where in ("a", "b"):
        folder.write(f"{where}/load.js", "import http from 'k6/http'\n")
    assert list(tomllib.loads(propose(folder.path))["perf"]) == ["load", "load-2"]


def test_without_a_port_there_is_nothing_to_measure(folder: Folder) -> None:
    folder.write("Dockerfile", "FROM scratch\n")
    folder.write("load.js", "import http from 'k6/http'\n")
    assert "perf" not in tomllib.loads(propose(folder.path))


def test_an_existing_file_is_kept_unless_forced(folder: Folder) -> None:
    path = folder.write("lockgate.toml", "# mine\n")
    with pytest.raises(UsageError, match="already there"):
        write(folder.path)
    assert path.read_text() == "# mine\n"
    write(folder.path, force=True)
    assert "[project]" in path.read_text()


def test_a_folder_that_pyproject_configures_gets_no_second_file(folder: Folder) -> None:
    folder.write("pyproject.toml", "[tool.lockgate]\n")
    with pytest.raises(UsageError, match="already configures"):
        write(folder.path)


def test_a_broken_dockerfile_is_one_message(folder: Folder) -> None:
    folder.write("Dockerfile", "FROM a\nENV x\n")
    with pytest.raises(UsageError, match="cannot be parsed"):
        propose(folder.path)


def test_names_of_odd_folders(tmp_path: Path) -> None:
    odd = tmp_path / "Été & Co__2"
    odd.mkdir()
    assert tomllib.loads(propose(odd))["project"]["name"] == "t-co-2"
