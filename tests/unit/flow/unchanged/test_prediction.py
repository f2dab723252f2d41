"""Predictions, against work inputs as the embedded engine writes them."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.choice import Choice, How
from pipelines.engine.embedded.past_work import EmbeddedPastWork
from pipelines.engine.embedded.paths import store_dir
from pipelines.engine.embedded.store.host.listing import Listing, TreePart
from pipelines.engine.embedded.store.host.reading import current_files
from pipelines.engine.embedded.store.objects.read_only import ReadOnlyIndex
from pipelines.engine.embedded.store.store import Store
from pipelines.engine.engine_lines import requester_id
from pipelines.errors import EngineUnavailable
from pipelines.flow.attempts import ForeignErrors
from pipelines.flow.dependencies import RunDependencies
from pipelines.flow.folder import ProjectHome
from pipelines.flow.prepare import prepare
from pipelines.flow.request import RunRequest
from pipelines.flow.run import explain_project
from pipelines.flow.unchanged.pass_records import MOST_PASSES, FinishedRun, PassRecords
from pipelines.flow.unchanged.proof import deciding
from pipelines.flow.unchanged.run_settings import RunSettings
from pipelines.foundation.clock import Clock
from pipelines.model import LockedImage, Project, Registry, Result, Source, Status
from pipelines.providers import Provider
from pipelines.steps.image.spec import ImageSpec, ImageTarget
from pipelines.steps.publish.spec import PublishSpec, PublishWhen
from pipelines.steps.scan.spec import ScanSpec
from pipelines.steps.test.spec import TestSpec, configured_tests
from tests.projects import changed, project_with, scan_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipelines.flow.unchanged.prediction import Prediction

CHOICE = Choice(kind="embedded", reason="asked for", how=How.COMMAND)
BASE = LockedImage(name="base", reference="registry/base@sha256:1111", origin="official")


def never(*_: object) -> Any:
    raise AssertionError("a plan asks for no engine")


@dataclass
class Shop:
    """A project whose image takes app/, and whose tests take app/ and tests/."""

    root: Path
    environ: dict[str, str]
    project: Project
    source: Source = field(default_factory=lambda: Source(root="", version="1.0.0"))
    choice: Choice | Exception = CHOICE
    pinned: bool = True
    remote: tuple[str, ...] = ()
    folder: Path | None = None

    def dependencies(self) -> RunDependencies:
        def choose(*_: object) -> Choice:
            if isinstance(self.choice, Exception):
                raise self.choice
            return self.choice

        def clock() -> dt.datetime:
            raise AssertionError

        from pipelines.steps.catalog import builtin

        return RunDependencies(
            detect=lambda _environ: Provider(),
            read_source=lambda _root: self.source,
            builtin=lambda project, source, options: builtin(project, source=source, options=options),
            choose=choose,
            open_engine=never,
            client=never,
            foreign=ForeignErrors,
            write_reports=never,
            write_record=never,
            clock=Clock(now=clock),
        )

    def predict(self, *words: str) -> dict[str, Prediction]:
        _, predictions = explain_project(self.project, RunRequest(selectors=words, environ=self.environ), self.dependencies())
        return {one.id: one for one in predictions}

    def verdicts(self) -> dict[str, str]:
        return {step: one.verdict.value for step, one in self.predict().items()}

    @property
    def store(self) -> Path:
        return store_dir(self.environ, rootless=os.geteuid() != 0)

    def ran(
        self,
        statuses: Mapping[str, Status] | None = None,
        attempts: Mapping[str, str] | None = None,
        used: Mapping[str, Sequence[str] | None] | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """Write down what a run would have left. `used` has what steps used, where it is not what they always use."""
        folder = Listing(str(self.folder or self.root), (), ("**/.lockgate", "stores"), gitignore=False, files={})
        files = current_files(folder, ReadOnlyIndex(self.store))
        assert files is not None
        uses: dict[str, Sequence[str] | None] = {
            "image.shop": ["/app"],
            "publish.shop": ["/app"],
            "test.unit": ["/app", "/tests"],
            "scan.sources": ["/"],
        } | dict(used or {})
        requesters = {
            requester_id(step): {
                "uses": [["host:1", [list(TreePart(path))]] for path in paths],
                "images": [["registry/base:1@sha256:1111", self.pinned]],
                "remote": list(self.remote),
                "results": [f"result of {step}"],
            }
            for step, paths in uses.items()
            if paths is not None
        }
        document = {"store": str(self.store), "folders": {"host:1": [replace(folder, files=files).to_json()]}, "requesters": requesters}
        home = ProjectHome.of(self.root)
        home.make()
        work_inputs = home.path / "work_inputs.json"
        work_inputs.write_text(json.dumps(document))
        ended = {step: (statuses or {}).get(step, Status.PASSED) for step in uses}
        prepared = prepare(self.project, RunRequest(environ=self.environ), self.dependencies())
        settings = RunSettings(node.definition for node in prepared.graph.nodes.values())
        meanwhile()
        records = PassRecords.read(home.passes, self.root, self.environ, EmbeddedPastWork)
        results = [Result(id=step, kind=step.partition(".")[0], name="x", status=status) for step, status in ended.items()]
        self.works(*uses)
        records.note(
            work_inputs,
            FinishedRun(
                id="r1",
                results=results,
                settings=settings.still,
                engine=deciding(records.past, self.project.engine),
                attempts=attempts or {},
            ),
        )
        records.write(home.passes, self.root)

    def works(self, *steps: str, result: str = "") -> None:
        """The engine does the work of steps: what it gives is in its store."""
        store = Store.open(self.store, rootless=True)
        try:
            for step in steps:
                store.put(f"result of {step}", {"result": result})
        finally:
            store.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    root = tmp_path / "shop"
    for name in ("app", "tests"):
        (root / name).mkdir(parents=True)
        (root / name / "main.py").write_text(name)
    (root / "Dockerfile").write_text("FROM base\n")
    project = project_with(
        name="shop",
        root=root,
        images={"shop": ImageSpec(name="shop", base="base")},
        tests={"unit": TestSpec(name="unit", image=ImageTarget(name="shop", target="test"), command=("pytest",))},
        scan=ScanSpec(),
        registry=Registry(url="registry/shop"),
        publish=PublishSpec(when=PublishWhen.ALWAYS),
        locked={"base": BASE},
    )
    return Shop(root, {"LOCKGATE_STORE": str(tmp_path / "stores"), "HOME": str(tmp_path)}, project)


def test_before_the_first_run_everything_runs(shop: Shop) -> None:
    assert {one.reasons for one in shop.predict().values()} == {("it has not passed here yet",)}
    assert not (shop.root / ".lockgate").exists()


def test_what_is_as_it_was_is_cached(shop: Shop) -> None:
    shop.ran()
    assert shop.verdicts() == {
        "image.shop": "cached",
        "test.unit": "cached",
        "scan.shop": "runs",
        "scan.sources": "cached",
        "publish.shop": "unsure",
    }
    assert shop.predict()["publish.shop"].reasons == ("cached if the registry has it as it was",)


def test_a_changed_file_is_named_where_it_counts(shop: Shop) -> None:
    shop.ran()
    (shop.root / "tests" / "main.py").write_text("other")
    (shop.root / "tests" / "new.py").write_text("new")
    found = shop.predict()
    assert found["image.shop"].verdict == "cached"
    assert found["test.unit"].reasons == ("host file tests/main.py changed", "host file tests/new.py is new")
    assert found["test.unit"].because == ()


def test_what_a_step_shares_with_one_it_needs_is_because_of_that(shop: Shop) -> None:
    shop.ran()
    (shop.root / "app" / "main.py").unlink()
    found = shop.predict()
    assert found["image.shop"].reasons == ("host file app/main.py is gone",)
    assert found["test.unit"].because == ("image.shop",)
    assert found["scan.sources"].because == ()


def test_a_step_with_reasons_of_its_own_names_them(shop: Shop) -> None:
    shop.ran()
    for folder in ("app", "tests"):
        (shop.root / folder / "main.py").write_text("other")
    found = shop.predict()["test.unit"]
    assert (found.reasons, found.because) == (("host file app/main.py changed", "host file tests/main.py changed"), ())


def test_many_changed_files_are_counted(shop: Shop) -> None:
    shop.ran()
    for number in range(5):
        (shop.root / "app" / f"{number}.py").write_text("new")
    assert len(shop.predict()["image.shop"].reasons) == 4
    assert shop.predict()["image.shop"].reasons[-1] == "2 more host files changed"


def test_a_moved_base_is_told_by_its_digests(shop: Shop) -> None:
    shop.ran()
    shop.project = replace(shop.project, locked={"base": replace(BASE, reference="registry/base@sha256:2222")})
    assert shop.predict()["image.shop"].reasons == ("base digest moved: base sha256:1111 → sha256:2222",)


def test_another_variable_is_named(shop: Shop) -> None:
    shop.ran()
    unit = configured_tests(shop.project)["unit"]
    shop.project = changed(shop.project, tests={"unit": replace(unit, env={"DEBUG": "1"})})
    assert shop.predict()["test.unit"].reasons == ("[tests.unit] environment variable DEBUG is new",)
    assert shop.verdicts()["image.shop"] == "cached"


def test_a_tag_may_have_moved(shop: Shop) -> None:
    shop.pinned, shop.remote = False, ("git https://example.com/x",)
    shop.ran()
    found = shop.predict()["image.shop"]
    assert (found.verdict, found.reasons) == (
        "unsure",
        ("cached if registry/base:1 still is sha256:1111", "cached if git https://example.com/x has not changed"),
    )


def test_what_only_judges_is_no_reason_to_be_sure(shop: Shop) -> None:
    shop.ran()
    shop.project = changed(shop.project, scan=replace(scan_in(shop.project), max_age_days=1))
    found = shop.predict()["scan.sources"]
    assert found.verdict == "unsure"
    assert found.reasons[0].startswith("[scan] max_age_days changed")


def test_a_result_that_was_collected_is_made_again(shop: Shop) -> None:
    shop.ran()
    (shop.store / "index.db").unlink()
    assert shop.predict()["image.shop"].reasons == ("its result is no longer in the engine's store, or was made again since",)


def test_a_result_that_was_made_again_is_another_one(shop: Shop) -> None:
    """By a run that was killed before it noted a failure, or by another checkout of the project."""
    shop.ran()
    shop.works("image.shop", "test.unit")
    assert shop.verdicts()["test.unit"] == "cached"
    shop.works("test.unit", result="another one")
    assert "made again since" in shop.predict()["test.unit"].reasons[0]
    assert shop.verdicts()["image.shop"] == "cached"


def test_another_store_is_another_cache(shop: Shop) -> None:
    shop.ran()
    shop.environ["LOCKGATE_STORE"] += "-other"
    assert "uses another store" in shop.predict()["image.shop"].reasons[0]


def test_a_failure_with_the_same_inputs_runs_again(shop: Shop) -> None:
    shop.ran()
    shop.ran({"test.unit": Status.FAILED})
    assert "has failed since" in shop.predict()["test.unit"].reasons[0]
    assert shop.verdicts()["image.shop"] == "cached"
    shop.ran()
    assert shop.verdicts()["test.unit"] == "cached"


def test_what_passed_before_the_last_time_is_still_there(shop: Shop) -> None:
    shop.ran()
    file = shop.root / "app" / "main.py"
    file.write_text("other")
    assert shop.verdicts()["image.shop"] == "runs"
    shop.ran()
    file.write_text("app")
    assert shop.verdicts()["image.shop"] == "cached"
    file.write_text("new")
    assert shop.predict()["image.shop"].reasons == ("host file app/main.py changed",)


def test_a_failure_that_was_taken_back_does_not_count(shop: Shop) -> None:
    shop.ran()
    file = shop.root / "tests" / "main.py"
    file.write_text("broken")
    shop.ran({"test.unit": Status.FAILED})
    assert shop.predict()["test.unit"].reasons == ("host file tests/main.py changed",)
    file.write_text("tests")
    assert shop.verdicts()["test.unit"] == "cached"


@pytest.mark.parametrize("used", [None, (), ("/app",)], ids=["nobody knows", "nothing", "a part"])
def test_a_failure_that_may_have_had_the_inputs_of_a_pass_counts(shop: Shop, used: Sequence[str] | None) -> None:
    shop.ran()
    shop.ran({"test.unit": Status.FAILED}, used={"test.unit": used})
    assert "has failed since" in shop.predict()["test.unit"].reasons[0]
    assert shop.verdicts()["image.shop"] == "cached"


def test_a_failure_of_a_step_with_other_settings_does_not_count(shop: Shop) -> None:
    shop.ran()
    unit, before = configured_tests(shop.project)["unit"], shop.project
    shop.project = changed(shop.project, tests={"unit": replace(unit, env={"DEBUG": "1"})})
    shop.ran({"test.unit": Status.FAILED}, used={"test.unit": None})
    shop.project = before
    assert shop.verdicts()["test.unit"] == "cached"


def test_a_step_that_was_stopped_has_not_failed(shop: Shop) -> None:
    shop.ran()
    shop.ran({"test.unit": Status.CANCELLED}, used={"test.unit": ("/app",)})
    assert shop.verdicts()["test.unit"] == "cached"


def test_a_dockerfile_that_was_edited_while_the_run_worked_proves_nothing(shop: Shop) -> None:
    file = shop.root / "Dockerfile"
    before = file.read_text()

    def edit_and_undo() -> None:
        file.write_text("FROM other\n")
        file.write_text(before)

    shop.ran(meanwhile=edit_and_undo)
    assert {shop.verdicts()[step] for step in ("image.shop", "test.unit", "publish.shop")} == {"runs"}
    assert shop.verdicts()["scan.sources"] == "cached"


def test_a_pass_with_another_token_is_another_outcome(shop: Shop) -> None:
    shop.ran(attempts={"test.unit": "run-7"})
    assert shop.verdicts()["test.unit"] == "runs"
    state = {"schema": 1, "steps": {"test.unit": {"status": "passed", "run": "r", "attempt": "run-7"}}}
    ProjectHome.of(shop.root).state.write_text(json.dumps(state))
    assert shop.verdicts()["test.unit"] == "cached"


def _another_schema(text: str) -> str:
    head, _, body = text.partition("\n")
    return json.dumps({**json.loads(head), "schema": 1}) + "\n" + body


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda _: "{",
        lambda _: "3\n{}",
        _another_schema,
        lambda text: text[:-2],
        lambda text: text.partition("\n")[2],
        lambda text: text.replace("sha256:1111", "sha256:2222"),
        lambda text: text.replace('"work":{', '"work":{"x":[],'),
    ],
)
def test_records_that_are_not_as_they_were_written_are_none(shop: Shop, change: Callable[[str], str]) -> None:
    shop.ran()
    path = ProjectHome.of(shop.root).passes
    path.write_text(path.read_text())
    assert shop.verdicts()["image.shop"] == "cached"
    path.write_text(change(path.read_text()))
    assert shop.predict()["image.shop"].reasons == ("it has not passed here yet",)


def test_records_are_read_as_they_were_written_without_folders_no_record_uses(shop: Shop) -> None:
    shop.ran()
    for number in range(6):
        (shop.root / "app" / "main.py").write_text(str(number))
        shop.ran()
    home = ProjectHome.of(shop.root)
    records = PassRecords.read(home.passes, shop.root, shop.environ, EmbeddedPastWork)
    records.write(home.passes, shop.root)
    again = PassRecords.read(home.passes, shop.root, shop.environ, EmbeddedPastWork)
    assert again.steps == records.steps
    assert len(json.loads(home.passes.read_text().partition("\n")[2])["folders"]) == MOST_PASSES


def test_a_project_that_moved_is_looked_at_where_it_is(shop: Shop) -> None:
    shop.ran()
    moved = shop.root.with_name("moved")
    shutil.copytree(shop.root, moved)
    shop.root, shop.project = moved, replace(shop.project, root=moved)
    assert shop.verdicts()["test.unit"] == "cached"
    (moved / "tests" / "main.py").write_text("other")
    assert shop.predict()["test.unit"].reasons == ("host file tests/main.py changed",)


def test_what_is_beside_a_project_that_moved_may_be_something_else(shop: Shop) -> None:
    shop.project = changed(shop.project, images={"shop": ImageSpec(name="shop", base="base", context="..")})
    shop.folder = shop.root.parent
    shop.ran()
    assert shop.verdicts()["image.shop"] == "cached"
    moved = shop.root.parent / "elsewhere" / "shop"
    shutil.copytree(shop.root, moved)
    shop.root, shop.project = moved, replace(shop.project, root=moved)
    assert "cannot be compared" in shop.predict()["image.shop"].reasons[0]


def test_a_dagger_engine_keeps_its_own_cache(shop: Shop) -> None:
    shop.ran()
    shop.choice = Choice(kind="dagger", reason="dagger found", how=How.COMMAND)
    found = shop.predict()["image.shop"]
    assert (found.verdict, found.reasons) == ("unsure", ("a Dagger engine keeps its own cache (dagger found)",))


def test_without_an_engine_nothing_is_known(shop: Shop) -> None:
    shop.choice = EngineUnavailable("no engine can run containers here")
    assert set(shop.verdicts().values()) == {"unsure"}


def test_a_step_of_ones_own_runs(shop: Shop) -> None:
    (shop.root / "lockgate.py").write_text("from pipelines import pipeline\n@pipeline.step\nasync def mine() -> None: ...\n")
    assert shop.predict("step.mine")["step.mine"].reasons == ("its own code runs every time",)
