"""What set-up is made of: parts that say what they would do, and do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci.machine.paths import Paths
    from ci.machine.runner import Runner
    from ci.machine.terminal import Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What every part works with."""

    paths: Paths
    environ: Mapping[str, str]
    runner: Runner
    voice: Voice
    system: str
    """Distribution and version as in os-release: `debian 12`, `ubuntu 24.04`."""


class Part(Protocol):
    """One thing a machine needs."""

    def todo(self) -> list[str]:
        """One line for each thing that is missing, empty when all is there; changes nothing, takes milliseconds."""
        ...

    def provide(self) -> None:
        """Make it so. Asked again it does nothing more.

        Raises:
            SetupError: it could not.
        """
        ...
