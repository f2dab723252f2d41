"""HTTP to one repository of a registry: credentials, tokens, a deadline, and what went wrong as errors of ours."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import CredentialsError, RegistryUnavailable, Unavailable
from pipelines.foundation.image_reference import is_loopback
from pipelines.foundation.registry_login import find_login
from pipelines.registry.opener import opener

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.foundation.image_reference import ImageReference
    from pipelines.foundation.registry_login import RegistryLogin

TIMEOUT_S = 10.0
_LARGEST_TOKEN = 1 << 20  # bytes
_CHUNK = 64 << 10  # bytes read at once
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _SERVER = 200, 401, 403, 404, 429, 500


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """An answer that was read to its end: HTTP status, `Content-Type`, the challenge of a 401, and the body."""

    status: int
    content_type: str
    challenge: str
    body: bytes

    def document(self) -> dict[str, Any]:
        """The body as the JSON object that it is; empty for anything else."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


class RegistryClient:
    """Requests about one repository, with the time left for all of them.

    The standard library's client is used, for its start: a run in which nothing changed asks one question and is over in half a second, of
    which httpx alone would take a quarter.

    Args:
        reference: names the repository; tag and digest are for messages only.
        environ: says where the user's credentials files are.
        timeout_s: seconds of wall time for everything together, about.
        login: used in place of the user's credentials.
    """

    def __init__(
        self, reference: ImageReference, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S, login: RegistryLogin | None = None
    ) -> None:
        self._reference = reference
        self._deadline = time.monotonic() + timeout_s
        self._login = login or find_login(reference.name, environ)
        self._authorization: str | None = None
        self._open = opener()

    def get(self, path: str, *, accept: Sequence[str], largest: int) -> RegistryAnswer:
        """GET a path below `/v2/<repository>/`, with the credentials that the registry asks for.

        Args:
            path: such as `manifests/latest`.
            accept: media types.
            largest: bytes; a longer body is an error.

        Raises:
            RegistryUnavailable: the registry does not answer, or says that it cannot answer now.
            CredentialsError: it wants credentials that no file has, or refuses those it got.
            Unavailable: it does not have what was asked for.
        """
        from http.client import HTTPException

        url = f"https://{self._reference.api_host}/v2/{self._reference.path}/{path}"
        headers = {"Accept": ", ".join(accept)}
        try:
            answer = self._get(url, headers, largest)
            if answer.status == _UNAUTHORIZED and self._authorization is None:
                self._authorization = self._authorize(answer.challenge)
                answer = self._get(url, headers, largest)
        except (OSError, HTTPException, ValueError) as error:
            raise RegistryUnavailable(
                f"the registry {self._reference.api_host} does not answer",
                cause=str(getattr(error, "reason", error)) or type(error).__name__,
                next_step="check the network and the name of the registry, then try again",
            ) from error
        self._check(answer.status)
        return answer

    def _get(self, url: str, headers: Mapping[str, str], largest: int) -> RegistryAnswer:
        """GET within the time left; a registry on loopback may also speak plain HTTP, as all clients allow."""
        from urllib.error import URLError

        sent = {**headers, "Authorization": self._authorization} if self._authorization else headers
        try:
            return self._read(url, sent, largest)
        except URLError as error:
            if not self._reference.is_loopback or isinstance(error.reason, TimeoutError):
                raise
            return self._read(url.replace("https://", "http://", 1), sent, largest)

    def _read(self, url: str, headers: Mapping[str, str], largest: int) -> RegistryAnswer:
        from urllib.error import HTTPError
        from urllib.request import Request

        request = Request(url, headers={"User-Agent": "lockgate", **headers})  # noqa: S310 - https, or http on loopback
        try:
            response = self._open.open(request, timeout=self._remaining_s())
        except HTTPError as error:
            response = error
        with response:
            body = bytearray()
            while chunk := response.read1(_CHUNK):
                body += chunk
                if len(body) > largest:
                    raise OSError(f"the answer has more than {largest} bytes")
                self._remaining_s()
            told = response.headers
            return RegistryAnswer(response.status, told.get("content-type", ""), told.get("www-authenticate", ""), bytes(body))

    def _remaining_s(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("no complete answer within the time limit")
        return remaining

    def _authorize(self, challenge: str) -> str:
        """The value of `Authorization` that the registry asks for: a token of its token server (Docker's token authentication,
        distribution.github.io/distribution/spec/auth/token), or user name and password (RFC 7617).
        """
        from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

        scheme, parameters = challenge.partition(" ")[0].lower(), dict(_PARAMETER.findall(challenge))
        basic = f"Basic {self._login.encoded()}" if self._login else None
        if scheme != "bearer" or "realm" not in parameters:
            if basic is None:
                raise self._refused("it asks for a user name and a password")
            return basic
        realm = urlsplit(parameters["realm"])
        if realm.scheme != "https" and not (realm.scheme == "http" and is_loopback(realm.hostname or "")):
            raise self._refused(f"it sends credentials to {realm.hostname} without TLS")
        query = {name: parameters[name] for name in ("service", "scope") if name in parameters}
        query.setdefault("scope", f"repository:{self._reference.path}:pull")
        url = urlunsplit(realm._replace(query=urlencode([*parse_qsl(realm.query), *query.items()])))
        answer = self._read(url, {"Authorization": basic} if basic else {}, _LARGEST_TOKEN)
        document = answer.document() if answer.status == _OK else {}
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str):
            raise self._refused(f"its token server answers with {answer.status}")
        return f"Bearer {token}"

    def _check(self, status: int) -> None:
        ref = self._reference
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            raise self._refused(f"it answers with {status}")
        if status == _NOT_FOUND:
            raise Unavailable(f"the registry {ref.api_host} does not have {ref}", next_step="check name and tag, or choose another image")
        if status >= _SERVER or status == _TOO_MANY:
            raise RegistryUnavailable(f"the registry {ref.api_host} answers with {status}", next_step="try again later")
        if status != _OK:
            raise Unavailable(f"{ref.api_host} answers with {status}: this is not the answer of a registry", next_step="check its name")

    def _refused(self, why: str) -> CredentialsError:
        host = self._reference.domain
        told = "no credentials file has an entry for it" if self._login is None else f"the credentials of {self._login.username} were tried"
        return CredentialsError(f"the registry {host} refuses {self._reference}", cause=f"{why}; {told}", next_step=f"docker login {host}")
