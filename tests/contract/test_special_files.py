"""Devices, pipes and sockets that a container made: they travel in layers as in Docker, and the engine never opens one."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import dag

from tests.conftest import RUNNER_HOST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.rootless,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("engine"),
]

NOT_REAL = pytest.mark.skipif(
    RUNNER_HOST in os.environ, reason="a real engine opens them: it reads a device until memory is full, and waits at a pipe"
)
IS_ROOT = os.geteuid() == 0
KINDS = ("device", "pipe", "socket") if IS_ROOT else ("pipe", "socket")  # an ordinary user can make no device
PATIENCE = 30.0  # seconds: an engine that waits for the other end of a pipe, or reads /dev/zero to its end, never answers
MAKE = """
import os, socket, sys
place = sys.argv[1]
os.makedirs(place, exist_ok=True)
if "device" in sys.argv:
    os.mknod(f"{place}/device", 0o020666, os.makedev(1, 5))
os.mkfifo(f"{place}/pipe")
socket.socket(socket.AF_UNIX).bind(f"{place}/socket")
open(f"{place}/plain", "w").write("plain")
"""


@pytest.fixture
def box(base: dagger.Container) -> dagger.Container:
    return base.with_exec(["python3", "-c", MAKE, "/made", *KINDS])


REFUSED: dict[str, Callable[[dagger.Container, str], Awaitable[object]]] = {
    "contents": lambda box, path: box.file(path).contents(),
    "digest": lambda box, path: box.file(path).digest(),
    "write": lambda box, path: box.with_new_file(path, "new").sync(),
    "write into a directory": lambda box, path: box.directory("/").with_new_file(path, "new").sync(),
    "replace": lambda box, path: box.file(path).with_replaced("a", "b").contents(),
    "env file": lambda box, path: box.file(path).as_env_file().variables(),
    "json": lambda box, path: box.file(path).as_json().contents(),
    "redirect": lambda box, path: box.with_exec(["echo", "x"], redirect_stdout=path).sync(),
    "redirect of errors": lambda box, path: box.with_exec(["sh", "-c", "echo x >&2"], redirect_stderr=path).sync(),
    "redirect of input": lambda box, path: box.with_exec(["true"], redirect_stdin=path).sync(),
    "patch file": lambda box, path: box.directory("/made").with_patch_file(box.file(path)).sync(),
    "image archive": lambda box, path: dag.container().import_(box.file(path)).sync(),
    "dockerfile": lambda box, path: box.directory("/made").docker_build(dockerfile=path.removeprefix("/made/")).sync(),
    "user of a command": lambda box, path: (
        box.with_exec(["sh", "-c", f"rm /etc/passwd; cp -a {path} /etc/passwd"]).with_user("daemon").with_exec(["true"]).sync()
    ),
    "names of users": lambda box, path: (
        box.with_exec(["sh", "-c", f"rm /etc/passwd; cp -a {path} /etc/passwd"]).with_new_file("/new", "x", owner="root").sync()
    ),
}


@NOT_REAL
@pytest.mark.parametrize("asked", REFUSED)
async def test_what_is_not_a_regular_file_is_neither_read_nor_written(box: dagger.Container, asked: str) -> None:
    for kind in KINDS:
        with pytest.raises(dagger.QueryError) as refused:
            await asyncio.wait_for(REFUSED[asked](box, f"/made/{kind}"), PATIENCE)
        assert "internal" not in str(refused.value), kind


@NOT_REAL
async def test_what_is_not_a_regular_file_is_not_exported(box: dagger.Container, tmp_path: Path) -> None:
    for kind in KINDS:
        with pytest.raises(dagger.QueryError):
            await asyncio.wait_for(box.file(f"/made/{kind}").export(str(tmp_path / kind)), PATIENCE)
    await asyncio.wait_for(box.directory("/made").export(str(tmp_path)), PATIENCE)
    assert [path.name for path in tmp_path.iterdir()] == ["plain"]


@NOT_REAL
async def test_special_files_do_not_disturb_what_is_asked_about_their_folder(box: dagger.Container) -> None:
    made = box.directory("/made")

    async def answers() -> list[object]:
        return [
            await made.entries(),
            len(await made.digest()),
            [await found.file_path() for found in await made.search("plain")],
            await made.with_new_file("plain", "other").changes(made).modified_paths(),
            await dag.directory().diff(made).entries(),
            "plain" in await made.changes(dag.directory()).as_patch().contents(),
            await made.filter(gitignore=True).entries(),
        ]

    names = sorted([*KINDS, "plain"])
    assert await asyncio.wait_for(answers(), PATIENCE) == [names, 71, ["plain"], ["plain"], names, True, names]


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user can make no device")
async def test_a_device_travels_in_layers_as_in_docker(box: dagger.Container) -> None:
    copied = box.with_directory("/copied", box.directory("/made"))
    assert (await copied.with_exec(["stat", "-c", "%F %t:%T", "/copied/device", "/copied/pipe"]).stdout()).splitlines() == [
        "character special file 1:5",
        "fifo 0:0",
    ]


async def test_a_set_user_id_program_works_where_the_engine_has_written(base: dagger.Container) -> None:
    made = base.with_exec(["sh", "-c", "cp $(command -v id) /suid && chmod 4755 /suid"]).with_new_file("/later", "x")
    assert (await made.with_user("1000").with_exec(["/suid", "-u"]).stdout()).strip() == "0"


@NOT_REAL
@pytest.mark.parametrize("instruction", ["COPY <<EOF /made/{}\nx\nEOF\n", "COPY --from=base /made/{} /copy\nCOPY <<EOF /copy\nx\nEOF\n"])
async def test_a_file_of_a_dockerfile_takes_its_place(image: str, instruction: str) -> None:
    for kind in KINDS:
        text = f"FROM {image} AS base\nCOPY make.py /\nRUN python3 /make.py /made {' '.join(KINDS)}\nFROM base\n{instruction.format(kind)}"
        context = dag.directory().with_new_file("make.py", MAKE).with_new_file("Dockerfile", text)
        path = "/copy" if "/copy" in instruction else f"/made/{kind}"
        built = context.docker_build().with_exec(["sh", "-c", f"stat -c %F {path}; cat {path}"])
        assert await asyncio.wait_for(built.stdout(), PATIENCE) == "regular file\nx\n"  # in its place, as BuildKit does


@NOT_REAL
async def test_ignore_files_that_are_pipes_are_refused_or_ignored(base: dagger.Container) -> None:
    make = "mkdir /c && cd /c && mkfifo .dockerignore .gitignore && echo FROM scratch > Dockerfile"
    folder = base.with_exec(["sh", "-c", make]).directory("/c")
    with pytest.raises(dagger.QueryError, match="not a regular file"):
        await asyncio.wait_for(folder.docker_build().sync(), PATIENCE)
    assert ".gitignore" in await asyncio.wait_for(folder.filter(gitignore=True).entries(), PATIENCE)


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user can make no device")
async def test_an_export_replaces_no_link_pipe_or_device_of_the_host(tmp_path: Path, is_real: bool) -> None:
    file = dag.directory().with_new_file("f", "new").file("f")
    (tmp_path / "link").symlink_to("real")
    os.mknod(tmp_path / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    for name in ("link", "null"):
        await file.export(str(tmp_path / name))
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "real").read_text()) == (True, "new")
    assert (tmp_path / "null").is_char_device()
    if is_real:
        pytest.skip("0.21.8 replaces what is in a folder it exports to: up to here it agrees")
    with pytest.raises(dagger.QueryError, match="is not replaced"):
        await dag.directory().with_file("null", file).export(str(tmp_path))
    assert (tmp_path / "null").is_char_device()
