"""`images`: shows which image each name stands for and which lock file says so, and changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Settings, settings, speaking

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.model import LockedImage

SCHEMA = 1
USER = "user"


@click.group(
    "images",
    short_help="Show and choose the images that names stand for.",
    invoke_without_command=True,
    help="""Show which image each name stands for, and where that is set: for the project (.lockgate/images.lock), for the user, for the
machine, or in the package. The first of these that has the name counts.""",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document (schema 1).")
@speaking
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> int:
    """Show the images, unless a command below is named."""
    if context.invoked_subcommand is not None:
        return 0
    here = settings()
    images = _known(here)
    out = here.stdout()
    if as_json:
        import json

        out.document(json.dumps({"schema": SCHEMA, "images": [entry(images[name]) for name in sorted(images)]}, indent=2))
        return 0
    width = max((len(name) for name in images), default=0)
    for name in sorted(images):
        image = images[name]
        out.line(f"{name:<{width}}  {image.reference}  {out.paint('# ' + _remark(image), dim=True)}")
    return 0


def _layer(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which lock file a command writes; without them it is the user's."""
    for name, text in (
        ("project", "For this project only (.lockgate/images.lock), not for every project of this user."),
        ("machine", "For every user of this machine (/etc/lockgate)."),
    ):
        function = click.option(f"--{name}", "layer", flag_value=name, default=None, help=text)(function)
    return function


@command.command(
    "use",
    short_help="Choose the image for a name.",
    help="""Use the image REFERENCE (registry/name:tag) for each NAME. Lockgate asks the registry which digest the tag has now, and stores
the digest. For an artifact, such as Trivy's vulnerability database, it stores the tag, because the tag moves every few hours.""",
)
@click.argument("pairs", metavar="NAME REFERENCE [NAME REFERENCE]...", nargs=-1, required=True)
@_layer
@speaking
def use(pairs: tuple[str, ...], *, layer: str | None) -> int:
    """Choose the images for names."""
    from pipelines.config.lock import put
    from pipelines.errors import UsageError

    if len(pairs) % 2:
        raise UsageError(f"{pairs[-1]} has no reference", next_step="write pairs: NAME REFERENCE NAME REFERENCE")
    here = settings()
    chosen = {name: _chosen(name, reference, here) for name, reference in zip(pairs[::2], pairs[1::2], strict=True)}
    file = _file(here, layer or USER)
    put(file, chosen)
    for image in chosen.values():
        here.stderr().line(f"{image.name} now stands for {image.reference} ({layer or USER}: {file})")
    return 0


@command.command(
    "forget",
    short_help="Remove what `use` chose.",
    help="Remove each NAME from the lock file. Then the next place that has it counts: user, machine, package.",
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@_layer
@speaking
def forget(names: tuple[str, ...], *, layer: str | None) -> int:
    """Remove names from a lock."""
    from pipelines.config.lock import put, read_lock
    from pipelines.errors import UsageError

    here = settings()
    file = _file(here, layer or USER)
    unknown = [name for name in names if name not in read_lock(file)]
    if unknown:
        raise UsageError(f"{file} does not name {', '.join(unknown)}", next_step="run `lockgate images` to see the names")
    put(file, dict.fromkeys(names))
    return 0


def entry(image: LockedImage) -> dict[str, object]:
    """One image as plain JSON values; keys are only ever added."""
    return {
        "name": image.name,
        "reference": image.reference,
        "origin": image.origin,
        "fixture": image.fixture,
        "artifact": image.artifact,
        "layer": image.layer,
        "where": image.where or None,
    }


def _remark(image: LockedImage) -> str:
    from pipelines.cli.config import lock_of

    return lock_of(image) + (", made up: it finds no real vulnerabilities" if image.fixture else "")


def _known(here: Settings) -> dict[str, LockedImage]:
    from pipelines.config.lock import locked_images

    return locked_images(_root(here), here.environ)


def _root(here: Settings) -> Path | None:
    """The project's folder; None outside a project: then only the user, the machine and the package count."""
    from pipelines.config.discover import folder_of

    return folder_of(here.directory)


def _file(here: Settings, layer: str) -> Path:
    from pipelines.config.lock import project_lock
    from pipelines.config.places import places
    from pipelines.errors import UsageError

    if layer == "project":
        root = _root(here)
        if root is None:
            raise UsageError(
                f"there is no project in {here.directory} or above it", next_step="leave --project out, or run `lockgate init` first"
            )
        return project_lock(root)
    for place in places(here.environ):
        if place.layer.value == layer:
            return place.lock
    raise UsageError(f"there is no folder for settings of the {layer} here", next_step="set HOME, or LOCKGATE_CONFIG_DIRS")


def _chosen(name: str, reference: str, here: Settings) -> LockedImage:
    """The image that a person chose, by the digest that its tag has now."""
    from pipelines.errors import Unavailable, UsageError
    from pipelines.model import LockedImage
    from pipelines.registry import ManifestSummary, find_manifest, read_reference

    if any(sign in name for sign in "/:@") or not name:
        raise UsageError(
            f"{name!r} is not a name for an image", next_step="write NAME REFERENCE, such as: python docker.io/library/python:3.13"
        )
    asked = read_reference(reference)
    try:
        found = find_manifest(asked, here.environ)
    except Unavailable as error:
        if not asked.digest:
            raise
        here.stderr().line(f"note: {asked} could not be looked up: {error.message}")
        found = ManifestSummary(asked.digest, artifact=False)  # the engine may reach the registry, and the digest says which image it is
    named = str(asked) if found.artifact and not asked.digest else asked.at(asked.digest or found.digest).pinned()
    return LockedImage(name=name, reference=named, origin="chosen", artifact=found.artifact)
