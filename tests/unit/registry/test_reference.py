from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UsageError
from pipelines.registry import parse

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "complete", "host"),
    [
        ("alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"),
        ("docker.io/alpine:3", "docker.io/library/alpine:3", "registry-1.docker.io"),
        ("grafana/k6:1", "docker.io/grafana/k6:1", "registry-1.docker.io"),
        ("localhost/x", "localhost/x:latest", "localhost"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b:1", "localhost:5000"),
        (f"r.example/x:1@{DIGEST}", f"r.example/x@{DIGEST}", "r.example"),
        ("[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000"),
    ],
)
def test_defaults_are_filled_in(text: str, complete: str, host: str) -> None:
    assert (str(parse(text)), parse(text).host) == (complete, host)


@pytest.mark.parametrize("text", ["", "/", "a//b", "A/b c", "x@sha256:1", "r.example/", "x:", "r.example/X", "https://r.example/x", "-/x"])
def test_what_is_not_a_reference_is_one_message(text: str) -> None:
    with pytest.raises(UsageError, match="is not an image reference"):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_a_usage_error(text: str) -> None:
    try:
        found = parse(text)
    except UsageError:
        return
    assert parse(str(found)) == parse(str(parse(str(found))))
