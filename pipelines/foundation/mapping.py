"""Exceptions of foreign libraries as errors of ours: one list for each library, by class; for the system's own errors by number.

A library may not be imported yet (most are slow to), so its classes are named, and found in the family of an exception.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import LockgateError, StepFailed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Library:
    """What the exceptions of one library mean.

    Attributes:
        modules: its top-level modules.
        classes: class name → what makes the error of ours that says the same, or None where an exception is the affair of who called the
            library. A class that is not listed counts as its nearest base that is.
    """

    modules: frozenset[str]
    classes: Mapping[str, Callable[[Any], LockgateError | None]]

    def name_of(self, kind: type[BaseException]) -> str | None:
        """The nearest listed class in the family of `kind`."""
        family = (one for one in kind.__mro__ if one.__module__.partition(".")[0] in self.modules)
        return next((one.__name__ for one in family if one.__name__ in self.classes), None)

    def translate(self, error: BaseException) -> LockgateError | None:
        """The error of ours that says the same; None for an exception of another library."""
        name = self.name_of(type(error))
        return None if name is None else self.classes[name](error)


_FREE_SPACE = "free some space (lockgate engine prune), and run again"
_MACHINE: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("the disk is full", _FREE_SPACE),
    errno.EDQUOT: ("the disk quota is used up", _FREE_SPACE),
    errno.EROFS: ("the file system is read-only", "use a folder that can be written, or mount the file system writable"),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n), and run again"),
    errno.ENFILE: ("too many files are open on this machine", "close programs that use many files, and run again"),
    errno.ENOMEM: ("the memory is used up", "close programs that use much memory, and run again"),
    errno.EIO: ("the disk cannot be read or written", "look at the kernel's messages (dmesg): the disk may be failing"),
}
"""What is wrong with the machine, whoever asked it: message and next step by errno."""


def of_machine(error: OSError) -> LockgateError | None:
    """The error of ours for a machine that has run out of something; None for what is about the one file that was asked for."""
    if error.errno not in _MACHINE:
        return None
    message, next_step = _MACHINE[error.errno]
    return Unavailable(message, cause=_told(error), next_step=next_step)


def of_file(error: OSError) -> LockgateError:
    """The error of ours for any error of the system: a file that cannot be read or written is a failure that names it."""
    return of_machine(error) or StepFailed(_told(error), next_step=_REMEDIES.get(error.errno or 0))


_REMEDIES = {
    errno.EACCES: "change its mode or owner, or run as a user that may use it",
    errno.EPERM: "change its mode or owner, or run as a user that may use it",
    errno.ENOENT: "create it, or correct the path",
    errno.ENOTDIR: "correct the path",
    errno.EISDIR: "correct the path",
}


def _told(error: OSError) -> str:
    """`path: reason`."""
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return f"{error.filename}: {reason}" if error.filename is not None else reason
