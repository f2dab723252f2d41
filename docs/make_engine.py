"""Write what the embedded engine answers into docs/engine.md, between its markers; a test fails when they drift apart.

python -m docs.make_engine           write
python -m docs.make_engine --check   exit with 1 when the page is out of date
"""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import pipelines.engine.embedded.api.fields  # noqa: F401 - registers them
from docs.generated import Part
from pipelines.engine.embedded.api.registry import registry
from pipelines.engine.embedded.api.schema.sdk import find_sdk
from pipelines.engine.embedded.api.schema.sdk_schema import read_schema
from pipelines.engine.embedded.api.schema.types import Composite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.engine.embedded.api.schema.types import Schema


def answered() -> dict[str, dict[str, frozenset[str]]]:
    """Type, field, arguments it honours."""
    found: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for spec in registry:
        type_name, _, name = spec.name.partition(".")
        found[type_name][name] = spec.args
    return found


def table(schema: Schema) -> Iterator[str]:
    """The types with answers, and those without."""
    found = answered()
    yield "| type | answered | not answered |\n|---|---|---|"
    for name in sorted(found, key=lambda one: (one != "Query", one)):
        composite = schema.composite(name)
        assert composite is not None
        missing = [one for one in sorted(composite.fields) if one not in found[name] and not _given(name, one)]
        ours = [_field(one, args, frozenset(composite.fields[one].args)) for one, args in sorted(found[name].items())]
        yield f"| {name} | {', '.join(ours)} | {', '.join(missing) or '-'} |"
    absent = [name for name, one in sorted(schema.types.items()) if isinstance(one, Composite) and name not in found]
    yield f"\nTypes without any answer of their own: {', '.join(one for one in absent if one not in INTERFACES)}."


INTERFACES = {"Node", "Syncer", "Exportable"}


def _given(type_name: str, name: str) -> bool:
    """What every object has without a resolver."""
    return name == "id" or (type_name == "Query" and (name in {"node", "version"} or (name.startswith("load") and name.endswith("FromID"))))


def _field(name: str, honoured: frozenset[str], known: frozenset[str]) -> str:
    without = sorted(known - honoured)
    return f"{name} (without {', '.join(without)})" if without else name


def fields() -> str:
    """The table, for the schema of the installed SDK."""
    sdk = find_sdk()
    return "\n".join(table(read_schema(sdk.client, f"v{sdk.version}")))


if __name__ == "__main__":
    sys.exit(Part("engine.md", "fields", "make_engine", fields).main(sys.argv[1:]))
