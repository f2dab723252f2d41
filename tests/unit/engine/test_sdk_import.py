"""The SDK's checks of arguments: off for built-in steps, on where a project has steps of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import gc, os
from pipelines.engine.sdk_import import import_sdk, keep_argument_checks, prepare_sdk
{before}
prepare_sdk()
import_sdk()
import dagger
print(hasattr(dagger.Container.with_exec, "__wrapped__"), os.environ.get("PYTHONOPTIMIZE"), gc.isenabled(), __debug__)
"""


@pytest.mark.parametrize(
    ("before", "environ", "printed"),
    [
        ("", {}, "False None True True"),
        ("keep_argument_checks()", {}, "True None True True"),
        ("import dagger", {}, "True None True True"),
        ("gc.disable()", {}, "False None False True"),
        ("", {"PYTHONOPTIMIZE": "2"}, "False 2 True False"),
    ],
)
def test_arguments_are_checked_where_nobody_else_has_checked_them(before: str, environ: dict[str, str], printed: str) -> None:
    program = PROGRAM.format(before=before)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONOPTIMIZE"}
    done = subprocess.run([sys.executable, "-c", program], env={**clean, **environ}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed
