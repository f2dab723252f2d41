from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.steps.wording import Trouble, classify, core, host_in

OBSERVED = [
    (
        'failed to do request: Head "http://localhost:1/v2/none/none/blobs/sha256:…": dial tcp 127.0.0.1:1: connect: connection refused',
        Trouble.CONNECTION,
    ),
    (
        'failed to resolve image "localhost:5000/probe/does-not-exist:1" (platform: "linux/amd64"): localhost:5000/probe/x:1: not found',
        Trouble.NO_SUCH_IMAGE,
    ),
    (
        "failed to parse image address UPPER CASE: invalid reference format: repository name (library/UPPER CASE) must be lowercase",
        Trouble.REFERENCE,
    ),
    (
        "failed to convert Dockerfile to LLB: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
        Trouble.DOCKERFILE,
    ),
    ('failed to convert Dockerfile to LLB: target stage "two" could not be found', Trouble.DOCKERFILE),
    (
        (
            "failed to load container from converted ID: load Container@ID: load xxh3:329e: inputs: "
            "failed to content hash dockerfile copy: lstat /nothing-here: no such file or directory"
        ),
        Trouble.DOCKERFILE,
    ),
    ("start sv2be31g6h196 (aliased as dead): exit code: 3", Trouble.SERVICE),
    ("stat nope: no such file or directory", Trouble.NOT_FOUND),
    ('secret env var not found: "REG..."', Trouble.SECRET),
    ('failed to read secret file "/x": open /x: no such file or directory', Trouble.SECRET),
    ("Container.terminal is not supported by the embedded engine: it needs a Dagger engine", Trouble.UNSUPPORTED),
    ("Field withVolatileVariable does not exist in type Container.", Trouble.UNSUPPORTED),
    (
        "failed to fetch anonymous token: unexpected status from GET request to https://auth.docker.io/token: 429 Too Many Requests",
        Trouble.BUSY,
    ),
    ("received unexpected HTTP status: 503 Service Unavailable", Trouble.BUSY),
    ("unexpected status from PUT request to http://r/v2/x/manifests/1: 500 Internal Server Error", Trouble.BUSY),
    ("dial tcp: lookup registry.invalid on 10.0.0.1:53: no such host", Trouble.NAME),
    ("read tcp 10.0.0.2:1->10.0.0.3:443: read: connection reset by peer", Trouble.CONNECTION),
    ("unexpected status from HEAD request to https://r/v2/x/manifests/1: 401 Unauthorized", Trouble.CREDENTIALS),
    ("denied: requested access to the resource is denied", Trouble.CREDENTIALS),
    ("reading manifest 1 in localhost:5000/x: manifest unknown", Trouble.NO_SUCH_IMAGE),
    ("x509: certificate signed by unknown authority", Trouble.CERTIFICATE),
    ("write /x: no space left on device", Trouble.DISK_FULL),
    ("no space left on the disk of /store: what was being written is discarded", Trouble.DISK_FULL),
    ("exec /bin/sh: exec format error", Trouble.PLATFORM),
    ("internal error in Container.withExec: KeyError: 1", Trouble.DEFECT),
    ("internal error: the engine did not start: OSError: x", Trouble.NOT_STARTED),
    ("failed to copy source directory: lstat /nothing-here: no such file or directory", Trouble.DOCKERFILE),
    ("the registry gave no answer within 20 s", Trouble.SILENCE),
    ("something nobody has seen", Trouble.OTHER),
]


@pytest.mark.parametrize(("message", "trouble"), OBSERVED)
def test_messages_of_engines(message: str, trouble: Trouble) -> None:
    assert classify(message) is trouble


def test_only_troubles_of_the_moment_are_passing() -> None:
    assert {trouble for trouble in Trouble if trouble.passing} == {Trouble.BUSY, Trouble.NAME, Trouble.CONNECTION}


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
    assert classify(text) in Trouble
    assert "\n" not in core(text)
    host_in(text)
