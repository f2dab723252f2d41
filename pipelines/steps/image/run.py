"""The image step: a multi-stage Dockerfile to an image with labels, and the stages other steps run in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import LockgateError, StepFailed
from pipelines.foundation.dockerfile import NotADockerfile, read, stages_of
from pipelines.foundation.regular_files import read_text
from pipelines.model import BuiltImage, ImageContainers, Insecure
from pipelines.steps.common.dagger_errors import explained_errors
from pipelines.steps.common.references import resolve
from pipelines.steps.common.replay import Stamp, has_volatile
from pipelines.steps.common.secrets import build_secrets
from pipelines.steps.common.tags import fill
from pipelines.steps.common.wrapper import SHELL, STAMP_VARIABLE
from pipelines.steps.image.build_context import exclusions
from pipelines.steps.image.build_secrets import secrets_of
from pipelines.steps.image.earlier import find_earlier
from pipelines.steps.image.inputs import Inputs, inputs_digest
from pipelines.steps.image.labels import labels_of
from pipelines.steps.image.privileges import asks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dagger

    from pipelines.model import LockedImage, Project, Source
    from pipelines.steps.common.step_inputs import StepInputs
    from pipelines.steps.image.earlier import Earlier
    from pipelines.steps.image.spec import ImageSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A Dockerfile build without its target and platform."""

    spec: ImageSpec
    directory: dagger.Directory = field(repr=False)
    args: Mapping[str, str]
    secrets: Sequence[dagger.Secret] = field(repr=False)

    def build(self, target: str | None, platform: str | None = None) -> dagger.Container:
        """The container of a stage (the last one without a target); nothing runs yet."""
        import dagger

        return self.directory.docker_build(
            dockerfile=self.spec.dockerfile,
            platform=dagger.Platform(platform) if platform else None,
            build_args=[dagger.BuildArg(name=name, value=value) for name, value in self.args.items()],
            target=target or "",
            secrets=list(self.secrets),
        )


async def step(spec: ImageSpec, targets: Sequence[str], step_inputs: StepInputs) -> BuiltImage:
    """Build the image for every platform; the stages in `targets` are offered unbuilt and build when something runs in them.

    Raises:
        StepFailed: no Dockerfile, no such stage, a command of the Dockerfile fails, a platform this machine cannot run, or the Dockerfile
            needs more rights than an ordinary container has (`[engine] insecure`).
        CredentialsError: a build secret cannot be read.
        Unavailable: the base image is unknown here; engine or registry do not answer.
    """
    base = resolve(step_inputs.project, spec.base, wanted_by=f"image {spec.name}") if spec.base else None
    recipe = Recipe(
        spec=spec,
        directory=build_directory(spec, step_inputs),
        args=build_arguments(spec, step_inputs.source, base),
        secrets=await build_secrets(step_inputs, secrets_of(spec, step_inputs.project)),
    )
    inputs = inputs_of(spec, step_inputs.project, step_inputs.source, base)
    labels = labels_of(spec, step_inputs.source, base=base.reference if base else None, inputs=inputs)
    _announce(recipe, step_inputs, base)
    await _check_privileges(recipe, step_inputs)
    stages = {target: await _known(recipe, target) for target in targets}
    native = str(await step_inputs.client.default_platform()) if spec.platforms else None
    _check_platforms(spec, base, native)
    earlier = await find_earlier(step_inputs, spec.name, inputs)
    wanted = spec.platforms or (None,)
    if earlier is not None:
        variants = {platform: await _fetched(earlier, step_inputs, spec.name, platform) for platform in wanted}
        step_inputs.context.cached = True
    else:
        variants = {platform: await _variant(recipe, step_inputs, platform, native, labels) for platform in wanted}
    shipped = variants.get(native) or next(iter(variants.values()))
    containers = ImageContainers(
        container=shipped,
        variants=tuple(variants.values()) if len(variants) > 1 else (),
        targets={**({spec.target: shipped} if spec.target else {}), **stages},
    )
    return BuiltImage(
        name=spec.name,
        containers=lambda: containers,
        platforms=spec.platforms,
        labels=labels,
        version=step_inputs.source.version,
        base=base.reference if base else None,
        origin=base.origin if base else None,
        found=earlier.digest if earlier is not None else None,
    )


def inputs_of(spec: ImageSpec, project: Project, source: Source, base: LockedImage | None) -> str | None:
    """The digest of what the image is made of; None where that does not name one content.

    Raises:
        OSError: the Dockerfile cannot be read.
    """
    return inputs_digest(
        Inputs(
            revision=source.revision,
            dirty=source.dirty,
            dockerfile=(Path(project.root) / spec.context / spec.dockerfile).read_bytes(),
            where=(spec.context, spec.dockerfile),
            target=spec.target,
            base=base.reference if base else None,
            args=build_arguments(spec, source, base),
            platforms=spec.platforms,
            secrets=tuple(spec.secrets),
            labels=spec.labels,
        )
    )


async def _fetched(earlier: Earlier, step_inputs: StepInputs, name: str, platform: str | None) -> dagger.Container:
    """The image of one platform as the registry has it."""
    with explained_errors(f"fetch image {name}"):
        return await earlier.container(step_inputs.client, platform).sync()


