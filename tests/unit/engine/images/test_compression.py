from __future__ import annotations

import bz2
import gzip
import io
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.images.packing.compression import BLOCK, compressor, kind, plain_blocks
from pipelines.engine.embedded.tars import Damaged

OURS = ["gzip", "zstd", ""]


def squeeze(name: str, data: bytes) -> bytes:
    if name == "xz":
        return lzma.compress(data)
    if name == "bzip2":
        return bz2.compress(data)
    stream = compressor(name)
    return stream.compress(data) + stream.flush()


def plain(data: bytes) -> bytes:
    return b"".join(plain_blocks(io.BytesIO(data)))


@given(st.binary(), st.sampled_from(["gzip", "zstd", "xz", "bzip2"]))
def test_what_is_packed_comes_back(data: bytes, name: str) -> None:
    packed = squeeze(name, data)
    assert kind(packed) == name
    assert plain(packed) == data


@given(st.binary().filter(lambda data: not kind(data)))
def test_what_is_not_packed_stays(data: bytes) -> None:
    assert plain(data) == data == squeeze("", data)


@given(st.binary(min_size=1), st.binary(), st.sampled_from(["gzip", "zstd", "xz", "bzip2"]))
def test_streams_one_after_the_other_are_one(first: bytes, second: bytes, name: str) -> None:
    assert plain(squeeze(name, first) + squeeze(name, second)) == first + second


@given(st.binary(min_size=100), st.data(), st.sampled_from(["gzip", "zstd", "xz", "bzip2"]))
def test_what_ends_early_is_refused(data: bytes, draw: st.DataObject, name: str) -> None:
    packed = squeeze(name, data)
    with pytest.raises(Damaged, match=f"it is not {name} data"):
        plain(packed[: draw.draw(st.integers(6, len(packed) - 1))])


def test_padding_after_gzip_is_let_go() -> None:
    assert plain(gzip.compress(b"x") + bytes(1000)) == b"x"


def test_a_bomb_comes_in_small_blocks() -> None:
    sizes = [len(block) for block in plain_blocks(io.BytesIO(squeeze("gzip", bytes(50 * BLOCK))))]
    assert sum(sizes) == 50 * BLOCK
    assert max(sizes) <= BLOCK


def test_gzip_is_what_every_gzip_reads_and_has_no_time_in_it() -> None:
    packed = squeeze("gzip", b"x" * 1000)
    assert gzip.decompress(packed) == b"x" * 1000
    assert packed[4:8] == bytes(4)
