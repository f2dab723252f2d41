"""A built image in a later run where nothing changed: a handle whose containers are made when somebody first asks for one.

Nothing of the image is kept but which platform its engine builds for: everything else a handle says follows from configuration and commit.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pipelines.model import BuiltImage, ImageContainers
from pipelines.steps.common.local_secrets import is_local, read_local
from pipelines.steps.common.references import resolve
from pipelines.steps.common.step_inputs import StepInputs
from pipelines.steps.image.build_secrets import secrets_of
from pipelines.steps.image.earlier import immutable_tags
from pipelines.steps.image.labels import labels_of
from pipelines.steps.image.run import Recipe, build_arguments, build_directory, inputs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dagger

    from pipelines.model import Project, SecretRef, Source
    from pipelines.steps.definition import RestoreInputs
    from pipelines.steps.image.spec import ImageSpec


class ImageKeeper:
    """`pipelines.steps.definition.ValueKeeper` for an image and the stages that other steps use."""

    judges_anew = False

    def __init__(self, spec: ImageSpec, targets: Sequence[str]) -> None:
        self._spec = spec
        self._targets = targets

    def keep(self, value: object, project: Project, source: Source) -> Mapping[str, Any] | None:  # noqa: ARG002 - for others it counts
        """See `ValueKeeper`. An image that came out of the registry is looked for there again, and a secret that only the engine can read
        may have changed.
        """
        if not isinstance(value, BuiltImage) or value.found is not None or value.platforms:
            return None
        secrets = secrets_of(self._spec, project).values()
        return {} if all(map(is_local, secrets)) else None

    async def restore(self, data: Mapping[str, Any], restore_inputs: RestoreInputs) -> BuiltImage | None:  # noqa: ARG002 - nothing is kept
        """See `ValueKeeper`."""
        spec, project, source = self._spec, restore_inputs.project, restore_inputs.source
        base = resolve(project, spec.base, wanted_by=f"image {spec.name}") if spec.base else None
        inputs = inputs_of(spec, project, source, base)
        if inputs is not None and project.registry is not None and immutable_tags(project, source):
            return None  # the registry may have this release: the step asks
        labels = labels_of(spec, source, base=base.reference if base else None, inputs=inputs)
        return BuiltImage(
            name=spec.name,
            containers=functools.cache(lambda: self._containers(restore_inputs, labels)),
            labels=labels,
            version=source.version,
            base=base.reference if base else None,
            origin=base.origin if base else None,
        )

    def _containers(self, restore_inputs: RestoreInputs, labels: Mapping[str, str]) -> ImageContainers:
        """The same calls that the step makes; what they build is in the engine's store."""
        spec, client = self._spec, restore_inputs.client()
        context, project, source = restore_inputs.context, restore_inputs.project, restore_inputs.source
        inputs = StepInputs(client=client, context=context, project=project, source=source, images={})
        base = resolve(project, spec.base, wanted_by=f"image {spec.name}") if spec.base else None
        recipe = Recipe(
            spec=spec,
            directory=build_directory(spec, inputs),
            args=build_arguments(spec, source, base),
            secrets=[_secret(client, name, secret, restore_inputs) for name, secret in secrets_of(spec, project).items()],
        )
        shipped = recipe.build(spec.target)
        for name, value in labels.items():
            shipped = shipped.with_label(name, value)
        stages = {target: recipe.build(target) for target in self._targets}
        return ImageContainers(container=shipped, targets={**({spec.target: shipped} if spec.target else {}), **stages})


def _secret(client: dagger.Client, name: str, secret: SecretRef, restore_inputs: RestoreInputs) -> dagger.Secret:
    """A build secret, read here: only one with a value has the name that a Dockerfile asks for."""
    value = read_local(secret, restore_inputs.project.root, restore_inputs.environ)
    restore_inputs.context.mask(value)
    return client.set_secret(name, value)
