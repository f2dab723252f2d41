"""Images and sources as steps hand them on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dagger


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A built image. Before publish it is a recipe in the engine (`container`, or one container a platform in `variants`); after
    publish `ref` is `repository:tag@sha256:…` and `digest` names it.

    `targets` gives the container of another stage of the same Dockerfile (`targets["test"]`), for steps that run in it. `origin` says where
    its base came from (`official`, `built`, or None). `found` is the digest by which the registry had this version, made of the same
    inputs, before: then `container` is that image and was not built.
    """

    name: str
    container: dagger.Container = field(compare=False, repr=False)
    platforms: tuple[str, ...] = ()
    variants: tuple[dagger.Container, ...] = field(default=(), compare=False, repr=False)
    targets: Mapping[str, dagger.Container] = field(default_factory=dict, compare=False, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    base: str | None = None
    origin: str | None = None
    found: str | None = None
    ref: str | None = None
    digest: str | None = None
    published: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The commit a run works on. `created` is the commit's time as RFC 3339; `version` comes from `git describe` (tag without a leading
    v; or `0.0.0+g<short>`), with `.dirty` when the work tree differs. All None outside git but `version` ("0.0.0"). `remote` is a URL
    without credentials. `unknown`: why nothing is known although the folder is in a repository, as a sentence with the command that helps.
    """

    root: str
    revision: str | None = None
    branch: str | None = None
    version: str = "0.0.0"
    created: str | None = None
    remote: str | None = None
    dirty: bool = False
    unknown: str | None = None
    directory: Any = field(default=None, compare=False, repr=False)
