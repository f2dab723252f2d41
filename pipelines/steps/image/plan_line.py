"""One line about an image, for `plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.steps.image.spec import ImageSpec


def describe(spec: ImageSpec) -> str:
    """`build ./Dockerfile, stage runtime, on python`."""
    words = [f"build {spec.context.rstrip('/')}/{spec.dockerfile}"]
    words += [f"stage {spec.target}"] if spec.target else []
    words += [f"on {spec.base}"] if spec.base else []
    words += [f"for {', '.join(spec.platforms)}"] if spec.platforms else []
    return ", ".join(words)
