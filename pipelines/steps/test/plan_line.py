"""One line about a test, for `plan`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.steps.test.spec import TestSpec


def describe(spec: TestSpec) -> str:
    """`pytest -q in shop (stage test), with shop`."""
    stage = f" (stage {spec.image.target})" if spec.image.target else ""
    services = f", with {', '.join(spec.services)}" if spec.services else ""
    return f"{shlex.join(spec.command)} in {spec.image.name}{stage}{services}"
