from __future__ import annotations

import re

import dagger
import pytest
from dagger import dag

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.rootless,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("engine"),
]


def sh(container: dagger.Container, script: str) -> dagger.Container:
    return container.with_exec(["sh", "-c", script])


async def test_the_streams_are_kept_apart(base: dagger.Container) -> None:
    command = sh(base, "echo out; echo err >&2")
    assert [await command.stdout(), await command.stderr(), await command.exit_code()] == ["out\n", "err\n", 0]


async def test_a_failing_command_is_an_exec_error_with_all_that_is_known(base: dagger.Container) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await sh(base, "echo so; echo far >&2; exit 7").sync()
    error = caught.value
    assert (error.command, error.exit_code, error.stdout, error.stderr) == (["sh", "-c", "echo so; echo far >&2; exit 7"], 7, "so", "far")


async def test_a_number_without_an_account_is_a_user_in_no_group(base: dagger.Container, image: str) -> None:
    """Also where the image has groups without members, as shadow and sudo are in Debian's."""
    text = f"FROM {image}\nUSER 1234\n"
    built = dagger.dag.directory().with_new_file("Dockerfile", text).docker_build()
    for container in (built, base.with_user("1234")):
        assert await container.with_exec(["sh", "-c", "echo $(id -u) $(id -g) $(id -G)"]).stdout() == "1234 0 0\n"
    known = base.with_exec(["sh", "-c", "echo 'x:x:1234:50::/:/bin/sh' >> /etc/passwd; echo 'y:x:60:x' >> /etc/group"])
    for user in ("1234", "x"):
        assert await known.with_user(user).with_exec(["sh", "-c", "echo $(id -u) $(id -g) $(id -G)"]).stdout() == "1234 50 50 60\n"


async def test_any_outcome_can_be_expected(base: dagger.Container) -> None:
    command = base.with_exec(["sh", "-c", "echo so; exit 7"], expect=dagger.ReturnType.ANY)
    assert [await command.exit_code(), await command.stdout()] == [7, "so\n"]


@pytest.mark.parametrize("expect", [dagger.ReturnType.ANY, dagger.ReturnType.FAILURE])
async def test_an_exit_by_signal_is_an_error_whatever_is_expected(base: dagger.Container, expect: dagger.ReturnType) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_exec(["sh", "-c", "echo so; kill -9 $$"], expect=expect).exit_code()
    assert (caught.value.exit_code, caught.value.stdout) == (137, "so")
    assert await base.with_exec(["sh", "-c", "exit 200"], expect=expect).exit_code() == 200


async def test_success_is_an_error_where_failure_is_expected(base: dagger.Container) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_exec(["true"], expect=dagger.ReturnType.FAILURE).sync()
    assert caught.value.exit_code == 0


async def test_a_missing_program_is_named(base: dagger.Container) -> None:
    with pytest.raises(dagger.ExecError) as caught:
        await base.with_exec(["no-such-program", "x"]).sync()
    assert (caught.value.exit_code, caught.value.stderr) == (1, 'exec: "no-such-program": executable file not found in $PATH')


async def test_output_before_any_command_is_an_error(base: dagger.Container) -> None:
    with pytest.raises(dagger.QueryError, match="no command has been set"):
        await base.stdout()


async def test_files_go_on_from_command_to_command(base: dagger.Container) -> None:
    made = sh(base, "echo hi > /made")
    assert (
        await sh(made, "cat /made; rm /made; ls /made 2>&1 || true").stdout()
        == "hi\nls: cannot access '/made': No such file or directory\n"
    )
    assert await made.file("/made").contents() == "hi\n"


async def test_standard_input(base: dagger.Container) -> None:
    assert await base.with_exec(["cat"], stdin="hello\nthere").stdout() == "hello\nthere"


async def test_redirected_output_is_in_the_file_and_still_told(base: dagger.Container) -> None:
    command = base.with_exec(["sh", "-c", "echo a; echo b >&2"], redirect_stdout="/out", redirect_stderr="/err")
    answers = [await command.file("/out").contents(), await command.file("/err").contents(), await command.stdout()]
    assert answers == ["a\n", "b\n", "a\n"]


