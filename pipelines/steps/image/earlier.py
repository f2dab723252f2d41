"""A release that was published before: its image is fetched instead of built again.

A release job is tried again on a fresh runner, where a rebuild has another digest. When the registry has the version, made of the same
inputs, that image is what the gates run on and what stays published: what is tested is what is delivered. An image of other inputs is never
taken; publish then refuses to move the tag.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.engine.codes import Code
from pipelines.errors import ConfigError, LockgateError
from pipelines.model import values_of
from pipelines.steps.common.dagger_errors import explained_errors
from pipelines.steps.common.error_messages import code_of
from pipelines.steps.common.login import login
from pipelines.steps.common.references import digest_of
from pipelines.steps.common.tags import TagTemplates, repository, tags_of
from pipelines.steps.image.inputs import LABEL
from pipelines.steps.source import is_release

if TYPE_CHECKING:
    import dagger

    from pipelines.model import Project, Registry, Source
    from pipelines.steps.common.login import Login
    from pipelines.steps.common.step_inputs import StepInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An image in the registry: where, by which digest, and how to get it."""

    address: str
    digest: str
    login: Login = field(repr=False)

    def container(self, client: dagger.Client, platform: str | None) -> dagger.Container:
        """The image of a platform, by digest."""
        import dagger

        empty = client.container(platform=dagger.Platform(platform)) if platform else client.container()
        return self.login.apply(empty).from_(f"{self.address}@{self.digest}")


async def find_earlier(step_inputs: StepInputs, image: str, inputs: str | None) -> Earlier | None:
    """The image of this version and these inputs, if the registry has it. A registry that cannot be asked is said and has nothing."""
    registry = step_inputs.project.registry
    tags = immutable_tags(step_inputs.project, step_inputs.source) if inputs is not None else ()
    if registry is None or not tags:
        return None
    try:
        with explained_errors(f"look for {image} {step_inputs.source.version} in the registry"):
            return await _look(step_inputs, registry, image, tags, str(inputs))
    except LockgateError as error:
        step_inputs.context.log("".join(f"{line}\n" for line in (*error.lines()[:2], "so it is built")))
        return None


def immutable_tags(project: Project, source: Source) -> tuple[str, ...]:
    """The tags that name this release for good; none for a snapshot."""
    templates = next(values_of(TagTemplates, project.steps), None)
    if templates is None or not is_release(source):
        return ()
    try:
        return tuple(tag.name for tag in tags_of(templates, source) if tag.immutable)
    except ConfigError:
        return ()  # publish itself says what is wrong with the tags


async def _look(step_inputs: StepInputs, registry: Registry, image: str, tags: tuple[str, ...], inputs: str) -> Earlier | None:
    entry, address = await login(step_inputs, registry), repository(registry, image)
    for tag in tags:
        found = await _labelled(entry.apply(step_inputs.client.container()), f"{address}:{tag}")
        if found is None:
            continue
        digest, label = found
        if label == inputs:
            step_inputs.context.log(f"{address}:{tag} was made of the same inputs: its image is used, {digest}\n")
            return Earlier(address=address, digest=digest, login=entry)
        step_inputs.context.log(f"{address}:{tag} was made of other inputs ({label or 'it does not say from which'})\n")
    return None


async def _labelled(empty: dagger.Container, reference: str) -> tuple[str, str | None] | None:
    """The digest of a reference and its image's inputs label; None when the registry has no such tag."""
    import dagger

    try:
        digest = digest_of(await empty.from_(reference).image_ref())
        if digest is None:
            return None
        return digest, await empty.from_(f"{reference.rpartition(':')[0]}@{digest}").label(LABEL)
    except dagger.QueryError as error:
        if code_of(error) is Code.IMAGE_NOT_FOUND:
            return None
        raise
