from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images.images import Images
from pipelines.engine.embedded.images.layout import Variant
from pipelines.engine.embedded.images.manifest import digest_bytes
from pipelines.engine.embedded.store.snapshot import Snapshot
from pipelines.engine.embedded.store.store import Store
from tests.unit.engine.images.trees import Entry, shown, tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYER = tar([Entry("hello", text="world")])
CONFIG = {
    "os": "linux",
    "architecture": "amd64",
    "config": {"Env": ["A=1"]},
    "rootfs": {"type": "layers", "diff_ids": [digest_bytes(LAYER)]},
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", rootless=True) as opened:
        yield opened


@pytest.fixture
def images(store: Store) -> Images:
    return Images(store)


def layer(store: Store, text: str) -> str:
    return store.add_layer(lambda target: (target / "f").write_text(text) and None, text)


def archive(path: Path, members: dict[str, bytes | str]) -> Path:
    """A tar of files, and of symbolic links where the content is text."""
    with tarfile.open(path, "w") as out:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                out.addfile(member)
            else:
                member.size = len(content)
                out.addfile(member, io.BytesIO(content))
    return path


def docker(path: Path, tags: list[str], layer: bytes = LAYER, prefix: str = "") -> Path:
    """What `docker save` wrote before version 25: layers in folders, some of them links to others."""
    document = [{"Config": "c.json", "RepoTags": tags, "Layers": ["1/layer.tar"]}]
    members: dict[str, bytes | str] = {
        "0/layer.tar": layer,
        "1/layer.tar": "../0/layer.tar",
        "c.json": json.dumps(CONFIG).encode(),
        "manifest.json": json.dumps(document).encode(),
    }
    return archive(path, {prefix + name: content for name, content in members.items()})


def read(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as found:
        return {member.name: (found.extractfile(member) or io.BytesIO()).read() for member in found if member.isfile()}


async def test_what_is_saved_loads_in_another_store(images: Images, store: Store, tmp_path: Path) -> None:
    snapshot = Snapshot("id", (layer(store, "one"), layer(store, "two")))
    await images.save([Variant(snapshot, {"config": {"User": "me"}}, "linux/amd64")], tmp_path / "image.tar")
    with Store.open(tmp_path / "other", rootless=True) as other:
        image = await Images(other).load(tmp_path / "image.tar", platform="linux/amd64")
        assert image.config["config"] == {"User": "me"}
        assert shown([other.layer_path(name) for name in image.snapshot.layers]) == {"f": ("file", "two")}
        await Images(other).save([Variant(image.snapshot, image.config, "linux/amd64")], tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == (tmp_path / "image.tar").read_bytes()


async def test_an_archive_is_an_oci_layout_that_docker_reads(images: Images, store: Store, tmp_path: Path) -> None:
    await images.save([Variant(Snapshot("id", (layer(store, "one"),)), {}, "linux/amd64")], tmp_path / "image.tar")
    members = read(tmp_path / "image.tar")
    assert json.loads(members["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    for name, data in members.items():
        assert not name.startswith("blobs/") or digest_bytes(data) == "sha256:" + name.rpartition("/")[2]
    manifest: dict[str, Any] = json.loads(members["blobs/sha256/" + json.loads(members["index.json"])["manifests"][0]["digest"][7:]])
    (image,) = json.loads(members["manifest.json"])
    assert image["Config"] == "blobs/sha256/" + manifest["config"]["digest"][7:]
    assert [name in members for name in image["Layers"]] == [True]


async def test_platforms_are_chosen(images: Images, store: Store, tmp_path: Path) -> None:
    variants = [Variant(Snapshot("id", (layer(store, platform),)), {}, platform) for platform in ("linux/amd64", "linux/arm64")]
    await images.save(variants, tmp_path / "image.tar")
    image = await images.load(tmp_path / "image.tar", platform="linux/arm64")
    assert shown([store.layer_path(name) for name in image.snapshot.layers]) == {"f": ("file", "linux/arm64")}
    with pytest.raises(ImageError, match=r"no match for platform in manifest: not found \(it has linux/amd64, linux/arm64\)"):
        await images.load(tmp_path / "image.tar", platform="linux/s390x")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("prefix", ["", "./"])
async def test_dockers_archives(images: Images, store: Store, tmp_path: Path, prefix: str, *, packed: bool, inside: bool) -> None:
    path = docker(tmp_path / "image.tar", ["a:1"], gzip.compress(LAYER) if inside else LAYER, prefix)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    image = await images.load(path)
    assert (image.config, image.ref) == (CONFIG, "")
    assert shown([store.layer_path(name) for name in image.snapshot.layers]) == {"hello": ("file", "world")}


@pytest.mark.parametrize(("tag", "found"), [("", True), ("1", True), ("host:5000/a:1", True), ("2", False), ("5000/a", False)])
async def test_tags(images: Images, tmp_path: Path, tag: str, *, found: bool) -> None:
    path = docker(tmp_path / "image.tar", ["host:5000/a:1"])
    if found:
        await images.load(path, tag=tag)
    else:
        with pytest.raises(ImageError, match=f"the image archive has no {tag}"):
            await images.load(path, tag=tag)


NAMES_ONE = b'{"manifests": [{"digest": "sha256:%s", "size": 2}]}' % (b"0" * 64)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"x": b""}, "it has neither index.json nor manifest.json"),
        ({"manifest.json": b"{"}, "damaged image: manifest.json: it is not JSON"),
        ({"manifest.json": b"[]"}, "the image archive has no image"),
        ({"manifest.json": b'[{"Config": "c", "Layers": ["l"]}]'}, "l is missing"),
        ({"index.json": b'{"manifests": []}'}, "the image archive has no image"),
        ({"index.json": NAMES_ONE}, "damaged image: archive: blobs/sha256/0{64} is missing"),
        ({"index.json": NAMES_ONE, f"blobs/sha256/{'0' * 64}": b"{}"}, "damaged image: archive: sha256:0{64} is something else"),
    ],
)
async def test_damaged_archives(images: Images, tmp_path: Path, members: dict[str, bytes | str], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        await images.load(archive(tmp_path / "image.tar", members))


async def test_what_is_no_archive(images: Images, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello" * 1000)
    with pytest.raises(ImageError, match="not an image archive"):
        await images.load(tmp_path / "text")
