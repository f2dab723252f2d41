"""Imports the SDK at half its price: a second of processor time, most of it for checks of arguments.

The SDK has every method wrapped by beartype, which checks the types of arguments on each call. For the steps that come with Lockgate mypy
has checked them before. For steps in Python it has not, and the check is what gives a clear message for a wrong argument, so a project with
a `lockgate.py` keeps it; so does a program that uses Lockgate as a library, whose own code may use the SDK or beartype. The switch is
beartype's own: it wraps nothing, whoever asks, when it is imported while the variable `PYTHONOPTIMIZE` is a positive number
(https://github.com/beartype/beartype/issues/341). Nothing else changes: Python reads that variable only when it starts, so assertions stay.
"""

from __future__ import annotations

import gc
import os
import sys
import threading

_SWITCH = "PYTHONOPTIMIZE"
_lock = threading.Lock()
_skip = False


def skip_argument_checks() -> None:
    """The SDK need not check the arguments of its methods in this process: all of it is ours. To be called before it is imported."""
    global _skip  # noqa: PLW0603 - it is one decision for the whole process, as the import is
    _skip = True


def keep_argument_checks() -> None:
    """The SDK checks them nevertheless: code of somebody else will use it. To be called before it is imported."""
    global _skip  # noqa: PLW0603 - as above
    _skip = False


def prepare_sdk() -> None:
    """Decide whether the SDK checks arguments; takes 0.1 s the first time.

    To be called in the main thread before an engine is started: for that moment the switch is in the environment, which a process started
    by another thread would inherit.
    """
    with _lock:
        if not _skip or "beartype" in sys.modules or os.environ.get(_SWITCH):
            return
        os.environ[_SWITCH] = "1"
        try:
            import beartype  # noqa: F401
        finally:
            del os.environ[_SWITCH]


def import_sdk() -> None:
    """Import the SDK; without garbage collection meanwhile, as all that is loaded stays."""
    with _lock:
        if "dagger" in sys.modules:
            return
        collects = gc.isenabled()
        gc.disable()
        try:
            import dagger  # noqa: F401
        finally:
            gc.freeze()
            if collects:
                gc.enable()
