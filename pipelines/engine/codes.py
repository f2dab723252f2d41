"""What kind of error the embedded engine reports, as one closed list that engine and client share.

A GraphQL error carries it as `extensions.code`. So a client never guesses from the text, which may quote anything: names of files, of
images, of branches.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """The kinds of error. `transient` tells which ones may be gone a little later."""

    COMMAND_FAILED = "COMMAND_FAILED"
    SERVICE_FAILED = "SERVICE_FAILED"
    DOCKERFILE = "DOCKERFILE"
    NOT_FOUND = "NOT_FOUND"
    UNREADABLE = "UNREADABLE"
    INVALID_INPUT = "INVALID_INPUT"
    INVALID_REFERENCE = "INVALID_REFERENCE"
    UNSUPPORTED = "UNSUPPORTED"
    NOT_ALLOWED = "NOT_ALLOWED"
    SECRET = "SECRET"  # noqa: S105 - the name of a kind of error
    IMAGE_NOT_FOUND = "IMAGE_NOT_FOUND"
    IMAGE_DAMAGED = "IMAGE_DAMAGED"
    IMAGE_UNUSABLE = "IMAGE_UNUSABLE"
    PLATFORM = "PLATFORM"
    REGISTRY_DENIED = "REGISTRY_DENIED"
    REGISTRY_UNTRUSTED = "REGISTRY_UNTRUSTED"
    REGISTRY_BUSY = "REGISTRY_BUSY"
    REGISTRY_SILENT = "REGISTRY_SILENT"
    REGISTRY_UNKNOWN = "REGISTRY_UNKNOWN"
    REGISTRY_UNREACHABLE = "REGISTRY_UNREACHABLE"
    SERVER_UNREACHABLE = "SERVER_UNREACHABLE"
    NETWORK = "NETWORK"
    TOOL_FAILED = "TOOL_FAILED"
    DISK_FULL = "DISK_FULL"
    CANCELLED = "CANCELLED"
    NOT_STARTED = "NOT_STARTED"
    UNAVAILABLE = "UNAVAILABLE"
    FAILED = "FAILED"
    INTERNAL = "INTERNAL"

    @property
    def transient(self) -> bool:
        """Whether the same request may well succeed a little later."""
        return self in _TRANSIENT


_TRANSIENT = frozenset({Code.REGISTRY_BUSY, Code.REGISTRY_UNKNOWN, Code.REGISTRY_UNREACHABLE, Code.SERVER_UNREACHABLE})
"""Silence is not among them: it has been waited for already, and another try would wait as long again."""
