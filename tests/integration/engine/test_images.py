"""Images between a real registry and a real store, as root: pulled, shown by overlayfs, changed, published, pulled again."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images.images import Images
from pipelines.engine.embedded.images.layout import Variant
from pipelines.engine.embedded.images.manifest import digest_bytes
from pipelines.engine.embedded.store.snapshot import Snapshot
from pipelines.engine.embedded.store.store import Store
from pipelines.engine.embedded.store.trees.root import Root
from pipelines.foundation.registry_login import RegistryLogin
from tests.integration.engine.registries import PASSWORD, USER, Registry, write_index
from tests.unit.engine.images.trees import Entry, tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.engine.embedded.images.images import StoredImage

pytestmark = [pytest.mark.root, pytest.mark.registry]

BASE = tar(
    [
        Entry("etc/", "dir"),
        Entry("etc/motd", text="one"),
        Entry("etc/old", text="x"),
        Entry("d/a", text="a"),
        Entry("tmp/", "dir", mode=0o1777),
    ]
)
NEXT = tar(
    [Entry("etc/", "dir"), Entry("etc/motd", text="two"), Entry("etc/.wh.old"), Entry("d/.wh..wh..opq"), Entry("d/b"), Entry("tmp/x")]
)
DENIED = "log in to the registry"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    made = Registry.start(tmp_path_factory.mktemp("registry"))
    yield made
    made.stop()


@pytest.fixture
def place(private_mounts: Path, tmp_path: Path) -> Path:
    """A folder in memory; mounts made there are nobody else's."""
    folder = private_mounts / tmp_path.name
    folder.mkdir()
    return folder


@pytest.fixture
def store(place: Path) -> Iterator[Store]:
    with Store.open(place / "store", rootless=False) as opened:
        yield opened


@pytest.fixture
def images(store: Store) -> Images:
    return Images(store)


async def pulled(images: Images, reference: str) -> StoredImage:
    return await images.pull(await images.resolve(reference))


def tree(store: Store, snapshot: Snapshot) -> dict[str, str]:
    """Path → mode and content, as overlayfs shows it."""
    with store.view(snapshot) as view:
        root = Root(view.path)
        return {name: _facts(root, name, info) for name, info in root.walk()}


def _facts(root: Root, name: str, info: os.stat_result) -> str:
    kind = f"{info.st_mode:o} {info.st_uid}:{info.st_gid} "
    return kind + (root.read(name).decode() if stat.S_ISREG(info.st_mode) else "")


def changed(store: Store, snapshot: Snapshot, name: str, text: str) -> Snapshot:
    with store.draft(snapshot) as draft:
        Root(draft.mount()).write(name, text.encode())
        return draft.commit(f"test {name} {text}")


async def test_layers_show_as_one_file_system(images: Images, store: Store, registry: Registry) -> None:
    image = await pulled(images, registry.push("show:1", [BASE, NEXT]))
    found = tree(store, image.snapshot)
    assert set(found) == {"etc", "etc/motd", "d", "d/b", "tmp", "tmp/x"}
    assert found["etc/motd"].endswith(" two")
    assert found["tmp"].startswith("41777 ")
    assert image.config["config"] == {"Env": ["A=1"]}


async def test_the_reference_says_tag_and_digest(images: Images, registry: Registry) -> None:
    reference = registry.push("named:1", [BASE])
    assert (await pulled(images, f"{registry.address}/named:1")).ref == reference


