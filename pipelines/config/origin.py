"""Where a setting came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """The layers of configuration, weakest first."""

    DEFAULT = "default"
    MACHINE = "machine"
    USER = "user"
    FILE = "file"
    LOCAL = "local"
    ENV = "env"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Origin:
    """The layer a value came from, and where in it: a file's path, a variable's name, a flag; empty for a default."""

    layer: Layer
    where: str = ""

    def __str__(self) -> str:
        return f"{self.layer} ({self.where})" if self.where else str(self.layer)
