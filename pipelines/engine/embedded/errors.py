"""What can go wrong in the engine, as one tree; every error knows the GraphQL extensions a client is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.codes import Code

if TYPE_CHECKING:
    from collections.abc import Sequence

UNAVAILABLE = 4  # exit code: the machine cannot run the engine, or a part it needs is missing (docs: exit codes)


class EngineError(Exception):
    """Base of all errors the engine raises on purpose: `message` is for people and is sent to the client as it is.

    Attributes:
        code: what kind of error it is; sent to the client, which decides by it.
        kind: what an SDK picks its exception class by; empty for the general one.
    """

    code: ClassVar[Code] = Code.FAILED
    kind: ClassVar[str] = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def prepend(self, doing: str) -> None:
        """Say in the message what was being done."""
        self.message = f"{doing}: {self.message}"
        self.args = (self.message,)

    def extensions(self) -> dict[str, Any]:
        """The `extensions` object of the GraphQL error."""
        return {"code": str(self.code)} | ({"_type": self.kind} if self.kind else {})


class ExecError(EngineError):
    """A command ended otherwise than expected.

    Args:
        cmd: the arguments the container ran.
        exit_code: its exit code.
        stdout: captured output, secrets masked.
        stderr: captured error output, secrets masked.
        message: replaces the standard wording `exit code: N`.
    """

    code = Code.COMMAND_FAILED
    kind = "EXEC_ERROR"

    def __init__(self, cmd: Sequence[str], exit_code: int, stdout: str, stderr: str, message: str = "") -> None:
        super().__init__(message or f"exit code: {exit_code}")
        self.cmd = list(cmd)
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr

    def extensions(self) -> dict[str, Any]:
        facts = {"cmd": self.cmd, "exitCode": self.exit_code, "stdout": self.stdout, "stderr": self.stderr}
        return super().extensions() | facts


class ServiceError(ExecError):
    """A service did not come up, or did not become healthy."""

    code = Code.SERVICE_FAILED


class Unsupported(EngineError):  # noqa: N818 - reads as a sentence where it is raised
    """The API has this field or argument, the embedded engine has not.

    Args:
        field: `Type.field` as the schema spells it.
        argument: the argument's GraphQL name, when only that is unsupported.
    """

    code = Code.UNSUPPORTED
    kind = "UNSUPPORTED"

    def __init__(self, field: str, argument: str | None = None) -> None:
        self.field = field
        self.argument = argument
        name = f"{field}({argument}:)" if argument else field
        super().__init__(f"{name} is not supported by the embedded engine: it needs a Dagger engine")


class NotAllowed(EngineError):  # noqa: N818 - as above
    """It could be done, and nobody allowed it.

    Args:
        what: what was asked for.
        setting: what allows it.
    """

    code = Code.NOT_ALLOWED

    kind = "REFUSED"

    def __init__(self, what: str, setting: str) -> None:
        super().__init__(f"{what} is refused: it gives a container all capabilities of this machine; to allow it: {setting}")


class NotFound(EngineError):  # noqa: N818 - as above
    """A path that is not there. The message is given whole; `stat` words it as the API does."""

    code = Code.NOT_FOUND

    @classmethod
    def stat(cls, path: str) -> NotFound:
        """The error for a path of a file system, without its leading slash."""
        return cls(f"stat {path}: no such file or directory")


class InvalidInput(EngineError):  # noqa: N818 - as above
    """The client's query or a value in it cannot be used."""

    code = Code.INVALID_INPUT


class UnknownField(InvalidInput):
    """The client asks for a field or an argument that this version of the API does not have."""

    code = Code.UNSUPPORTED


class Unreadable(InvalidInput):
    """A file of this machine that the engine may not read."""

    code = Code.UNREADABLE


class SecretError(EngineError):
    """A secret that cannot be read from where its URI points."""

    code = Code.SECRET


class ImageError(EngineError):
    """An image could not be resolved, pulled, read or published."""

    code = Code.IMAGE_UNUSABLE


class ImageNotFound(ImageError):  # noqa: N818 - as above
    """The registry answered, and has no such image."""

    code = Code.IMAGE_NOT_FOUND


class ImageDamaged(ImageError):  # noqa: N818 - as above
    """A part of an image is not what it has to be.

    Args:
        part: which one: `manifest`, `configuration`, `layer sha256:…`.
        reason: what is wrong with it.
    """

    code = Code.IMAGE_DAMAGED

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"damaged image: {part}: {reason}")
        self.part = part
        self.reason = reason


class NoSuchPlatform(ImageError):  # noqa: N818 - as above
    """The image is not made for that platform."""

    code = Code.PLATFORM


class RegistryError(ImageError):
    """A registry could not be asked, or did not answer to the end.

    Args:
        message: what happened.
        registry: its host, with the port.
    """

    code = Code.REGISTRY_UNREACHABLE

    def __init__(self, message: str, registry: str = "") -> None:
        super().__init__(message)
        self.registry = registry

    def extensions(self) -> dict[str, Any]:
        return super().extensions() | ({"registry": self.registry} if self.registry else {})


class RegistryDenied(RegistryError):  # noqa: N818 - as above
    """The registry refuses the credentials, or wants some."""

    code = Code.REGISTRY_DENIED


class RegistryUntrusted(RegistryError):  # noqa: N818 - as above
    """The registry's certificate is not trusted here, or it has none."""

    code = Code.REGISTRY_UNTRUSTED


class RegistryBusy(RegistryError):  # noqa: N818 - as above
    """The registry answers that it cannot answer now."""

    code = Code.REGISTRY_BUSY


class RegistrySilent(RegistryError):  # noqa: N818 - as above
    """The registry accepted the connection and then sent nothing, or next to nothing."""

    code = Code.REGISTRY_SILENT


class RegistryUnknown(RegistryError):  # noqa: N818 - as above
    """The registry's name has no address."""

    code = Code.REGISTRY_UNKNOWN


class NetworkError(EngineError):
    """A network, service or tunnel could not be set up."""

    code = Code.NETWORK


class ServerError(EngineError):
    """A server (not a registry) could not be reached, or says that it cannot answer now."""

    code = Code.SERVER_UNREACHABLE


class ToolError(EngineError):
    """A program of this machine that the engine uses has failed."""

    code = Code.TOOL_FAILED


class DiskFull(EngineError):  # noqa: N818 - as above
    """No space is left in the store; what was being written is discarded."""

    code = Code.DISK_FULL


class Cancelled(EngineError):  # noqa: N818 - as above
    """The work was stopped before it had a result: the session ends, or nobody waits for it any more."""

    code = Code.CANCELLED


class EmbeddedUnavailable(EngineError):  # noqa: N818 - as above
    """The engine cannot run here (exit code 4): the message says what is refused and which setting changes it."""

    code = Code.UNAVAILABLE
    exit_code = UNAVAILABLE


class NotStarted(EngineError):  # noqa: N818 - as above
    """The engine proper could not be opened for an unexpected reason."""

    code = Code.NOT_STARTED


class Defect(EngineError):  # noqa: N818 - as above
    """An unexpected error: a mistake in the engine."""

    code = Code.INTERNAL
