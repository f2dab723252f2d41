"""One question to a registry: which manifest does a reference name (OCI distribution specification 1.1, end-3)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ipaddress
import json
import re
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import CredentialsError, RegistryUnavailable, Unavailable
from pipelines.registry.logins import login

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from pipelines.registry.reference import Reference

TIMEOUT_S = 10.0
_LARGEST = 4 << 20  # bytes: every registry must accept manifests of this size, so larger ones are not in use
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_IMAGE_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_UNAUTHORIZED, _FORBIDDEN, _ABSENT, _OK, _TOO_MANY, _SERVER = 401, 403, 404, 200, 429, 500


@dataclass(frozen=True, slots=True)
class Found:
    """What a reference names: the digest of its manifest, whether that is an artifact and not an image, and when it says it was made."""

    digest: str
    artifact: bool
    created: dt.datetime | None = None


def find(reference: Reference, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> Found:
    """Ask the registry, in no more than about `timeout_s` seconds.

    Raises:
        RegistryUnavailable: it does not answer, or says that it cannot now.
        CredentialsError: it wants credentials that no file has, or refuses the ones there are.
        Unavailable: it has no such image.
    """
    import httpx

    asking = _Asking(reference, environ, time.monotonic() + timeout_s)
    try:
        return asking.ask()
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
        raise RegistryUnavailable(
            f"the registry {reference.host} does not answer",
            cause=str(error) or type(error).__name__,
            next_step="check the network and the registry's name, then try again",
        ) from error


class _Asking:
    """One question, with the time left for it."""

    def __init__(self, reference: Reference, environ: Mapping[str, str], deadline: float) -> None:
        self._reference, self._deadline = reference, deadline
        self._login = login(reference.domain, environ)

    def ask(self) -> Found:
        import httpx

        with httpx.Client(verify=ssl.create_default_context(), follow_redirects=True, headers={"User-Agent": "lockgate"}) as client:
            status, headers, body = self._get(client, self._url("https"))
            if status == _UNAUTHORIZED:
                authorization = self._authorization(client, headers.get("www-authenticate", ""))
                status, headers, body = self._get(client, self._url("https"), authorization)
        self._check(status)
        return _found(body, headers.get("content-type", ""))

    def _url(self, scheme: str) -> str:
        ref = self._reference
        return f"{scheme}://{ref.host}/v2/{ref.path}/manifests/{ref.digest or ref.tag}"

    def _get(self, client: httpx.Client, url: str, authorization: str | None = None) -> tuple[int, httpx.Headers, bytes]:
        """GET within the time left; a registry on loopback may also speak plain HTTP, as all clients allow."""
        import httpx

        headers = {"Accept": ", ".join((*_MANIFESTS, *_INDEXES))} | ({"Authorization": authorization} if authorization else {})
        try:
            return self._read(client, url, headers)
        except httpx.ConnectError:
            if not (url.startswith("https://") and is_loopback(self._reference.domain)):
                raise
            return self._read(client, url.replace("https://", "http://", 1), headers)

    def _read(self, client: httpx.Client, url: str, headers: Mapping[str, str]) -> tuple[int, httpx.Headers, bytes]:
        import httpx

        with client.stream("GET", url, headers=headers, timeout=self._left()) as response:
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST:
                    raise httpx.ReadError("the answer is larger than a manifest may be")
                self._left()
            return response.status_code, response.headers, body

    def _left(self) -> float:
        import httpx

        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("no complete answer within the time limit")
        return left

    def _authorization(self, client: httpx.Client, challenge: str) -> str:
        """What the registry asks for: a token from its server (Docker's token authentication), or name and password."""
        import httpx

        scheme, parameters = challenge.partition(" ")[0].lower(), dict(_PARAMETER.findall(challenge))
        basic = f"Basic {base64.b64encode(':'.join(self._login).encode()).decode()}" if self._login else None
        if scheme != "bearer" or "realm" not in parameters:
            if basic is None:
                raise self._refused("it asks for a name and a password")
            return basic
        realm = httpx.URL(parameters["realm"])
        if realm.scheme != "https" and not is_loopback(realm.host):
            raise self._refused(f"it sends credentials to {realm.host} without TLS")
        query = {name: parameters[name] for name in ("service", "scope") if name in parameters}
        query.setdefault("scope", f"repository:{self._reference.path}:pull")
        status, _, body = self._get(client, str(realm.copy_merge_params(query)), basic)
        document = _json(body) if status == _OK else {}
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str):
            raise self._refused(f"its token server answers with {status}")
        return f"Bearer {token}"

    def _check(self, status: int) -> None:
        ref = self._reference
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            raise self._refused(f"it answers with {status}")
        if status == _ABSENT:
            raise Unavailable(f"the registry {ref.host} has no {ref}", next_step="check name and tag, or choose another image")
        if status >= _SERVER or status == _TOO_MANY:
            raise RegistryUnavailable(f"the registry {ref.host} answers with {status}", next_step="try again later")
        if status != _OK:
            raise Unavailable(f"{ref.host} answers with {status}: this is not the answer of a registry", next_step="check its name")

    def _refused(self, why: str) -> CredentialsError:
        host = self._reference.domain
        told = "no credentials file has an entry for it" if self._login is None else f"the credentials of {self._login[0]} were tried"
        return CredentialsError(f"the registry {host} refuses {self._reference}", cause=f"{why}; {told}", next_step=f"docker login {host}")


def _found(body: bytes, content_type: str) -> Found:
    document = _json(body)
    media_type = str(document.get("mediaType") or content_type.partition(";")[0].strip())
    config = document.get("config")
    kind = config.get("mediaType") if isinstance(config, dict) else None
    artifact = media_type not in _INDEXES and "manifests" not in document and kind not in _IMAGE_CONFIGS
    return Found(f"sha256:{hashlib.sha256(body).hexdigest()}", artifact, _created(document.get("annotations")))


def _created(annotations: Any) -> dt.datetime | None:
    """The annotation org.opencontainers.image.created (OCI image specification, annotations), where it is a time."""
    try:
        made = dt.datetime.fromisoformat(annotations["org.opencontainers.image.created"])
    except (ValueError, TypeError, LookupError):
        return None
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def is_loopback(host: str) -> bool:
    """Whether `host[:port]` is this machine."""
    name = host.rsplit(":", 1)[0].strip("[]") if not host.endswith("]") else host.strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
