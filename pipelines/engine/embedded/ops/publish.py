"""Images out of containers: to a registry, or into an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.images.layout import Variant
from pipelines.engine.embedded.ops.images import credentials
from pipelines.engine.embedded.ops.interface import ComputedOp
from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import OpOutput
from pipelines.engine.embedded.store.snapshot import SCRATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import ContainerState

COMPRESSIONS = {"Gzip": "gzip", "Zstd": "zstd", "Uncompressed": ""}
ARCHIVE = "/container.tar"


def compression_of(forced: str | None) -> str | None:
    """The API's ImageLayerCompression as the images room knows it; EStarGZ is refused by name."""
    if forced is None:
        return None
    if forced not in COMPRESSIONS:
        raise InvalidInput(f"layer compression {forced} needs a Dagger engine; here: {', '.join(COMPRESSIONS)}")
    return COMPRESSIONS[forced]


async def publish_container(
    session: ClientSession, variants: Sequence[ContainerState], address: str, forced: str | None, media: str
) -> str:
    """Publish an image of one container a platform; returns `name:tag@sha256:…`."""
    outputs = await session.ops.outputs([state.rootfs for state in variants])
    logins = await credentials(session, [one for state in variants for one in state.credentials])
    images = [_variant(state, output) for state, output in zip(variants, outputs, strict=True)]
    docker = media.startswith("Docker")
    return await session.images.publish(images, address, logins, compression=compression_of(forced), docker=docker)


def _variant(state: ContainerState, output: OpOutput) -> Variant:
    config = {**(state.image or {}), "config": state.config.to_oci()}
    return Variant(output.snapshot, config, state.platform, dict(state.config.annotations))


class TarballOp(ComputedOp):
    """An image as one file, `/container.tar`. `inputs` are the root file systems."""

    kind = "tarball"
    __slots__ = ("docker", "forced", "variants")

    def __init__(self, variants: Sequence[ContainerState], forced: str | None, media: str) -> None:
        images = [[state.platform, state.config.to_oci(), dict(state.config.annotations)] for state in variants]
        super().__init__([images, forced, media], [state.rootfs for state in variants])
        self.variants = tuple(variants)
        self.forced = forced
        self.docker = media.startswith("Docker")

    async def key(self, session: ClientSession, inputs: Sequence[OpOutput]) -> str:  # noqa: ARG002 - the snapshots' ids say enough
        return digest_of(self.kind, self.digest, [output.snapshot.id for output in inputs])

    async def run(self, session: ClientSession, inputs: Sequence[OpOutput], key: str) -> OpOutput:
        images = [_variant(state, output) for state, output in zip(self.variants, inputs, strict=True)]
        draft = session.store.draft(SCRATCH)
        try:
            path = draft.mount() / ARCHIVE.lstrip("/")
            await session.images.save(images, path, compression=compression_of(self.forced), docker=self.docker)
            return OpOutput(await in_thread(draft.commit, key))
        except BaseException:
            await in_thread(draft.discard)
            raise
