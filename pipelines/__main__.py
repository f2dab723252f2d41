"""`lockgate`, `python -m pipelines`: the one place that turns what happened into an exit code."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.cli.options import Settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; never raises, never exits by itself."""
    from pipelines.cli.options import Settings

    settings = Settings()
    try:
        return _command(sys.argv[1:] if argv is None else list(argv), settings)
    except BrokenPipeError:
        return _reader_left()
    except BaseException as error:  # noqa: BLE001 - the last line of defence
        return _explained(error, settings)


def program() -> NoReturn:
    """The program: runs the command line and ends the process.

    The interpreter is not taken apart piece by piece, which would take 0.2 s once dagger is imported, and in which a late Ctrl-C would
    leave a traceback. What asked to be called at exit is called.
    """
    from pipelines.engine.sdk_import import skip_argument_checks
    from pipelines.foundation.streams import open_missing_streams

    open_missing_streams()
    skip_argument_checks()
    code = main()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter itself calls; there is no public name
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _explained(error: BaseException, settings: Settings) -> int:
    from pipelines.cli.failure import explain

    try:
        return int(explain(error, settings.stderr(), settings.program))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _command(argv: list[str], settings: Settings) -> int:
    from pipelines.cli.app import app
    from pipelines.cli.name import here, program_name

    settings.program = program_name(sys.argv[0], here())
    app.reader_left = False
    code = app.main(args=argv, prog_name=settings.program, standalone_mode=False, obj=settings)
    if app.reader_left:
        raise BrokenPipeError
    sys.stdout.flush()
    return int(code or 0)


def _reader_left() -> int:
    """Whoever read our output has gone (`| head`): nothing more to say, and nothing to complain about at exit."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - held to the end of the process
    return 128 + signal.SIGPIPE


if __name__ == "__main__":
    program()
