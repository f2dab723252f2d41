"""`engine`: the embedded engine by itself: runs a command with a session of it, and shows, shrinks, exports and imports its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli.options import settings, speaking

if TYPE_CHECKING:
    from collections.abc import Sequence

_PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.group(
    "engine",
    short_help="The embedded engine: run a command on it, manage its store.",
    help="The embedded engine: run any dagger-io program on it, manage its store.",
)
def command() -> None:
    """Hold the commands about the embedded engine."""


@command.command(
    "run",
    short_help="Run a command with a session of the embedded engine.",
    help="""Open a session of the embedded engine and run COMMAND with it, as `dagger run` does with Dagger's: any program of a Dagger SDK
works in it unchanged. Signals are passed to the command, and its exit code is returned; 127 if it is not found, 4 if the engine
cannot start.

\b
Example:
  lockgate engine run -- python pipeline.py""",
    context_settings=_PASS_ON,
)
@click.argument("arguments", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, required=True, type=click.UNPROCESSED)
@speaking
def run(arguments: tuple[str, ...]) -> int:
    """Run a command with a session of the embedded engine."""
    import asyncio

    from pipelines.cli.engine_run import run_with_session
    from pipelines.engine.choice import embedded

    return asyncio.run(run_with_session(arguments, settings(), embedded("engine run")))


_rootless = click.option("--rootless", is_flag=True, help="Use the store of an ordinary user's engine, also when run as root.")


def _delegate(arguments: Sequence[str], *, rootless: bool) -> int:
    from pipelines.engine.embedded.main import main

    return main([*arguments, *(["--rootless"] if rootless else [])])


@command.command("info", short_help="Say where the store is and what it holds.")
@_rootless
def info(*, rootless: bool) -> int:
    """Say where the store is and what it holds."""
    return _delegate(["info"], rootless=rootless)


@command.command("gc", short_help="Shrink the store to its budget.")
@_rootless
def gc(*, rootless: bool) -> int:
    """Remove what was used longest ago until the store fits its budget; never what a session uses."""
    return _delegate(["gc"], rootless=rootless)


@command.command("prune", short_help="Empty the store.")
@_rootless
def prune(*, rootless: bool) -> int:
    """Remove everything from the store that no session uses."""
    return _delegate(["prune"], rootless=rootless)


@command.group(
    "cache", short_help="Export and import the cache.", help="Export the cache and import it on another machine, or in the next job."
)
def cache() -> None:
    """Hold the commands about the cache."""


@cache.command("export", short_help="Write the cache to a folder.")
@click.argument("folder", type=click.Path(file_okay=False))
@_rootless
def export(folder: str, *, rootless: bool) -> int:
    """Write the cache, cache volumes included, to a folder a CI provider can keep."""
    return _delegate(["cache", "export", folder], rootless=rootless)


@cache.command("import", short_help="Read a cache that was exported.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@_rootless
def import_(folder: str, *, rootless: bool) -> int:
    """Read a cache that was exported; what cannot be verified is left out."""
    return _delegate(["cache", "import", folder], rootless=rootless)
