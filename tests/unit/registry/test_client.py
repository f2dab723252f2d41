"""Asking a registry: what it names, tokens and passwords, and every way it does not answer."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import CredentialsError, LockgateError, RegistryUnavailable, Unavailable
from pipelines.registry import find_manifest, read_reference
from tests.unit.registry.conftest import CONFIG, manifest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.registry.conftest import Answer, Server

TRIVY_DB = "application/vnd.aquasec.trivy.config.v1+json"
DIGEST = f"sha256:{'a' * 64}"


def ask(server: Server, rest: str = "team/x:1", **environ: str) -> object:
    return find_manifest(read_reference(f"{server.address}/{rest}"), environ, timeout_s=5)


@pytest.mark.parametrize(("config", "artifact"), [(CONFIG, False), (TRIVY_DB, True)])
def test_a_tag_names_a_digest_and_artifacts_are_told_apart(server: Server, config: str, artifact: bool) -> None:
    body = manifest(config, annotations={"org.opencontainers.image.created": "2026-01-02T03:04:05Z"})
    server.say(200, body)
    found = find_manifest(read_reference(f"{server.address}/team/x:1"), {})
    assert (found.digest, found.artifact) == (f"sha256:{hashlib.sha256(body).hexdigest()}", artifact)
    assert found.created is not None
    assert found.created.isoformat() == "2026-01-02T03:04:05+00:00"
    assert server.asked == [("/v2/team/x/manifests/1", None)]


def test_an_index_is_an_image_for_several_platforms(server: Server) -> None:
    server.say(200, json.dumps({"schemaVersion": 2, "manifests": []}).encode())
    assert not find_manifest(read_reference(f"{server.address}/x@{DIGEST}"), {}).artifact
    assert server.asked[0][0] == f"/v2/x/manifests/{DIGEST}"


def test_a_token_is_fetched_where_the_registry_asks_for_one(server: Server, tmp_path: Path) -> None:
    def rule(path: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/token"):
            return 200, {}, b'{"token": "t"}'
        if headers.get("authorization") == "Bearer t":
            return 200, {}, manifest()
        realm = f'Bearer realm="http://{server.address}/token",service="s",scope="repository:team/x:pull"'
        return 401, {"WWW-Authenticate": realm}, b""

    server.rule = rule
    ask(server)
    assert server.asked[1] == ("/token?service=s&scope=repository%3Ateam%2Fx%3Apull", None)
    auth = base64.b64encode(b"ada:pw").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {server.address: {"auth": auth}}}))
    ask(server, DOCKER_CONFIG=str(tmp_path))
    assert server.asked[-2][1] == f"Basic {auth}"


def test_credentials_go_to_no_token_server_without_tls(server: Server) -> None:
    server.say(401, WWW_Authenticate='Bearer realm="http://elsewhere.example/token"')
    with pytest.raises(CredentialsError):
        ask(server)


@pytest.mark.parametrize(
    ("status", "headers", "error", "says"),
    [
        (401, {"WWW_Authenticate": 'Basic realm="x"'}, CredentialsError, "asks for a user name and a password; no credentials file"),
        (401, {}, CredentialsError, "no credentials file has an entry"),
        (403, {}, CredentialsError, "answers with 403"),
        (404, {}, Unavailable, "does not have"),
        (429, {}, RegistryUnavailable, "answers with 429"),
        (503, {}, RegistryUnavailable, "answers with 503"),
        (418, {}, Unavailable, "not the answer of a registry"),
    ],
)
def test_every_refusal_says_what_it_is(server: Server, status: int, headers: dict[str, str], error: type[LockgateError], says: str) -> None:
    server.say(status, b"", **headers)
    with pytest.raises(error) as caught:
        ask(server)
    assert says in " ".join(caught.value.lines())
    assert caught.value.exit_code == 4
    assert caught.value.next_step


def test_an_answer_that_trickles_has_a_limit() -> None:
    """Each byte comes in time, the whole would take for ever."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def trickle() -> None:
            while not over.is_set():
                connection, _ = listening.accept()
                with connection:
                    try:
                        connection.recv(4096)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                        while not over.wait(0.05):
                            connection.sendall(b"x")
                    except OSError:
                        continue

        thread = threading.Thread(target=trickle)
        thread.start()
        began = time.monotonic()
        try:
            with pytest.raises(RegistryUnavailable, match="does not answer"):
                find_manifest(read_reference(f"127.0.0.1:{listening.getsockname()[1]}/x"), {}, timeout_s=0.5)
            assert time.monotonic() - began < 5
        finally:
            over.set()
            with socket.create_connection(listening.getsockname()):
                pass
            thread.join()


def test_nobody_there_is_unavailable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    with pytest.raises(RegistryUnavailable, match="does not answer"):
        find_manifest(read_reference(f"127.0.0.1:{closed}/x"), {})
