"""Values that fit their type, but that no system call takes: refused before anything is done."""

from __future__ import annotations

from typing import Any

from pipelines.engine.embedded.errors import InvalidInput

CONTENTS = frozenset({"contents", "plaintext", "stdin", "search", "replacement", "pattern", "patch", "description", "comment"})
"""Arguments that hold data, in which a NUL is a character like others."""
MODES = 0o177777  # what a file mode may say, its type included


def check_value(argument: str, value: Any) -> None:
    """Check one argument.

    Raises:
        InvalidInput: a NUL in a name, path or word; permissions that are none.
    """
    if argument == "permissions" and isinstance(value, int) and not 0 <= value <= MODES:
        raise InvalidInput(f'Argument "permissions": {value} is not a file mode (0 to 0o7777)')
    if argument not in CONTENTS and _has_nul(value):
        raise InvalidInput(f'Argument "{argument}": a NUL character cannot be part of it')


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(one) for one in value.values())
    return isinstance(value, list) and any(_has_nul(one) for one in value)
