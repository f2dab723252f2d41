"""The table of a whole lockgate.toml: what is for the project, and the sections of steps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from pydantic import Field, create_model

from pipelines.config.fields import Name
from pipelines.config.table import Table
from pipelines.config.tables import ProjectWide

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.config.section import Section


@cache
def document_of(sections: tuple[Section, ...]) -> type[ProjectWide]:
    """The class of a whole file with these sections, in their order."""
    fields: dict[str, Any] = {}
    for section in sections:
        table = section.table()
        kind: Any = dict[Name, table] if section.named else table | None  # type: ignore[valid-type]
        fields[section.key] = (kind, Field({} if section.named else None, description=section.description))
    made: type[ProjectWide] = create_model("Document", __base__=ProjectWide, __doc__="A whole lockgate.toml.", **fields)
    return made


def values_of_document(document: ProjectWide) -> Mapping[str, Any]:
    """Plain values as JSON and TOML know them: defaults included, what is None left out."""
    return document.model_dump(mode="json", exclude_none=True)


def tables_in(table: type[Table]) -> tuple[type[Table], ...]:
    """A class and every class of a table in it, each once, in the order of the keys."""
    found: dict[type[Table], None] = {table: None}
    for field in table.model_fields.values():
        found |= dict.fromkeys(inner for kind in _tables(field.annotation) for inner in tables_in(kind))
    return tuple(found)


def _tables(annotation: Any) -> Iterator[type[Table]]:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for part in get_args(annotation):
        yield from _tables(part)
