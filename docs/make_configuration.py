"""Write every key of the configuration into docs/configuration.md, between its markers; a test fails when they drift apart.

python -m docs.make_configuration           write
python -m docs.make_configuration --check   exit with 1 when the page is out of date
"""

from __future__ import annotations

import datetime as dt
import enum
import json
import sys
import types
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic_core import PydanticUndefined

from docs.generated import Part
from pipelines.config import fields, tables
from pipelines.config.document import document_of, tables_in
from pipelines.config.table import Table, examples_of
from pipelines.steps.catalog import sections_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic.fields import FieldInfo

SECTIONS = sections_of()
DOCUMENT = document_of(SECTIONS)


def sections() -> dict[str, type[Table]]:
    """The head of each example, and the table it is for."""
    wide: dict[str, type[Table]] = {
        "": DOCUMENT,
        "[project]": tables.ProjectTable,
        "[engine]": tables.EngineTable,
        "[registry]": tables.RegistryTable,
        "[build]": tables.BuildTable,
    }
    return wide | {f"[{one.key}.{one.example}]" if one.example else f"[{one.key}]": one.table() for one in SECTIONS}


PARTS = {table.TITLE: table for table in tables_in(DOCUMENT) if table.TITLE}
"""Tables inside others."""
NAMED = {
    "Name": "a name",
    "Text": "text",
    "EnvName": "a variable's name",
    "Duration": "a duration",
    "Size": "a size",
    "SecretUri": "a secret URI",
    "RegistryUrl": "host[:port]/path",
    "Tag": "a tag",
    "Day": "a date",
    "Platform": "os/architecture",
    "Number": "a number",
    "Port": "a port",
}
PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "text", dt.date: "a date"}
SHORT = 3  # keys of a table on one line
BOUNDS = (("ge", "{} or more"), ("gt", "more than {}"), ("le", "{} at most"), ("lt", "less than {}"))


def keys() -> str:
    """Every table with its keys and its example."""
    said = [_section(head, table) for head, table in sections().items()]
    said += [_section(title, table, inner=True) for title, table in PARTS.items()]
    return "\n".join(said)


def _section(head: str, table: type[Table], *, inner: bool = False) -> str:
    title = head if inner else f"`{_generic(head)}`" if head else "At the top of the file"
    about = _about(table)
    rows = "\n".join(_rows(table))
    example = "" if inner else f"\n```toml\n{example_of(head, table)}\n```\n"
    return f"### {title}\n\n{about}\n\n| key | type | default | |\n|---|---|---|---|\n{rows}\n{example}"


def _about(table: type[Table]) -> str:
    """The table's sentence without its own name, which is the title already."""
    text = " ".join((table.__doc__ or "").strip().partition("\n\n")[0].split())
    name, parted, rest = text.partition("`: ")
    bare = rest if parted and name.startswith("`[") else "" if text.startswith("`[") else text
    return bare[:1].upper() + bare[1:]


def _generic(head: str) -> str:
    section, dot, _ = head.strip("[]").partition(".")
    return f"[{section}.NAME]" if dot else head


def _rows(table: type[Table]) -> Iterator[str]:
    hints = get_type_hints(table, include_extras=True)
    for key, field in table.model_fields.items():
        if table is DOCUMENT and key not in examples_of(table):
            continue  # a table of its own
        kind = _bounded(_kind(hints[key]), field.metadata)
        yield f"| `{key}` | {kind} | {_default(field)} | {_cell(field.description or '')} |"


def _kind(hint: Any) -> str:
    """A type in words."""
    named = next((words for name, words in NAMED.items() if hint == getattr(fields, name)), None)
    if named is not None:
        return named
    return _plain(hint) if get_origin(hint) is None else _composed(get_origin(hint), get_args(hint))


def _composed(origin: Any, inner: tuple[Any, ...]) -> str:
    if origin is Annotated:
        return _bounded(_kind(inner[0]), [limit for one in inner[1:] for limit in getattr(one, "metadata", [])])
    if origin is list:
        return f"array: {_kind(inner[0])} each"
    if origin is dict:
        return f"table: {_kind(inner[0])} to {_kind(inner[1])}"
    assert origin in (Union, types.UnionType), origin
    return " or ".join(_kind(part) for part in inner if part is not type(None))


def _plain(kind: type) -> str:
    if issubclass(kind, Table):
        return _link(kind)
    if issubclass(kind, enum.Enum):
        return ", ".join(f"`{json.dumps(member.value)}`" for member in kind)
    return PLAIN[kind]


def _link(table: type[Table]) -> str:
    title = next(title for title, one in PARTS.items() if one is table)
    return f"[{title[0].lower()}{title[1:]}](#{title.lower().replace(' ', '-')})"


def _bounded(kind: str, metadata: Sequence[object]) -> str:
    limits = [text.format(getattr(one, name)) for one in metadata for name, text in BOUNDS if getattr(one, name, None) is not None]
    return f"{kind}, {', '.join(limits)}" if limits else kind


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "needed"
    value = field.default.value if isinstance(field.default, enum.Enum) else field.default
    return "" if value in (None, [], {}) or isinstance(value, Table) else f"`{_toml(value)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def example_of(head: str, table: type[Table]) -> str:
    """The table as TOML with an example for every key."""
    return "\n".join(_lines(head.strip("[]"), examples_of(table)))


def _lines(path: str, values: Mapping[str, Any], head: str = "[{}]") -> Iterator[str]:
    """A table, then the tables inside it that would be too long on one line."""
    apart = {key: value for key, value in values.items() if _long(value)}
    if path and len(apart) < len(values):
        yield head.format(path)
    yield from (f"{key} = {_toml(value)}" for key, value in values.items() if key not in apart)
    for key, value in apart.items():
        for inner in value if isinstance(value, list) else [value]:
            yield from _lines(f"{path}.{key}", inner, "\n[[{}]]" if isinstance(value, list) else "\n[{}]")


def _long(value: object) -> bool:
    if isinstance(value, list):
        return any(isinstance(inner, dict) for inner in value)
    return isinstance(value, dict) and (any(isinstance(inner, dict) for inner in value.values()) or len(value) > SHORT)


def _toml(value: object) -> str:
    """A value as TOML writes it on one line; JSON's strings are strings of TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value)


def _key(text: str) -> str:
    return text if text.replace("-", "").replace("_", "").isalnum() else json.dumps(text)


if __name__ == "__main__":
    sys.exit(Part("configuration.md", "keys", "make_configuration", keys).main(sys.argv[1:]))
