"""One function finds the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.providers import generic, github, gitlab
from pipelines.providers.interface import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping


def detect(environ: Mapping[str, str]) -> Provider:
    """The provider that the environment describes. `CI=false` (or another word for no) means none: this is treated as a laptop."""
    if generic.opted_out(environ):
        return Provider()
    return gitlab.detect(environ) or github.detect(environ) or generic.detect(environ)
