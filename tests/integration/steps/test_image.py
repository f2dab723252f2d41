from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import CredentialsError, StepFailed, Unavailable
from pipelines.model import Registry, SecretRef, Source
from pipelines.steps.common.dagger_errors import output_of
from pipelines.steps.image import run as image
from pipelines.steps.image.spec import ImageSpec
from pipelines.steps.publish.spec import PublishSpec

if TYPE_CHECKING:
    from tests.integration.steps.conftest import Workshop

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.asyncio(loop_scope="module")]

SOURCE = Source(root="/x", revision="0123456789abcdef", version="1.4.0", created="2026-06-01T10:00:00+00:00", branch="main")
STAGES = """ARG BASE
FROM ${BASE} AS build
ARG VERSION=none
RUN echo "%s $VERSION" > /version
FROM build AS test
RUN echo tests > /tests
FROM ${BASE} AS runtime
COPY --from=build /version /version
"""
SPEC = ImageSpec(name="shop", target="runtime", base="python", args={"VERSION": "{version}+{short}"})


async def test_the_stage_that_ships_has_labels_and_the_others_are_offered(workshop: Workshop, nonce: str) -> None:
    workshop.write(Dockerfile=STAGES % nonce)
    built = await image.step(SPEC, ("test",), workshop.given("image.shop", source=SOURCE))
    assert await built.container.file("/version").contents() == f"{nonce} 1.4.0+0123456789ab\n"
    assert not await built.container.exists("/tests")
    assert await built.targets["test"].file("/tests").contents() == "tests\n"
    assert set(built.targets) == {"runtime", "test"}
    labels = {await label.name(): await label.value() for label in await built.container.labels()}
    assert labels.items() >= built.labels.items()
    assert built.labels["org.opencontainers.image.revision"] == SOURCE.revision
    assert (built.version, built.base, built.origin) == ("1.4.0", workshop.locked["python"].reference, workshop.locked["python"].origin)


async def test_the_same_again_is_cached_and_a_change_is_not(workshop: Workshop, nonce: str) -> None:
    for folder, text, cached in (("a", nonce, False), ("a", nonce, True), ("b", nonce, True), ("c", f"{nonce}x", False)):
        workshop.write(**{f"{folder}__Dockerfile": STAGES % text, f"{folder}___dot_lockgate__runs__x": str(cached)})
        given = workshop.given("image.shop", source=SOURCE)
        await image.step(dataclasses.replace(SPEC, context=folder), (), given)
        assert given.context.cached is cached, (folder, text)


async def test_what_a_build_never_sees(workshop: Workshop, nonce: str) -> None:
    workshop.write(
        Dockerfile=f"ARG BASE\nFROM $BASE\nCOPY . /all\nRUN echo {nonce}\n",
        _dot_dockerignore="*.log\nDockerfile\n",
        a_dot_log="no",
        kept="yes",
        _dot_lockgate__images_dot_lock="{}",
        lockgate_dot_local_dot_toml="x",
        _dot_git__HEAD="ref",
        sub__lockgate_dot_local_dot_toml="x",
    )
    built = await image.step(ImageSpec(name="shop", base="python"), (), workshop.given("image.shop"))
    assert await built.container.directory("/all").glob("**") == [".dockerignore", "kept", "sub/"]


async def test_secrets_reach_the_build_and_stay_out_of_the_image(workshop: Workshop, nonce: str) -> None:
    workshop.write(
        Dockerfile=f"ARG BASE\nFROM $BASE\nRUN --mount=type=secret,id=pip wc -c < /run/secrets/pip > /length # {nonce}\n",
        pip_dot_conf="s3cret-conf",
    )
    spec = ImageSpec(name="shop", base="python", secrets={"pip": SecretRef("file://pip.conf")})
    built = await image.step(spec, (), workshop.given("image.shop"))
    assert (await built.container.file("/length").contents()).strip() == "11"
    assert not await built.container.exists("/run/secrets/pip")
    assert workshop.secrets == ["s3cret-conf"]
    assert "secret pip: read from file" in workshop.log
    assert "s3cret-conf" not in workshop.log


async def test_an_image_without_a_shell_builds(workshop: Workshop, nonce: str) -> None:
    workshop.write(Dockerfile="FROM scratch\nCOPY kept /kept\n", kept=nonce)
    for _ in range(2):
        given = workshop.given("image.shop")
        built = await image.step(ImageSpec(name="shop"), (), given)
        assert await built.container.file("/kept").contents() == nonce
        assert not given.context.cached


