"""`.lockgate/images.lock`: which image, by digest, a short name stands for on this machine. Set-up writes it, git ignores it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipelines.config.files import read_text
from pipelines.errors import ConfigError
from pipelines.model import LockedImage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER = ".lockgate"
FILE = "images.lock"
ORIGINS = ("official", "built")
_NEXT = "run the machine's set-up again; it writes this file"


def read_lock(root: Path) -> Mapping[str, LockedImage]:
    """The locked images of a project; none when there is no lock.

    Raises:
        ConfigError: the file is not what set-up writes.
    """
    path = root / FOLDER / FILE
    if not path.is_file():
        return {}
    try:
        document = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid JSON", problems=(str(error),), next_step=_NEXT) from error
    images = document.get("images") if isinstance(document, dict) else None
    if not isinstance(images, dict):
        raise ConfigError(f"{path} has no table of images", next_step=_NEXT)
    return {name: _image(path, name, entry) for name, entry in sorted(images.items())}


def _image(path: Path, name: str, entry: Any) -> LockedImage:
    try:
        reference, origin, fixture = entry["reference"], entry["origin"], entry.get("fixture", False)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is incomplete", problems=(f"images.{name}: needs reference and origin",), next_step=_NEXT) from error
    if not isinstance(reference, str) or "@sha256:" not in reference:
        raise ConfigError(f"{path} is wrong", problems=(f"images.{name}.reference: expected a reference with a digest",), next_step=_NEXT)
    if origin not in ORIGINS or not isinstance(fixture, bool):
        raise ConfigError(
            f"{path} is wrong", problems=(f"images.{name}: origin is official or built, fixture true or false",), next_step=_NEXT
        )
    return LockedImage(name=name, reference=reference, origin=origin, fixture=fixture)
