"""Files that are seen whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path


def replace_text(path: Path, text: str) -> Path:
    """Write text beside `path` and rename it over; a reader never meets half a report, and a full disk keeps the old one."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        try:
            draft.write(text)
            draft.flush()
            Path(draft.name).chmod(0o644)
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise
    return path
