"""JUnit XML as its usual readers take it (GitLab, GitHub test reporters, Jenkins, Azure): one suite a step.

There is no standard; the shape follows what those readers agree on: `testsuites/testsuite/testcase` with counts and times as attributes,
at most one of `failure`, `error`, `skipped` in a case, `properties` first in a suite, `file` and `line` on a case where they are known.
A step that has no test cases of its own, or ended badly though its cases passed, shows as a case named like the step.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pipelines.foundation.text import plain
from pipelines.model import Case, Status
from pipelines.report.text import finding_line, outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.model import Result, Run

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped"}
_STEP_STATUS = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.ERROR: "error",
    Status.BLOCKED: "skipped",
    Status.SKIPPED: "skipped",
    Status.CANCELLED: "skipped",
}


def render(run: Run) -> str:
    """The run as one `testsuites` document."""
    suites = [_suite(run, result) for result in run.results]
    root = ET.Element("testsuites", {"name": _clean(run.project), **_totals(suites), "time": _time(run.duration_s)})
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(run: Run, result: Result) -> ET.Element:
    cases = _cases(result)
    suite = ET.Element(
        "testsuite",
        {
            "name": _clean(result.id),
            **_counts(cases),
            "time": _time(result.duration_s),
            "timestamp": _clean(run.started),
            "hostname": _clean(run.provider),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(run, result).items():
        ET.SubElement(properties, "property", {"name": _clean(name), "value": _clean(value)})
    suite.extend(_case(case) for case in cases)
    if result.tail:
        ET.SubElement(suite, "system-out").text = _clean("\n".join(result.tail))
    return suite


def _cases(result: Result) -> tuple[Case, ...]:
    """The step's own cases, and the step itself as a case where its outcome would not show otherwise."""
    told = not result.findings and result.status is Status.PASSED
    if result.status in {Status.FAILED, Status.ERROR}:
        told = any(case.status in {"failed", "error"} for case in result.cases)
    if result.cases and told:
        return result.cases
    step = Case(
        name=result.id,
        suite=result.kind,
        status=_STEP_STATUS[result.status],
        duration_s=0.0 if result.cases else result.duration_s,
        message=result.reason or outcome(result),
        detail="\n".join(finding_line(finding) for finding in result.findings) or None,
    )
    return (*result.cases, step)


def _case(case: Case) -> ET.Element:
    attributes = {"classname": _clean(case.suite), "name": _clean(case.name), "time": _time(case.duration_s)}
    if case.path is not None:
        attributes["file"] = _clean(case.path)
    if case.line is not None:
        attributes["line"] = str(case.line)
    element = ET.Element("testcase", attributes)
    tag = _TAGS.get(case.status)
    if tag is not None:
        message = _clean(case.message or case.status)
        sub = ET.SubElement(element, tag, {"message": message} if tag == "skipped" else {"message": message, "type": case.status})
        sub.text = _clean(case.detail) if case.detail else None
    elif case.detail:
        ET.SubElement(element, "system-out").text = _clean(case.detail)
    return element


def _counts(cases: Iterable[Case]) -> dict[str, str]:
    statuses = [case.status for case in cases]
    return {
        "tests": str(len(statuses)),
        "failures": str(statuses.count("failed")),
        "errors": str(statuses.count("error")),
        "skipped": str(statuses.count("skipped")),
    }


def _totals(suites: list[ET.Element]) -> dict[str, str]:
    return {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in ("tests", "failures", "errors", "skipped")}


def _properties(run: Run, result: Result) -> dict[str, str]:
    known = {
        "lockgate.run": run.id,
        "lockgate.revision": run.revision,
        "lockgate.status": result.status.value,
        "lockgate.verdict": result.verdict.value if result.verdict is not None else None,
        "lockgate.cached": str(result.cached).lower(),
        "lockgate.warning": result.warning,
        "lockgate.log": result.log,
    }
    known.update({f"lockgate.{name}": str(value) for name, value in (result.facts or {}).items()})
    return {name: value for name, value in known.items() if value is not None}


def _time(seconds: float) -> str:
    return f"{max(seconds, 0.0):.3f}"


def _clean(text: str) -> str:
    """Text without terminal escapes and the characters XML 1.0 (section 2.2) has no way to write."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", plain(text))
