"""Who asked for the work at hand: the client's own name for it, carried by the task that does it."""

from __future__ import annotations

import re
from contextvars import ContextVar

REQUESTER: ContextVar[str] = ContextVar("requester", default="")
"""The span id (16 hex digits) of the request that started the work; empty when the client sent none."""

TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
"""W3C Trace Context, section 3.2: version, trace id, parent (span) id, flags."""


def span_of(header: bytes) -> str:
    """The span id in a `traceparent` header; empty when it is not a valid one."""
    found = TRACEPARENT.fullmatch(header.strip())
    return found[1].decode() if found else ""
