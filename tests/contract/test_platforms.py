from __future__ import annotations

import asyncio
import json
import tarfile
import urllib.request
from typing import TYPE_CHECKING, Any

import dagger
import pytest
from dagger import Platform, dag

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]

BOTH = ("linux/amd64", "linux/arm64")
INDEX = "application/vnd.oci.image.index.v1+json"


def variants() -> list[dagger.Container]:
    return [dag.container(platform=Platform(name)).with_new_file("/f", name) for name in BOTH]


async def test_one_reference_for_two_platforms(registry: str, nonce: str) -> None:
    ref = await dag.container().publish(f"{registry}/contract/both:{nonce}", platform_variants=variants())
    for name in BOTH:
        assert await dag.container(platform=Platform(name)).from_(ref).file("/f").contents() == name
    question = urllib.request.Request(f"http://{registry}/v2/contract/both/manifests/{nonce}", headers={"Accept": INDEX})
    manifest = json.loads(await asyncio.to_thread(lambda: urllib.request.urlopen(question).read()))
    assert manifest["mediaType"] == INDEX
    assert sorted(one["platform"]["architecture"] for one in manifest["manifests"]) == ["amd64", "arm64"]


async def test_a_container_of_another_platform_takes_files() -> None:
    foreign = dag.container(platform=Platform("linux/arm64")).with_new_file("/f", "x").with_env_variable("A", "1")
    assert (await foreign.platform(), await foreign.file("/f").contents()) == ("linux/arm64", "x")
    assert await foreign.rootfs().entries() == ["f"]


# A program whose ELF header (e_machine) says AArch64.
FOREIGN = "d = bytearray(open('/bin/true', 'rb').read()); d[18:20] = (183).to_bytes(2, 'little'); open('/x', 'wb').write(d)"


async def test_a_program_of_another_platform_fails(base: dagger.Container, is_real: bool) -> None:
    root = base.with_exec(["python3", "-c", FOREIGN]).with_exec(["chmod", "755", "/x"]).rootfs()
    foreign = dag.container(platform=Platform("linux/arm64")).with_rootfs(root)
    assert await foreign.with_exec(["uname", "-s"]).stdout() == "Linux\n"  # its other programs are this machine's
    with pytest.raises(dagger.ExecError) as error:
        await foreign.with_exec(["/x"]).sync()
    if not is_real:
        assert "an emulator registered in binfmt_misc" in str(error.value)


@pytest.mark.parametrize(
    ("media", "manifest", "layer"),
    [
        (dagger.ImageMediaTypes.OCIMediaTypes, "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"),
        (
            dagger.ImageMediaTypes.DockerMediaTypes,
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ),
    ],
)
async def test_a_tarball_can_be_read_as_oci_and_as_docker_archive(
    tmp_path: Path, nonce: str, media: dagger.ImageMediaTypes, manifest: str, layer: str
) -> None:
    own = f"{nonce}-tarball"  # a Dagger engine packs a layer as it did first, in whatever test that was
    await dag.container().with_new_file("/f", own).as_tarball(media_types=media).export(str(tmp_path / "image.tar"))
    with tarfile.open(tmp_path / "image.tar") as archive:
        names = set(archive.getnames())
        index, docker = read(archive, "index.json"), read(archive, "manifest.json")[0]
        found = read(archive, "blobs/" + index["manifests"][0]["digest"].replace(":", "/"))
    assert {"index.json", "manifest.json", "oci-layout"} <= names
    assert (found["mediaType"], [one["mediaType"] for one in found["layers"]]) == (manifest, [layer])
    assert {*docker["Layers"], docker["Config"]} <= names


def read(archive: tarfile.TarFile, name: str) -> Any:
    member = archive.extractfile(name)
    assert member is not None
    return json.load(member)


@pytest.mark.parametrize("compression", ["Uncompressed", "Zstd"])
async def test_the_compression_of_a_tarball(tmp_path: Path, compression: str) -> None:
    forced = dagger.ImageLayerCompression[compression]
    tarball = dag.container().with_new_file("/f", "x").as_tarball(forced_compression=forced)
    assert await dag.container().import_(tarball).file("/f").contents() == "x"


async def test_a_compression_asked_for_once_does_not_stay(tmp_path: Path, nonce: str, is_real: bool) -> None:
    if is_real:
        pytest.skip("a promise of ours: one snapshot has one digest, whatever was asked before; Dagger packs it as it did first")
    container = dag.container().with_new_file("/once", nonce)
    forced = dagger.ImageLayerCompression.Uncompressed
    for name, tarball in (("forced", container.as_tarball(forced_compression=forced)), ("default", container.as_tarball())):
        await tarball.export(str(tmp_path / name))
        with tarfile.open(tmp_path / name) as archive:
            digest = read(archive, "index.json")["manifests"][0]["digest"]
            (layer,) = read(archive, "blobs/" + digest.replace(":", "/"))["layers"]
        assert layer["mediaType"].endswith("gzip") == (name == "default")
