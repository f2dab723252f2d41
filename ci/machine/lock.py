"""`images.lock`, of a project or of the user: which image a name stands for on this machine, by digest."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """`origin` is `official` or `built` (or `chosen`, by a person); `fixture` marks made-up data; `key` says which line of ci/images.toml
    it came from.
    """

    reference: str
    origin: str
    fixture: bool
    key: str = ""
    artifact: bool = False


_KEYS = frozenset(Locked.__dataclass_fields__)
CHOSEN = "chosen"
"""Origin of what a person chose with `lockgate images use`: set-up leaves it alone."""


def path(project: Path) -> Path:
    return project / ".lockgate/images.lock"


def read(file: Path) -> dict[str, Locked]:
    """The entries; empty when the file is missing or not ours to read."""
    try:
        images = json.loads(file.read_text())["images"]
        return {name: Locked(**{key: value for key, value in entry.items() if key in _KEYS}) for name, entry in images.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return {}


def write(files: Iterable[Path], images: Mapping[str, Locked]) -> None:
    """Write the same entries to every file, each whole or not at all."""
    text = json.dumps({"schema": SCHEMA, "images": {name: asdict(locked) for name, locked in images.items()}}, indent=2) + "\n"
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".tmp")
        draft.write_text(text)
        draft.replace(file)
