"""`lockgate-engine`: a Dagger session for one machine, and the commands for its store."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import UNAVAILABLE, EmbeddedUnavailable, EngineError, InvalidInput, NotFound, Unsupported
from pipelines.foundation.streams import open_missing_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FAILED = 1
STORE_COMMANDS = {
    "info": "say where the store is and what it holds",
    "gc": "remove least recently used results above the size budget",
    "prune": "remove everything that no session uses",
}
CACHE_COMMANDS = {"export": "write results and cache volumes to DIR", "import": "import what export wrote to DIR"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 141 when whoever reads the output has gone."""
    open_missing_streams()
    try:
        try:
            return _command(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still to be written goes nowhere
        return 128 + signal.SIGPIPE


def _command(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except EmbeddedUnavailable as error:
        return _say(error, UNAVAILABLE)
    except EngineError as error:
        return _say(error, FAILED)
    except BrokenPipeError:
        raise
    except OSError as error:  # no socket, no process, no memory: nothing of the caller's doing
        return _say(error, UNAVAILABLE)


def _say(error: Exception, code: int) -> int:
    print(f"lockgate-engine: {error}", file=sys.stderr)  # noqa: T201 - this is the command line
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lockgate-engine", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="store_const", dest="command", const=_version, help="print the version and exit")
    parser.set_defaults(command=lambda _: parser.error("a command is needed; see lockgate-engine --help"))
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    _session(commands.add_parser("session", help="serve one client; ends when standard input ends", allow_abbrev=False))
    for name, text in STORE_COMMANDS.items():
        _store_command(commands.add_parser(name, help=text, description=text.capitalize(), allow_abbrev=False), name)
    cache = commands.add_parser("cache", help="export results and import them on another machine", allow_abbrev=False)
    actions = cache.add_subparsers(metavar="ACTION", title="actions", required=True)
    for name, text in CACHE_COMMANDS.items():
        action = actions.add_parser(name, help=text, description=text.capitalize(), allow_abbrev=False)
        action.add_argument("folder", metavar="DIR")
        _store_command(action, f"{name}_cache")
    return parser


def _session(parser: argparse.ArgumentParser) -> None:
    parser.description = "Serves one client: prints one line of JSON with port and token, ends when standard input ends."
    parser.add_argument("--label", action="append", default=[], metavar="NAME:VALUE", help="what the client says about itself")
    parser.add_argument("--workdir", default=None, metavar="DIR", help="what relative paths start from (default: here)")
    parser.add_argument("--project", default=None, metavar="FILE", help="accepted for older clients; has no effect")
    parser.add_argument("--load-workspace-modules", action="store_true", help="refused: modules need a Dagger engine")
    _mode(parser)
    parser.set_defaults(command=_run_session)


def _store_command(parser: argparse.ArgumentParser, name: str) -> None:
    _mode(parser)
    parser.set_defaults(command=_run_in_jail, action=name)


def _mode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rootless", action="store_true", help="work as an ordinary user does, even as root")


def _version(_: argparse.Namespace) -> int:
    from importlib.metadata import version

    print(f"lockgate-engine {version('lockgate')}")  # noqa: T201 - this is the command line
    return 0


def _run_session(options: argparse.Namespace) -> int:
    from pipelines.engine.embedded import launcher
    from pipelines.engine.embedded.paths import run_dir

    if options.load_workspace_modules:
        raise Unsupported("--load-workspace-modules")
    _check_limits()
    labels = dict(label.partition(":")[::2] for label in options.label)
    return launcher.run_session(launcher.SessionOptions(_folder(options.workdir), labels, options.rootless, str(run_dir())))


def _check_limits() -> None:
    """Refuse a wrong setting before a session is open; without any there is nothing to import for it."""
    from pipelines.engine.limits import VARIABLES, read

    if any(os.environ.get(name) for name in VARIABLES):
        try:
            read(os.environ)
        except ValueError as error:
            raise InvalidInput(str(error)) from None


def _folder(workdir: str | None) -> str:
    try:
        os.chdir(workdir or ".")
        return os.getcwd()  # noqa: PTH109 - pathlib is not imported yet
    except OSError as error:
        raise NotFound(f"cannot work in {workdir or 'the current directory'}: {error.strerror}") from error


def _run_in_jail(options: argparse.Namespace) -> int:
    from pipelines.engine.embedded import jail
    from pipelines.engine.embedded.paths import run_dir

    def inside(info: jail.JailInfo) -> int:
        from pathlib import Path

        from pipelines.engine.embedded.store_commands import run_store_command

        folder = getattr(options, "folder", None)
        return run_store_command(options.action, Path(folder).absolute() if folder else None, rootless=info.rootless)

    jailed = jail.start(inside, str(run_dir()), rootless=options.rootless)
    jailed.ready()
    return jailed.wait()


if __name__ == "__main__":
    sys.exit(main())
