from __future__ import annotations

import hashlib
import io
import itertools
import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded import tars
from pipelines.engine.embedded.images.packing.stream import LayerStream, ReadAhead

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCKS = st.lists(st.binary(min_size=1, max_size=9), max_size=8)
MOVES = st.lists(st.tuples(st.sampled_from(["read", "skip", "copy"]), st.integers(0, 20)), max_size=8)


@given(BLOCKS, MOVES)
def test_reads_like_a_file(blocks: list[bytes], moves: list[tuple[str, int]]) -> None:
    data = b"".join(blocks)
    model = io.BytesIO(data)
    target = os.memfd_create("copy")
    copied = b""
    with LayerStream(iter(blocks)) as stream:
        for move, size in moves:
            if move == "read":
                assert stream.read(size) == model.read(size)
            elif move == "skip":
                wanted = min(model.tell() + size, len(data))
                assert stream.seek(model.tell() + size) == model.seek(wanted)
            else:
                expected = model.read(size)
                copied += expected
                assert stream.copy(target, size) == len(expected)
            assert stream.tell() == model.tell()
        assert stream.finish() == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert os.pread(target, len(data) + 1, 0) == copied
    os.close(target)


@pytest.mark.parametrize("size", [-1, -512, tars.LONGEST_HEADER * 2])
def test_nobody_reads_more_than_a_header(size: int) -> None:
    with LayerStream(iter([b"ab", b"cd"])) as stream, pytest.raises(tars.Damaged, match="a header"):
        stream.read(size)


def test_backwards_is_refused() -> None:
    with LayerStream(iter([b"abc"])) as stream:
        stream.read(2)
        with pytest.raises(tars.Damaged, match="overlap"):
            stream.seek(1)


def test_an_error_of_the_source_comes_where_it_is_read() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"ab"
        raise ValueError("damaged")

    with LayerStream(blocks()) as stream:
        assert stream.read(2) == b"ab"
        with pytest.raises(ValueError, match="damaged"):
            stream.read(1)


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    with ReadAhead(itertools.repeat(b"x")) as relay:
        assert next(iter(relay)) == b"x"
    assert threading.active_count() == before