async def test_redirected_input(base: dagger.Container) -> None:
    fed = base.with_new_file("/in", "fed").with_exec(["cat"], redirect_stdin="/in")
    assert await fed.stdout() == "fed"


async def test_the_entrypoint_is_used_only_when_asked(base: dagger.Container) -> None:
    echo = base.with_entrypoint(["echo", "entry"])
    assert await echo.with_exec(["echo", "plain"]).stdout() == "plain\n"
    assert await echo.with_exec(["arg"], use_entrypoint=True).stdout() == "entry arg\n"


async def test_default_arguments(base: dagger.Container) -> None:
    assert await base.without_entrypoint().with_default_args(["echo", "default"]).with_exec([]).stdout() == "default\n"
    with pytest.raises(dagger.QueryError, match="no command has been set"):
        await base.without_entrypoint().without_default_args().with_exec([]).sync()


async def test_variables_are_expanded_only_when_asked(base: dagger.Container) -> None:
    who = base.with_env_variable("WHO", "you")
    assert await who.with_exec(["echo", "hi $WHO"], expand=True).stdout() == "hi you\n"
    assert await who.with_exec(["echo", "hi $WHO"]).stdout() == "hi $WHO\n"


async def test_the_environment(base: dagger.Container) -> None:
    out = await base.with_env_variable("A", "1").with_env_variable("B", "x-$A", expand=True).with_exec(["env"]).stdout()
    assert sorted(line for line in out.splitlines() if re.match(r"(A|B|HOME|PWD)=", line)) == ["A=1", "B=x-1", "HOME=/root"]


async def test_a_command_is_alone_in_its_process_namespace_and_root(base: dagger.Container) -> None:
    assert await sh(base, "id -u; id -g; ls /proc | grep -c '^[0-9]' | awk '{print ($1 < 10)}'").stdout() == "0\n0\n1\n"


async def test_the_default_capabilities(base: dagger.Container) -> None:
    assert await sh(base, "grep CapEff /proc/self/status").stdout() == "CapEff:\t00000000a80425fb\n"


async def test_a_user_by_name_with_home_and_by_number(base: dagger.Container) -> None:
    dev = sh(base, "useradd -m -u 1234 dev").with_user("dev")
    assert await sh(dev, "id -un; echo $HOME; pwd").stdout() == "dev\n/home/dev\n/\n"
    assert await sh(base.with_user("1000:1001"), "id -u; id -g").stdout() == "1000\n1001\n"


async def test_the_working_directory_is_made_and_relative_ones_add_up(base: dagger.Container) -> None:
    inside = base.with_workdir("/a/b")
    assert [await sh(inside, "pwd").stdout(), await sh(inside.with_workdir("c"), "pwd").stdout(), await inside.workdir()] == [
        "/a/b\n",
        "/a/b/c\n",
        "/a/b",
    ]


async def test_large_output_is_whole(base: dagger.Container) -> None:
    out = await sh(base, "i=0; while [ $i -lt 20000 ]; do echo line$i; i=$((i+1)); done").stdout()
    assert (len(out), out[-10:]) == (188890, "line19999\n")


async def test_loopback_is_up_and_the_host_has_a_name(base: dagger.Container) -> None:
    script = "import socket; print(len(socket.gethostname()) > 0); s=socket.socket(); s.bind(('127.0.0.1', 8099)); print(1)"
    assert await base.with_exec(["python3", "-c", script]).stdout() == "True\n1\n"


async def test_a_command_that_fails_fails_whatever_needs_its_result(base: dagger.Container, is_real: bool) -> None:
    """A real engine runs a command for every answer about what comes after it, the embedded one only where the answer depends on it."""
    doomed = base.with_exec(["false"]).with_workdir("/later")
    if not is_real:
        assert await doomed.workdir() == "/later"
    with pytest.raises(dagger.ExecError):
        await doomed.rootfs().entries()


async def test_a_scratch_container_holds_only_what_was_put_in() -> None:
    assert await dag.container().with_new_file("/only", "1").rootfs().entries() == ["only"]
