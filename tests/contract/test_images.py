from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import dag

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]


async def test_configuration_survives_the_registry(base: dagger.Container, registry: str) -> None:
    made = (
        base.with_label("team", "shop")
        .with_env_variable("A", "1")
        .with_workdir("/w")
        .with_user("1000")
        .with_exposed_port(8080)
        .with_entrypoint(["/e"])
        .with_default_args(["d"])
    )
    ref = await made.publish(f"{registry}/probe/config:1")
    assert re.fullmatch(rf"{re.escape(registry)}/probe/config:1@sha256:[0-9a-f]{{64}}", ref)
    back = dag.container().from_(ref)
    assert [await back.label("team"), await back.env_variable("A"), await back.workdir(), await back.user()] == ["shop", "1", "/w", "1000"]
    assert [await back.entrypoint(), await back.default_args(), str(await back.platform())] == [["/e"], ["d"], "linux/amd64"]
    assert [await port.port() for port in await back.exposed_ports()] == [8080]


async def test_equal_content_has_one_digest(base: dagger.Container, registry: str, nonce: str) -> None:
    made = base.with_new_file("/same", nonce)
    one, two = [await made.publish(f"{registry}/probe/same:{tag}") for tag in ("1", "2")]
    assert one.split("@")[1] == two.split("@")[1]


async def test_a_registry_that_is_not_there(base: dagger.Container) -> None:
    with pytest.raises(dagger.QueryError, match="connect: connection refused"):
        await base.publish("localhost:1/none/none:1")


async def test_an_image_that_is_not_there(registry: str) -> None:
    with pytest.raises(dagger.QueryError, match="probe/does-not-exist:1: not found"):
        await dag.container().from_(f"{registry}/probe/does-not-exist:1").sync()


async def test_what_is_no_reference() -> None:
    with pytest.raises(dagger.QueryError, match="invalid reference format"):
        await dag.container().from_("UPPER CASE").sync()


async def test_a_tarball_out_and_in(base: dagger.Container) -> None:
    tar = base.with_new_file("/mark", "m").as_tarball()
    assert await dag.container().import_(tar).with_exec(["cat", "/mark"]).stdout() == "m"


async def test_an_image_as_a_file_of_the_host(base: dagger.Container, tmp_path: Path) -> None:
    await base.with_new_file("/mark", "m").export(str(tmp_path / "image.tar"))
    assert (tmp_path / "image.tar").stat().st_size > 1_000_000


async def test_a_reference_knows_its_digest(base: dagger.Container, image: str) -> None:
    assert (await base.image_ref()).endswith("@" + image.split("@")[1])


async def test_variables_can_be_listed(base: dagger.Container) -> None:
    listed = await base.with_env_variable("Z", "1").without_env_variable("Z").with_env_variable("Y", "2").env_variables()
    assert [name for variable in listed if (name := await variable.name()) in ("Y", "Z")] == ["Y"]


async def test_removed_files_are_removed_in_the_published_image(base: dagger.Container, registry: str) -> None:
    made = base.with_new_file("/gone", "x").with_exec(
        ["sh", "-c", "rm -r /gone /usr/share/doc; mkdir /usr/share/doc; echo new > /usr/share/doc/n"]
    )
    ref = await made.publish(f"{registry}/probe/removed:1")
    back = dag.container().from_(ref)
    assert not await back.rootfs().exists("gone")
    assert await back.directory("/usr/share/doc").entries() == ["n"]


async def test_the_default_platform() -> None:
    assert str(await dag.default_platform()) == "linux/amd64"
