"""A published image, in a later run where nothing changed and the registry has it as it should: asked directly, without an engine."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from pipelines.foundation.registry_login import RegistryLogin
from pipelines.model import PublishedImage
from pipelines.registry import find_manifest, read_reference
from pipelines.steps.common.local_secrets import is_local, read_local
from pipelines.steps.common.login import NO_USER
from pipelines.steps.common.tags import repository, tags_of
from pipelines.steps.image.earlier import immutable_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import Project, Registry, Source
    from pipelines.steps.definition import RestoreInputs
    from pipelines.steps.publish.spec import PublishSpec


class PublishedImageKeeper:
    """`pipelines.steps.definition.ValueKeeper` for a publish step. One of a release works in every run: it keeps its tags from moving."""

    judges_anew = False

    def __init__(self, spec: PublishSpec, name: str) -> None:
        self._spec = spec
        self._name = name

    def keep(self, value: object, project: Project, source: Source) -> Mapping[str, Any] | None:
        """See `ValueKeeper`."""
        registry = project.registry
        readable = registry is not None and (registry.auth is None or is_local(registry.auth))
        if not isinstance(value, PublishedImage) or not readable or immutable_tags(project, source):
            return None
        return value.to_json()

    async def restore(self, data: Mapping[str, Any], restore_inputs: RestoreInputs) -> PublishedImage | None:
        """See `ValueKeeper`."""
        image, registry = PublishedImage.from_json(dict(data)), restore_inputs.project.registry
        tags = [tag.name for tag in tags_of(self._spec, restore_inputs.source)]
        if registry is None or not tags or tuple(tags) != image.tags or immutable_tags(restore_inputs.project, restore_inputs.source):
            return None
        if image.repository != repository(registry, self._name):
            return None
        login = _login(registry, restore_inputs)
        for tag in tags:
            ask = functools.partial(find_manifest, read_reference(f"{image.repository}:{tag}"), restore_inputs.environ, login=login)
            if (await anyio.to_thread.run_sync(ask, abandon_on_cancel=True)).digest != image.digest:
                return None
        restore_inputs.context.log(f"{image.ref} is there already\n")
        return image


def _login(registry: Registry, restore_inputs: RestoreInputs) -> RegistryLogin | None:
    """The credentials of the configuration, which `keep` saw to be readable; None for the user's own.

    Raises:
        CredentialsError: they cannot be read.
    """
    secret = registry.auth
    if secret is None:
        return None
    value = read_local(secret, restore_inputs.project.root, restore_inputs.environ)
    restore_inputs.context.mask(value)
    return RegistryLogin(registry.username or NO_USER, value.rstrip("\r\n").encode(errors="surrogateescape"))
