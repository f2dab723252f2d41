"""What the code of steps prints on standard output, masked: `print` knows nothing of a step's log."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.foundation.redaction import Redactor


@contextlib.contextmanager
def masked_prints(redactor: Redactor) -> Iterator[None]:
    """Mask what is printed on `sys.stdout` as long as this lasts, also secrets that become known meanwhile.

    Only the end of a text that may be the beginning of a secret is held back. What is written to the file descriptor itself is not seen.
    """
    printed = _MaskedOutput(sys.stdout, redactor)
    with contextlib.redirect_stdout(cast("TextIO", printed)):
        try:
            yield
        finally:
            printed.end()


class _MaskedOutput(io.TextIOBase):
    """Stands for a text stream; steps may print from threads."""

    def __init__(self, target: TextIO, redactor: Redactor) -> None:
        self._target = target
        self._masking = redactor.stream()
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        with self._lock:
            self._target.write(self._masking.feed(text))
        return len(text)

    def end(self) -> None:
        """Give out what was held back."""
        with self._lock:
            self._target.write(self._masking.close())

    def flush(self) -> None:
        self._target.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._target.isatty()

    def fileno(self) -> int:
        return self._target.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)
