"""Hostile tar streams and JSON documents, from a seed: valid ones, broken in one or several places."""

from __future__ import annotations

import copy
import json
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

BLOCK = tarfile.BLOCKSIZE
NUMBERS = [-1, -5, -512, 0, 1, 511, 2**31, 2**32 - 1, 2**33, 2**60, 2**63, 2**64, 10**30]
TEXTS = [
    "",
    "-5",
    "-1",
    "1e400",
    "nan",
    "inf",
    "1_0",
    "\uff11",
    "9" * 5000,
    "x",
    "\0",
    "a\0b",
    "\udcff",
    "1.5",
    "-1e99",
    "../../x",
    "/" + "d/" * 3000,
]
TYPES = b"0\x00123456 7SLKxgXVMDNZA\xff"
KEYS = [
    "size", "mtime", "uid", "gid", "path", "linkpath", "uname", "atime", "SCHILY.xattr.user.a", "SCHILY.xattr.", "SCHILY.xattr.user.\0",
    "SCHILY.xattr.trusted.overlay.opaque", "GNU.sparse.map", "GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.size",
    "GNU.sparse.realsize",
    "GNU.sparse.numblocks", "GNU.sparse.name", "LOCKGATE.xattr.user.a",
]  # fmt: skip
MAPS = ["0,1", "0,99999999999999999999", "5,1,0,1", "-1,5", "a,b", "1", "0,1," * 4000]


def member(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", **facts: Any) -> bytes:
    """One member, with its content."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    for key, value in facts.items():
        setattr(info, key, value)
    header: bytes = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    return header + data + bytes(-len(data) % BLOCK)


def pax(records: dict[str, str], kind: bytes = tarfile.XHDTYPE) -> bytes:
    """An extended header, whatever its records say."""
    data = b""
    for key, value in records.items():
        record = f" {key}={value}\n".encode("utf-8", "surrogatepass")
        length = len(record) + len(str(len(record)))
        length = len(record) + len(str(length))
        data += str(length).encode() + record
    info = tarfile.TarInfo("pax")
    info.type, info.size = kind, len(data)
    header: bytes = info.tobuf(tarfile.USTAR_FORMAT)
    return header + data + bytes(-len(data) % BLOCK)


def sparse(name: str, real: int, pieces: list[tuple[int, int]], data: bytes) -> bytes:
    """A sparse file of GNU's old format."""
    header = bytearray(member(name, tarfile.GNUTYPE_SPARSE, data))
    numbers = [number for piece in pieces[:4] for number in piece]
    for index, number in enumerate(numbers):
        header[386 + 12 * index : 398 + 12 * index] = _number(number, 12)
    header[483:495] = _number(real, 12)
    return bytes(checked(header))


def _number(number: int, width: int) -> bytes:
    if 0 <= number < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, number)
    value: int = number % 256 ** (width - 1)
    return (b"\xff" if number < 0 else b"\x80") + value.to_bytes(width - 1, "big")


def checked(header: bytearray, at: int = 0) -> bytearray:
    """A header with the checksum that fits."""
    header[at + 148 : at + 156] = b" " * 8
    header[at + 148 : at + 156] = b"%06o\0 " % sum(header[at : at + BLOCK])
    return header


def layer(seed: random.Random) -> bytes:
    """A valid layer."""
    parts = [
        member("d/", tarfile.DIRTYPE, mode=0o755),
        member("d/f", data=b"x" * seed.randrange(3000)),
        member("d/l", tarfile.SYMTYPE, linkname="f"),
        member("d/h", tarfile.LNKTYPE, linkname="d/f"),
        member("d/p", tarfile.FIFOTYPE),
        member("d/.wh.gone"),
        member("o/.wh..wh..opq"),
        member("long/" + "n" * 150, data=b"y"),
        pax({"mtime": "1700000000.123456789", "SCHILY.xattr.user.a": "b"}) + member("x", data=b"z"),
        sparse("s", 100_000, [(0, 512), (99_000, 512)], b"a" * 1024),
        pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s1", "GNU.sparse.realsize": "5000"})
        + member("GNUSparseFile.0/s1", data=b"1\n0\n5\n".ljust(BLOCK, b"\0") + b"hello"),
    ]
    seed.shuffle(parts)
    return b"".join(parts) + bytes(2 * BLOCK)


def broken_tar(seed: random.Random) -> bytes:
    """A layer that somebody has broken."""
    data = bytearray(layer(seed))
    for _ in range(seed.choice((1, 1, 2, 5))):
        seed.choice(BREAKS)(data, seed)
    return bytes(data)


