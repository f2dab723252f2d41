"""References to images: every form, what is refused and why, and the two rooms that refuse them in their own words."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.engine.embedded.images import references
from pipelines.engine.embedded.images.references import InvalidReference
from pipelines.errors import UsageError
from pipelines.foundation.image_reference import ImageReference, ImageReferenceError, is_loopback, parse_image_reference
from pipelines.registry import read_reference

DIGEST = "sha256:" + "ab" * 32
COMPONENT = st.from_regex(r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)
DOMAIN = st.sampled_from(
    ["docker.io", "localhost", "localhost:5000", "registry.example.com", "Registry", "127.0.0.1:5000", "[::1]:5000", "[fe80::1]", "host:1"]
)
REFERENCE = st.builds(
    ImageReference,
    DOMAIN,
    st.lists(COMPONENT, min_size=2, max_size=3).map("/".join),
    st.just("") | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True),
    st.just("") | st.just(DIGEST),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpine", ImageReference("docker.io", "library/alpine")),
        ("alpine:3.20", ImageReference("docker.io", "library/alpine", "3.20")),
        ("team/app", ImageReference("docker.io", "team/app")),
        ("docker.io/alpine", ImageReference("docker.io", "library/alpine")),
        ("index.docker.io/team/app", ImageReference("docker.io", "team/app")),
        ("localhost/app", ImageReference("localhost", "app")),
        ("localhost:5000/app:1", ImageReference("localhost:5000", "app", "1")),
        ("ghcr.io/a/b/c", ImageReference("ghcr.io", "a/b/c")),
        ("Registry/app", ImageReference("Registry", "app")),
        (f"alpine@{DIGEST}", ImageReference("docker.io", "library/alpine", "", DIGEST)),
        (f"[::1]:5000/a:b@{DIGEST}", ImageReference("[::1]:5000", "a", "b", DIGEST)),
    ],
)
def test_the_registry_is_written_out(text: str, expected: ImageReference) -> None:
    assert parse_image_reference(text) == expected


@given(REFERENCE)
def test_a_written_reference_reads_as_itself(reference: ImageReference) -> None:
    assert parse_image_reference(str(reference)) == reference
    assert references.parse(str(reference)) == reference
    assert read_reference(str(reference)) == reference.with_default_tag()


def why_refused(text: str) -> str | None:
    try:
        parse_image_reference(text)
    except ImageReferenceError as error:
        return error.reason
    return None


@given(st.text())
@example("a//b")
@example("a:é")
def test_any_text_is_a_reference_or_refused_by_everybody(text: str) -> None:
    reason = why_refused(text)
    if reason is None:
        assert parse_image_reference(str(parse_image_reference(text))) == parse_image_reference(text)
        return
    with pytest.raises(InvalidReference) as engine:
        references.parse(text)
    with pytest.raises(UsageError, match="is not an image reference") as registry:
        read_reference(text)
    assert engine.value.message == f"failed to parse image address {text}: {reason}"
    assert registry.value.cause == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("UPPER CASE", "invalid reference format: repository name (library/UPPER CASE) must be lowercase"),
        ("localhost:5000/App", "invalid reference format: repository name (App) must be lowercase"),
        ("", "invalid reference format"),
        ("/", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("https://ghcr.io/a", "invalid reference format"),
        ("r.example/", "invalid reference format"),
        ("alpine:", "invalid reference format"),
        ("alpine:-1", "invalid reference format"),
        ("-a/b", "invalid reference format"),
        ("a__b___c", "invalid reference format"),
        ("alpine\n", "invalid reference format"),
        ("alpine@sha256:1", "invalid reference format"),
        ("a" * 300, "repository name must not be more than 255 characters"),
        ("ab" * 32, f"invalid repository name ({'ab' * 32}), cannot specify 64-byte hexadecimal strings"),
        ("alpine@sha256:" + "ab" * 20, "invalid checksum digest length"),
        ("alpine@sha256:" + "AB" * 32, "invalid checksum digest format"),
        ("alpine@sha512:" + "ab" * 64, "unsupported digest algorithm (sha512): only sha256 is supported"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(ImageReferenceError) as caught:
        parse_image_reference(text)
    assert caught.value.reason == reason


def test_a_digest_is_asked_for_without_its_tag() -> None:
    assert parse_image_reference(f"localhost:5000/a:1@{DIGEST}").pinned() == f"localhost:5000/a@{DIGEST}"
    assert parse_image_reference("localhost:5000/a").pinned() == "localhost:5000/a:latest"
    assert str(parse_image_reference("localhost:5000/a").with_default_tag()) == "localhost:5000/a:latest"
    assert str(parse_image_reference(f"localhost:5000/a@{DIGEST}").with_default_tag()) == f"localhost:5000/a@{DIGEST}"
    assert str(parse_image_reference("localhost:5000/a:1").at(DIGEST)) == f"localhost:5000/a:1@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("alpine", "registry-1.docker.io"),
        ("localhost:5000/a", "localhost:5000"),
        ("[::1]:5000/x", "[::1]:5000"),
        ("r.example/x", "r.example"),
    ],
)
def test_where_the_api_is(text: str, host: str) -> None:
    assert parse_image_reference(text).api_host == host


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.9.9.9", True),
        ("[::1]:5000", True),
        ("[::1]", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("10.0.0.1:5000", False),
        ("[fe80::1]:5000", False),
        ("docker.io", False),
    ],
)
def test_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) == expected
    assert ImageReference(host, "a").is_loopback == expected
