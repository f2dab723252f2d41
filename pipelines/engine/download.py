"""The `dagger` program of the installed SDK's version, as the SDK itself provides it."""

from __future__ import annotations

import asyncio

from pipelines.errors import EngineUnavailable


async def download() -> str:
    """The program's path; downloaded from dagger.io where the SDK's cache lacks it, in a thread that a cancellation leaves behind.

    Raises:
        EngineUnavailable: it cannot be downloaded.
    """
    import dagger
    from dagger.provisioning._download import Downloader  # the SDK has no public name for it

    try:
        return await asyncio.to_thread(Downloader().get_sync)
    except (dagger.DownloadError, OSError) as error:
        raise EngineUnavailable(
            "the SDK cannot download the dagger program",
            cause=str(error),
            next_step="install dagger and a container runtime, or use the embedded engine: LOCKGATE_ENGINE=embedded",
        ) from error
