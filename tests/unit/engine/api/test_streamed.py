"""Text that is sent from a file: the same JSON as if it had been in memory."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.api.streamed import FileText, StreamedBody, to_json

texts = st.one_of(st.binary(max_size=60), st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")))


@given(st.lists(texts, min_size=1, max_size=3), st.integers(1, 7))
def test_a_file_is_the_string_that_its_text_would_be(contents: list[bytes], block: int) -> None:
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / str(index) for index in range(len(contents))]
        for path, data in zip(paths, contents, strict=True):
            path.write_bytes(data)
        body = to_json({"data": {"a": "\U0001f600", "files": [FileText(path) for path in paths]}})
        assert isinstance(body, StreamedBody)
        with body.opened(block) as blocks:
            answered = json.loads(b"".join(blocks))
    assert answered == {"data": {"a": "\U0001f600", "files": [data.decode(errors="replace") for data in contents]}}


@pytest.mark.parametrize("value", [None, {"a": [1, "x"]}, "half \udc80"])
def test_without_a_file_it_is_whole(value: Any) -> None:
    body = to_json(value)
    assert isinstance(body, bytes)
    assert json.loads(body) == ("half \ufffd" if isinstance(value, str) else value)


def test_a_file_that_is_not_there_is_known_before_anything_is_sent(tmp_path: Path) -> None:
    body = to_json([FileText(tmp_path / "no")])
    assert isinstance(body, StreamedBody)
    with pytest.raises(FileNotFoundError), body.opened():
        pass


def test_what_is_not_a_value_of_the_api_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="object is not a value"):
        to_json([object()])
