"""The report of a defect: what a maintainer needs, in a file below the user's state folder."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import tempfile
import traceback
from importlib import metadata
from pathlib import Path

from pipelines.foundation.clock import timestamp, utc_now
from pipelines.foundation.redaction import without_likely_secrets

_DISTRIBUTIONS = ("lockgate", "dagger-io", "anyio", "click", "pydantic", "rich", "httpx", "graphql-core")
_VARIABLES = ("LOCKGATE_", "DAGGER_", "_EXPERIMENTAL_DAGGER_", "CI")
"""Beginnings of names worth telling; values stay unsaid."""
_KEEP = 20


def write_report(error: BaseException) -> Path | None:
    """Write the report; its path, or None where nothing can be written."""
    text = without_likely_secrets("\n".join(_lines(error)), os.environ)
    for folder in _folders():
        try:
            return _write(folder, text)
        except OSError:
            continue
    return None


def _lines(error: BaseException) -> list[str]:
    return [
        f"lockgate crash report, {timestamp(utc_now())}",
        f"command   {' '.join(sys.argv)}",
        f"python    {platform.python_version()} ({sys.executable})",
        f"system    {platform.platform()}",
        *(f"package   {name} {_version(name)}" for name in _DISTRIBUTIONS),
        f"variables {' '.join(sorted(name for name in os.environ if name.startswith(_VARIABLES)))}",
        "",
        "".join(traceback.format_exception(error)),
    ]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _folders() -> list[Path]:
    from platformdirs import user_state_path

    folders = [Path(tempfile.gettempdir()) / f"lockgate-{os.getuid()}"]
    with contextlib.suppress(OSError, RuntimeError):
        folders.insert(0, user_state_path("lockgate") / "crashes")
    return folders


def _write(folder: Path, text: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    old = sorted(folder.glob("crash-*.txt"))[: -_KEEP + 1]
    handle, name = tempfile.mkstemp(prefix=f"crash-{utc_now():%Y%m%d-%H%M%S}-", suffix=".txt", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    for path in old:
        path.unlink(missing_ok=True)
    return Path(name)
