"""A first lockgate.toml, written by looking at the project."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING

from pipelines.config.discover import FILE, PYPROJECT, in_folder
from pipelines.config.survey import survey
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.config.survey import Seen

_SHIPS = ("runtime", "release", "production", "prod", "final", "app")
_TESTS = ("test", "tests", "testing", "dev", "ci")


def propose(root: Path) -> str:
    """The text of a lockgate.toml that fits the project and loads without a problem; what could not be seen is a comment.

    Raises:
        UsageError: the project's Dockerfile cannot be parsed.
    """
    seen = survey(root)
    return "\n".join(_head(seen)) + "".join("\n" + "\n".join(section) + "\n" for section in _sections(seen))


def write(root: Path, *, force: bool = False) -> Path:
    """Write the proposal to lockgate.toml and return its path.

    Raises:
        UsageError: there is one already (unless `force`), or the folder cannot be written.
    """
    path = root / FILE
    if path.exists() and not force:
        raise UsageError(f"{path} is already there", next_step="edit it, or run `lockgate init --force` to write it anew")
    if in_folder(root) is not None and not path.exists():
        raise UsageError(f"{root / PYPROJECT} already configures this folder", next_step="edit its [tool.lockgate] table")
    try:
        path.write_text(propose(root), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _head(seen: Seen) -> Iterator[str]:
    yield "# What this project builds and proves: `lockgate plan` shows it, `lockgate` does it."
    yield ""
    yield "[project]"
    yield f"name = {_quoted(seen.name)}"
    yield ""
    yield "# Where images go. Without credentials here, containers-auth.json is used as everywhere."
    yield "# [registry]"
    yield '# url = "registry.example.com/team"'
    yield '# auth = "env://REGISTRY_TOKEN"'
    yield ""


def _sections(seen: Seen) -> Iterator[list[str]]:
    if not seen.dockerfile:
        yield ["# No Dockerfile was found. Once there is one, add [images.NAME]."]
        return
    ships = _pick(seen.stages, _SHIPS)
    yield list(_image(seen, ships))
    if seen.pytest:
        yield list(_tests(seen))
    yield ["[scan]", 'fail_on = "high"']
    if seen.ports:
        for name, script in _perf_names(seen.k6_scripts).items():
            yield list(_perf(seen, name, script))
    yield ["# Publishing needs [registry] above.", "# [publish]", '# when = "ci"']


def _image(seen: Seen, ships: str | None) -> Iterator[str]:
    yield f"[images.{seen.name}]"
    if ships:
        yield f"target = {_quoted(ships)}"
    if seen.base_argument:
        yield 'base = "python"  # a name in .lockgate/images.lock or a reference; passed as the build argument BASE'


def _tests(seen: Seen) -> Iterator[str]:
    stage = _pick(seen.stages, _TESTS)
    yield "[tests.unit]"
    yield f"image = {{ name = {_quoted(seen.name)}, target = {_quoted(stage)} }}" if stage else f"image = {_quoted(seen.name)}"
    yield 'command = ["pytest", "-q", "--junitxml=/tmp/junit.xml"]'


def _perf_names(scripts: tuple[str, ...]) -> dict[str, str]:
    """A name for every script: its stem, with a number where two have the same."""
    names: dict[str, str] = {}
    for script in scripts:
        stem = re.sub(r"[^a-z0-9]+", "-", script.rsplit("/", 1)[-1].partition(".")[0].lower()).strip("-") or "load"
        name = next(name for count in itertools.count(1) if (name := stem if count == 1 else f"{stem}-{count}") not in names)
        names[name] = script
    return names


def _perf(seen: Seen, name: str, script: str) -> Iterator[str]:
    yield f"[perf.{name}]"
    yield f"script = {_quoted(script)}"
    yield f"service = {{ image = {_quoted(seen.name)}, port = {seen.ports[0]} }}"
    yield "thresholds = { p95_ms = 500, error_rate = 0.01 }"


def _pick(stages: tuple[str, ...], wanted: tuple[str, ...]) -> str | None:
    """The stage whose name comes first in the list of usual names; None leaves the choice to the Dockerfile's order."""
    return next((stage for name in wanted for stage in stages if stage.lower() == name), None)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False)
