"""Validation errors as one line for every wrong key: `path: message`. Values are not repeated: they may be secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.config.fields import NAME_FORM
from pipelines.config.key_paths import dotted
from pipelines.config.keys import shape_at
from pipelines.config.refused_keys import refusal
from pipelines.foundation.similar import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from pipelines.config.keys import Shape
    from pipelines.config.section import Section

Path = tuple[str | int, ...]
_TYPES = {
    "bool_type": "true or false",
    "date_type": "a date such as 2027-01-31",
    "dict_type": "a table",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "an array",
    "model_type": "a table",
    "string_type": "a string",
}
_SENTENCES = {
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected {ge} or more",
    "less_than_equal": "expected {le} or less",
    "missing": "missing, and there is no default",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "value_error": "{error}",
}


def problems(error: ValidationError, shape: Shape, sections: Sequence[Section], where: Callable[[Path], str]) -> tuple[str, ...]:
    """One line a problem, in the order of the keys; `where` names the origin of a path when it is not the main file, else ''.

    `shape` is that of the whole file.
    """
    lines = []
    for detail in error.errors(include_url=False, include_input=True):
        path = tuple(part for part in detail["loc"] if part != "[key]")
        origin = where(path)
        lines.append(f"{dotted(path)}: {_message(path, detail, shape, sections)}" + (f" (set by {origin})" if origin else ""))
    return tuple(lines)


def _message(path: Path, detail: ErrorDetails, shape: Shape, sections: Sequence[Section]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(path, shape, sections)
    if kind in _TYPES:
        return f"expected {_TYPES[kind]}, not {_got(detail['input'])}"
    if kind == "string_pattern_mismatch":
        return _pattern(str(context["pattern"]))
    if kind == "enum":
        return "expected " + str(context["expected"]).replace("'", "")
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(**context)
    message = detail["msg"]
    return message[:1].lower() + message[1:]


def _unknown(path: Path, shape: Shape, sections: Sequence[Section]) -> str:
    refused = refusal(path, sections)
    if refused is not None:
        return refused
    table = shape_at(shape, path[:-1])
    known = table["keys"] if isinstance(table, dict) else ()
    elsewhere = f"; keys here: {', '.join(sorted(known))}" if len(path) == 1 else ""
    return "unknown key" + (did_you_mean(str(path[-1]), known) or elsewhere)


def _pattern(pattern: str) -> str:
    if pattern == NAME_FORM:
        return "a name has lower-case letters and digits, separated by single - or _"
    if pattern == "^/":
        return "expected a path that begins with /"
    if pattern.startswith("^[A-Za-z_]"):
        return "not the name of a variable: expected letters, digits and _, and not a digit first"
    return "expected os/architecture such as linux/amd64"


def _got(value: object) -> str:
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "a table",
        type(None): "nothing",
    }
    return names.get(type(value), type(value).__name__)
