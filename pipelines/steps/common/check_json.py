"""A `Check` as plain JSON values, and back. Its artifacts are given by their names: they are files in the step's folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.foundation.json_values import from_json, to_json
from pipelines.model import Check


def check_to_json(check: Check) -> dict[str, Any]:
    """The check as plain JSON values."""
    values: dict[str, Any] = to_json(replace(check, artifacts=tuple(Path(name).name for name in check.artifacts)))
    return values


def check_from_json(data: object, folder: Path) -> Check:
    """The check; `folder` holds its artifacts.

    Raises:
        ValueError: it is something else.
    """
    check = from_json(Check, data)
    return replace(check, artifacts=tuple(str((folder / name).resolve()) for name in check.artifacts))