async def test_a_command_that_fails_is_named_and_its_output_kept(workshop: Workshop, nonce: str) -> None:
    workshop.write(Dockerfile=f"ARG BASE\nFROM $BASE\nRUN echo before {nonce} && echo why >&2 && exit 4\n")
    with pytest.raises(StepFailed) as caught:
        await image.step(ImageSpec(name="shop", base="python"), (), workshop.given("image.shop"))
    assert caught.value.message == f"build image shop: `echo before {nonce} && echo why >&2 && exit 4` exited with code 4"
    assert caught.value.cause == "why"
    assert output_of(caught.value) == f"before {nonce}\nwhy\n"


@pytest.mark.parametrize(
    ("spec", "dockerfile", "says"),
    [
        (ImageSpec(name="shop", context="nowhere"), "", "nowhere is not a folder"),
        (ImageSpec(name="shop", dockerfile="Containerfile"), "", "there is no Dockerfile at"),
        (ImageSpec(name="shop"), "FROM scratch\nRUNN x\n", "the Dockerfile cannot be built"),
        (ImageSpec(name="shop", base="python"), "ARG BASE\nFROM $BASE\nCOPY nothing-here /\n", "the Dockerfile cannot be built"),
        (ImageSpec(name="shop", target="two", base="python"), "ARG BASE\nFROM $BASE AS one\n", "the Dockerfile cannot be built"),
    ],
)
async def test_what_cannot_be_built_is_told(workshop: Workshop, spec: ImageSpec, dockerfile: str, says: str) -> None:
    workshop.write(Dockerfile=dockerfile)
    with pytest.raises(StepFailed, match=says) as caught:
        await image.step(spec, (), workshop.given("image.shop"))
    if spec.target:
        assert caught.value.next_step == "stages of Dockerfile: one"
    assert caught.value.cause or caught.value.next_step


async def test_a_platform_this_machine_cannot_run_is_told(workshop: Workshop) -> None:
    native = str(await workshop.given().client.default_platform())
    foreign = "linux/s390x" if native != "linux/s390x" else "linux/amd64"
    workshop.write(Dockerfile="ARG BASE\nFROM $BASE\nRUN true\n")
    with pytest.raises(StepFailed, match="this machine cannot"):
        await image.step(ImageSpec(name="shop", base="python", platforms=(native, foreign)), (), workshop.given("image.shop"))


async def test_the_native_platform_is_the_one_that_runs(workshop: Workshop, nonce: str) -> None:
    native = str(await workshop.given().client.default_platform())
    workshop.write(Dockerfile=f"ARG BASE\nFROM $BASE\nRUN echo {nonce} > /x\n")
    built = await image.step(ImageSpec(name="shop", base="python", platforms=(native,)), (), workshop.given("image.shop"))
    assert (built.platforms, built.variants) == ((native,), ())
    assert await built.container.with_exec(["cat", "/x"]).stdout() == f"{nonce}\n"


async def test_a_secret_that_is_not_there_is_a_matter_of_credentials(workshop: Workshop) -> None:
    workshop.write(Dockerfile="FROM scratch\n")
    spec = ImageSpec(name="shop", secrets={"pip": SecretRef("env://LOCKGATE_TESTS_HAVE_NO_SUCH_VARIABLE")})
    with pytest.raises(CredentialsError, match="secret pip cannot be read"):
        await image.step(spec, (), workshop.given("image.shop"))


async def test_a_base_nobody_knows_is_unavailable(workshop: Workshop) -> None:
    workshop.write(Dockerfile="FROM scratch\n")
    with pytest.raises(Unavailable, match="image shop needs the image 'unknown'"):
        await image.step(ImageSpec(name="shop", base="unknown"), (), workshop.given("image.shop"))


async def test_a_release_is_built_where_the_registry_cannot_be_asked(workshop: Workshop, nonce: str) -> None:
    workshop.write(Dockerfile="FROM scratch\nCOPY content /\n", content=nonce)
    source = Source(root=str(workshop.root), revision="ab" * 20, version="1.4.0")
    given = workshop.given("image.shop", source=source, registry=Registry(url="localhost:1/team"), publish=PublishSpec())
    built = await image.step(ImageSpec(name="shop"), (), given)
    assert built.found is None
    assert built.labels["lockgate.inputs"].startswith("sha256:")
    assert "so it is built" in workshop.log
