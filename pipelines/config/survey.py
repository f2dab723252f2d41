"""What can be seen of a project from outside: Dockerfile stages, ports, tests, k6 scripts."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.config.files import read_toml
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")
_SKIP = frozenset({"node_modules", "venv", "build", "dist", "__pycache__", "site-packages"})
_K6_IMPORT = re.compile(r"""from\s+['"]k6(/[\w-]+)*['"]""")
_DEPTH = 3
_LARGEST_SCRIPT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Facts about a project; `stages` in file order, without unnamed ones; `base_argument` when a stage begins `FROM ${BASE}`."""

    name: str
    dockerfile: bool = False
    stages: tuple[str, ...] = ()
    base_argument: bool = False
    ports: tuple[int, ...] = ()
    pytest: bool = False
    k6_scripts: tuple[str, ...] = ()


def survey(root: Path) -> Seen:
    """Look at a project's folder.

    Raises:
        UsageError: its Dockerfile or its pyproject.toml cannot be parsed.
    """
    path = root / "Dockerfile"
    commands = _commands(path) if path.is_file() else ()
    words = [" ".join(command.value) for command in commands if command.cmd.upper() == "FROM"]
    return Seen(
        name=_name(root),
        dockerfile=path.is_file(),
        stages=tuple(name for word in words for name in _stage(word)),
        base_argument=any(word.startswith(("${BASE}", "$BASE ")) or word == "$BASE" for word in words),
        ports=tuple(dict.fromkeys(_ports(commands))),
        pytest=_has_pytest(root),
        k6_scripts=tuple(sorted(_k6_scripts(root, root, _DEPTH))),
    )


def _name(root: Path) -> str:
    """The distribution's name where pyproject.toml has one, else the folder's."""
    path = root / "pyproject.toml"
    project = read_toml(path).get("project") if path.is_file() else None
    name = project.get("name") if isinstance(project, dict) else None
    return _NOT_A_NAME.sub("-", str(name or root.resolve().name).lower()).strip("-")[:63].strip("-") or "project"


def _commands(path: Path) -> tuple[Any, ...]:
    parser = importlib.import_module("dockerfile")  # the official parser; it ships no types
    try:
        return tuple(parser.parse_string(path.read_text(encoding="utf-8")))
    except (parser.GoParseError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path} cannot be parsed: {error}", next_step="correct the Dockerfile, then run `lockgate init` again") from error


def _stage(words: str) -> Iterator[str]:
    match = re.search(r"\sAS\s+(\S+)$", words, re.IGNORECASE)
    if match:
        yield match[1]


def _ports(commands: tuple[Any, ...]) -> Iterator[int]:
    for command in commands:
        if command.cmd.upper() == "EXPOSE":
            for word in command.value:
                number = word.partition("/")[0]
                if number.isdigit() and not word.endswith("/udp"):
                    yield int(number)


def _has_pytest(root: Path) -> bool:
    marks = (
        ("pytest.ini", ""),
        ("conftest.py", ""),
        ("tests/conftest.py", ""),
        ("pyproject.toml", "pytest"),
        ("setup.cfg", "pytest"),
        ("tox.ini", "pytest"),
    )
    return any(_contains(root / name, word) for name, word in marks) or any((root / "tests").rglob("test_*.py"))


def _contains(path: Path, word: str) -> bool:
    return path.is_file() and (not word or word in path.read_text(encoding="utf-8", errors="replace"))


def _k6_scripts(folder: Path, root: Path, depth: int) -> Iterator[str]:
    """Scripts that import k6, not below hidden or foreign folders, and not deeper than a few levels."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _SKIP or path.is_symlink():
            continue
        if path.is_dir() and depth > 0:
            yield from _k6_scripts(path, root, depth - 1)
        elif path.suffix in (".js", ".ts") and _speaks_k6(path):
            yield path.relative_to(root).as_posix()


def _speaks_k6(path: Path) -> bool:
    small = path.is_file() and path.stat().st_size < _LARGEST_SCRIPT
    return small and _K6_IMPORT.search(path.read_text(encoding="utf-8", errors="replace")) is not None
