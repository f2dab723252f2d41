"""Exceptions as text, also those that fail when they are asked for it; and groups of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import LockgateError

if TYPE_CHECKING:
    from collections.abc import Iterator


def message_of(error: BaseException) -> str:
    """What an error says of itself; empty when it says nothing, or cannot."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the code of others failed, which must not hide the error itself
        return ""


def described(error: BaseException) -> str:
    """The error's class and what it says."""
    text = message_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def innermost(error: BaseException) -> BaseException:
    """The one error that a group of a single error, or of errors meant for people, stands for; any other error as it is."""
    members = list(_members(error))
    return members[0] if len(members) == 1 or all(isinstance(member, LockgateError) for member in members) else error


def _members(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _members(member)
    else:
        yield error
