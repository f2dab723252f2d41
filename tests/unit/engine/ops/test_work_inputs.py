"""What an op depends on, followed down to folders of the host."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.dockerfile.building.copy import CopySources
from pipelines.engine.embedded.dockerfile.instructions.copy import CopySource
from pipelines.engine.embedded.ops.commands.command import command_of
from pipelines.engine.embedded.ops.commands.exec import ExecOp
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.copies import CopyDirectory, CopyFile
from pipelines.engine.embedded.ops.files.edits import WriteFile
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP, Constant, MountOf, Op
from pipelines.engine.embedded.ops.values.states import Binding, ContainerState, DirectoryMount, DirectoryState, ServiceState
from pipelines.engine.embedded.ops.work_inputs import WorkInputsWriter
from pipelines.engine.embedded.requester import REQUESTER
from pipelines.engine.embedded.store.host.listing import Listing, TreePart
from pipelines.engine.embedded.store.snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

HOST = Constant(Snapshot("host:1", ("l1",)))
STATE = ContainerState("linux/amd64")


def run(state: ContainerState, *words: str) -> ExecOp:
    return ExecOp(state.rootfs, command_of(state, {"args": list(words)}))


@pytest.fixture
def work_inputs(tmp_path: Path) -> WorkInputsWriter:
    made = WorkInputsWriter(tmp_path / "work_inputs.json", "/the/store")
    made.folder("host:1", Listing("/srv", (), ("x",), gitignore=False, files={"a": ("100644", "hash")}))
    return made


def written(work_inputs: WorkInputsWriter, *ops: Op, requester: str = "00f067aa0ba902b7") -> dict[str, Any]:
    token = REQUESTER.set(requester)
    try:
        for op in ops:
            work_inputs.done(op)
    finally:
        REQUESTER.reset(token)
    work_inputs.write()
    document: dict[str, Any] = json.loads(work_inputs.path.read_text())
    assert (document["schema"], document["store"]) == (1, "/the/store")
    found: dict[str, Any] = document["requesters"].get(requester, {})
    return found


def uses(entry: dict[str, Any]) -> set[tuple[TreePart, ...]]:
    assert {snapshot for snapshot, _ in entry["uses"]} <= {"host:1"}
    return {tuple(TreePart.from_json(narrow) for narrow in narrows) for _, narrows in entry["uses"]}


def test_copies_count_by_what_they_copy(work_inputs: WorkInputsWriter) -> None:
    op = ActionOp(SCRATCH_OP, CopyDirectory("/dest", HOST, "/app", exclude=("*.pyc",)))
    op = ActionOp(op, CopyFile("/x", HOST, "/setup.py"))
    op = ActionOp(op, CopySources(HOST, "/", (CopySource("/tests/*.py"), CopySource("/", parents="a/b")), "/"))
    assert uses(written(work_inputs, op)) == {
        (TreePart("/app", exclude=("*.pyc",)),),
        (TreePart("/setup.py"),),
        (TreePart("/tests/*.py", wild=True),),
        (TreePart("/", include=("a/b",), wild=True),),
    }


def test_a_copy_of_a_filtered_copy_counts_by_both(work_inputs: WorkInputsWriter) -> None:
    context = ActionOp(SCRATCH_OP, CopyDirectory("/", HOST, "/", exclude=("docs",)))
    op = ActionOp(SCRATCH_OP, CopySources(context, "/", (CopySource("/app"),), "/"))
    assert uses(written(work_inputs, context, op)) == {(TreePart("/", exclude=("docs",)), TreePart("/app", wild=True))}


def test_a_copy_elsewhere_counts_as_a_whole(work_inputs: WorkInputsWriter) -> None:
    moved = ActionOp(SCRATCH_OP, CopyDirectory("/sub", HOST, "/"))
    op = ActionOp(SCRATCH_OP, CopySources(moved, "/", (CopySource("/sub/app"),), "/"))
    assert uses(written(work_inputs, op)) == {(TreePart("/"),)}


def test_a_command_counts_by_its_root_and_what_is_mounted(work_inputs: WorkInputsWriter) -> None:
    state = replace(STATE, mounts=(DirectoryMount("/m", DirectoryState(HOST, "/data")), DirectoryMount("/n", DirectoryState(HOST))))
    entry = written(work_inputs, run(state, "x"))
    assert uses(entry) == {(TreePart("/data"),), ()}
    assert entry["results"] == [run(state, "x").digest]


def test_what_a_mount_became_counts_by_the_command(work_inputs: WorkInputsWriter) -> None:
    state = replace(STATE, mounts=(DirectoryMount("/m", DirectoryState(HOST, "/data")),))
    entry = written(work_inputs, MountOf(run(state, "x"), 0))
    assert uses(entry) == {(TreePart("/data"),)}
    assert entry["results"] == [run(state, "x").digest]


def test_a_service_counts_by_its_recipe(work_inputs: WorkInputsWriter) -> None:
    served = replace(STATE, rootfs=ActionOp(SCRATCH_OP, CopyFile("/x", HOST, "/setup.py")))
    service = ServiceState("digest", container=served, command=command_of(served, {"args": ["serve"]}))
    entry = written(work_inputs, run(replace(STATE, bindings=(Binding("web", service),)), "x"))
    assert uses(entry) == {()}


def test_what_was_asked_for_another_op_counts_only_there(work_inputs: WorkInputsWriter) -> None:
    inner = ActionOp(SCRATCH_OP, CopyDirectory("/", HOST, "/"))
    outer = ActionOp(SCRATCH_OP, CopyDirectory("/", inner, "/app"))
    assert uses(written(work_inputs, inner, outer)) == {(TreePart("/"), TreePart("/app"))}


def test_a_folder_that_is_looked_into_is_no_work(work_inputs: WorkInputsWriter) -> None:
    assert written(work_inputs, HOST) == {"uses": [], "images": [], "remote": [], "results": []}


def test_what_nobody_asked_for_is_not_written(work_inputs: WorkInputsWriter) -> None:
    written(work_inputs, run(STATE, "x"), requester="")
    assert json.loads(work_inputs.path.read_text())["requesters"] == {}


def test_a_chain_may_be_long(work_inputs: WorkInputsWriter) -> None:
    op: Op = ActionOp(SCRATCH_OP, CopyFile("/x", HOST, "/setup.py"))
    for number in range(3000):
        op = ActionOp(op, WriteFile(f"/{number}", b""))
    assert uses(written(work_inputs, op)) == {(TreePart("/setup.py"),)}


def test_a_file_that_cannot_be_written_is_not_there(tmp_path: Path) -> None:
    WorkInputsWriter(tmp_path / "no" / "work_inputs.json", "").write()
    assert not (tmp_path / "no").exists()


def test_it_is_kept_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LOCKGATE_ENGINE_WORK_INPUTS", raising=False)
    assert WorkInputsWriter.of_environment(tmp_path) is None
    monkeypatch.setenv("LOCKGATE_ENGINE_WORK_INPUTS", str(tmp_path / "x"))
    assert WorkInputsWriter.of_environment(tmp_path) == WorkInputsWriter(tmp_path / "x", str(tmp_path))
