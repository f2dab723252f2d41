"""Hides secret values in a stream of bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = b"***"


class Masker:
    """Replaces every secret by `***`, also when it comes split over several `feed` calls.

    The result does not depend on where the stream was split: scanning left to right, the longest secret that starts at a place is
    replaced. What may still become a secret is held back until the next `feed` or `finish`.
    """

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._secrets = sorted({s for s in secrets if s}, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._secrets))) if self._secrets else None
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; returns what can be shown now."""
        if self._pattern is None:
            return data
        shown, self._held = self._mask(self._pattern, self._held + data)
        return shown

    def finish(self) -> bytes:
        """The stream has ended: returns what was held back."""
        held, self._held = self._held, b""
        return self._pattern.sub(MASK, held) if self._pattern is not None else held

    def _mask(self, pattern: re.Pattern[bytes], data: bytes) -> tuple[bytes, bytes]:
        pieces: list[bytes] = []
        start = 0
        hold = self._hold_from(data, 0)
        while (match := pattern.search(data, start)) and match.start() < hold:
            pieces += [data[start : match.start()], MASK]
            start = match.end()
            if start > hold:
                hold = self._hold_from(data, start)
        return b"".join([*pieces, data[start:hold]]), data[hold:]

    def _hold_from(self, data: bytes, start: int) -> int:
        """The first place at or after `start` from which `data` runs out while it could still be a secret, or a longer one."""
        first = len(data)
        for secret in self._secrets:
            place = data.find(secret[:1], max(start, len(data) - len(secret) + 1))
            while place != -1 and place < first:
                if secret.startswith(data[place:]):
                    first = place
                    break
                place = data.find(secret[:1], place + 1)
        return first
