from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.engine.embedded.images import refs
from pipelines.engine.embedded.images.refs import InvalidReference, Reference

DIGEST = "sha256:" + "ab" * 32
COMPONENT = st.from_regex(r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)
DOMAIN = st.sampled_from(
    ["docker.io", "localhost", "localhost:5000", "registry.example.com", "127.0.0.1:5000", "[::1]:5000", "ghcr.io", "host:1"]
)
REFERENCE = st.builds(
    Reference,
    DOMAIN,
    st.lists(COMPONENT, min_size=2, max_size=3).map("/".join),
    st.just("") | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True),
    st.just("") | st.just(DIGEST),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpine", Reference("docker.io", "library/alpine")),
        ("alpine:3.20", Reference("docker.io", "library/alpine", "3.20")),
        ("team/app", Reference("docker.io", "team/app")),
        ("docker.io/alpine", Reference("docker.io", "library/alpine")),
        ("index.docker.io/team/app", Reference("docker.io", "team/app")),
        ("localhost/app", Reference("localhost", "app")),
        ("localhost:5000/app:1", Reference("localhost:5000", "app", "1")),
        ("ghcr.io/a/b/c", Reference("ghcr.io", "a/b/c")),
        ("Registry/app", Reference("Registry", "app")),
        (f"alpine@{DIGEST}", Reference("docker.io", "library/alpine", "", DIGEST)),
        (f"[::1]:5000/a:b@{DIGEST}", Reference("[::1]:5000", "a", "b", DIGEST)),
    ],
)
def test_normalised(text: str, expected: Reference) -> None:
    assert refs.parse(text) == expected


@given(REFERENCE)
def test_a_written_reference_reads_as_itself(reference: Reference) -> None:
    assert refs.parse(str(reference)) == reference


@given(st.text())
@example("a//b")
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = refs.parse(text)
    except InvalidReference:
        return
    assert refs.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("UPPER CASE", "invalid reference format: repository name (library/UPPER CASE) must be lowercase"),
        ("localhost:5000/App", "invalid reference format: repository name (App) must be lowercase"),
        ("", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("https://ghcr.io/a", "invalid reference format"),
        ("alpine:", "invalid reference format"),
        ("alpine:-1", "invalid reference format"),
        ("-a/b", "invalid reference format"),
        ("a__b___c", "invalid reference format"),
        ("alpine\n", "invalid reference format"),
        ("a" * 300, "repository name must not be more than 255 characters"),
        ("ab" * 32, f"invalid repository name ({'ab' * 32}), cannot specify 64-byte hexadecimal strings"),
        ("alpine@sha256:" + "ab" * 20, "invalid checksum digest length"),
        ("alpine@sha256:" + "AB" * 32, "invalid checksum digest format"),
        ("alpine@sha512:" + "ab" * 64, "unsupported digest algorithm (sha512): only sha256 is"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        refs.parse(text)
    assert caught.value.message == f"failed to parse image address {text}: {reason}"


def test_a_digest_is_asked_for_without_its_tag() -> None:
    assert refs.parse(f"localhost:5000/a:1@{DIGEST}").pinned() == f"localhost:5000/a@{DIGEST}"
    assert refs.parse("localhost:5000/a").pinned() == "localhost:5000/a:latest"
    assert str(refs.parse("localhost:5000/a").tagged()) == "localhost:5000/a:latest"
    assert str(refs.parse(f"localhost:5000/a@{DIGEST}").tagged()) == f"localhost:5000/a@{DIGEST}"


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.9.9.9", True),
        ("[::1]:5000", True),
        ("localhost.example.com", False),
        ("10.0.0.1:5000", False),
        ("docker.io", False),
    ],
)
def test_loopback(domain: str, *, expected: bool) -> None:
    assert Reference(domain, "a").loopback == expected
