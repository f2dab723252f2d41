"""Short spellings written out, so that layers merge key by key: `image = "shop"` is `image = { name = "shop" }`,
`engine = "embedded"` is `engine = { kind = "embedded" }`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.config.section import Section

_PROJECT_WIDE = {"engine": "kind"}


def written_out(tables: Mapping[str, Any], sections: Iterable[Section]) -> dict[str, Any]:
    """The same tables with a table for every short spelling, of the project and of the sections."""
    written = _long(tables, _PROJECT_WIDE)
    for section in sections:
        content = written.get(section.key)
        if not isinstance(content, dict) or not section.short_forms:
            continue
        if section.named:
            written[section.key] = {
                name: _long(table, section.short_forms) if isinstance(table, dict) else table for name, table in content.items()
            }
        else:
            written[section.key] = _long(content, section.short_forms)
    return written


def full_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path of the key that a short path stands for."""
    return (*path, _PROJECT_WIDE[path[0]]) if len(path) == 1 and path[0] in _PROJECT_WIDE else path


def _long(table: Mapping[str, Any], short_forms: Mapping[str, str]) -> dict[str, Any]:
    return {key: {short_forms[key]: value} if key in short_forms and isinstance(value, str) else value for key, value in table.items()}
