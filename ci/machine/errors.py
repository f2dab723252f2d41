"""The one error of set-up: what happened, the likely cause, the next command."""

from __future__ import annotations


class SetupError(Exception):
    """Something a person must act on; printed without a traceback.

    Args:
        message: what happened, one sentence, no trailing full stop.
        cause: the likely cause, when it is not plain from the message.
        next_step: the command or edit to try next.
    """

    def __init__(self, message: str, *, cause: str | None = None, next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.next_step = next_step

    def __str__(self) -> str:
        lines = [self.message]
        if self.cause:
            lines.append(f"cause: {self.cause}")
        if self.next_step:
            lines.append(f"next:  {self.next_step}")
        return "\n".join(lines)