async def _check_privileges(recipe: Recipe, step_inputs: StepInputs) -> None:
    """Refuse a Dockerfile that needs more rights than an ordinary container has; the file is the one that the engine will build."""
    spec, allowed = recipe.spec, step_inputs.project.engine.insecure
    if allowed is Insecure.ALL:
        return
    with explained_errors(f"read the Dockerfile of image {spec.name}"):
        text = await recipe.directory.file(spec.dockerfile).contents()
    if asked := asks(text):
        raise StepFailed(
            f"image {spec.name}: {spec.dockerfile} needs more rights than an ordinary container has, "
            f'and [engine] insecure is "{allowed.value}"',
            cause="; ".join(asked),
            next_step='leave it out, or allow it: insecure = "all" in [engine] of lockgate.toml (LOCKGATE_ENGINE_INSECURE=all)',
        )


def _check_platforms(spec: ImageSpec, base: LockedImage | None, native: str | None) -> None:
    """A base built on this machine is for this machine; engines would take it for any platform asked for, and label the result wrongly."""
    foreign = [platform for platform in spec.platforms if platform != native]
    if foreign and base is not None and base.origin == "built":
        raise StepFailed(
            f"image {spec.name}: this machine cannot build for {', '.join(foreign)}",
            cause=f"its base image {base.name} was built on this machine, and only for {native}",
            next_step=f"leave {', '.join(foreign)} out of `platforms`, or use an official base image",
        )


async def _known(recipe: Recipe, target: str) -> dagger.Container:
    """The container of a stage, unbuilt: a stage that fails is the failure of the step that runs in it.

    The ids of its arguments (context, secrets) are asked for once, here. Not its own id: a Dagger engine builds to tell it.
    """
    container = recipe.build(target)
    with explained_errors(f"build image {recipe.spec.name}"):
        await container._ctx.resolve_ids()  # noqa: SLF001 - the SDK has no public way to resolve arguments alone
    return container


async def _variant(
    recipe: Recipe, step_inputs: StepInputs, platform: str | None, native: str | None, labels: Mapping[str, str]
) -> dagger.Container:
    """The labelled image of one platform, built."""
    built = recipe.build(recipe.spec.target, platform)
    doing = f"build image {recipe.spec.name}" + (f" for {platform}" if platform else "")
    try:
        with explained_errors(doing):
            if platform == native:
                step_inputs.context.cached = await _was_cached(built, step_inputs)
            for name, value in labels.items():
                built = built.with_label(name, value)
            return await built.sync()
    except LockgateError as error:
        _name_stages(error, recipe, step_inputs)
        raise


async def _was_cached(built: dagger.Container, step_inputs: StepInputs) -> bool:
    """Build, and find out whether that was any work: a command in the finished image says which run first needed it.

    An image without a shell, or an engine without volatile variables, builds all the same; it is just not shown as cached.
    """
    import dagger

    if not await has_volatile(step_inputs.client):
        return False
    ask = [SHELL, "-c", f'printf %s "${STAMP_VARIABLE}"']
    try:
        said = await built.with_volatile_variable(STAMP_VARIABLE, str(Stamp.now(step_inputs.context.run_id))).with_exec(ask).stdout()
    except dagger.ExecError as error:
        if error.command != ask:
            raise
        return False
    stamp = Stamp.read(said)
    cached = stamp is not None and stamp.run_id != step_inputs.context.run_id
    step_inputs.context.log("nothing changed: taken from the cache\n" if cached else "built\n")
    return cached


def _name_stages(error: LockgateError, recipe: Recipe, step_inputs: StepInputs) -> None:
    """Say which stages there are when the one asked for is not among them."""
    if "target stage" in (error.cause or ""):
        text = read_text(Path(step_inputs.project.root) / recipe.spec.context / recipe.spec.dockerfile, errors="replace")
        error.next_step = f"stages of {recipe.spec.dockerfile}: {', '.join(_stage_names(text)) or 'none has a name'}"


def _stage_names(dockerfile: str) -> list[str]:
    try:
        return [stage.name for stage in stages_of(read(dockerfile)) if stage.name]
    except NotADockerfile:  # an engine that reads it otherwise has refused its target
        return []


def build_directory(spec: ImageSpec, step_inputs: StepInputs) -> dagger.Directory:
    """The build context.

    Raises:
        StepFailed: folder or Dockerfile are missing; told before an engine is asked, with the path a person knows.
    """
    context = (Path(step_inputs.project.root) / spec.context).resolve()
    if not context.is_dir():
        raise StepFailed(
            f"image {spec.name}: the build context {context} is not a folder", next_step=f"correct `context` in [images.{spec.name}]"
        )
    if not (context / spec.dockerfile).is_file():
        raise StepFailed(
            f"image {spec.name}: there is no Dockerfile at {context / spec.dockerfile}",
            next_step=f"write one, or set `dockerfile` in [images.{spec.name}]",
        )
    return step_inputs.client.host().directory(str(context), exclude=list(exclusions(context, spec.dockerfile)))


def build_arguments(spec: ImageSpec, source: Source, base: LockedImage | None) -> dict[str, str]:
    """Build arguments; {version}, {revision}, {short} and {branch} in a value are the commit's."""
    known = {"BASE": base.reference} if base else {}
    return known | {name: fill(value, source) for name, value in spec.args.items()}


def _announce(recipe: Recipe, step_inputs: StepInputs, base: LockedImage | None) -> None:
    spec = recipe.spec
    words = ["docker", "build", "-f", spec.dockerfile, *(["--target", spec.target] if spec.target else [])]
    words += [word for name, value in recipe.args.items() for word in ("--build-arg", f"{name}={value}")]
    words += [f"--secret=id={name}" for name in secrets_of(spec, step_inputs.project)]
    step_inputs.context.log(f"$ {' '.join([*words, spec.context])}\n")
    if base is not None:
        step_inputs.context.log(f"base image {base.name}: {base.reference} ({base.origin})\n")
