from __future__ import annotations

import importlib
import tomllib
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import UsageError
from pipelines.steps.catalog import load
from pipelines.steps.first_look import dockerfiles
from pipelines.steps.image.spec import images_of
from pipelines.steps.perf.spec import performance_checks_of
from pipelines.steps.proposal import propose, write
from pipelines.steps.test.spec import configured_tests
from tests.unit.config.conftest import ALONE

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

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
TWO_STAGES = "FROM a AS build\nFROM b\n"
FILES = {
    "npm": {"package.json": '{"name": "@team/Web.Shop", "scripts": {"test": "node --test"}}'},
    "yarn": {"package.json": '{"name": "web-shop", "scripts": {"test": "jest"}}', "yarn.lock": ""},
    "go": {"go.mod": "module example.com/team/web-shop/v2\n\ngo 1.25\n", "internal/a/a_test.go": "package a\n"},
    "maven": {
        "pom.xml": "<project><parent><artifactId>p</artifactId></parent><artifactId>web-shop</artifactId></project>",
        "src/test/A.java": "",
    },
    "gradle": {"build.gradle.kts": "", "settings.gradle.kts": 'rootProject.name = "web-shop"\n', "gradlew": "", "app/src/test/A.kt": ""},
    "cargo": {"Cargo.toml": '[package]\nname = "web-shop"\n', "src/lib.rs": "#[test]\nfn a() {}\n"},
    "cargo, locked": {"Cargo.toml": '[package]\nname = "web-shop"\n', "Cargo.lock": "", "src/lib.rs": "#[test]\nfn a() {}\n"},
    "pytest without a folder": {"pyproject.toml": '[project]\nname = "Web_Shop"\n', "shop/cart_test.py": ""},
    "pytest in requirements": {"pyproject.toml": '[tool.poetry]\nname = "web-shop"\n', "requirements-dev.txt": "ruff\npytest==8\n"},
}
COMMANDS = {
    "npm": ["npm", "test"],
    "yarn": ["yarn", "test"],
    "go": ["go", "test", "./..."],
    "maven": ["mvn", "-B", "test"],
    "gradle": ["./gradlew", "test"],
    "cargo": ["cargo", "test"],
    "cargo, locked": ["cargo", "test", "--locked"],
    "pytest without a folder": ["pytest", "-q", "--junitxml=/tmp/junit.xml"],
    "pytest in requirements": ["pytest", "-q", "--junitxml=/tmp/junit.xml"],
}
COMPILED = {"go", "maven", "gradle", "cargo", "cargo, locked"}


def proposed(folder: Folder) -> dict[str, Any]:
    """The proposal, which must also load."""
    text = propose(folder.path)
    folder.load(text)
    return tomllib.loads(text)


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
    image = images_of(project)["my-shop"]
    assert (image.target, image.base) == ("runtime", "python")
    assert configured_tests(project)["unit"].image.target == "test"
    assert list(performance_checks_of(project)) == ["check-out"]
    assert performance_checks_of(project)["check-out"].service.port == 8000


@pytest.mark.parametrize("kind", FILES)
def test_the_tests_and_the_name_of_a_project_are_found(folder: Folder, kind: str) -> None:
    for name, text in FILES[kind].items():
        folder.write(name, text)
    folder.write("Dockerfile", TWO_STAGES)
    document = proposed(folder)
    assert document["project"]["name"] == "web-shop"
    test = document["tests"]["unit"]
    assert test["command"] == COMMANDS[kind]
    assert test["image"] == ({"name": "web-shop", "target": "build"} if kind in COMPILED else "web-shop")
    folder.write("Dockerfile", "FROM a AS build\nFROM build AS Test\nFROM b\n")
    assert proposed(folder)["tests"]["unit"]["image"] == {"name": "web-shop", "target": "Test"}


def test_a_project_in_two_languages_has_both_tests(folder: Folder) -> None:
    for name, text in {**FILES["npm"], **FILES["go"], "Dockerfile": TWO_STAGES}.items():
        folder.write(name, text)
    assert {name: test["command"] for name, test in proposed(folder)["tests"].items()} == {
        "unit": ["npm", "test"],
        "unit-go": ["go", "test", "./..."],
    }


@pytest.mark.parametrize(
    ("stage", "command"),
    [
        ('CMD ["make", "check"]', ["make", "check"]),
        ("CMD make check", ["sh", "-c", "make check"]),
        ('ENTRYPOINT ["ctest"]\nCMD ["-V"]', ["ctest", "-V"]),
        ("RUN make check", ["true"]),
    ],
)
def test_a_stage_for_tests_is_a_test_whatever_the_language(folder: Folder, stage: str, command: list[str]) -> None:
    folder.write("Dockerfile", f"FROM a AS test\n{stage}\nFROM a AS runtime\nCMD x\n")
    test = proposed(folder)["tests"]["unit"]
    assert (test["command"], test["image"]["target"]) == (command, "test")


