"""The images set-up provides: names and official references from pipelines/config/images.toml, recipes from ci/images.toml."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """An image set-up provides: the official reference, or the recipe to build it. `key` changes when either does."""

    name: str
    version: str
    official: str
    recipe: Mapping[str, Any]
    epoch: int
    sources: Path
    """Folder with the recipe's own files (go.mod, fixtures); need not exist."""
    key: str

    @property
    def fixture(self) -> bool:
        """Whether what is built here is made-up data."""
        return bool(self.recipe.get("fixture"))

    @property
    def estimate_s(self) -> float:
        return float(self.recipe["estimate_s"])


def load(checkout: Path) -> dict[str, ImageSpec]:
    """All images of ci/images.toml, in its order."""
    recipes = tomllib.loads((checkout / "ci/images.toml").read_text())
    epoch = int(recipes.pop("source_date_epoch"))
    official = tomllib.loads((checkout / "pipelines/config/images.toml").read_text())
    document = {name: {key: official[name][key] for key in ("version", "official")} | entry for name, entry in recipes.items()}
    code = [checkout / "ci/machine/oci.py", *sorted((checkout / "ci/machine/recipes").glob("*.py"))]
    return {name: _spec(name, entry, epoch, checkout / "ci/tools" / name, code) for name, entry in document.items()}


def pinned(reference: str) -> str:
    """`repo@digest` of `repo:tag@digest`; a reference without digest as it is."""
    name, at, digest = reference.partition("@")
    if not at:
        return reference
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{digest}"


def _spec(name: str, entry: dict[str, Any], epoch: int, sources: Path, code: list[Path]) -> ImageSpec:
    return ImageSpec(
        name=name,
        version=entry["version"],
        official=entry["official"],
        recipe=entry["recipe"],
        epoch=epoch,
        sources=sources,
        key=f"{entry['version']}-{_fingerprint(entry, epoch, sources, code)}",
    )


def _fingerprint(entry: dict[str, Any], epoch: int, sources: Path, code: list[Path]) -> str:
    """Of all that decides what a build gives, the code that builds included."""
    digest = hashlib.sha256(json.dumps([entry, epoch], sort_keys=True).encode())
    for file in [*code, *sorted(path for path in sources.rglob("*") if path.is_file())]:
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]
