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
    from collections.abc import Callable
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


def redirecting(server: Server, to: str, status: int = 307) -> Callable[[str, dict[str, str]], Answer]:
    """Asks for basic authentication, then leads to another address."""

    def rule(path: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/elsewhere"):
            return 200, {}, manifest()
        if "authorization" not in headers:
            return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""
        return status, {"Location": to.format(address=server.address)}, b""

    return rule


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_the_same_host_gets_the_credentials(server: Server, tmp_path: Path, status: int) -> None:
    auth = base64.b64encode(b"ada:pw").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {server.address: {"auth": auth}}}))
    server.rule = redirecting(server, "/elsewhere", status)
    ask(server, DOCKER_CONFIG=str(tmp_path))
    assert server.asked[-1] == ("/elsewhere", f"Basic {auth}")


def test_another_host_does_not_get_the_credentials(server: Server, tmp_path: Path) -> None:
    auth = base64.b64encode(b"ada:pw").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {server.address: {"auth": auth}}}))
    port = server.address.rpartition(":")[2]
    server.rule = redirecting(server, f"http://localhost:{port}/elsewhere")
    ask(server, DOCKER_CONFIG=str(tmp_path))
    assert server.asked[-1] == ("/elsewhere", None)


@pytest.mark.parametrize("to", ["http://r.example/x", "ftp://{address}/x", "file:///etc/passwd"])
def test_a_redirect_to_what_is_not_protected_is_refused(server: Server, tmp_path: Path, to: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {server.address: {"auth": base64.b64encode(b"a:b").decode()}}}))
    server.rule = redirecting(server, to)
    with pytest.raises(Unavailable):
        ask(server, DOCKER_CONFIG=str(tmp_path))
    assert all(path.startswith("/v2/") for path, _ in server.asked)


def test_redirects_that_do_not_end_are_an_error(server: Server) -> None:
    server.rule = lambda _path, _headers: (307, {"Location": "/again"}, b"")
    with pytest.raises(LockgateError):
        ask(server)


@pytest.mark.parametrize("realm", ["http://[", "https://r.example:x/", "file:///etc", "ftp://127.0.0.1/"])
def test_a_challenge_that_cannot_be_answered_is_one_error(server: Server, realm: str) -> None:
    server.say(401, WWW_Authenticate=f'Bearer realm="{realm}"')
    with pytest.raises(LockgateError) as caught:
        ask(server)
    assert caught.value.exit_code == 4


def test_an_answer_that_is_too_long_is_not_read(server: Server) -> None:
    server.say(200, b"x" * (5 << 20))
    with pytest.raises(RegistryUnavailable) as caught:
        ask(server)
    assert caught.value.cause == "the answer has more than 4194304 bytes"


def test_what_does_not_speak_http_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            for _ in range(2):  # TLS, then plain HTTP
                connection, _address = listening.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(RegistryUnavailable, match="does not answer"):
            find_manifest(read_reference(f"127.0.0.1:{listening.getsockname()[1]}/x"), {}, timeout_s=5)
        thread.join()
