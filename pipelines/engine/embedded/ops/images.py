"""Containers from images: of a registry, or of an archive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.images import logins
from pipelines.engine.embedded.ops.interface import ComputedOp
from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.config import Config
from pipelines.engine.embedded.ops.values.op import Constant, Op, OpOutput
from pipelines.foundation.registry_login import RegistryLogin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.engine.embedded.images.registry.pull import ResolvedImage
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import ContainerState, Credential, FileState


class ImageOp(ComputedOp):
    """The file system of an image whose manifest is known. `pinned`: it was asked for by digest, not by a tag that may move."""

    kind = "pull"
    __slots__ = ("image", "logins", "pinned")

    def __init__(self, image: ResolvedImage, logins: Mapping[str, RegistryLogin], *, pinned: bool = False) -> None:
        super().__init__([image.manifest.digest])
        self.image = image
        self.pinned = pinned
        self.logins = logins

    def describe(self) -> str:
        return str(self.image.reference)

    async def key(self, session: ClientSession, inputs: Sequence[OpOutput]) -> str:  # noqa: ARG002 - it has none
        return self.digest

    async def run(self, session: ClientSession, inputs: Sequence[OpOutput], key: str) -> OpOutput:  # noqa: ARG002 - it has none
        return OpOutput((await session.images.pull(self.image, self.logins)).snapshot)


async def container_from(session: ClientSession, state: ContainerState, address: str) -> ContainerState:
    """`state` with an image's file system and configuration; its mounts, service bindings and credentials stay."""
    logins = await credentials(session, state.credentials)
    image = await session.images.resolve(address, state.platform, logins)
    return _with_image(state, ImageOp(image, logins, pinned="@" in address), image.config, str(image.reference))


async def imported(session: ClientSession, state: ContainerState, source: FileState, tag: str) -> ContainerState:
    """`state` with the image of an archive (OCI layout or `docker save`)."""
    from pipelines.engine.embedded.store.trees.root import Root

    snapshot = (await session.ops.output(source.op)).snapshot
    with await in_thread(session.store.view, snapshot) as view:
        root = Root(view.path)
        root.open(source.path).close()  # says what is wrong when it is not a regular file
        image = await session.images.load(root.locate(source.path), tag=tag, platform=state.platform)
    return _with_image(state, Constant(image.snapshot), image.config, None)


def _with_image(state: ContainerState, rootfs: Op, config: Mapping[str, Any], ref: str | None) -> ContainerState:
    return replace(state, rootfs=rootfs, config=Config.from_oci(config.get("config") or {}), image=config, image_ref=ref, last=None)


async def credentials(session: ClientSession, of: Sequence[Credential]) -> dict[str, RegistryLogin]:
    """Logins by registry, secrets read."""
    return {logins.registry(one.address): RegistryLogin(one.username, (await session.secret_value(one.secret)).strip()) for one in of}
