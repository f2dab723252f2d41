"""The publish step: an image into the registry, by digest, under the tags of its version.

Immutable tags are looked up first. Where the registry already has one, the image is pushed under the tag `candidate` to learn its digest
(the only way to know it that holds on every engine): the same digest means that everything is there already, another one that the tag
would move, and then nothing else is pushed. Tags go out one after the other, immutable ones first, and all must name one digest. An image
that came out of the registry itself (`pipelines.steps.image.earlier`) is not pushed again: engines do not keep the bytes of what they
pulled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pipelines.engine.codes import Code
from pipelines.errors import ConfigError, StepFailed
from pipelines.model import PublishedImage
from pipelines.steps.common.dagger_errors import explained_errors
from pipelines.steps.common.error_messages import code_of
from pipelines.steps.common.login import login
from pipelines.steps.common.references import digest_of
from pipelines.steps.common.tags import repository, tags_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import dagger

    from pipelines.model import BuiltImage, Registry
    from pipelines.steps.common.step_inputs import StepInputs
    from pipelines.steps.common.tags import Tag
    from pipelines.steps.publish.spec import PublishSpec

CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRepository:
    """What is pushed, and to where. `login` is an empty container that knows the credentials; lookups start from it."""

    address: str
    container: dagger.Container = field(repr=False)
    variants: Sequence[dagger.Container] = field(repr=False)
    login: dagger.Container = field(repr=False)

    async def push(self, tag: str) -> str:
        """Push under a tag; the digest the registry has it by."""
        pushed = await self.container.publish(f"{self.address}:{tag}", platform_variants=list(self.variants))
        digest = digest_of(pushed)
        if digest is None:
            raise StepFailed(f"the engine pushed {self.address}:{tag} without giving its digest", cause=f"it answered {pushed!r}")
        return digest

    async def remote(self, tag: str) -> str | None:
        """The digest the registry has under a tag; None when it has no such tag."""
        import dagger

        try:
            return digest_of(await self.login.from_(f"{self.address}:{tag}").image_ref())
        except dagger.QueryError as error:
            if code_of(error) is Code.IMAGE_NOT_FOUND:
                return None
            raise


async def step(spec: PublishSpec, name: str, step_inputs: StepInputs) -> PublishedImage:
    """Push the image; what the registry has of it.

    Raises:
        StepFailed: an immutable tag would move.
        ConfigError: no registry is configured, or a tag is empty.
        RegistryUnavailable: the registry does not answer.
        CredentialsError: it refuses us, or the secret cannot be read.
    """
    registry, image = step_inputs.project.registry, step_inputs.images[name]
    if registry is None:
        raise ConfigError("publish has no registry to push to", next_step='add [registry] url = "host/path"')
    tags = tags_of(spec, step_inputs.source)
    if not tags:
        raise ConfigError(
            "publish has no tag to push",
            problems=("publish.tags: is empty, and so is publish.moving",),
            next_step='set tags = ["{version}"]',
        )
    with explained_errors(f"publish {name}"):
        target = await _repository_of(step_inputs, registry, image)
        pushed = await push_tags(target, tags, step_inputs.context.log, earlier=image.found)
    step_inputs.context.cached = pushed.unchanged
    published = PublishedImage(
        name=name,
        repository=target.address,
        digest=pushed.digest,
        tags=pushed.tags,
        platforms=image.platforms,
        labels=image.labels,
        version=image.version,
    )
    step_inputs.context.log(f"published {published.ref}\n")
    return published


async def _repository_of(step_inputs: StepInputs, registry: Registry, image: BuiltImage) -> EngineRepository:
    entry = await login(step_inputs, registry)
    empty = entry.apply(step_inputs.client.container())
    container = empty if image.variants else entry.apply(image.container)
    return EngineRepository(address=repository(registry, image.name), container=container, variants=image.variants, login=empty)


class ImageRepository(Protocol):
    """A place in a registry where one image goes: what is decided about tags needs no more than this."""

    @property
    def address(self) -> str:
        """The repository."""

    async def push(self, tag: str) -> str:
        """Push the image under a tag; the digest it got."""

    async def remote(self, tag: str) -> str | None:
        """The digest under a tag, None when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """The digest an image has in the registry, the tags that name it there, and whether they all did before."""

    digest: str
    tags: tuple[str, ...]
    unchanged: bool


async def push_tags(target: ImageRepository, tags: Sequence[Tag], log: Callable[[str], None], *, earlier: str | None = None) -> Pushed:
    """Push every tag that does not name the image yet. `earlier` is the digest of an image that came out of this registry.

    Raises:
        StepFailed: an immutable tag would move; nothing but the candidate was pushed.
    """
    there = {tag.name: await target.remote(tag.name) for tag in tags}
    taken = [tag for tag in tags if tag.immutable and there[tag.name] is not None]
    if earlier is not None and taken and all(there[tag.name] == earlier for tag in taken):
        return await _join(target, tags, there, earlier, log)
    digest = await target.push(CANDIDATE) if taken else None
    for tag in taken:
        if there[tag.name] != digest:
            raise _would_move(target, tag, str(there[tag.name]), str(digest))
        log(f"{target.address}:{tag.name} is there already\n")
    for tag in (tag for tag in tags if tag not in taken):
        pushed = await target.push(tag.name)
        log(f"pushed {target.address}:{tag.name}@{pushed}\n")
        if digest is not None and pushed != digest:
            raise StepFailed(
                f"{target.address}:{tag.name} got digest {pushed}, another tag of the same image has {digest}",
                cause="the image changed while it was pushed",
            )
        digest = pushed
    names = tuple(tag.name for tag in tags)
    return Pushed(digest=str(digest), tags=names, unchanged=all(before == digest for before in there.values()))


async def _join(
    target: ImageRepository, tags: Sequence[Tag], there: Mapping[str, str | None], earlier: str, log: Callable[[str], None]
) -> Pushed:
    """Tags of an image that was published before. What is missing is added if the engine can push the same bytes; a moving tag that names
    another image stays, since it may have moved on to a later release.
    """
    names = [tag.name for tag in tags if there[tag.name] == earlier]
    missing = [tag for tag in tags if there[tag.name] is None]
    same = not missing or await target.push(CANDIDATE) == earlier
    for tag in tags:
        name = f"{target.address}:{tag.name}"
        if tag not in missing:
            log(
                f"{name} is there already\n"
                if there[tag.name] == earlier
                else f"{name} names {there[tag.name]} and stays: {earlier} is older\n"
            )
        elif same:
            log(f"pushed {name}@{await target.push(tag.name)}\n")
            names.append(tag.name)
        elif tag.immutable:
            raise StepFailed(
                f"the tag {name} is missing, and this engine cannot add it to {earlier}, which is published already",
                cause="an image that it pushes has another digest",
                next_step="add the tag with the registry's own tool, or make a new version (git tag)",
            )
        else:
            log(f"{name} is not set: this engine cannot push {earlier} again without changing it\n")
    kept = tuple(tag.name for tag in tags if tag.name in names)
    return Pushed(digest=earlier, tags=kept, unchanged=not (missing and same))


def _would_move(target: ImageRepository, tag: Tag, before: str, after: str) -> StepFailed:
    return StepFailed(
        f"the tag {target.address}:{tag.name} is immutable and names {before}, this image is {after}",
        cause="this version was published before, from other inputs (or by a Lockgate that did not label images with them)",
        next_step="make a new version (git tag), or list the tag under [publish] moving",
    )
