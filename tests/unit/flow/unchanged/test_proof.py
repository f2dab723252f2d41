"""When a step is taken as unchanged, and what then comes back: against a fake of what the engine knows of past work."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.work_inputs import WorkInputs
from pipelines.flow.state_file import StateFile
from pipelines.flow.unchanged.comparison import Comparison
from pipelines.flow.unchanged.kept_result import KeptResult, keep_result, tidy_files
from pipelines.flow.unchanged.pass_records import PassRecord, PassRecords
from pipelines.flow.unchanged.proof import UnchangedSteps
from pipelines.flow.unchanged.run_settings import RunSettings
from pipelines.foundation.clock import Clock
from pipelines.foundation.redaction import Redactor
from pipelines.model import Result, Source, Status
from pipelines.steps.definition import RestoreInputs, StepContext, StepDef, StepSettings
from tests.projects import project_with
from tests.unit.registry.conftest import Server, manifest, server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipelines.flow.unchanged.interface import PastResult
    from pipelines.model import Project

__all__ = ["server"]

WORK, JUDGED = {"command": "1"}, {"limit": "1"}


@dataclass
class FakePastWork:
    """Past work of which a test says what has become of it."""

    store: str = "/store"
    engine: str = "engine"
    changed: list[tuple[str, str]] = field(default_factory=list)
    results: bool = True

    def take_over(self, work_inputs: Path) -> Mapping[str, WorkInputs]:
        raise NotImplementedError

    def differences(self, inputs: WorkInputs) -> Iterator[tuple[str, str]]:
        yield from self.changed

    def has_files(self, whole: WorkInputs, part: WorkInputs) -> bool:
        raise NotImplementedError

    def has_results(self, inputs: WorkInputs) -> bool:
        return self.results

    def folders_to_json(self, wanted: Iterable[WorkInputs]) -> dict[str, Any]:
        raise NotImplementedError


@dataclass
class TextKeeper:
    """Keeps a text, and reads it from the artifact `text` where there is one."""

    judges_anew: bool = False
    error: Exception | None = None

    def keep(self, value: object, project: Project, source: Source) -> Mapping[str, Any] | None:
        return {"text": value}

    async def restore(self, data: Mapping[str, Any], restore_inputs: RestoreInputs) -> object | None:
        if self.error is not None:
            raise self.error
        file = restore_inputs.context.folder / "text"
        return file.read_text() if file.exists() else data["text"]


@dataclass
class Case:
    """A step that has passed, and what is there now."""

    root: Path
    past: FakePastWork = field(default_factory=FakePastWork)
    keeper: TextKeeper = field(default_factory=TextKeeper)
    settings: StepSettings = field(default_factory=lambda: StepSettings(WORK, JUDGED))
    said: list[str] = field(default_factory=list)
    record: PassRecord = field(
        default_factory=lambda: PassRecord(
            inputs=WorkInputs(store="/store"),
            run="r1",
            engine="engine",
            work=WORK,
            judged=JUDGED,
            kept=KeptResult(value={"text": "kept"}, tail=("last line",)).to_json(),
        )
    )

    async def find(self) -> PastResult | None:
        async def works() -> None:
            raise AssertionError

        step = StepDef(
            id="test.unit",
            kind="test",
            name="unit",
            parameters=(),
            provides=None,
            load=lambda: works,
            settings=lambda: self.settings,
            keeper=lambda: self.keeper,
        )
        past = UnchangedSteps(
            project=project_with(root=self.root),
            source=Source(root="/project"),
            environ={},
            clock=Clock(),
            client=self.fail,
            settings=RunSettings([step]),
            records=PassRecords(self.past, {"test.unit": (self.record,)}),
            comparison=Comparison(root=self.root, past=self.past, state=StateFile.read(self.root / "state.json"), engine="engine"),
            kept_files=self.root / "kept",
        )
        return await past.find(step, StepContext(id="test.unit", run_id="r2", folder=self.root / "test.unit", log=self.said.append))

    def fail(self) -> Any:
        raise AssertionError("a proof asks for no client")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


async def test_what_is_as_it_was_gives_its_result_and_the_log_says_so(case: Case) -> None:
    found = await case.find()
    assert found is not None
    assert (found.value, found.run) == ("kept", "r1")
    assert "".join(case.said) == "last line\nnothing changed since run r1: this is its result\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda case: case.past.changed.append(("/project/a", "changed")),
        lambda case: case.past.changed.append(("/project", "cannot be read")),
        lambda case: setattr(case.past, "results", False),
        lambda case: setattr(case.past, "store", "/elsewhere"),
        lambda case: setattr(case, "settings", StepSettings({"command": "2"}, JUDGED)),
        lambda case: setattr(case, "settings", StepSettings(WORK, {"limit": "2"})),
        lambda case: setattr(case, "record", replace(case.record, engine="another")),
        lambda case: setattr(case, "record", replace(case.record, failed_since=True)),
        lambda case: setattr(case, "record", replace(case.record, attempt="r0")),
        lambda case: setattr(case, "record", replace(case.record, kept=None)),
        lambda case: setattr(case, "record", replace(case.record, kept={"value": 1})),
        lambda case: setattr(case, "record", replace(case.record, inputs=replace(case.record.inputs, remote=("git https://h/x",)))),
        lambda case: setattr(case.keeper, "error", ValueError("broken")),
    ],
)
async def test_whatever_has_changed_the_step_works(case: Case, change: Any) -> None:
    change(case)
    assert await case.find() is None


async def test_what_is_judged_anew_may_be_judged_by_something_else(case: Case) -> None:
    case.keeper.judges_anew = True
    case.settings = StepSettings(WORK, {"limit": "2"})
    assert await case.find() is not None


@pytest.mark.parametrize(("answer", "unchanged"), [(manifest(), True), (manifest(other=1), False)])
async def test_a_tag_is_asked_for_at_its_registry(case: Case, server: Server, answer: bytes, unchanged: bool) -> None:
    digest = f"sha256:{hashlib.sha256(manifest()).hexdigest()}"
    images = ((f"{server.address}/team/base:1@{digest}", False), (f"{server.address}/team/pinned@{digest}", True))
    case.record = replace(case.record, inputs=replace(case.record.inputs, images=images))
    server.say(200, answer)
    assert (await case.find() is not None) is unchanged
    assert [path for path, _ in server.asked] == ["/v2/team/base/manifests/1"]


async def test_a_registry_that_does_not_answer_is_a_change(case: Case, server: Server) -> None:
    server.say(503)
    images = ((f"{server.address}/team/base:1@sha256:1", False),)
    case.record = replace(case.record, inputs=replace(case.record.inputs, images=images))
    assert await case.find() is None


def result(folder: Path, **files: str) -> tuple[Result, StepContext]:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    artifacts = tuple(str((folder / name).resolve()) for name in files)
    context = StepContext(id="test.unit", run_id="r1", folder=folder)
    return Result(id="test.unit", kind="test", name="unit", status=Status.PASSED, artifacts=artifacts), context


async def test_artifacts_come_back_into_the_folder_of_the_new_run_or_not_at_all(case: Case) -> None:
    ended, context = result(case.root / "before", text="report")
    kept = keep_result(ended, {"text": "value"}, context, case.root / "kept", Redactor().text)
    assert kept is not None
    case.record = replace(case.record, kept=kept.to_json())
    found = await case.find()
    assert found is not None
    assert found.value == "report"
    assert (case.root / "test.unit" / "text").read_text() == "report"
    (case.root / "kept" / kept.files[0].sha256).write_text("forged")
    assert await case.find() is None
    (case.root / "kept" / kept.files[0].sha256).unlink()
    assert await case.find() is None


async def test_an_artifact_comes_back_into_no_other_folder(case: Case) -> None:
    ended, context = result(case.root / "before", text="report")
    kept = keep_result(ended, {"text": "value"}, context, case.root / "kept", Redactor().text)
    assert kept is not None
    case.record = replace(case.record, kept=replace(kept, files=(replace(kept.files[0], name="../escaped"),)).to_json())
    assert await case.find() is None
    assert not (case.root / "escaped").exists()


@pytest.mark.parametrize(("value", "file"), [("the word s3cret-word", ""), ("***", ""), ("", "a *** line")])
def test_nothing_is_kept_in_which_a_secret_is_or_was(tmp_path: Path, value: str, file: str) -> None:
    ended, context = result(tmp_path / "before", text=file)
    redactor = Redactor(["s3cret-word"])
    assert keep_result(ended, {"text": value}, context, tmp_path / "kept", redactor.text) is None


def test_files_no_result_needs_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    ended, context = result(tmp_path / "before", text="a")
    first = keep_result(ended, {}, context, folder, Redactor().text)
    ended, context = result(tmp_path / "before", text="b")
    second = keep_result(ended, {}, context, folder, Redactor().text)
    assert first is not None
    assert second is not None
    tidy_files(folder, [second.to_json(), None])
    assert [path.name for path in folder.iterdir()] == [second.files[0].sha256]
