"""The section [publish] of a configuration: from its table to how a project is published, and what has to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.config.section import Section, limits_of
from pipelines.steps.publish.spec import NAME, PublishSpec, PublishWhen, publish_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.config.table import Table
    from pipelines.model import Project


def _table() -> type[Table]:
    from pipelines.steps.publish.table import PublishTable

    return PublishTable


def _publish(_name: str, values: Mapping[str, Any], default_s: float) -> PublishSpec:
    after = values.get("after")
    return PublishSpec(
        when=PublishWhen(values["when"]),
        tags=tuple(values["tags"]),
        moving=tuple(values["moving"]),
        after=None if after is None else tuple(after),
        limits=limits_of(values, default_s),
    )


def _problems(project: Project) -> Iterator[str]:
    spec = publish_of(project)
    if spec is None:
        return
    if not (spec.tags or spec.moving):
        yield "publish.tags: needs at least one tag here, or one in moving"
    for tag in spec.tags:
        if tag in spec.moving:
            yield f"publish.moving: {tag} cannot be a tag that never moves and also one that may move"


SECTION = Section(
    key="publish",
    kind=NAME,
    description="Publishing: step publish.NAME for every image.",
    table=_table,
    convert=_publish,
    problems=_problems,
    later=frozenset({"attest", "provenance", "sbom", "sign"}),
)
