"""The three standard streams, of a process that may have been started without some of them (`command >&-`)."""

from __future__ import annotations

import os
import sys

_FIRST_FREE = 3


def open_missing_streams() -> None:
    """Open the null device for each of the descriptors 0 to 2 that is closed, and give Python its stream for it.

    A closed stream must not make a command fail. Left closed, its number would be given to the next file that is opened, and what is meant
    for the terminal would be written into that file.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) < _FIRST_FREE:
        os.set_inheritable(fd, True)
    os.close(fd)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor, open to the end of the process
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
