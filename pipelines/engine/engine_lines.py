"""Lines that the embedded engine writes while it works, each with the name of the step that asked for the work.

The id of the requester (the step) travels as the parent span id of a request's `traceparent` header (W3C Trace Context), which the
SDK takes from the OpenTelemetry context at hand; the engine puts it before every line. A Dagger engine is sent nothing.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TAGS = "LOCKGATE_ENGINE_TAGS"
"""Set for an engine that is to tag its lines; the name in `pipelines.engine.embedded.progress`."""
WORK_INPUTS = "LOCKGATE_ENGINE_WORK_INPUTS"
"""The file an engine is to write when it ends: what the work of each requester depended on; the name in `….embedded.ops.work_inputs`."""
_TAG = re.compile("\x1e([0-9a-f]*)\t")
_WHOLE, _SO_FAR = "| ", "> "


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLine:
    """A line of the engine: `requester` is whose work it is about, empty when nobody's; `text` what it says, as people read it.

    `printed` is the line of a running command it passes on, None when the engine speaks for itself; it is not `whole` when the command
    waits in the middle of a line.
    """

    requester: str
    text: str
    printed: str | None = None
    whole: bool = True


def parse_line(raw: str) -> EngineLine:
    """Take apart a line of the standard error of the engine, with or without the id of a requester before it."""
    tag = _TAG.match(raw)
    requester, text = (tag[1], raw[tag.end() :]) if tag else ("", raw)
    printed = text[len(_WHOLE) :] if text.startswith((_WHOLE, _SO_FAR)) else None
    return EngineLine(requester=requester, text=text, printed=printed, whole=not text.startswith(_SO_FAR))


def requester_id(name: str) -> str:
    """The id under which a step asks: 16 hex digits that are not all zero, the same for the same name."""
    import hashlib

    return f"{int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big') | 1:016x}"


@contextlib.contextmanager
def requested_by(requester: str) -> Iterator[None]:
    """Requests made by this task, and by tasks it starts, are the requester's. Needs the SDK, whose dependency OpenTelemetry is.

    A trace that is under way stays the trace.
    """
    import secrets

    from opentelemetry import context, trace

    trace_id = trace.get_current_span().get_span_context().trace_id or secrets.randbits(128) | 1
    span = trace.NonRecordingSpan(trace.SpanContext(trace_id, int(requester, 16), is_remote=False))
    token = context.attach(trace.set_span_in_context(span))
    try:
        yield
    finally:
        context.detach(token)
