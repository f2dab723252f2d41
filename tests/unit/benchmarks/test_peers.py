"""A peer has a column only where it answers; what its build costs is measured like ours."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.peers import Peer

if TYPE_CHECKING:
    from pathlib import Path

SPEND = "import sys, time\nwhile time.process_time() < 0.2: pass\nopen('built', 'w').write(' '.join(sys.argv[1:]))"


@pytest.mark.parametrize(("probe", "there"), [(("true",), True), (("false",), False), (("no-such-program-anywhere",), False)])
def test_a_peer_is_there_when_its_program_answers(probe: tuple[str, ...], there: bool) -> None:
    assert Peer("peer", probe, ()).is_there() is there


def test_a_build_of_a_peer_is_counted_in_the_folder_of_the_context(tmp_path: Path) -> None:
    assert Peer("peer", ("true",), (sys.executable, "-c", SPEND)).build(tmp_path, "name") >= 0.2
    assert (tmp_path / "built").read_text() == "-t name:bench ."
