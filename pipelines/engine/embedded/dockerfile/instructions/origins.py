"""Where a stage begins and where files are copied or mounted from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BuildContext:
    """The directory the build was given, less what .dockerignore says."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """Nothing."""


@dataclass(frozen=True, slots=True)
class StageRef:
    """A stage of the same file, by its index."""

    index: int


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image by reference, not yet normalised or resolved."""

    ref: str


Base = StageRef | ImageRef | Scratch
Origin = BuildContext | StageRef | ImageRef | Scratch
