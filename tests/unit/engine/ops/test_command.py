from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.commands.command import after, command_of
from pipelines.engine.embedded.ops.commands.exec import ExecOp
from pipelines.engine.embedded.ops.values.config import Config
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP, MountOf
from pipelines.engine.embedded.ops.values.states import CacheMount, CacheState, ContainerState, DirectoryMount, DirectoryState, SecretState

STATE = ContainerState("linux/amd64", config=Config(env=(("A", "1"),), entrypoint=("entry",), cmd=("default", "$A"), workdir="/w"))
SECRET = SecretState("pw", "name:pw", "", lambda: b"hunter2")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"args": ["x"]}, ("x",)),
        ({"args": []}, ("default", "$A")),
        ({"args": ["x"], "useEntrypoint": True}, ("entry", "x")),
        ({"args": [], "useEntrypoint": True}, ("entry", "default", "$A")),
        ({"args": ["$A"]}, ("$A",)),
        ({"args": ["$A"], "expand": True}, ("1",)),
        ({"args": [], "expand": True}, ("default", "1")),
    ],
)
def test_the_words_of_a_command(args: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert command_of(STATE, args).args == expected


def test_no_command_at_all_is_said() -> None:
    with pytest.raises(InvalidInput, match="no command has been set"):
        command_of(ContainerState("linux/amd64"), {"args": []})


def test_redirects_start_from_the_working_directory() -> None:
    command = command_of(STATE, {"args": ["x"], "redirectStdout": "out", "redirectStderr": "/err"})
    assert (command.redirect_stdout, command.redirect_stderr) == ("/w/out", "/err")


def _digest(state: ContainerState, **args: Any) -> str:
    return ExecOp(state.rootfs, command_of(state, {"args": ["x"], **args})).digest


def test_what_shapes_the_outcome_is_in_the_key_and_nothing_else() -> None:
    base = _digest(STATE)
    same = [
        replace(STATE, volatile=(("RUN", "7"),)),
        replace(STATE, config=replace(STATE.config, labels=(("team", "shop"),))),
        replace(STATE, config=replace(STATE.config, entrypoint=("other",))),
        replace(STATE, image_ref="somewhere"),
    ]
    assert {_digest(state) for state in same} == {base}
    other = [
        replace(STATE, config=STATE.config.with_env("A", "2")),
        replace(STATE, config=replace(STATE.config, user="1000")),
        replace(STATE, config=replace(STATE.config, workdir="/v")),
        replace(STATE, mounts=(CacheMount("/c", CacheState("pip")),)),
        replace(STATE, secret_env=(("PW", SECRET),)),
    ]
    assert len({_digest(state) for state in other} | {base}) == len(other) + 1
    assert len({_digest(STATE, stdin="a"), _digest(STATE, expect="ANY"), _digest(STATE, noInit=True), base}) == 4


def test_a_secret_counts_by_name_never_by_value() -> None:
    other_value = replace(SECRET, read=lambda: b"correct horse")
    one, two = (replace(STATE, secret_env=(("PW", secret),)) for secret in (SECRET, other_value))
    assert _digest(one) == _digest(two)
    assert "hunter2" not in repr(one)


def test_writable_mounts_go_on_as_what_they_became_and_others_as_they_are() -> None:
    cache, fixed = CacheMount("/c", CacheState("pip")), DirectoryMount("/r", DirectoryState(), readonly=True)
    state = replace(STATE, mounts=(DirectoryMount("/a", DirectoryState(path="/sub")), cache, fixed, DirectoryMount("/b", DirectoryState())))
    execution = ExecOp(SCRATCH_OP, command_of(state, {"args": ["x"]}))
    left = after(state, execution)
    assert left.rootfs is left.last is execution
    first, kept, readonly, second = left.mounts
    assert (kept, readonly) == (cache, fixed)
    assert isinstance(first, DirectoryMount)
    assert isinstance(second, DirectoryMount)
    assert (first.source.path, first.target) == ("/sub", "/a")
    places = [mount.source.op.index for mount in (first, second) if isinstance(mount.source.op, MountOf)]
    assert places == [0, 1]
