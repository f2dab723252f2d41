"""The body of a response as one value, however it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.engine.embedded.api.streamed import StreamedBody


def whole(body: bytes | StreamedBody) -> bytes:
    if isinstance(body, bytes):
        return body
    with body.opened() as blocks:
        return b"".join(blocks)
