from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.machine import oci
from ci.machine.errors import SetupError

EPOCH = 1_767_225_600
CONFIG = oci.ImageConfig(architecture="amd64", epoch=EPOCH, env={"PATH": "/bin"}, entrypoint=("tool",))
NAME = st.text("abcdefgh.-", min_size=1, max_size=6).filter(lambda name: name not in {".", ".."})


def layout(folder: Path, entries: list[oci.Entry]) -> str:
    tar = io.BytesIO()
    oci.tar_entries(entries, tar, EPOCH)
    tar.seek(0)
    return oci.write_layout(folder, tar, CONFIG)


def blob(folder: Path, digest: str) -> bytes:
    data = (folder / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == digest
    return data


def document(folder: Path, digest: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(blob(folder, digest))
    return loaded


@given(files=st.dictionaries(st.lists(NAME, min_size=1, max_size=3).map("/".join), st.binary(max_size=64), max_size=6), salt=st.randoms())
def test_the_same_files_in_any_order_are_the_same_image(files: dict[str, bytes], salt: Any) -> None:
    entries = [oci.Entry(path=path, data=data) for path, data in files.items() if not any(other.startswith(f"{path}/") for other in files)]
    with tempfile.TemporaryDirectory() as scratch:
        first = layout(Path(scratch) / "a", entries)
        salt.shuffle(entries)
        assert layout(Path(scratch) / "b", entries) == first
        for entry in entries:
            assert oci.read_file(Path(scratch) / "a", entry.path) == entry.data


def test_every_digest_and_size_in_a_layout_is_true(tmp_path: Path) -> None:
    digest = layout(tmp_path / "x", [oci.Entry(path="usr/bin/tool", data=b"#!"), oci.Entry(path="tmp", mode=0o1777)])
    manifest = document(tmp_path / "x", digest)
    for descriptor in (manifest["config"], *manifest["layers"]):
        assert len(blob(tmp_path / "x", descriptor["digest"])) == descriptor["size"]
    config = document(tmp_path / "x", manifest["config"]["digest"])
    packed = blob(tmp_path / "x", manifest["layers"][0]["digest"])
    assert packed[3:8] == bytes(5)  # no file name, no time (RFC 1952: FLG, MTIME)
    tar = gzip.decompress(packed)
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(tar).hexdigest()}"]
    assert config["created"] == "2026-01-01T00:00:00Z"
    assert config["config"]["Entrypoint"] == ["tool"]
    assert oci.digest(tmp_path / "x") == digest


def test_entries_belong_to_root_and_have_one_time(tmp_path: Path) -> None:
    (tmp_path / "tool").write_bytes(b"elf")
    tar = io.BytesIO()
    oci.tar_entries([oci.Entry(path="usr/bin/tool", source=tmp_path / "tool"), oci.Entry(path="tmp", mode=0o1777)], tar, EPOCH)
    tar.seek(0)
    with tarfile.open(fileobj=tar) as archive:
        members = {member.name: member for member in archive}
    assert list(members) == ["tmp", "usr", "usr/bin", "usr/bin/tool"]
    assert {(member.uid, member.gid, member.uname, member.mtime) for member in members.values()} == {(0, 0, "", EPOCH)}
    assert members["tmp"].mode == 0o1777
    assert members["usr/bin"].isdir()


def test_no_layout_and_a_missing_file(tmp_path: Path) -> None:
    assert oci.digest(tmp_path) is None
    layout(tmp_path / "x", [oci.Entry(path="a", data=b"")])
    with pytest.raises(SetupError, match="holds no etc/passwd"):
        oci.read_file(tmp_path / "x", "etc/passwd")
