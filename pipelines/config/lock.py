"""`images.lock`: which image, by digest, a short name stands for. Set-up and `lockgate images use` write it.

The first file that knows a name counts: the project's (`.lockgate/images.lock`, which git ignores), the user's, the machine's; then the
images that come with the package.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.config.files import read_text
from pipelines.config.key_paths import quoted_key
from pipelines.config.places import LOCK, is_there, places
from pipelines.errors import ConfigError, UsageError
from pipelines.foundation.files import OWN_FOLDER, replace_text
from pipelines.model import LockedImage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ORIGINS = ("official", "built", "chosen")
"""Of entries: taken from a public registry by set-up, built by set-up, chosen by a person with `lockgate images use`."""
SCHEMA = 1
PROJECT, PACKAGE = "project", "package"
_NEXT = "remove the file, then run the set-up of the machine again, or `lockgate images use NAME REFERENCE`"


def locked_images(root: Path | None, environ: Mapping[str, str]) -> dict[str, LockedImage]:
    """Every image name that is known to a project (or outside any, when `root` is None), each from the first place that has it.

    Raises:
        ConfigError: a lock file is not what set-up writes.
    """
    found = dict(packaged())
    for place in reversed(places(environ)):
        found |= read_lock(place.lock, place.layer.value)
    return found if root is None else found | read_lock(project_lock(root), PROJECT)


def project_lock(root: Path) -> Path:
    """Where a project keeps its `images.lock`, which need not exist; `root` is the folder of the configuration file."""
    return root / OWN_FOLDER / LOCK


def packaged() -> dict[str, LockedImage]:
    """The official images, by digest, that come with the package; an artifact has only a tag, which moves."""
    import tomllib
    from importlib import resources

    file = resources.files("pipelines.config").joinpath("images.toml")
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: _packaged(name, entry) for name, entry in document.items()}


def _packaged(name: str, entry: Mapping[str, Any]) -> LockedImage:
    repository, at, digest = entry["official"].partition("@")
    head, slash, last = repository.rpartition("/")
    reference = f"{head}{slash}{last.partition(':')[0]}@{digest}" if at else repository
    return LockedImage(name=name, reference=reference, origin="official", artifact=entry.get("artifact", False), layer=PACKAGE)


def read_lock(path: Path, layer: str = PROJECT) -> dict[str, LockedImage]:
    """The images of one lock file; none when there is no file.

    Raises:
        ConfigError: the file is not what set-up writes.
    """
    return {name: replace(_image(path, name, entry), layer=layer, where=str(path)) for name, entry in sorted(_entries(path).items())}


def put(path: Path, images: Mapping[str, LockedImage | None]) -> None:
    """Set entries of a lock file, and remove those that are None; the other entries stay as they are.

    Raises:
        ConfigError: the file is there, and is not what set-up writes.
        UsageError: it cannot be written.
    """
    entries = dict(_entries(path))
    for name, image in images.items():
        entries.pop(name, None)
        if image is not None:
            entries[name] = {"reference": image.reference, "origin": image.origin, "fixture": image.fixture, "artifact": image.artifact}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json.dumps({"schema": SCHEMA, "images": dict(sorted(entries.items()))}, indent=2) + "\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error


def _entries(path: Path) -> dict[str, Any]:
    if not is_there(path):
        return {}
    try:
        document = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid JSON", problems=(str(error),), next_step=_NEXT) from error
    images = document.get("images") if isinstance(document, dict) else None
    if not isinstance(images, dict):
        raise ConfigError(f"{path} has no table of images", next_step=_NEXT)
    return images


def _image(path: Path, name: str, entry: Any) -> LockedImage:
    shown = quoted_key(name)
    if not isinstance(entry, dict) or not {"reference", "origin"} <= set(entry):
        raise ConfigError(f"{path} is incomplete", problems=(f"images.{shown}: needs reference and origin",), next_step=_NEXT)
    reference, origin = entry["reference"], entry["origin"]
    fixture, artifact = entry.get("fixture", False), entry.get("artifact", False)
    if not isinstance(reference, str) or not ("@sha256:" in reference or artifact is True):
        raise ConfigError(f"{path} is wrong", problems=(f"images.{shown}.reference: expected a reference with a digest",), next_step=_NEXT)
    if origin not in ORIGINS or not isinstance(fixture, bool) or not isinstance(artifact, bool):
        problem = f"images.{shown}: origin is one of {', '.join(ORIGINS)}; fixture and artifact are true or false"
        raise ConfigError(f"{path} is wrong", problems=(problem,), next_step=_NEXT)
    return LockedImage(name=name, reference=reference, origin=origin, fixture=fixture, artifact=artifact)
