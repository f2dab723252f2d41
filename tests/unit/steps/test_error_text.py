from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.codes import Code
from pipelines.steps.common.error_text import classify, core, host_in

OBSERVED = [
    (
        'failed to do request: Head "http://localhost:1/v2/none/none/blobs/sha256:…": dial tcp 127.0.0.1:1: connect: connection refused',
        Code.REGISTRY_UNREACHABLE,
    ),
    (
        'failed to resolve image "localhost:5000/probe/does-not-exist:1" (platform: "linux/amd64"): localhost:5000/probe/x:1: not found',
        Code.IMAGE_NOT_FOUND,
    ),
    (
        "failed to parse image address UPPER CASE: invalid reference format: repository name (library/UPPER CASE) must be lowercase",
        Code.INVALID_REFERENCE,
    ),
    (
        "failed to convert Dockerfile to LLB: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
        Code.DOCKERFILE,
    ),
    ('failed to convert Dockerfile to LLB: target stage "two" could not be found', Code.DOCKERFILE),
    (
        (
            "failed to load container from converted ID: load Container@ID: load xxh3:329e: inputs: "
            "failed to content hash dockerfile copy: lstat /nothing-here: no such file or directory"
        ),
        Code.DOCKERFILE,
    ),
    ("start sv2be31g6h196 (aliased as dead): exit code: 3", Code.SERVICE_FAILED),
    ("stat nope: no such file or directory", Code.NOT_FOUND),
    ('secret env var not found: "REG..."', Code.SECRET),
    ('failed to read secret file "/x": open /x: no such file or directory', Code.SECRET),
    ("Field withVolatileVariable does not exist in type Container.", Code.UNSUPPORTED),
    (
        "failed to fetch anonymous token: unexpected status from GET request to https://auth.docker.io/token: 429 Too Many Requests",
        Code.REGISTRY_BUSY,
    ),
    ("received unexpected HTTP status: 503 Service Unavailable", Code.REGISTRY_BUSY),
    ("unexpected status from PUT request to http://r/v2/x/manifests/1: 500 Internal Server Error", Code.REGISTRY_BUSY),
    ("dial tcp: lookup registry.invalid on 10.0.0.1:53: no such host", Code.REGISTRY_UNKNOWN),
    ("read tcp 10.0.0.2:1->10.0.0.3:443: read: connection reset by peer", Code.REGISTRY_UNREACHABLE),
    ("unexpected status from HEAD request to https://r/v2/x/manifests/1: 401 Unauthorized", Code.REGISTRY_DENIED),
    ("denied: requested access to the resource is denied", Code.REGISTRY_DENIED),
    ("reading manifest 1 in localhost:5000/x: manifest unknown", Code.IMAGE_NOT_FOUND),
    ("x509: certificate signed by unknown authority", Code.REGISTRY_UNTRUSTED),
    ("write /x: no space left on device", Code.DISK_FULL),
    ("exec /bin/sh: exec format error", Code.PLATFORM),
    ("failed to copy source directory: lstat /nothing-here: no such file or directory", Code.DOCKERFILE),
    ("something nobody has seen", Code.FAILED),
    ("engine is shutting down", Code.CANCELLED),
]


@pytest.mark.parametrize(("message", "code"), OBSERVED)
def test_messages_of_foreign_engines(message: str, code: Code) -> None:
    assert classify(message) is code
    assert classify(f"{message} [traceparent:0123456789abcdef0123456789abcdef-0123456789abcdef]") is code
    assert classify(f"input: container.from.withExec {message}") is code


HOSTILE = [
    "unauthorized",
    "429",
    "429 Too Many Requests",
    "500",
    "503 Service Unavailable",
    "denied: x",
    "denied: requested access to the resource is denied",
    "401 Unauthorized",
    "403 Forbidden",
    "connection refused",
    "no such host",
    "x509: certificate",
    "toomanyrequests: x",
    "no space left on device",
    "secret env var not found: ",
    "pull access denied, ",
    "it needs a Dagger engine",
    "internal error",
    "manifest unknown",
    "authentication required",
]
"""Names that people may give to files and folders."""

SAID_OF_FILES = [
    ("copy {name}/Error.html: not found", Code.NOT_FOUND),
    ("lstat /{name}: no such file or directory", Code.NOT_FOUND),
    ("open /context/{name}: permission denied", Code.UNREADABLE),
    ('failed to compute cache key: failed to calculate checksum of ref abc::xyz: "/{name}": not found', Code.NOT_FOUND),
    ("failed to read {name}/x: operation not permitted", Code.UNREADABLE),
    ("mkdir /a/{name}/b: not a directory", Code.NOT_FOUND),
    ("cannot replace directory /{name}/x with file", Code.FAILED),
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(("message", "code"), SAID_OF_FILES)
def test_the_name_of_a_file_tells_nothing(message: str, code: Code, name: str) -> None:
    assert classify(message.format(name=name)) is code


@given(st.sampled_from(HOSTILE), st.text("abc/._- ", max_size=8), st.text("abc/._- ", max_size=8), st.sampled_from(SAID_OF_FILES))
def test_nothing_that_stands_in_a_path_is_taken_for_a_registrys_answer(name: str, before: str, after: str, said: tuple[str, Code]) -> None:
    assert not classify(said[0].format(name=f"{before}{name}{after}")).transient


@pytest.mark.parametrize(
    ("message", "host"),
    [
        (OBSERVED[0][0], "localhost:1"),
        ("pinging container registry registry.example.com:5000: Get …", "registry.example.com:5000"),
        ("dial tcp: lookup registry.invalid on 10.0.0.1:53: no such host", "registry.invalid"),
        ("dial tcp 127.0.0.1:1: connect: connection refused", "127.0.0.1:1"),
        ('failed to resolve image "localhost:5/shop:1" (platform: "linux/amd64"): the registry gave no answer', "localhost:5"),
        ('failed to resolve image "library/python:3" (platform: "linux/amd64"): not found', None),
        ("nothing of the kind", None),
    ],
)
def test_the_registry_a_message_speaks_of(message: str, host: str | None) -> None:
    assert host_in(message) == host


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (OBSERVED[3][0], "line 2: unknown instruction: RUNN (did you mean RUN?)"),
        (OBSERVED[4][0], 'target stage "two" could not be found'),
        (OBSERVED[5][0], "lstat /nothing-here: no such file or directory"),
        (
            'failed to resolve image "localhost:1/shop:0.1" (platform: "linux/amd64"): failed to do request: Get "http://h/v2/": EOF',
            'Get "http://h/v2/": EOF',
        ),
        (OBSERVED[1][0], "localhost:5000/probe/x:1: not found"),
        ("one\n  two", "one two"),
        ("x" * 500, "x" * 400 + "…"),
    ],
)
def test_the_core_of_a_message(message: str, said: str) -> None:
    assert core(message) == said


@given(st.text())
def test_any_text_is_read_without_harm(text: str) -> None:
    assert classify(text) in Code
    assert "\n" not in core(text)
    host_in(text)
