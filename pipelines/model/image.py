"""Images and sources as steps hand them on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import dagger


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContainers:
    """What an engine has of a built image.

    `container` is the image itself, for the platform of the engine where that is among its platforms; `variants` are one container a
    platform, empty where there is only one. `targets` gives the container of another stage of the same Dockerfile (`targets["test"]`).
    """

    container: dagger.Container = field(compare=False, repr=False)
    variants: tuple[dagger.Container, ...] = field(default=(), compare=False, repr=False)
    targets: Mapping[str, dagger.Container] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImage:
    """An image that a run built, as a handle in its engine. What can be said of it without the engine stands here as values.

    `containers` gives the handles; it is called when one of them is first asked for (`container`, `variants`, `targets`), and whoever
    makes a BuiltImage sees to it that another call costs nothing. `labels` are those of the finished image. `base` is the reference of
    its base image, and `origin` says where that came from (`official`, `built`, or None). `found` is the digest by which the registry had
    this version, made of the same inputs, before: then the containers are that image and were not built.
    """

    name: str
    containers: Callable[[], ImageContainers] = field(compare=False, repr=False)
    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    base: str | None = None
    origin: str | None = None
    found: str | None = None

    @property
    def container(self) -> dagger.Container:
        """The image; for one of several platforms, that of the engine's own where it is among them."""
        return self.containers().container

    @property
    def variants(self) -> tuple[dagger.Container, ...]:
        """One container a platform where there are several, else empty."""
        return self.containers().variants

    @property
    def targets(self) -> Mapping[str, dagger.Container]:
        """Containers of other stages of the Dockerfile, by the stage's name: those that tests and services run in."""
        return self.containers().targets


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedImage:
    """An image in a registry: no engine is needed to refer to it.

    `repository` is host and path, `digest` (`sha256:...`) what names the image there from now on; `tags` are those that named it when it
    was published, the most telling one first.
    """

    name: str
    repository: str
    digest: str
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None

    @property
    def ref(self) -> str:
        """`repository:tag@digest`, or `repository@digest` for an image without a tag."""
        tag = f":{self.tags[0]}" if self.tags else ""
        return f"{self.repository}{tag}@{self.digest}"

    def to_json(self) -> dict[str, Any]:
        """The image as plain JSON values."""
        return {
            "name": self.name,
            "repository": self.repository,
            "digest": self.digest,
            "tags": list(self.tags),
            "platforms": list(self.platforms),
            "labels": dict(self.labels),
            "version": self.version,
        }

    @classmethod
    def from_json(cls, data: object) -> PublishedImage:
        """The image that `to_json` made these values of; keys of a later version are passed over.

        Raises:
            ValueError: a value is missing or has another type.
        """
        if not isinstance(data, dict):
            raise ValueError("a published image is an object")  # noqa: TRY004 - one kind of error for whatever a file may hold
        version = data.get("version")
        if version is not None and not isinstance(version, str):
            raise ValueError("version of a published image is not text")
        return cls(
            name=_text(data, "name"),
            repository=_text(data, "repository"),
            digest=_text(data, "digest"),
            tags=_texts(data, "tags"),
            platforms=_texts(data, "platforms"),
            labels=_labels(data),
            version=version,
        )


def _text(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} of a published image is not text")  # noqa: TRY004 - as above
    return value


def _texts(data: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = data.get(key)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{key} of a published image is not a list of texts")
    return tuple(value)


def _labels(data: Mapping[str, object]) -> dict[str, str]:
    value = data.get("labels")
    if not isinstance(value, dict) or not all(isinstance(one, str) for pair in value.items() for one in pair):
        raise ValueError("labels of a published image are not names with texts")
    return dict(value)


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
