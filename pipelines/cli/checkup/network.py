"""The registry, and by its clock, ours."""

from __future__ import annotations

import http.client
import ssl
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pipelines.foundation.clock import utc_now
from pipelines.foundation.image_reference import is_loopback
from pipelines.steps.interface import CheckResult, CheckState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from pipelines.model import Project

PATIENCE_S = 5.0
_SKEW_S = 60.0
_REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 300, 400, 500
_UNAUTHORIZED = 401
_DOCKER_HUB = "registry-1.docker.io"


def registry(project: Project) -> Iterator[CheckResult]:
    """Whether the registry answers its own API (OCI distribution specification, end-1: GET /v2/), and how far our clock is off."""
    if project.registry is None:
        yield CheckResult("registry", CheckState.OK, "none configured: nothing is published")
        return
    host = host_of(project.registry.url)
    now = utc_now()
    try:
        status, date = _ask(host)
    except (OSError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        yield CheckResult(
            "registry", CheckState.FAILED, f"{host} does not answer: {why}", "start the registry, or check [registry] url and the network"
        )
        return
    yield _registry_answer(host, status)
    if date is not None:
        yield clock(now, date)


def host_of(url: str) -> str:
    """The host (and port) of `host[:port]/path`."""
    host = url.split("/", 1)[0]
    return _DOCKER_HUB if host in {"docker.io", "index.docker.io"} else host


def _registry_answer(host: str, status: int) -> CheckResult:
    if status < _REDIRECT:
        return CheckResult("registry", CheckState.OK, f"{host} answers")
    if status == _UNAUTHORIZED:
        return CheckResult("registry", CheckState.OK, f"{host} answers, and asks for credentials")
    if status >= _SERVER_ERROR:
        return CheckResult(
            "registry",
            CheckState.FAILED,
            f"{host} answers with {status}",
            "try again; if it happens again, look at the log of the registry",
        )
    return CheckResult("registry", CheckState.FAILED, f"{host} answers with {status}: this is not a registry", "correct [registry] url")


def clock(now: dt.datetime, theirs: dt.datetime) -> CheckResult:
    """Our clock against the registry's: signatures, certificates and waivers depend on it."""
    off = (now - theirs).total_seconds()
    if abs(off) <= _SKEW_S:
        return CheckResult("clock", CheckState.OK, "agrees with the clock of the registry")
    direction = "ahead of" if off > 0 else "behind"
    return CheckResult(
        "clock", CheckState.WARNING, f"{abs(off):.0f} s {direction} the clock of the registry", "sudo timedatectl set-ntp true"
    )


def _ask(host: str) -> tuple[int, dt.datetime | None]:
    """GET /v2/: over TLS; a registry of this machine may also speak plain HTTP, as clients allow."""
    try:
        return _get(http.client.HTTPSConnection(host, timeout=PATIENCE_S, context=ssl.create_default_context()))
    except ssl.SSLError:
        if not is_loopback(host):
            raise
    return _get(http.client.HTTPConnection(host, timeout=PATIENCE_S))


def _get(connection: http.client.HTTPConnection) -> tuple[int, dt.datetime | None]:
    try:
        connection.request("GET", "/v2/", headers={"User-Agent": "lockgate-doctor"})
        response = connection.getresponse()
        date = response.headers.get("Date")
        return response.status, parsedate_to_datetime(date) if date else None
    finally:
        connection.close()
