"""The section [images] of a configuration: from its tables to images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.config.section import Section, limits_of, secret_refs
from pipelines.steps.image.spec import NAME, ImageSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.config.table import Table


def _table() -> type[Table]:
    from pipelines.steps.image.table import ImageTable

    return ImageTable


def _image(name: str, values: Mapping[str, Any], default_s: float) -> ImageSpec:
    return ImageSpec(
        name=name,
        context=values["context"],
        dockerfile=values["dockerfile"],
        target=values.get("target"),
        base=values.get("base"),
        args=values["args"],
        platforms=tuple(values["platforms"]),
        secrets=secret_refs(values["secrets"]),
        labels=values["labels"],
        limits=limits_of(values, default_s),
    )


SECTION = Section(
    key="images",
    kind=NAME,
    description="Images by name: step image.NAME.",
    example="shop",
    table=_table,
    convert=_image,
    later=frozenset({"attest", "provenance", "sbom", "sign"}),
)
