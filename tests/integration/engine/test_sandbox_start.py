"""What is in the way of a command is said in plain words: its working directory, its kind of program."""

from __future__ import annotations

import platform
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.sandbox.spec import Bind

if TYPE_CHECKING:
    from tests.integration.engine.machine import Box

pytestmark = pytest.mark.root
FOREIGN = {"x86_64": 183, "aarch64": 62}.get(platform.machine(), 62)


MADE = [
    ("/new/deep", "/new/deep"),
    ("/dangling", "/not/there"),
    ("/dangling/deeper", "/not/there/deeper"),
    ("/up", "/made"),
    ("/there", "/tmp"),
]


@pytest.mark.parametrize(("cwd", "real"), MADE)
async def test_a_working_directory_is_made_also_behind_a_link_that_leads_nowhere(box: Box, cwd: str, real: str) -> None:
    for name, target in (("dangling", "/not/there"), ("up", "../../../../made"), ("there", "tmp")):
        (box.rootfs / name).symlink_to(target)
    result = await box.sh("/bin/pwd -P", cwd=cwd)
    assert (result.stdout, result.stderr) == (f"{real}\n", "")
    assert box.rootfs.joinpath(*Path(real).parts[1:]).is_dir()


@pytest.mark.parametrize(
    ("cwd", "told"),
    [
        ("/loop", "the working directory /loop cannot be made: its symbolic links lead in a circle"),
        ("/file", "the working directory /file is not a directory"),
        ("/file/x", "the working directory /file/x cannot be made: Not a directory"),
        ("/mounted/x", "the directory /mounted/x cannot be made: read-only file system"),
    ],
)
async def test_a_working_directory_that_cannot_be_made_is_named(box: Box, tmp_path: Path, cwd: str, told: str) -> None:
    (box.rootfs / "loop").symlink_to("/loop")
    (box.rootfs / "file").write_text("x")
    with pytest.raises(InvalidInput, match=told):
        await box.sh("true", cwd=cwd, mounts=(Bind(tmp_path, "/mounted", readonly=True),))
    assert (await box.sh("true")).exit.code == 0


async def test_a_program_that_cannot_run_here_says_so_with_an_init_too(box: Box) -> None:
    program = bytearray(Path("/bin/true").read_bytes())
    program[18:20] = struct.pack("<H", FOREIGN)
    for name, data in (("foreign", bytes(program)), ("lost", b"#!/no/such\n")):
        (box.rootfs / name).write_bytes(data)
        (box.rootfs / name).chmod(0o755)
    for name, told in (("foreign", "exec format error"), ("lost", "no such file or directory")):
        result = await box.run(f"/{name}")
        assert (result.exit.code, result.stderr) == (1, f"exec /{name}: {told}\n")
