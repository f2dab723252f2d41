"""How much text the variables of one build may expand to: `ENV a=$a$a`, forty times, must not fill the memory."""

from __future__ import annotations

from pipelines.engine.embedded.dockerfile.errors import Fault

LARGEST = 64 << 20  # characters; a Dockerfile itself has at most 4 Mi
DEEPEST = 50  # `${a:-${b:-…}}`: as much as Python's stack carries in any case


class ExpansionLimit:
    """How much text the variables of one build may still expand to. `remaining` counts characters."""

    def __init__(self, characters: int = LARGEST) -> None:
        self.remaining = characters

    def check(self, size: int) -> None:
        """Refuse a text of this size where it is more than what is left.

        Raises:
            Fault: it is larger.
        """
        if size > self.remaining:
            raise Fault("the variables of the Dockerfile expand to too much text")

    def spend(self, size: int) -> None:
        """Count a text of this size as made."""
        self.check(size)
        self.remaining -= size
