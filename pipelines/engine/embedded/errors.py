"""What can go wrong in the engine, as one tree; every error knows the GraphQL extensions a client is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

UNAVAILABLE = 4  # exit code: the machine cannot run the engine, or a part it needs is missing (docs: exit codes)


class EngineError(Exception):
    """Base of all errors the engine raises on purpose: `message` is for people and is sent to the client as it is."""

    kind: ClassVar[str] = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def extensions(self) -> dict[str, Any]:
        """The `extensions` object of the GraphQL error; `_type` is what an SDK picks its exception class by."""
        return {"_type": self.kind} if self.kind else {}


class ExecError(EngineError):
    """A command ended otherwise than expected.

    Args:
        cmd: the arguments the container ran.
        exit_code: its exit code.
        stdout: captured output, secrets masked.
        stderr: captured error output, secrets masked.
        message: replaces the standard wording `exit code: N`.
    """

    kind = "EXEC_ERROR"

    def __init__(self, cmd: Sequence[str], exit_code: int, stdout: str, stderr: str, message: str = "") -> None:
        super().__init__(message or f"exit code: {exit_code}")
        self.cmd = list(cmd)
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr

    def extensions(self) -> dict[str, Any]:
        return {"_type": self.kind, "cmd": self.cmd, "exitCode": self.exit_code, "stdout": self.stdout, "stderr": self.stderr}


class Unsupported(EngineError):  # noqa: N818 - reads as a sentence where it is raised
    """The API has this field or argument, the embedded engine has not.

    Args:
        field: `Type.field` as the schema spells it.
        argument: the argument's GraphQL name, when only that is unsupported.
    """

    kind = "UNSUPPORTED"

    def __init__(self, field: str, argument: str | None = None) -> None:
        self.field = field
        self.argument = argument
        name = f"{field}({argument}:)" if argument else field
        super().__init__(f"{name} is not supported by the embedded engine: it needs a Dagger engine")


class Refused(EngineError):  # noqa: N818 - as above
    """It could be done, and nobody allowed it.

    Args:
        what: what was asked for.
        setting: what allows it.
    """

    kind = "REFUSED"

    def __init__(self, what: str, setting: str) -> None:
        super().__init__(f"{what} is refused: it gives a container all capabilities of this machine; to allow it: {setting}")


class NotFound(EngineError):  # noqa: N818 - as above
    """A path that is not there. The message is given whole; `stat` words it as the API does."""

    @classmethod
    def stat(cls, path: str) -> NotFound:
        return cls(f"stat {path}: no such file or directory")


class InvalidInput(EngineError):  # noqa: N818 - as above
    """The client's query or a value in it cannot be used."""


class ImageError(EngineError):
    """An image could not be resolved, pulled, read or published."""


class NetworkError(EngineError):
    """A network, service or tunnel could not be set up."""


class DiskFull(EngineError):  # noqa: N818 - as above
    """No space is left in the store; what was being written is discarded."""


class Cancelled(EngineError):  # noqa: N818 - as above
    """The work was stopped before it had a result: the session ends, or nobody waits for it any more."""


class Unavailable(EngineError):  # noqa: N818 - as above
    """The engine cannot run here (exit code 4): the message says what is refused and which setting changes it."""

    exit_code = UNAVAILABLE