@pytest.mark.parametrize("line", ["RUN true", "RUN pip install pytest", "RUN apt-get install -y check && true", "ENV A=test"])
def test_a_stage_for_tests_that_runs_none_is_no_test(folder: Folder, line: str) -> None:
    folder.write("Dockerfile", f"FROM a AS test\n{line}\nFROM a AS runtime\nCMD x\n")
    assert "tests" not in proposed(folder)


def test_that_no_tests_were_found_is_said(folder: Folder) -> None:
    folder.write("Cargo.toml", '[package]\nname = "web-shop"\n')
    folder.write("Dockerfile", "FROM x AS build\nFROM build AS test\nFROM y\n")
    text = propose(folder.path)
    assert "# No tests were found." in text
    folder.load(text.replace("# [tests", "[tests").replace("# image", "image").replace("# command", "command"))


def test_a_script_that_is_not_a_test_is_none(folder: Folder) -> None:
    folder.write("package.json", '{"name": "x", "scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}')
    folder.write("Dockerfile", "FROM a\n")
    assert "tests" not in proposed(folder)


def test_a_dockerfile_in_a_usual_place_is_found(folder: Folder) -> None:
    folder.write("docker/Dockerfile", "FROM a\n")
    (image,) = proposed(folder)["images"].values()
    assert image["dockerfile"] == "docker/Dockerfile"


def test_without_a_dockerfile_it_says_what_is_missing_and_writes_nothing(folder: Folder) -> None:
    with pytest.raises(UsageError, match="there is no Dockerfile") as caught:
        write(folder.path)
    assert list(folder.path.iterdir()) == []
    assert "--dockerfile" not in str(caught.value.next_step)
    folder.write("go.mod", "module x\n")
    with pytest.raises(UsageError, match="written in Go") as caught:
        write(folder.path)
    assert "lockgate init --dockerfile" in str(caught.value.next_step)


def test_several_dockerfiles_are_named(folder: Folder) -> None:
    for name in ("api", "web"):
        folder.write(f"{name}/Dockerfile", "FROM a\n")
    with pytest.raises(UsageError, match=r"api/Dockerfile, web/Dockerfile"):
        propose(folder.path)


def test_steps_in_python_need_no_dockerfile(folder: Folder) -> None:
    folder.write("lockgate.py", "")
    assert set(proposed(folder)) == {"project"}


@pytest.mark.parametrize("kind", FILES)
def test_a_dockerfile_is_written_for_every_language_and_fits(folder: Folder, kind: str) -> None:
    for name, text in FILES[kind].items():
        folder.write(name, text)
    assert {path.name for path in dockerfiles.write(folder.path)} == {"Dockerfile", ".dockerignore"}
    document = proposed(folder)
    image, test = document["images"]["web-shop"], document["tests"]["unit"]
    assert (image["target"], test["image"]["target"]) == ("runtime", "test")
    with pytest.raises(UsageError, match="already there"):
        dockerfiles.write(folder.path)
    importlib.import_module("dockerfile").parse_string((folder.path / "Dockerfile").read_text())


def test_a_folder_that_is_no_project_gets_no_dockerfile(folder: Folder) -> None:
    with pytest.raises(UsageError, match="is not recognised"):
        dockerfiles.write(folder.path)


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
    folder.write("Dockerfile", "FROM scratch\n")
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
    folder.write("Dockerfile", "FROM a\nRUN <<END\n")
    with pytest.raises(UsageError, match="cannot be parsed"):
        propose(folder.path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", "{"),
        ("package.json", "[1]"),
        ("Cargo.toml", "x"),
        ("pom.xml", "<"),
        ("pom.xml", "<!DOCTYPE a><a/>"),
        ("go.mod", ""),
    ],
)
def test_broken_files_of_a_language_only_give_no_name(folder: Folder, name: str, text: str) -> None:
    folder.write(name, text)
    folder.write("Dockerfile", "FROM a\n")
    assert proposed(folder)["project"]["name"]


def test_names_of_odd_folders(tmp_path: Path) -> None:
    odd = tmp_path / "Été & Co__2"
    odd.mkdir()
    (odd / "Dockerfile").write_text("FROM scratch\n")
    assert tomllib.loads(propose(odd))["project"]["name"] == "t-co-2"
