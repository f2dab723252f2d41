"""The SDK's checks of arguments: off for built-in steps, on where code of somebody else uses the SDK."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import gc, os
from pipelines.engine.sdk_import import import_sdk, keep_argument_checks, prepare_sdk, skip_argument_checks
{before}
prepare_sdk()
import_sdk()
import dagger
print(hasattr(dagger.Container.with_exec, "__wrapped__"), os.environ.get("PYTHONOPTIMIZE"), gc.isenabled(), __debug__)
"""


@pytest.mark.parametrize(
    ("before", "environ", "printed"),
    [
        ("", {}, "True None True True"),  # a library in somebody's program
        ("skip_argument_checks()", {}, "False None True True"),
        ("skip_argument_checks(); keep_argument_checks()", {}, "True None True True"),
        ("skip_argument_checks(); import dagger", {}, "True None True True"),
        ("skip_argument_checks(); gc.disable()", {}, "False None False True"),
        ("", {"PYTHONOPTIMIZE": "2"}, "False 2 True False"),
    ],
)
def test_arguments_are_checked_where_nobody_else_has_checked_them(before: str, environ: dict[str, str], printed: str) -> None:
    program = PROGRAM.format(before=before)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONOPTIMIZE"}
    done = subprocess.run([sys.executable, "-c", program], env={**clean, **environ}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed


def test_the_program_switches_them_off_for_its_own_process() -> None:
    at_exit = """
import atexit, sys
from pipelines.__main__ import program
from pipelines.engine.sdk_import import import_sdk, prepare_sdk

@atexit.register
def look():
    prepare_sdk()
    import_sdk()
    import dagger
    print(hasattr(dagger.Container.with_exec, "__wrapped__"))

sys.argv = ["lockgate", "--version"]
program()
"""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONOPTIMIZE"}
    done = subprocess.run([sys.executable, "-c", at_exit], env=clean, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
