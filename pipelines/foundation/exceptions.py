"""Exceptions as text, also those that fail when they are asked for it."""

from __future__ import annotations


def message_of(error: BaseException) -> str:
    """What an error says of itself; empty when it says nothing, or cannot."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - written by somebody else, and no reason to lose the error itself
        return ""


def described(error: BaseException) -> str:
    """The error's class and what it says."""
    text = message_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
