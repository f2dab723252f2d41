"""Tags of an image from the version: which names it gets in the registry, and which of them must never move.

A tag's grammar is the distribution specification's: at most 128 of `[A-Za-z0-9_.-]`, not starting with `.` or `-`. `+`, which semantic
versions use for build metadata, becomes `_`, as Helm does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.steps.source import is_release

if TYPE_CHECKING:
    from pipelines.model import Registry, Source

_PLACEHOLDER = re.compile(r"\{(version|revision|short|branch)\}")
_NOT_TAG = re.compile(r"[^A-Za-z0-9_.-]")
_MAX = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class TagTemplates:
    """What images are called in the registry: `tags` never move, `moving` ones may. {version}, {revision}, {short} and {branch} in them
    are the commit's.
    """

    tags: tuple[str, ...] = ("{version}",)
    moving: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag to push; an `immutable` one is refused when the registry already has it with another digest."""

    name: str
    immutable: bool


def repository(registry: Registry, image: str) -> str:
    """`host/path/image`."""
    return f"{registry.url.rstrip('/')}/{image}"


def tags_of(templates: TagTemplates, source: Source) -> tuple[Tag, ...]:
    """The tags of a commit, immutable ones first, each once.

    A tag under `moving` moves. One under `tags` does not, unless it is made of a commit that is not a release: a snapshot may be
    built again, and a work tree with changes names no content at all.

    Raises:
        ConfigError: a template gives no valid tag, or names what git did not say of the commit.
    """
    if source.unknown is not None and named_after_commit(templates):
        raise ConfigError("an image cannot be named after its commit", cause=source.unknown, next_step="lockgate plan")
    fixed = {_render(template, source, "tags"): not _may_repeat(template, source) for template in templates.tags}
    loose = dict.fromkeys((_render(template, source, "moving") for template in templates.moving), False)
    return tuple(
        sorted((Tag(name=name, immutable=immutable) for name, immutable in {**fixed, **loose}.items()), key=lambda tag: not tag.immutable)
    )


def named_after_commit(templates: TagTemplates) -> bool:
    """Whether a tag says which commit it was made of."""
    return any(_PLACEHOLDER.search(template) for template in (*templates.tags, *templates.moving))


def fill(template: str, source: Source) -> str:
    """The text with {version}, {revision}, {short} (12 digits) and {branch} replaced; other braces stay."""
    values = {
        "version": source.version,
        "revision": source.revision or "",
        "short": (source.revision or "")[:12],
        "branch": source.branch or "",
    }
    return _PLACEHOLDER.sub(lambda found: values[found.group(1)], template)


def _may_repeat(template: str, source: Source) -> bool:
    return _PLACEHOLDER.search(template) is not None and not is_release(source)


def _render(template: str, source: Source, key: str) -> str:
    name = _NOT_TAG.sub("-", fill(template, source).replace("+", "_")).lstrip(".-")[:_MAX]
    if not name:
        raise ConfigError(
            f"the tag {template!r} is empty for this commit",
            problems=(f"publish.{key}: {template!r} gives no tag",),
            cause="there is no git commit or branch to name it after",
            next_step="use {version}, or commit the project to git",
        )
    return name
