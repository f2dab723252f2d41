"""Files by HTTP(S): each session asks whether they have changed, and fetches them again only then (RFC 9110, conditional requests)."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pipelines.engine.embedded.errors import InvalidInput, NotFound, ServerError
from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import Constant, OpOutput
from pipelines.engine.embedded.ops.values.states import FileState
from pipelines.engine.embedded.store.snapshot import SCRATCH
from pipelines.foundation.redaction import without_passwords
from pipelines.foundation.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import httpx

    from pipelines.engine.embedded.ops.interface import ClientSession


MODE = 0o600  # of a downloaded file, as Dagger gives it
UNCHANGED = 304
TOO_MANY = 429
DEADLINE = 60.0  # seconds without a byte


async def download(
    session: ClientSession, url: str, *, name: str | None, mode: int | None, checksum: str | None, authorization: bytes | None
) -> FileState:
    """The file behind an URL.

    Args:
        session: the session.
        url: http or https.
        name: of the file; by default the last part of the URL's path, or `index`.
        mode: permissions, by default 0600.
        checksum: `sha256:…` it must have; with it, a file that is recorded already is taken without a request.
        authorization: value of that header.

    Raises:
        InvalidInput: not such an URL, or another checksum.
        ServerError: no answer, or one that says that the server failed or is busy.
        NotFound: any other answer than success.
    """
    if not _is_web(url):
        raise InvalidInput(f"http: {without_passwords(url)!r} is not an http or https URL")
    name = file_name(url, name)
    record = digest_of("http", url, name, mode, checksum)
    async with session.store.lock(record):
        recorded = await in_thread(session.store.get, record)
        if recorded is not None and checksum:
            return _file(recorded, name)
        fetched = await _Download(session, name, mode or MODE, checksum).run(url, authorization, recorded or {})
        if fetched is None:
            return _file(recorded or {}, name)
        payload, output = fetched
        await in_thread(session.store.put, record, payload, layers=output.layers())
        return _file(payload, name)


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:  # a bracket that does not close
        return False


def file_name(url: str, wanted: str | None) -> str:
    """The name of a downloaded file: the last part of `wanted`, else of the URL's path (`%2f` in it counts as a slash).

    Raises:
        InvalidInput: it cannot be a file's name.
    """
    whole = wanted or unquote(urlsplit(url).path.rsplit("/", 1)[-1])
    name = whole.rsplit("/", 1)[-1]
    if "\0" in name or name == "..":
        raise InvalidInput(f"http: {whole!r} cannot be the name of a file")
    return "index" if name in {"", "."} else name


def _file(payload: Mapping[str, object], name: str) -> FileState:
    output = OpOutput.from_json(payload["output"])  # type: ignore[arg-type]
    return FileState(Constant(output.snapshot), f"/{name}")


class _Download:
    def __init__(self, session: ClientSession, name: str, mode: int, checksum: str | None) -> None:
        self._session = session
        self._name = name
        self._mode = mode
        self._checksum = checksum

    async def run(self, url: str, authorization: bytes | None, recorded: Mapping[str, object]) -> tuple[dict[str, object], OpOutput] | None:
        """The payload and output of what was fetched; None when the server says that the recorded file has not changed."""
        import httpx

        headers = {"If-None-Match": str(recorded["etag"])} if recorded.get("etag") else {}
        if authorization is not None:
            headers["Authorization"] = authorization.decode().strip()
        try:
            async with (
                httpx.AsyncClient(follow_redirects=True, timeout=DEADLINE) as client,
                client.stream("GET", url, headers=headers) as response,
            ):
                if response.status_code == UNCHANGED:
                    return None
                if not response.is_success:
                    kind = ServerError if response.is_server_error or response.status_code == TOO_MANY else NotFound
                    raise kind(f"http: {without_passwords(url)}: the server answered {response.status_code} {response.reason_phrase}")
                return await self._keep(response)
        except httpx.InvalidURL as error:
            raise InvalidInput(f"http: {without_passwords(url)!r} is not an http or https URL: {error}") from error
        except httpx.HTTPError as error:
            raise ServerError(f"http: {without_passwords(url)}: {str(error) or type(error).__name__}") from error

    async def _keep(self, response: httpx.Response) -> tuple[dict[str, object], OpOutput]:
        draft = self._session.store.draft(SCRATCH)
        try:
            digest = await self._write(response, draft.mount() / self._name)
            if self._checksum and self._checksum.removeprefix("sha256:") != digest:
                raise InvalidInput(
                    f"http: {without_passwords(str(response.url))}: checksum mismatch: expected {self._checksum}, got sha256:{digest}"
                )
            output = OpOutput(await in_thread(draft.commit, digest_of("http-file", digest, self._name, self._mode)))
        except BaseException:
            await in_thread(draft.discard)
            raise
        return {"output": output.to_json(), "etag": response.headers.get("ETag")}, output

    async def _write(self, response: httpx.Response, path: Path) -> str:
        digest = hashlib.sha256()
        with os.fdopen(open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            async for chunk in response.aiter_bytes():
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(path.chmod, self._mode)
        return digest.hexdigest()