async def test_what_was_pulled_by_digest_needs_neither_network_nor_skopeo(
    images: Images, store: Store, place: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = registry.push("pinned:1", [BASE, NEXT])
    first = await pulled(images, reference)
    monkeypatch.setenv("PATH", str(place))
    assert await pulled(Images(store), reference) == first


async def test_a_tag_is_asked_for_once_a_session(images: Images, store: Store, registry: Registry) -> None:
    name = f"{registry.address}/asked:1"
    first = registry.push("asked:1", [BASE])
    registry.forget()
    await asyncio.gather(*(images.resolve(name) for _ in range(5)))
    assert registry.asked("GET /v2/asked/manifests/1") == 1
    second = registry.push("asked:1", [NEXT])
    assert str((await images.resolve(name)).reference) == first
    assert str((await Images(store).resolve(name)).reference) == second


async def test_only_missing_layers_are_fetched(images: Images, registry: Registry) -> None:
    await pulled(images, registry.push("shared:1", [BASE]))
    reference = registry.push("shared:2", [BASE, NEXT])
    registry.forget()
    await pulled(images, reference)
    assert registry.asked(f"GET /v2/shared/blobs/{digest_bytes(BASE)}") == 0
    assert registry.asked(f"GET /v2/shared/blobs/{digest_bytes(NEXT)}") == 1


async def test_platforms(images: Images, store: Store, registry: Registry) -> None:
    folder = registry.log.parent / "platforms"
    digest = write_index(folder, {"amd64": [BASE], "arm64": [NEXT]})
    reference = registry.send(folder, "platforms:1", digest)
    arm = await images.resolve(reference, "linux/arm64")
    assert arm.config["architecture"] == "arm64"
    assert "d/b" in tree(store, (await images.pull(arm)).snapshot)
    assert (await images.pull(arm)).ref == reference
    with pytest.raises(
        ImageError, match=r'^failed to resolve image "127.*" \(platform: "linux/s390x"\): .* no match for platform in manifest: not found'
    ):
        await images.resolve(reference, "linux/s390x")


async def test_what_is_not_there(images: Images, registry: Registry) -> None:
    name = f"{registry.address}/nothing:1"
    with pytest.raises(ImageError) as caught:
        await images.resolve(name)
    assert caught.value.message == f'failed to resolve image "{name}" (platform: "linux/amd64"): {name}: not found'


async def test_nobody_listens(images: Images, store: Store) -> None:
    with pytest.raises(ImageError, match=r'^failed to resolve image "localhost:1/x:latest" .* connect: connection refused'):
        await images.resolve("localhost:1/x")
    with pytest.raises(ImageError, match=r"^failed to do request: .*localhost:1.* connect: connection refused"):
        await images.publish([Variant(changed(store, Snapshot("scratch", ()), "a", "a"), {}, "linux/amd64")], "localhost:1/none:1")


async def test_a_layer_that_is_not_what_the_config_says(images: Images, store: Store, registry: Registry) -> None:
    reference = registry.push("wrong:1", [BASE, NEXT], diff_ids=[digest_bytes(BASE), digest_bytes(b"other")])
    with pytest.raises(ImageError, match="is not what its image says"):
        await pulled(images, reference)
    with pytest.raises(ImageError, match="damaged image: configuration: it lists 2 layers, and the manifest has 1"):
        await pulled(images, registry.push("wrong:2", [BASE], diff_ids=[digest_bytes(BASE)] * 2))


async def test_what_is_published_is_pulled_elsewhere_the_same(images: Images, store: Store, place: Path, registry: Registry) -> None:
    base = await pulled(images, registry.push("app:base", [BASE, NEXT]))
    snapshot = changed(store, base.snapshot, "new/file", "text")
    config = {**base.config, "config": {"User": "1000"}}
    registry.forget()
    reference = await images.publish([Variant(snapshot, config, "linux/amd64", {"note": "x"})], f"{registry.address}/app:1")
    assert registry.asked("PUT /v2/app/blobs/uploads/[^ ]*") == 2  # the new layer and the config
    with Store.open(place / "other", rootless=False) as other:
        image = await pulled(Images(other), reference)
        assert image.config["config"] == {"User": "1000"}
        assert tree(other, image.snapshot) == tree(store, snapshot)
        again = await Images(other).publish(
            [Variant(image.snapshot, image.config, "linux/amd64", {"note": "x"})], f"{registry.address}/app:2"
        )
    assert again.partition("@")[2] == reference.partition("@")[2]


async def test_the_same_twice_sends_no_layer(images: Images, store: Store, registry: Registry) -> None:
    variants = [Variant(changed(store, Snapshot("scratch", ()), "twice", "x"), {}, "linux/amd64")]
    first = await images.publish(variants, f"{registry.address}/twice")
    registry.forget()
    assert await images.publish(variants, f"{registry.address}/twice:2") == first.replace("twice:latest@", "twice:2@")
    assert registry.asked("PUT /v2/twice/blobs/uploads/[^ ]*") == 0


@pytest.mark.parametrize(
    ("compression", "docker"), [(None, False), ("gzip", False), ("zstd", False), ("", False), (None, True), ("", True)]
)
async def test_every_form_is_published_and_pulled(
    images: Images, store: Store, place: Path, registry: Registry, compression: str | None, *, docker: bool
) -> None:
    name = f"form-{compression}-{docker}".lower()
    base = await pulled(images, registry.push(f"{name}:base", [BASE]))
    snapshot = changed(store, base.snapshot, "new", name)
    variants = [Variant(snapshot, base.config, platform) for platform in ("linux/amd64", "linux/arm64")]
    reference = await images.publish(variants, f"{registry.address}/{name}:1", compression=compression, docker=docker)
    with Store.open(place / "other", rootless=False) as other:
        assert tree(other, (await pulled(Images(other), reference)).snapshot) == tree(store, snapshot)


async def test_credentials(images: Images, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    registry = Registry.start(tmp_path, secured=True)
    try:
        name, logins = f"{registry.address}/private:1", {registry.address: RegistryLogin(USER, PASSWORD.encode())}
        variants = [Variant(changed(store, Snapshot("scratch", ()), "a", "a"), {}, "linux/amd64")]
        with pytest.raises(ImageError, match=DENIED):
            await images.publish(variants, name)
        await images.publish(variants, name, logins)
        with pytest.raises(ImageError, match=DENIED):
            await images.resolve(name)
        with pytest.raises(ImageError, match=DENIED):
            await images.resolve(name, logins={registry.address: RegistryLogin(USER, b"wrong")})
        assert (await images.pull(await images.resolve(name, logins=logins), logins)).config["os"] == "linux"
    finally:
        registry.stop()


async def test_sessions_that_pull_at_the_same_time_agree(store: Store, place: Path, registry: Registry) -> None:
    reference = registry.push("race:1", [BASE, NEXT])
    registry.forget()
    with Store.open(place / "store", rootless=False) as second:
        found = await asyncio.gather(*(pulled(Images(one), reference) for one in (store, second, store, second)))
        assert tree(second, found[0].snapshot) == tree(store, found[1].snapshot)
    assert len({image.snapshot.layers for image in found}) == 1
    assert registry.asked(f"GET /v2/race/blobs/{digest_bytes(BASE)}") == 1


PULL = """
import asyncio, sys
from pathlib import Path
from pipelines.engine.embedded.images.images import Images
from pipelines.engine.embedded.store.store import Store
from pipelines.engine.embedded.store.trees.root import Root

async def main():
    with Store.open(Path(sys.argv[1]), rootless=False) as store:
        images = Images(store)
        print("begun", flush=True)
        await images.pull(await images.resolve(sys.argv[2]))

asyncio.run(main())
"""


async def test_killed_at_any_moment_the_next_pull_is_whole(store: Store, place: Path, registry: Registry) -> None:
    layers = [tar([Entry(f"{number}/{name}", text=str(name) * 5000) for name in range(300)]) for number in range(4)]
    reference = registry.push("killed:1", layers)
    for delay in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4):
        process = subprocess.Popen(  # noqa: ASYNC220 - it starts in no time
            [sys.executable, "-c", PULL, str(place / "killed"), reference], stdout=subprocess.PIPE, start_new_session=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        await asyncio.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    with Store.open(place / "killed", rootless=False) as opened:
        image = await pulled(Images(opened), reference)
        whole = await pulled(Images(store), reference)
        assert tree(opened, image.snapshot) == tree(store, whole.snapshot)
