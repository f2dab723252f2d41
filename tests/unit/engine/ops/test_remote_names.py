from __future__ import annotations

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.download import file_name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://a/b/c.txt", "c.txt"),
        ("http://a/", "index"),
        ("http://a", "index"),
        ("http://a/%2e", "index"),
        ("http://a/..%2f..%2fetc%2fpasswd", "passwd"),
        ("http://a/x%20y?q=/z", "x y"),
    ],
)
def test_a_download_has_one_name_whatever_its_url_says(url: str, name: str) -> None:
    assert file_name(url, None) == name


def test_a_name_that_is_given_leads_nowhere_either() -> None:
    assert file_name("http://a/b", "/etc/passwd") == "passwd"


@pytest.mark.parametrize("url", ["http://a/%2e%2e", "http://a/x%2f..", "http://a/a%00b"])
def test_what_cannot_be_a_name_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be the name of a file"):
        file_name(url, None)
