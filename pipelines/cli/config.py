"""`config`: what the configuration amounts to, and where every value comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli.options import common, settings, speaking

if TYPE_CHECKING:
    from pipelines.config import Loaded
    from pipelines.model import LockedImage


@click.group("config", short_help="Show, check and document the configuration.", help="Show, check and document the configuration.")
def command() -> None:
    """Hold the commands about the configuration."""


@command.command("show", short_help="Show every value and where it comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document (schema 1).")
@click.option("--all", "with_defaults", is_flag=True, help="Show defaults too; --json always includes them.")
@common
def show(*, as_json: bool, with_defaults: bool) -> int:
    """Show every value and where it comes from: default, machine, user, file, local file, environment or flag; and every image."""
    here = settings()
    loaded = here.load()
    out, clean = here.stdout(), here.cleaner(loaded.project)
    if as_json:
        out.document(clean(_document(loaded)))
        return 0
    images = [
        (f"image {name}", image.reference, lock_of(image))
        for name, image in sorted(loaded.project.locked.items())
        if with_defaults or image.layer != "package"
    ]
    rows = [
        (key, _text(value), str(loaded.provenance[key]))
        for key, value in loaded.values.items()
        if with_defaults or loaded.provenance[key].layer.value != "default"
    ]
    rows += [(name, _text(reference), origin) for name, reference, origin in images]
    key_width = max((len(key) for key, _, _ in rows), default=0)
    for key, value, origin in rows:
        out.line(f"{key:<{key_width}} = {clean(value)}  {out.paint(f'# {origin}', dim=True)}")
    return 0


@command.command("validate", short_help="Check the configuration.")
@common
def validate() -> int:
    """Read and check the configuration; says nothing on standard output, exits with 2 if it is wrong."""
    here = settings()
    project = here.load().project
    if here.verbosity >= 0:
        from pipelines.cli.name import shown

        here.stderr().line(f"{shown(project.config_file or project.root)} is valid")
    return 0


@command.command("schema", short_help="Print the JSON schema of lockgate.toml.")
@speaking
def schema() -> int:
    """Print the JSON schema of lockgate.toml, for editors."""
    from pipelines.steps.schema import schema_text

    settings().stdout().line(schema_text().rstrip("\n"))
    return 0


def _document(loaded: Loaded) -> str:
    import json

    entries = {
        key: {"value": value, "layer": loaded.provenance[key].layer.value, "where": loaded.provenance[key].where}
        for key, value in loaded.values.items()
    }
    file = str(loaded.project.config_file) if loaded.project.config_file is not None else None
    images = {name: {"value": image.reference, "layer": image.layer, "where": image.where} for name, image in loaded.project.locked.items()}
    document = {"schema": 1, "file": file, "root": str(loaded.project.root), "values": entries, "images": images}
    return json.dumps(document, indent=2, default=str)


def lock_of(image: LockedImage) -> str:
    """Where the image of a name is set."""
    return f"{image.layer} ({image.where})" if image.where else image.layer


def _text(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, default=str)
