from __future__ import annotations

import contextlib
import dataclasses
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import dagger
import httpx
import pytest

from pipelines.errors import CredentialsError, RegistryUnavailable, StepFailed
from pipelines.model import Registry, SecretRef, Source
from pipelines.steps.common.dagger_errors import transient
from pipelines.steps.image import run as image_step
from pipelines.steps.image.spec import ImageSpec
from pipelines.steps.publish import run as publish
from pipelines.steps.publish.spec import PublishSpec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.model import BuiltImage, PublishedImage
    from pipelines.steps.common.step_inputs import StepInputs
    from tests.integration.steps.conftest import Workshop

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "c0rrect-horse"
HASHED = "$2b$05$EQCFO8If2fF4SeRTxr97leh1xgwP82/saMF34yG.rOamGnkFO2mi2"  # its bcrypt form, the only one a registry takes
ACCEPT = {"Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"}
SPEC = PublishSpec(moving=("latest",))


@pytest.fixture
def source(nonce: str) -> Source:
    """A release no run published before."""
    return Source(root="/x", revision="ab" * 20, version=f"1.{nonce}.0")


async def made(workshop: Workshop, text: str) -> BuiltImage:
    """An image of one file; a folder of its own, because a session reads a folder of the machine once."""
    workshop.write(**{f"{text}__content": text, f"{text}__Dockerfile": "FROM scratch\nCOPY content /content\n"})
    return await image_step.step(ImageSpec(name="shop", context=text), (), workshop.given("image.shop"))


async def push(
    workshop: Workshop, image: BuiltImage, source: Source, spec: PublishSpec = SPEC, **project: Any
) -> tuple[PublishedImage, StepInputs]:
    given = workshop.given("publish.shop", images=(image,), source=source, **project)
    return await publish.step(spec, "shop", given), given


def tags(workshop: Workshop) -> dict[str, str]:
    base = f"http://{workshop.registry}/v2/tests/shop"
    names = httpx.get(f"{base}/tags/list").json()["tags"] or []
    return {name: httpx.head(f"{base}/manifests/{name}", headers=ACCEPT).headers.get("Docker-Content-Digest", "") for name in names}


async def test_an_image_is_published_by_digest_under_all_its_tags(workshop: Workshop, source: Source, nonce: str) -> None:
    published, given = await push(workshop, await made(workshop, nonce), source)
    there = tags(workshop)
    assert published.ref == f"{workshop.registry}/tests/shop:{source.version}@{published.digest}"
    assert there[source.version] == there["latest"] == published.digest
    assert not given.context.cached
    pulled = dagger.dag.container().from_(f"{workshop.registry}/tests/shop@{published.digest}")
    assert await pulled.file("/content").contents() == nonce


async def test_the_same_again_pushes_nothing_new(workshop: Workshop, source: Source, nonce: str) -> None:
    image = await made(workshop, nonce)
    first, _ = await push(workshop, image, source, PublishSpec())
    again, given = await push(workshop, image, source, PublishSpec())
    assert again.digest == first.digest
    assert given.context.cached
    assert "is there already" in workshop.log


async def test_a_release_never_moves(workshop: Workshop, source: Source, nonce: str) -> None:
    first, _ = await push(workshop, await made(workshop, nonce), source)
    before = tags(workshop)
    assert before["latest"] == first.digest
    with pytest.raises(StepFailed, match="is immutable") as caught:
        await push(workshop, dataclasses.replace(await made(workshop, f"{nonce}x")), source)
    after = tags(workshop)
    assert str(first.digest) in caught.value.message
    assert {name: after[name] for name in (source.version, "latest")} == {name: before[name] for name in (source.version, "latest")}


async def test_a_snapshot_may(workshop: Workshop, source: Source, nonce: str) -> None:
    snapshot = dataclasses.replace(source, version=f"{source.version}.dirty")
    first, _ = await push(workshop, await made(workshop, nonce), snapshot)
    second, _ = await push(workshop, await made(workshop, f"{nonce}x"), snapshot)
    assert first.digest != second.digest
    assert tags(workshop)[snapshot.version] == second.digest


async def test_a_registry_that_does_not_answer(workshop: Workshop, source: Source, nonce: str) -> None:
    image = await made(workshop, nonce)
    began = time.monotonic()
    with pytest.raises(RegistryUnavailable, match="publish shop: the registry localhost:1 does not answer") as caught:
        await push(workshop, image, source, registry=Registry(url="localhost:1/team"))
    assert time.monotonic() - began < 10
    assert transient(caught.value)
    assert caught.value.next_step is not None


@pytest.fixture
def closed_registry(tmp_path: Path) -> Iterator[str]:
    """A registry that asks for a password, on a free port of the loopback interface."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("needs docker-registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "users").write_text(f"tests:{HASHED}\n")
    config = tmp_path / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
        f"auth: {{htpasswd: {{realm: tests, path: {tmp_path}/users}}}}\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
    )
    with subprocess.Popen([program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/v2/")
                break
        yield f"localhost:{port}"
        process.terminate()


async def test_a_password_out_of_a_secret(workshop: Workshop, source: Source, nonce: str, closed_registry: str) -> None:
    workshop.write(password=f"{PASSWORD}\n")
    registry = Registry(url=f"{closed_registry}/tests", username="tests", auth=SecretRef("file://password"))
    published, _ = await push(workshop, await made(workshop, nonce), source, registry=registry)
    async with httpx.AsyncClient(auth=("tests", PASSWORD)) as client:
        head = await client.head(f"http://{closed_registry}/v2/tests/shop/manifests/{published.digest}", headers=ACCEPT)
    assert head.status_code == 200
    assert workshop.secrets == [f"{PASSWORD}\n"]


@pytest.mark.parametrize("auth", [None, SecretRef("file://password")])
async def test_wrong_or_missing_credentials(
    workshop: Workshop, source: Source, nonce: str, closed_registry: str, auth: SecretRef | None
) -> None:
    workshop.write(password="wrong")
    registry = Registry(url=f"{closed_registry}/tests", username="tests", auth=auth)
    with pytest.raises(CredentialsError, match="refuses the credentials") as caught:
        await push(workshop, await made(workshop, nonce), source, registry=registry)
    assert not transient(caught.value)
    assert caught.value.next_step is not None
