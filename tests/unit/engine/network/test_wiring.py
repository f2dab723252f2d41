from __future__ import annotations

import pytest

from pipelines.engine.embedded.network.wiring import lingering

CLEAN = "sockets: used 3\nTCP: inuse 0 orphan 4 tw 0 alloc 9 mem 1\nUDP: inuse 2 mem 0\nRAW: inuse 0\n"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (CLEAN, 0),
        (CLEAN.replace("tw 0", "tw 2"), 2),
        (CLEAN.replace("TCP: inuse 0", "TCP: inuse 1"), 1),
        ("TCP6: inuse 1\nUDP6: inuse 7\n", 1),
        ("", 0),
    ],
)
def test_connections_that_outlive_their_process_are_counted(text: str, count: int) -> None:
    assert lingering(text) == count
