from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.steps.remote_url import public_url


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://example.com/team/shop.git", "https://example.com/team/shop.git"),
        ("https://ci:s3cret@example.com:8443/team/shop.git", "https://example.com:8443/team/shop.git"),
        ("https://oauth2:a@b@example.com/shop", "https://example.com/shop"),
        ("https://example.com/shop?private_token=s3cret#x", "https://example.com/shop"),
        ("HTTPS://Example.com/Shop", "https://example.com/Shop"),
        ("http://[::1]:80/shop", "http://[::1]:80/shop"),
        ("ssh://git:s3cret@example.com:2222/shop", "ssh://git@example.com:2222/shop"),
        ("git@example.com:team/shop.git", "ssh://git@example.com/team/shop.git"),
        ("example.com:/srv/shop.git", "ssh://example.com/srv/shop.git"),
        ("git://example.com/shop", "git://example.com/shop"),
    ],
)
def test_what_is_published_is_a_url_without_credentials(remote: str, url: str) -> None:
    assert public_url(remote) == url


@pytest.mark.parametrize(
    "remote",
    [
        None,
        "",
        ".",
        "/srv/git/shop",
        "../shop",
        "~/shop",
        "file:///srv/shop",
        r"C:\work\shop",
        "C:/source/shop",
        "a/b:c",
        "ext::sh -c x",
        "https://",
        "https://example.com:port/x",
        "https://[bad/x",
        "gcrypt::https://example.com/x",
        "shop",
    ],
)
def test_a_path_of_the_machine_is_not_published(remote: str | None) -> None:
    assert public_url(remote) is None


@given(
    st.sampled_from(["https", "http", "git", "ssh", "git+ssh"]),
    st.text(alphabet="abc123-_.~%:", min_size=1).filter(lambda text: not text.startswith(":")),
    st.text(alphabet="/abc.@", max_size=10),
)
def test_no_password_is_ever_published(scheme: str, user: str, path: str) -> None:
    url = public_url(f"{scheme}://{user}:PASSWORD@example.com/{path}?token=PASSWORD")
    assert url is not None
    assert "PASSWORD" not in url
