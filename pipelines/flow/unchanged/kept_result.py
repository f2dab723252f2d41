"""What a step gave, kept so that it can be given again: its value as JSON, its artifacts, and the last lines of its log.

Nothing is kept in which a secret was masked, or would be.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.foundation.files import replace_bytes
from pipelines.foundation.redaction.redactor import MASK
from pipelines.foundation.regular_files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipelines.model import Result
    from pipelines.steps.definition import StepContext

MOST_BYTES = 16 << 20
"""Of the artifacts of one step: more is not kept, and the step works in every run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """An artifact: its path relative to the step's folder, and the SHA-256 of its content."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResult:
    """`value` is what the kind of the step makes of it, `tail` the last lines of its log, masked."""

    value: Mapping[str, Any]
    files: tuple[KeptFile, ...] = ()
    tail: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        files = [[file.name, file.sha256] for file in self.files]
        return {"value": dict(self.value), "files": files, "tail": list(self.tail)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> KeptResult:
        """The inverse.

        Raises:
            LookupError, TypeError, ValueError: it is something else.
        """
        files = tuple(KeptFile(name=name, sha256=sha256) for name, sha256 in data["files"])
        return cls(value=dict(data["value"]), files=files, tail=tuple(map(str, data["tail"])))


def keep_result(
    result: Result, value: Mapping[str, Any], context: StepContext, folder: Path, clean: Callable[[str], str]
) -> KeptResult | None:
    """Keep a result; its artifacts are copied into `folder`. `clean` masks secrets in a text. None where a secret may be in it, or where
    an artifact cannot be kept.
    """
    text = json.dumps(value, ensure_ascii=False)
    if MASK in text or clean(text) != text:
        return None
    files, left = [], MOST_BYTES
    try:
        for name in result.artifacts:
            data = read_bytes(Path(name))
            left -= len(data)
            if left < 0 or MASK.encode() in data or not Path(name).is_relative_to(context.folder.resolve()):
                return None
            sha256 = hashlib.sha256(data).hexdigest()
            files.append((KeptFile(name=Path(name).relative_to(context.folder.resolve()).as_posix(), sha256=sha256), data))
        folder.mkdir(exist_ok=True)
        for file, data in files:
            if not (folder / file.sha256).exists():
                replace_bytes(folder / file.sha256, data)
    except OSError:
        return None
    return KeptResult(value=value, files=tuple(file for file, _ in files), tail=result.tail)


def give_files(kept: KeptResult, folder: Path, context: StepContext) -> bool:
    """Copy the artifacts into the step's folder; False when one of them is no longer as it was."""
    try:
        for file in kept.files:
            data = read_bytes(folder / file.sha256)
            target = context.folder / file.name
            if hashlib.sha256(data).hexdigest() != file.sha256 or not target.resolve().is_relative_to(context.folder.resolve()):
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            replace_bytes(target, data)
    except OSError:
        return False
    return True


def tidy_files(folder: Path, kept: Iterable[Mapping[str, Any] | None]) -> None:
    """Remove artifacts that no result needs any more.

    Raises:
        OSError: the folder cannot be read.
    """
    needed = {file[1] for one in kept if one is not None for file in one["files"]}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in needed:
            path.unlink(missing_ok=True)
