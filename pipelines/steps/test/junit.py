"""JUnit XML in: cases out of what pytest, Maven, Gradle, Go, Jest, CTest, GoogleTest, Catch2, PHPUnit and others write.

There is no standard. What is read is what the writers share: `testcase` elements at any depth below `testsuite`, with at most one of
`failure`, `error`, `skipped` that counts, the worst first. Where writers differ, nothing that failed is ever counted as passed: errors of
a suite outside any case, and failures that a suite counts but does not show, are cases of their own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.model import Case, Finding, Location, Severity
from pipelines.steps.test.junit_numbers import seconds, whole
from pipelines.steps.test.junit_xml import NotJUnit, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from xml.etree import ElementTree as ET

_TAGS = {"error": "error", "failure": "failed", "skipped": "skipped", "disabled": "skipped", "ignored": "skipped"}
_FLAKY = frozenset({"flakyFailure", "flakyError", "rerunFailure", "rerunError"})
"""Attempts that failed, beside the last one, as Surefire, Gradle and cargo-nextest tell them."""
_WORDS = {
    **dict.fromkeys(("notrun", "suppressed", "skipped", "disabled", "ignored", "pending", "inconclusive"), "skipped"),
    **dict.fromkeys(("fail", "failed", "failure", "broken"), "failed"),
    **dict.fromkeys(("error", "errored"), "error"),
}
"""What the attributes `status` and `result` say where no element says it (CTest, GoogleTest)."""
_SUITES = frozenset({"testsuites", "testsuite"})
OUTSIDE, UNSEEN = "outside any test", "not in the report"  # names for findings that are not cases of the report
BAD = frozenset({"failed", "error"})
_FLAG = re.compile(r"--?(?:junit-?xml|junitfile|junit-report|junit-path)(?:=|$)")
_OTHERS = {
    "TestRun": "a TRX report of .NET: its logger `junit` (JunitXml.TestLogger) writes JUnit",
    "test-run": "NUnit's own report: its JUnit output is a transformation, or the logger JunitXml.TestLogger",
    "test-results": "NUnit's own report: its JUnit output is a transformation, or the logger JunitXml.TestLogger",
    "assemblies": "xUnit.net's own report: `-jUnit FILE` writes JUnit",
    "robot": "Robot Framework's own report: `--xunit FILE` writes JUnit",
    "Site": "CTest's own report: `--output-junit FILE` writes JUnit",
    "Catch2TestRun": "Catch2's own report: `--reporter junit` writes JUnit",
    "Catch": "Catch2's own report: `--reporter junit` writes JUnit",
    "coverage": "a coverage report",
    "checkstyle": "a Checkstyle report",
}

__all__ = ["BAD", "OUTSIDE", "UNSEEN", "NotJUnit", "findings", "named_in", "parse", "settle", "title"]


def parse(data: bytes | str) -> tuple[Case, ...]:
    """The cases of a report, in its order.

    Raises:
        NotJUnit: the text is not XML, declares a document type, or is another kind of report.
    """
    root = read(data)
    if _name(root) not in _SUITES:
        known = _OTHERS.get(_name(root))
        raise NotJUnit(f"it is {known}" if known else f"its outermost element is <{_name(root)}>, not <testsuites> or <testsuite>")
    return tuple(_cases(root))


def settle(cases: Sequence[Case], *, all_is_well: bool) -> tuple[Case, ...]:
    """One case for each that was repeated until it passed: flaky, if the command says that all is well. Otherwise each stands as it is."""
    attempts: dict[tuple[str, str, str | None, int | None], list[Case]] = {}
    for case in cases:
        attempts.setdefault((case.suite, case.name, case.path, case.line), []).append(case)
    settled: list[Case] = []
    for group in attempts.values():
        failed = [case for case in group if case.status in BAD]
        if all_is_well and failed and group[-1].status == "passed":
            settled.append(replace(group[-1], flaky=True, message=failed[0].message, detail=failed[0].detail))
        else:
            settled += group
    return tuple(settled)


def named_in(command: Iterable[str]) -> str | None:
    """The report a command is told to write (`--junitxml=PATH`, `--junitfile PATH` and their like)."""
    words = list(command)
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if _FLAG.match(word):
            return word.partition("=")[2] or after or None
    return None


def findings(cases: Iterable[Case]) -> tuple[Finding, ...]:
    """One finding for every case that failed, and a small one for every case that is flaky."""
    return tuple(
        Finding(
            rule=title(case),
            severity=Severity.LOW if case.flaky else Severity.HIGH,
            message=f"flaky: passed when run again, after: {case.message or 'a failure'}" if case.flaky else case.message or case.status,
            location=Location(path=case.path, line=case.line, target=None if case.path else case.suite),
        )
        for case in cases
        if case.flaky or case.status in BAD
    )


def title(case: Case) -> str:
    """`suite::name`."""
    return f"{case.suite}::{case.name}" if case.suite else case.name


def _cases(root: ET.Element) -> Iterator[Case]:
    """The cases below an element, without recursion: a report may nest as deep as it likes.

    What a suite counts is compared with what was found in it once everything below it has been seen.
    """
    bad = 0
    waiting: list[tuple[ET.Element, str, int | None]] = [
        (root, "", None)
    ]  # an element, its suite, and for a suite's end: `bad` at its start
    while waiting:
        here, suite, before = waiting.pop()
        if before is not None:
            if bad == before and (missing := _counted(here)):
                bad += 1
                yield _unseen(suite, missing)
        elif _name(here) in _SUITES:
            inner = _text(here.get("name")) or suite
            waiting.append((here, inner, bad))
            waiting.extend((child, inner, None) for child in reversed(here))
        elif _name(here) == "testcase" or _TAGS.get(_name(here)) in BAD:
            case = _case(here, suite) if _name(here) == "testcase" else _outside(here, suite)
            bad += case.status in BAD
            yield case


def _counted(suite: ET.Element) -> int:
    return sum(whole(suite.get(name)) or 0 for name in ("failures", "errors"))


def _case(element: ET.Element, suite: str) -> Case:
    children = {_name(child): child for child in reversed(element)}
    tag = next((tag for tag in _TAGS if tag in children), None)
    status = _TAGS[tag] if tag else _said(element)
    again = next((child for child in element if _name(child) in _FLAKY), None)
    flaky = again is not None and status == "passed"
    why = children[tag] if tag else again if flaky else None
    return Case(
        name=_text(element.get("name")) or "unnamed",
        suite=_text(element.get("classname")) or suite,
        status=status,
        duration_s=seconds(element.get("time") or element.get("duration")),
        message=_message(why),
        detail=_detail(why) or None,
        path=element.get("file") or None,
        line=whole(element.get("line")),
        flaky=flaky,
    )


def _outside(element: ET.Element, suite: str) -> Case:
    """An error of a suite itself: a hook or a set-up that failed."""
    message = _message(element) or f"an {_name(element)} outside any test"
    return Case(name=OUTSIDE, suite=suite, status=_TAGS[_name(element)], message=message, detail=_detail(element) or None)


def _unseen(suite: str, missing: int) -> Case:
    what = (
        f"{missing} failures and errors are counted, but none is shown" if missing > 1 else "1 failure or error is counted, but not shown"
    )
    return Case(name=UNSEEN, suite=suite, status="error", message=what)


def _said(element: ET.Element) -> str:
    said = (_WORDS.get(_text(element.get(name)).lower()) for name in ("status", "result"))
    found = {one for one in said if one is not None}
    return next((status for status in ("error", "failed", "skipped") if status in found), "passed")


def _message(element: ET.Element | None) -> str | None:
    if element is None:
        return None
    return _text(element.get("message")) or _text(element.get("type")) or _detail(element).partition("\n")[0] or None


def _detail(element: ET.Element | None) -> str:
    return "" if element is None else "".join(element.itertext()).strip()


def _name(element: ET.Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2]


def _text(text: str | None) -> str:
    return (text or "").strip()
