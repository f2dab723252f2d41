"""The store from the command line: what it holds, making it smaller, carrying it to another machine. Runs inside the jail."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipelines.engine.embedded.paths import store_dir
from pipelines.engine.embedded.store.store import Store, default_budget
from pipelines.foundation.durations import rounded_duration
from pipelines.foundation.sizes import show_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipelines.engine.embedded.store.space.collect import CleanupReport
    from pipelines.engine.embedded.store.transfer.format import Transfer


def run_store_command(action: str, folder: Path | None, *, rootless: bool) -> int:
    """Do one thing to the store and say what was done; the exit code.

    Args:
        action: `info`, `gc`, `prune`, `export_cache` or `import_cache`.
        folder: where the last two write to or read from.
        rootless: which of the user's stores.

    Raises:
        EngineError: the store or the folder cannot be used.
    """
    root = store_dir(rootless=rootless)
    with Store.open(root, rootless=rootless, scarce=action in {"gc", "prune"}) as store:
        for line in _done(store, action, folder):
            sys.stdout.write(line + "\n")
    return 0


def _done(store: Store, action: str, folder: Path | None) -> Iterable[str]:
    match action, folder:
        case "gc", _:
            return _collected(store.gc(default_budget(store.root)))
        case "prune", _:
            return _collected(store.prune())
        case "export_cache", folder if folder is not None:
            return _carried(store.export_cache(folder), "exported")
        case "import_cache", folder if folder is not None:
            return _carried(store.import_cache(folder), "imported")
        case _:
            return _info(store)


def _info(store: Store) -> Iterator[str]:
    from pipelines.engine.embedded.api.schema.sdk import find_sdk

    store.wait_until_swept()
    usage = store.usage()
    yield f"api       {find_sdk().version} (of the installed dagger-io)"
    yield f"mode      {'rootless' if store.rootless else 'root'}"
    yield f"store     {store.root}"
    yield f"budget    {show_size(default_budget(store.root))}"
    parts = f"layers {show_size(usage.layers)}, files {show_size(usage.files)}, cache volumes {show_size(usage.volumes)}"
    yield f"used      {show_size(usage.total)}: {parts}"
    yield f"results   {usage.results}"
    yield f"in use    {show_size(usage.pinned)}"


def _collected(report: CleanupReport) -> Iterator[str]:
    for taken in report.removed:
        yield f"removed   {taken.label} (unused for {rounded_duration(taken.age)})"
    yield f"freed     {show_size(report.freed)}"
    yield f"kept      {show_size(report.kept)}"
    if report.in_use:
        yield f"in use    {show_size(report.in_use)} above the budget stay, as sessions use them"


def _carried(transfer: Transfer, word: str) -> Iterator[str]:
    for reason in transfer.skipped:
        yield f"left out  {reason}"
    yield f"{word}  {transfer.results} results; {transfer.objects} layers, volumes and files, {transfer.written} of them new"
