"""Errors of the system as errors of ours: every number has one."""

from __future__ import annotations

import errno
import os

import pytest

from pipelines.errors import ExitCode, StepFailed, Unavailable
from pipelines.foundation.mapping import Library, of_file, of_machine

MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}
"""What the machine has run out of, or cannot do: another run may succeed when it is mended."""


@pytest.mark.parametrize("number", sorted(errno.errorcode), ids=errno.errorcode.get)
def test_every_number_is_a_clear_error(number: int) -> None:
    error = OSError(number, os.strerror(number), "/x/file")
    ours = of_file(error)
    assert isinstance(ours, Unavailable if number in MACHINE else StepFailed)
    assert (of_machine(error) is not None) == (number in MACHINE)
    assert ours.exit_code is (ExitCode.UNAVAILABLE if number in MACHINE else ExitCode.FAILED)
    assert "/x/file" in " ".join(ours.lines())
    assert (ours.next_step is not None) or number not in MACHINE


@pytest.mark.parametrize("error", [OSError("no number"), OSError(), TimeoutError(), OSError(99999, "unknown")], ids=repr)
def test_an_error_without_a_known_number_says_what_it_can(error: OSError) -> None:
    assert of_machine(error) is None
    assert of_file(error).message


class BaseError(Exception):
    """Of a library."""


class DerivedError(BaseError):
    """Of the same library, and not listed."""


def test_a_class_counts_as_its_nearest_listed_base() -> None:
    library = Library(frozenset({__name__.partition(".")[0]}), {"BaseError": lambda error: StepFailed(f"mapped {error}")})
    assert library.name_of(DerivedError) == "BaseError"
    found = library.translate(DerivedError("one"))
    assert found is not None
    assert found.message == "mapped one"
    assert library.translate(ValueError("two")) is None
