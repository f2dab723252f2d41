"""What a recording knows of files' contents beyond plain copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import JSON, dag

if TYPE_CHECKING:
    from pipelines.engine.embedded.recording import Recording


async def test_env_files_and_json_are_read(recording: Recording) -> None:
    files = dag.directory().with_new_file(".env", "A=1\nB=$A-x\n").with_new_file("x.json", '{"a": [1]}')
    async with dagger.connection():
        container = dag.container().with_env_file_variables(files.file(".env").as_env_file())
        assert await container.env_variable("B") == "1-x"
        assert await files.file("x.json").as_json().field(["a"]).contents() == "[1]"
        assert await dag.json().with_contents(JSON("[]")).contents() == "[]"
    assert not recording.execs


async def test_changes_and_replaced_text_are_followed_and_patches_refused(recording: Recording) -> None:
    old = dag.directory().with_new_file("a", "one\n").with_new_file("gone/b", "b")
    async with dagger.connection():
        new = old.with_file("a", old.file("a").with_replaced("one", "two")).without_directory("gone")
        changed = dag.directory().with_new_file("gone/b", "b").with_new_file("mine", "m").with_changes(new.changes(old))
        assert await changed.entries() == ["a", "mine"]
        assert await changed.file("a").contents() == "two\n"
        with pytest.raises(dagger.QueryError, match="a recording does not apply patches"):
            await old.with_patch("x").entries()
    assert not recording.execs