def _blocks(data: bytearray) -> int:
    return max(1, len(data) // BLOCK)


def _header(data: bytearray, seed: random.Random) -> None:
    """Another number, name or type in a header, with a checksum that fits."""
    headers = [at for at in range(0, len(data), BLOCK) if data[at + 257 : at + 262] == b"ustar"] or [0]
    at = seed.choice(headers)
    if len(data) < at + BLOCK:
        return
    start, width = seed.choice(((100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (329, 8), (337, 8), (483, 12)))
    match seed.randrange(4):
        case 0:
            data[at + 156] = seed.choice(TYPES)
        case 1:
            name = seed.choice(TEXTS).encode("utf-8", "surrogateescape")[:100]
            place = seed.choice((0, 157))
            data[at + place : at + place + 100] = name.ljust(100, b"\0")
        case _:
            data[at + start : at + start + width] = _number(seed.choice(NUMBERS), width)
    checked(data, at)


def _record(data: bytearray, seed: random.Random) -> None:
    """An extended header that says something else of what follows."""
    key = seed.choice(KEYS)
    value = seed.choice([*TEXTS, *map(str, NUMBERS), *MAPS])
    at = BLOCK * seed.randrange(_blocks(data))
    extra = pax({key: value.replace("\udcff", "?"), seed.choice(KEYS): seed.choice(MAPS)}, seed.choice((tarfile.XHDTYPE, tarfile.XGLTYPE)))
    data[at:at] = extra * seed.choice((1, 1, 1, 40, 1200))


def _hole(data: bytearray, seed: random.Random) -> None:
    """A sparse file whose map is not true."""
    pieces = [(seed.choice(NUMBERS), seed.choice(NUMBERS)) for _ in range(seed.randrange(1, 5))]
    data[0:0] = sparse("hole", seed.choice(NUMBERS), pieces, b"h" * seed.randrange(2000))


def _cut(data: bytearray, seed: random.Random) -> None:
    del data[seed.randrange(len(data)) :]
    data += bytes(seed.randrange(3))


def _noise(data: bytearray, seed: random.Random) -> None:
    for _ in range(seed.randrange(1, 20)):
        if data:
            data[seed.randrange(len(data))] = seed.randrange(256)


def _twice(data: bytearray, seed: random.Random) -> None:
    at, size = BLOCK * seed.randrange(_blocks(data)), BLOCK * seed.randrange(1, 6)
    data[at:at] = data[at : at + size]


BREAKS = (_header, _header, _record, _record, _hole, _cut, _noise, _twice)
"""Ways to break a tar in its place."""

DIGEST = f"sha256:{'0' * 64}"
MANIFEST: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 2},
    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 5}],
    "annotations": {"a": "b"},
}
INDEX: dict[str, Any] = {
    "schemaVersion": 2,
    "manifests": [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": DIGEST,
            "size": 5,
            "platform": {"os": "linux", "architecture": architecture, "variant": variant},
        }
        for architecture, variant in (("amd64", ""), ("arm", "v6"), ("arm64", "v8"))
    ],
}
CONFIG: dict[str, Any] = {
    "architecture": "amd64",
    "os": "linux",
    "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
    "history": [{"created": "x", "created_by": "y"}, {"empty_layer": True}],
    "config": {
        "User": "me",
        "Env": ["A=1", "B"],
        "Entrypoint": ["/x"],
        "Cmd": ["y"],
        "WorkingDir": "/w",
        "Labels": {"l": "v"},
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/v": {}},
        "StopSignal": "TERM",
        "Shell": ["/bin/sh"],
        "OnBuild": ["RUN x"],
        "Healthcheck": {"Test": ["CMD", "x"], "Interval": 5, "Retries": 3},
    },
}
VALUES: list[Any] = [
    None, True, False, -1, 0, 1.5, 10**30, 2**63, "", "x", "\0", "\ud800", "\udfff\ud800", "../../etc", "linux", "sha256:../../x",
    "9" * 5000, [], [None], ["x"], [[]], {}, {"x": None}, {"": ""}, {"\ud800": "\ud800"}, {"99999/tcp": {}},
]  # fmt: skip


def broken_document(value: Any, seed: random.Random) -> bytes:
    """A document that somebody has broken."""
    value = copy.deepcopy(value)
    for _ in range(seed.choice((1, 1, 2, 4))):
        value = _changed(value, seed)
    data = json.dumps(value).encode()
    match seed.randrange(12):
        case 0:
            return data[: seed.randrange(len(data))]
        case 1:
            return data.replace(b"1", seed.choice((b"1e999", b"NaN", b"-Infinity", b"1" * 5000)))
        case 2:
            at = seed.randrange(len(data))
            return data[:at] + bytes([seed.randrange(256)]) + data[at + 1 :]
        case 3:
            depth = seed.choice((100, 3000, 200_000))
            return data.replace(b"null", b"[" * depth + b"]" * depth, 1)
        case _:
            return data


def _changed(value: Any, seed: random.Random) -> Any:
    if isinstance(value, dict) and value and seed.random() < 0.8:
        key = seed.choice(list(value))
        if seed.random() < 0.1:
            del value[key]
        else:
            value[key] = _changed(value[key], seed)
        return value
    if isinstance(value, list) and value and seed.random() < 0.7:
        index = seed.randrange(len(value))
        value[index] = _changed(value[index], seed)
        if seed.random() < 0.1:
            value *= seed.choice((2, 300, 2000))
        return value
    return copy.deepcopy(seed.choice(VALUES))


def archive(members: dict[str, bytes]) -> bytes:
    """A tar of files."""
    return b"".join(member(name, data=data) for name, data in members.items()) + bytes(2 * BLOCK)
