"""What a project is written in, its own name, and how its tests are run: read from the files that the tools of each language need."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from pipelines.config.files import read_toml
from pipelines.steps.first_look.own_files import own_files, text_of

if TYPE_CHECKING:
    from pathlib import Path

_NO_TEST = "no test specified"  # what `npm init` writes where there is none
_PYTEST = re.compile(r"^\s*pytest\b|[\"']pytest\b|\[(?:tool:)?pytest\]|\[tool\.pytest", re.MULTILINE)
JUNIT = "/tmp/junit.xml"  # noqa: S108 - in the container, where every user may write


class Language(StrEnum):
    """The languages whose projects are recognised."""

    PYTHON = "Python"
    NODE = "Node.js"
    GO = "Go"
    RUST = "Rust"
    MAVEN = "Java with Maven"
    GRADLE = "Java with Gradle"


@dataclass(frozen=True, slots=True)
class LanguageFacts:
    """What was recognised: the language, the project's own name for itself if it has one, and the command of its tests if it has any."""

    language: Language
    name: str | None = None
    test: tuple[str, ...] | None = None


def languages(root: Path) -> tuple[LanguageFacts, ...]:
    """Every language whose files are in the project's folder, the one that most likely makes the service first.

    Raises:
        ConfigError: its pyproject.toml cannot be parsed.
    """
    readers = (_python, _node, _go, _rust, _maven, _gradle)
    return tuple(facts for facts in (reader(root) for reader in readers) if facts is not None)


def _python(root: Path) -> LanguageFacts | None:
    file = root / "pyproject.toml"
    document = read_toml(file) if file.is_file() else {}
    name = _text(document, "project", "name") or _text(document, "tool", "poetry", "name")
    marks = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "uv.lock")
    if not any((root / mark).is_file() for mark in marks) and not any(root.glob("*.py")):
        return None
    return LanguageFacts(Language.PYTHON, name, ("pytest", "-q", f"--junitxml={JUNIT}") if _has_pytest(root) else None)


def _has_pytest(root: Path) -> bool:
    if (root / "pytest.ini").is_file() or (root / "conftest.py").is_file():
        return True
    told = [*(root / name for name in ("pyproject.toml", "setup.cfg", "tox.ini")), *sorted(root.glob("requirements*.txt"))]
    if any(_PYTEST.search(text_of(path)) for path in told):
        return True
    return any(path.name.startswith("test_") or path.stem.endswith("_test") for path in own_files(root, ".py"))


def _node(root: Path) -> LanguageFacts | None:
    file = root / "package.json"
    if not file.is_file():
        return None
    try:
        document = json.loads(text_of(file))
    except (ValueError, RecursionError):
        document = {}
    script = _text(document, "scripts", "test")
    tool = "pnpm" if (root / "pnpm-lock.yaml").is_file() else "yarn" if (root / "yarn.lock").is_file() else "npm"
    return LanguageFacts(Language.NODE, _text(document, "name"), (tool, "test") if script and _NO_TEST not in script else None)


def _go(root: Path) -> LanguageFacts | None:
    file = root / "go.mod"
    if not file.is_file():
        return None
    module = re.search(r"^module\s+\"?([^\s\"]+)", text_of(file), re.MULTILINE)
    path = re.sub(r"/v\d+$", "", module[1]) if module else ""
    tested = any(path.name.endswith("_test.go") for path in own_files(root, ".go"))
    return LanguageFacts(Language.GO, path.rpartition("/")[2] or None, ("go", "test", "./...") if tested else None)


def _rust(root: Path) -> LanguageFacts | None:
    file = root / "Cargo.toml"
    if not file.is_file():
        return None
    try:
        name = _text(tomllib.loads(text_of(file)), "package", "name")
    except (tomllib.TOMLDecodeError, RecursionError):
        name = None
    tested = any("#[test]" in text_of(path) for path in own_files(root, ".rs"))
    locked = ("--locked",) if (root / "Cargo.lock").is_file() else ()
    return LanguageFacts(Language.RUST, name, ("cargo", "test", *locked) if tested else None)


def _maven(root: Path) -> LanguageFacts | None:
    file = root / "pom.xml"
    if not file.is_file():
        return None
    program = "./mvnw" if (root / "mvnw").is_file() else "mvn"
    return LanguageFacts(Language.MAVEN, _artifact(text_of(file)), (program, "-B", "test") if _java_tests(root) else None)


def _artifact(text: str) -> str | None:
    """The artifactId of a pom.xml itself, not its parent's; entities need a document type, which no pom.xml has."""
    if "<!DOCTYPE" in text:
        return None
    try:
        document = ET.fromstring(text)  # noqa: S314 - see above
    except ET.ParseError:
        return None
    return next((child.text.strip() for child in document if child.tag.rpartition("}")[2] == "artifactId" and child.text), None)


def _gradle(root: Path) -> LanguageFacts | None:
    if not any((root / name).is_file() for name in ("build.gradle", "build.gradle.kts")):
        return None
    program = "./gradlew" if (root / "gradlew").is_file() else "gradle"
    settings = next((text_of(root / name) for name in ("settings.gradle", "settings.gradle.kts") if (root / name).is_file()), "")
    name = re.search(r"rootProject\.name\s*=\s*[\"']([^\"']+)", settings)
    return LanguageFacts(Language.GRADLE, name[1] if name else None, (program, "test") if _java_tests(root) else None)


def _java_tests(root: Path) -> bool:
    return (root / "src/test").is_dir() or any((folder / "src/test").is_dir() for folder in root.iterdir() if folder.is_dir())


def _text(document: Any, *keys: str) -> str | None:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, str) and document else None
