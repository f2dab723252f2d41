"""The performance checks that `lockgate init` proposes."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from pipelines.steps.first_look.toml_text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.steps.first_look.project_facts import ProjectFacts


def propose(seen: ProjectFacts) -> Iterator[list[str]]:
    """A check for every k6 script, where the image says which port it listens on."""
    if not seen.ports:
        return
    for name, script in _names(seen.k6_scripts).items():
        yield [
            f"[perf.{name}]",
            f"script = {quoted(script)}",
            f"service = {{ image = {quoted(seen.name)}, port = {seen.ports[0]} }}",
            "thresholds = { p95_ms = 500, error_rate = 0.01 }",
        ]


def _names(scripts: tuple[str, ...]) -> dict[str, str]:
    """A name for every script: its stem, with a number where two have the same."""
    names: dict[str, str] = {}
    for script in scripts:
        stem = re.sub(r"[^a-z0-9]+", "-", script.rsplit("/", 1)[-1].partition(".")[0].lower()).strip("-") or "load"
        name = next(name for count in itertools.count(1) if (name := stem if count == 1 else f"{stem}-{count}") not in names)
        names[name] = script
    return names
