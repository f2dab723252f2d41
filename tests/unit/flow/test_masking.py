from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.flow.masking import mask_files, masked_copy
from pipelines.foundation.redaction import Redactor
from pipelines.model import Case, Check, Finding, Location, PublishedImage, Result, Severity, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.steps.definition import StepContext, StepDef
    from tests.unit.flow.conftest import Lab

SECRET = "hunter2-hunter2"
REDACTOR = Redactor([SECRET])


def test_every_text_of_a_result_is_masked() -> None:
    finding = Finding(rule=SECRET, severity=Severity.HIGH, message=f"a {SECRET}", location=Location(target=SECRET), remedy=SECRET)
    case = Case(name=f"test[{SECRET}]", suite="s", status="failed", message=SECRET, detail=f"assert {SECRET!r}")
    check = Check(verdict=Verdict.FAIL, reason=SECRET, findings=(finding,), cases=(case,), facts={"seen": SECRET, "count": 3})
    result = Result(
        id="test.unit",
        kind="test",
        name="unit",
        status=Status.FAILED,
        value=check,
        reason=SECRET,
        next_step=SECRET,
        warning=SECRET,
        findings=(finding,),
        cases=(case,),
        facts=check.facts,
    )
    clean = masked_copy(result, REDACTOR)
    assert SECRET not in repr(clean)
    assert clean.facts == {"seen": "***", "count": 3}
    assert clean.cases[0].name == "test[***]"


def test_names_and_paths_stay_usable() -> None:
    result = Result(id=f"test.{SECRET}", kind="test", name=SECRET, status=Status.PASSED, needs=(SECRET,), artifacts=(f"/x/{SECRET}",))
    assert masked_copy(result, REDACTOR) is result


def test_a_published_image_can_still_be_found_but_its_labels_hold_no_secret() -> None:
    image = PublishedImage(name=SECRET, repository=f"host/{SECRET}", digest="sha256:1", tags=(SECRET,), labels={"a": SECRET, "b": "c"})
    result = Result(id="publish.shop", kind="publish", name="shop", status=Status.PASSED, value=image)
    clean = masked_copy(result, REDACTOR).value
    assert clean == dataclasses.replace(image, labels={"a": "***", "b": "c"})


def test_a_value_of_the_users_own_is_not_touched() -> None:
    value = object()
    result = Result(id="a.b", kind="a", name="b", status=Status.PASSED, value=value, reason=SECRET)
    assert masked_copy(result, REDACTOR).value is value


def test_files_are_cleaned_and_others_not_written(tmp_path: Path) -> None:
    dirty, clean, binary = tmp_path / "junit.xml", tmp_path / "clean.txt", tmp_path / "x.bin"
    dirty.write_text(f"<failure>{SECRET}</failure>")
    clean.write_text("nothing")
    clean.chmod(0o444)
    binary.write_bytes(b"\xff\x00" + SECRET.encode() + b"\xfe")
    before = clean.stat().st_mtime_ns
    assert mask_files((str(dirty), str(clean), str(binary), str(tmp_path), str(tmp_path / "gone")), REDACTOR) == ()
    assert dirty.read_text() == "<failure>***</failure>"
    assert clean.stat().st_mtime_ns == before
    assert binary.read_bytes() == b"\xff\x00***\xfe"


def test_a_secret_reaches_neither_log_nor_board_nor_result_nor_artifact(lab: Lab, make: Callable[..., StepDef]) -> None:
    async def leaks(context: StepContext) -> Check:
        context.mask(SECRET)
        for character in f"token {SECRET} end":
            context.log(character)
        path = context.folder / "out.txt"
        path.write_text(SECRET)
        return Check(verdict=Verdict.FAIL, reason=f"saw {SECRET}", artifacts=(str(path),))

    result = lab.run(make(leaks))["step.leaks"]
    shown = "".join(event[2] for event in lab.sink.of("output"))
    assert shown == lab.log("step.leaks") == "token *** end"
    assert result.tail == ("token *** end",)
    assert (result.reason, Path(result.artifacts[0]).read_text()) == ("saw ***", "***")


def test_a_secret_in_a_traceback_is_masked(lab: Lab, make: Callable[..., StepDef]) -> None:
    lab.redactor.register(SECRET)

    async def crashes() -> None:
        raise ValueError(f"cannot log in with {SECRET}")

    result = lab.run(make(crashes))["step.crashes"]
    assert result.reason == "ValueError: cannot log in with ***"
    assert SECRET not in lab.log("step.crashes")


def test_a_secret_in_the_reason_for_another_try_is_masked(lab: Lab, make: Callable[..., StepDef]) -> None:
    lab.redactor.register(SECRET)

    async def shaky(context: StepContext) -> None:
        raise ConnectionResetError(f"reset by {SECRET}")

    lab.run(make(shaky, retries=1))
    assert [event[2] for event in lab.sink.of("retry")] == ["ConnectionResetError: reset by ***"]


def test_a_secret_too_short_to_mask_is_said(lab: Lab, make: Callable[..., StepDef]) -> None:
    async def short(context: StepContext) -> None:
        context.mask("abc")
        context.mask("")
        context.mask("long enough")

    lab.run(make(short))
    assert lab.log("step.short") == "a secret of fewer than 4 characters is not masked: too much of the output would be hidden\n"


def test_a_value_reaches_the_next_step_as_it_was_returned(lab: Lab, make: Callable[..., StepDef]) -> None:
    lab.redactor.register("prod")
    seen: list[object] = []

    async def deploys() -> Check:
        return Check(verdict=Verdict.PASS, reason="for production", facts={"to": "production"})

    async def asks() -> str:
        return "production"

    async def reads(deploys: Check, asks: str) -> None:
        seen.extend([deploys.reason, deploys.facts["to"], asks])

    results = lab.run(make(deploys), make(asks), make(reads))
    assert seen == ["for production", "production", "production"]
    assert results["step.deploys"].reason == "for ***uction"


def test_a_file_of_any_size_is_masked(tmp_path: Path) -> None:
    path = tmp_path / "output.txt"
    with path.open("wb") as file:
        for _ in range(70):
            file.write(b"x" * (1 << 20))
        file.write(f"a {SECRET} b\n".encode())
    path.chmod(0o640)
    assert mask_files((str(path),), REDACTOR) == ()
    assert path.read_bytes()[-8:] == b"a *** b\n"
    assert (path.stat().st_size, path.stat().st_mode & 0o777) == ((70 << 20) + 8, 0o640)


def test_a_file_whose_secret_lies_across_two_blocks_is_masked(tmp_path: Path) -> None:
    path = tmp_path / "output.txt"
    path.write_bytes(b"x" * ((1 << 20) - 5) + SECRET.encode())
    mask_files((str(path),), REDACTOR)
    assert path.read_bytes() == b"x" * ((1 << 20) - 5) + b"***"


def test_many_findings_are_masked_beside_the_event_loop(lab: Lab, make: Callable[..., StepDef]) -> None:
    lab.redactor.register(SECRET)

    async def finds() -> Check:
        case = Case(name="t", suite="s", status="failed", message=SECRET)
        return Check(verdict=Verdict.FAIL, reason="no", cases=(case,) * 500)

    assert {case.message for case in lab.run(make(finds))["step.finds"].cases} == {"***"}
