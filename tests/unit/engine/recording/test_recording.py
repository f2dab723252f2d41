"""The recording engine, asked through an unmodified dagger-io client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import dag

from pipelines.engine.embedded.recording import RecordedImage

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.engine.embedded.recording import Recording


async def pipeline(folder: str) -> str:
    """A pipeline as users write them."""
    source = dag.host().directory(folder, exclude=["*.log"])
    built = (
        dag.container()
        .from_("python:3.12-slim")
        .with_directory("/src", source)
        .with_workdir("/src")
        .with_mounted_cache("/root/.cache/pip", dag.cache_volume("pip"))
        .with_secret_variable("TOKEN", dag.set_secret("token", "s3cret"))
        .with_exec(["pip", "install", "-r", "requirements.txt"])
    )
    await built.with_exec(["pytest", "-q"]).sync()
    return await built.publish("registry.example.com/shop:1")


async def test_a_pipeline_is_recorded_command_by_command(recording: Recording, tmp_path: Path) -> None:
    async with dagger.connection():
        ref = await pipeline(str(tmp_path))
    assert recording.plan() == "python:3.12-slim: pip install -r requirements.txt\npython:3.12-slim: pytest -q\n"
    install = recording.execs[0]
    assert (install.workdir, install.caches, install.secrets) == ("/src", {"/root/.cache/pip": "pip"}, {"TOKEN": "token"})
    assert recording.published == [RecordedImage("registry.example.com/shop:1", ref, (recording.platform,))]


async def test_a_rule_makes_a_command_fail_and_nothing_is_published(recording: Recording, tmp_path: Path) -> None:
    recording.exec("pytest").exits(1).prints("1 failed\n", "warning\n")
    async with dagger.connection():
        with pytest.raises(dagger.ExecError) as caught:
            await pipeline(str(tmp_path))
    assert (caught.value.command, caught.value.exit_code, caught.value.stdout, caught.value.stderr) == (
        ["pytest", "-q"],
        1,
        "1 failed",
        "warning",
    )
    assert not recording.published


async def test_the_rule_given_last_counts(recording: Recording) -> None:
    recording.exec("echo").prints("any\n")
    recording.exec("echo", "b*").prints("one that begins with b\n")
    async with dagger.connection():
        base = dag.container().from_("alpine")
        said = [await base.with_exec(["echo", word]).stdout() for word in ("a", "bee")]
    assert said == ["any\n", "one that begins with b\n"]


async def test_a_command_is_recorded_once_however_often_it_is_asked(recording: Recording) -> None:
    async with dagger.connection():
        command = dag.container().from_("alpine").with_exec(["date"])
        assert await command.stdout() == await command.stdout() == ""
        assert await command.exit_code() == 0
    assert [one.args for one in recording.execs] == [("date",)]


async def test_files_come_from_where_they_would(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print()")
    (tmp_path / "noise.log").write_text("no")
    recording.exec("pytest").writes("/reports/junit.xml", "<testsuites/>")
    async with dagger.connection():
        source = dag.host().directory(str(tmp_path), exclude=["*.log"])
        tested = dag.container().from_("alpine").with_directory("/src", source).with_new_file("/etc/x", "y").with_exec(["pytest"])
        assert await tested.file("/reports/junit.xml").contents() == "<testsuites/>"
        assert await tested.file("/src/main.py").contents() == "print()"
        assert await tested.file("/etc/x").contents() == "y"
        assert await source.entries() == ["main.py"]
        with pytest.raises(dagger.QueryError, match=r"stat src/noise\.log: no such file"):
            await tested.file("/src/noise.log").contents()


async def test_files_a_command_leaves_in_a_mount(recording: Recording) -> None:
    recording.exec("make").writes("/out/bin", "binary")
    async with dagger.connection():
        mounted = dag.container().from_("alpine").with_mounted_directory("/out", dag.directory().with_new_file("old", "o"))
        left = mounted.with_exec(["make"]).directory("/out")
        assert await left.entries() == ["bin", "old"]


async def test_images_have_the_configuration_they_are_given(recording: Recording) -> None:
    recording.image("tool:1", env={"MODE": "x"}, entrypoint=["tool"], cmd=["--help"], user="app")
    recording.no_image("gone:1")
    async with dagger.connection():
        tool = dag.container().from_("tool:1")
        assert [await tool.env_variable("MODE"), await tool.entrypoint(), await tool.user()] == ["x", ["tool"], "app"]
        await tool.with_exec([], use_entrypoint=True).sync()
        with pytest.raises(dagger.QueryError, match="gone:1: not found"):
            await dag.container().from_("gone:1").sync()
    assert recording.execs[0].args == ("tool", "--help")


async def test_a_build_is_known_by_its_target(recording: Recording, tmp_path: Path) -> None:
    async with dagger.connection():
        built = dag.host().directory(str(tmp_path)).docker_build(target="test")
        await built.with_exec(["pytest"]).sync()
    assert recording.execs[0].image == f"build of {tmp_path.name} (test)"


async def test_services_are_named_not_started(recording: Recording) -> None:
    async with dagger.connection():
        service = dag.container().from_("postgres").with_exposed_port(5432).as_service(args=["postgres"])
        await dag.container().from_("alpine").with_service_binding("db", service).with_exec(["psql"]).sync()
    assert [(one.args, one.services) for one in recording.execs] == [(("psql",), ("db",))]


async def test_what_cannot_be_known_asks_for_an_answer(recording: Recording) -> None:
    async with dagger.connection():
        with pytest.raises(dagger.QueryError, match=r'recording.answer\("Directory.digest"'):
            await dag.directory().digest()
        recording.answer("Directory.digest", "sha256:abc")
        assert await dag.directory().digest() == "sha256:abc"


async def test_exports_are_recorded_not_written(recording: Recording, tmp_path: Path) -> None:
    async with dagger.connection():
        await dag.directory().with_new_file("x", "1").export(str(tmp_path / "out"))
    assert recording.exported == [str(tmp_path / "out")]
    assert not list(tmp_path.iterdir())
