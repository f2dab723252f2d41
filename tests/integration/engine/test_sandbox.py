"""Commands in real containers: what they are given, what they give back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import EngineError, InvalidInput
from pipelines.engine.embedded.sandbox.spec import Bind, SecretFile, Tmpfs

if TYPE_CHECKING:
    from pipelines.engine.embedded.sandbox.spec import Stream
    from tests.integration.engine.machine import Box

pytestmark = pytest.mark.root


async def test_streams_and_exit_code(box: Box) -> None:
    result = await box.sh("echo one; echo two >&2; echo three; exit 7")
    assert (result.exit.code, result.stdout, result.stderr) == (7, "one\nthree\n", "two\n")
    assert result.combined == "one\nthree\ntwo\n"


async def test_output_is_seen_while_the_command_runs(box: Box) -> None:
    seen: list[tuple[Stream, bytes]] = []
    fifo_made = "mkfifo /tmp/go; echo ready; read line < /tmp/go; echo $line"

    def answer(stream: Stream, data: bytes) -> None:
        seen.append((stream, data))
        if data == b"ready\n":
            (box.rootfs / "tmp/go").write_text("went on\n")

    result = await box.sh(fifo_made, on_output=answer)
    assert seen == [("stdout", b"ready\n"), ("stdout", b"went on\n")]
    assert result.stdout == "ready\nwent on\n"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("no-such-program", 'exec: "no-such-program": executable file not found in $PATH'),
        ("/no/such/program", 'exec: "/no/such/program": stat /no/such/program: no such file or directory'),
        ("/etc/passwd", 'exec: "/etc/passwd": permission denied'),
    ],
)
async def test_a_command_that_cannot_be_started(box: Box, command: str, told: str) -> None:
    result = await box.run(command, "x")
    assert (result.exit.code, result.exit.error) == (1, told)
    assert (result.stdout, result.stderr, result.combined) == ("", f"{told}\n", f"{told}\n")


async def test_a_container_that_cannot_be_set_up_is_an_error(box: Box, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="the container could not be started"):
        await box.sh("true", mounts=(Bind(tmp_path / "missing", "/x"),))
    assert (await box.sh("true")).exit.code == 0


async def test_standard_input(box: Box, tmp_path: Path) -> None:
    (tmp_path / "input").write_text("from a file")
    assert (await box.run("cat", stdin=b"hello\nthere")).stdout == "hello\nthere"
    assert (await box.run("cat", stdin=b"")).stdout == ""
    assert (await box.run("cat", stdin=tmp_path / "input")).stdout == "from a file"
    assert (await box.run("cat")).stdout == ""


async def test_a_command_that_reads_no_input_is_not_held_up_by_much_of_it(box: Box) -> None:
    assert (await box.sh("read line; echo $line", stdin=b"first\n" + b"x" * 3_000_000)).stdout == "first\n"


async def test_environment_has_path_and_home(box: Box) -> None:
    result = await box.run("env", env=("A=1",))
    assert sorted(result.stdout.splitlines()) == ["A=1", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("", "0:0:0 /root"),
        ("dev", "1234:1234:1234 50 /home/dev"),
        ("1234", "1234:1234:1234 50 /home/dev"),
        ("dev:staff", "1234:50:50 /home/dev"),
        ("1000:1001", "1000:1001:1001 /"),
    ],
)
async def test_users(box: Box, user: str, shown: str) -> None:
    result = await box.sh('echo "$(id -u):$(id -g):$(id -G) $HOME"', user=user)
    assert result.stdout.strip() == shown


async def test_a_user_who_is_not_there(box: Box) -> None:
    with pytest.raises(InvalidInput, match="unable to find user nope: no matching entries in passwd file"):
        await box.sh("true", user="nope")


async def test_an_ordinary_user_can_write_to_its_streams_by_name(box: Box) -> None:
    result = await box.sh("echo out > /dev/stdout; echo err > /dev/stderr", user="dev")
    assert (result.stdout, result.stderr) == ("out\n", "err\n")


async def test_a_missing_working_directory_is_made_and_stays(box: Box) -> None:
    assert (await box.sh("pwd", cwd="/a/b")).stdout == "/a/b\n"
    assert (box.rootfs / "a/b").is_dir()


async def test_the_file_system_carries_over(box: Box) -> None:
    await box.sh("echo hi > /made")
    assert (await box.sh("cat /made; rm /made; test -e /made || echo gone")).stdout == "hi\ngone\n"


async def test_mounts(box: Box, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("single")
    mounts = (
        Bind(tmp_path, "/data"),
        Bind(tmp_path, "/fixed", readonly=True),
        Bind(tmp_path / "file", "/etc/one"),
        Tmpfs("/scratch", 1 << 20),
    )
    result = await box.sh(
        "cat /etc/one; echo new > /data/new; cat /fixed/new; touch /fixed/x || echo read-only; df -k /scratch | tail -1",
        mounts=mounts,
    )
    assert result.stdout.startswith("singlenew\nread-only\n")
    assert re.search(r"tmpfs +1024 ", result.stdout)
    assert (tmp_path / "new").read_text() == "new\n"


async def test_secrets_are_files_only_their_owner_reads(box: Box) -> None:
    secrets = (SecretFile("/run/pw", b"s3cr3t-value"), SecretFile("/home/dev/key", b"other", uid=1234, gid=50, mode=0o440))
    result = await box.sh(
        "stat -c '%a %u %g %n' /run/pw /home/dev/key; wc -c < /run/pw; cat /run/pw; echo $PW; echo no > /run/pw",
        secrets=secrets,
        env=("PW=s3cr3t-value",),
        masks=(b"s3cr3t-value",),
    )
    assert result.stdout == "400 0 0 /run/pw\n440 1234 50 /home/dev/key\n12\n******\n"
    assert "Read-only file system" in result.stderr


async def test_nothing_we_mounted_is_in_the_root_file_system_afterwards(box: Box, tmp_path: Path) -> None:
    (box.folder / "lower/etc/hosts").touch()
    secrets = (SecretFile("/run/secrets/deep/pw", b"s3cr3t-value"),)
    await box.sh("true", secrets=secrets, mounts=(Bind(tmp_path, "/src/app"), Tmpfs("/src/tmp")))
    assert [name for name in box.written() if (box.folder / "upper" / name).is_file()] == []
    assert sorted(path.name for path in box.rootfs.iterdir()) == sorted(path.name for path in (box.folder / "lower").iterdir())
    assert [path for name in ("bundles", "runtime") for path in (box.folder / "state" / name).iterdir()] == []


async def test_capabilities_are_dockers(box: Box) -> None:
    shown = (await box.sh("grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status")).stdout.split()
    assert shown == [
        *("CapInh:", "0000000000000000", "CapPrm:", "00000000a80425fb", "CapEff:", "00000000a80425fb"),
        *("CapBnd:", "00000000a80425fb", "CapAmb:", "0000000000000000"),
    ]
    ordinary = (await box.sh("grep CapEff /proc/self/status", user="dev")).stdout
    assert ordinary == "CapEff:\t0000000000000000\n"


async def test_insecure_root_capabilities_are_all_there_are(box: Box) -> None:
    ours = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapBnd"))
    result = await box.sh("grep CapEff /proc/self/status; mkdir /m && mount -t tmpfs x /m && echo mounted", privileged=True)
    assert result.stdout == ours.replace("Bnd", "Eff") + "\nmounted\n"


async def test_signals_end_a_command_as_outside(box: Box) -> None:
    assert (await box.sh("kill -TERM $$; echo survived")).exit.code == 128 + 15
    assert (await box.sh("kill -KILL $$; echo survived")).exit.code == 128 + 9


async def test_no_signal_is_ignored_and_few_descriptors_are_open(box: Box) -> None:
    result = await box.sh("grep SigIgn /proc/self/status; ls /proc/self/fd | wc -l")
    _, ignored, descriptors = result.stdout.split()
    libc_own = 0b11 << 31  # 32 and 33: what posix_spawn(3) starts (make does) has one ignored, and nobody may change that
    assert int(ignored, 16) & ~libc_own == 0
    assert descriptors == "4"  # 0, 1, 2 and the folder itself


async def test_many_lines_of_output(box: Box) -> None:
    result = await box.sh("i=0; while [ $i -lt 20000 ]; do echo line$i; i=$((i+1)); done")
    assert (len(result.stdout), result.stdout[-10:]) == (188_890, "line19999\n")


async def test_name_resolution_files(box: Box) -> None:
    result = await box.sh(
        "cat /etc/hosts; hostname 2>/dev/null || cat /proc/sys/kernel/hostname", hosts={"db": "10.1.2.3"}, hostname="builder"
    )
    assert "10.1.2.3\tdb\n" in result.stdout
    assert result.stdout.endswith("builder\n")
