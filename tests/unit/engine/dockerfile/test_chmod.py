from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.syntax import chmod

if TYPE_CHECKING:
    from pathlib import Path

ACTIONS = st.builds(
    lambda operator, letters: operator + letters, st.sampled_from("+-="), st.text("rwxXst", max_size=3) | st.sampled_from("ugo")
)
CLAUSES = st.builds(
    lambda who, actions: who + "".join(actions), st.text("ugoa", min_size=1, max_size=2), st.lists(ACTIONS, min_size=1, max_size=2)
)


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        ("", 0o640, 0o640),
        ("0755", 0o640, 0o755),
        ("4755", 0o640, 0o4755),
        ("u=rw,go=r", 0o777, 0o644),
        ("+x", 0o644, 0o755),
        ("go-rwx", 0o755, 0o700),
        ("a+X", 0o644, 0o644),
        ("a+X", 0o744, 0o755),
        ("g=u", 0o640, 0o660),
        ("u=g-r", 0o760, 0o260),
    ],
)
def test_modes(text: str, mode: int, expected: int) -> None:
    chmod.check(text)
    assert chmod.apply(text, mode, directory=False) == expected


def test_a_directory_is_always_searchable_for_capital_x() -> None:
    assert chmod.apply("a+X", 0o644, directory=True) == 0o755


@pytest.mark.parametrize("text", ["8", "10000", "abc", "u", "u=rw;g=r", "u=rw,", "rwx"])
def test_refused(text: str) -> None:
    with pytest.raises(Fault, match="invalid chmod parameter"):
        chmod.check(text)


@settings(max_examples=100, deadline=None)
@given(text=st.lists(CLAUSES, min_size=1, max_size=2).map(",".join), mode=st.integers(0, 0o1777))
def test_same_as_chmod(tmp_path_factory: pytest.TempPathFactory, text: str, mode: int) -> None:
    path: Path = tmp_path_factory.mktemp("mode") / "file"
    path.touch()
    path.chmod(mode)
    subprocess.run(["chmod", "--", text, path], check=True, preexec_fn=lambda: os.umask(0))
    assert chmod.apply(text, mode, directory=False) == stat.S_IMODE(path.stat().st_mode)
