"""The contract, and that nothing gets out, with an engine that an ordinary user runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.rootless.conftest import User

pytestmark = [pytest.mark.engine, pytest.mark.root]


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("sub_ids", "image")
@pytest.mark.parametrize(("folder", "least"), [("tests/contract", 60), ("tests/faults", 60)])
def test_an_ordinary_user_gets_the_same_answers(user: User, folder: str, least: int) -> None:
    words = ["-m", "pytest", "-q", "-m", "rootless and not slow", "-p", "no:cacheprovider", "--basetemp", str(user.home / "tests")]
    done = user.python(*words, folder)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= least
