from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from pipelines.model import Case, Result, Run, Status
from pipelines.report.junit import render


def suites(run: Run) -> dict[str, ET.Element]:
    return {str(suite.get("name")): suite for suite in ET.fromstring(render(run).encode())}


def bare(result: Result) -> Run:
    return Run(
        id="r",
        project="p",
        revision=None,
        version="0",
        started="2026-01-01T00:00:00Z",
        duration_s=1,
        engine=None,
        exit_code=0,
        results=(result,),
    )


def test_cases_keep_name_place_and_message(mixed_run: Run) -> None:
    case = suites(mixed_run)["test.unit"].find("testcase[@name='test_total']")
    assert case is not None
    assert case.attrib == {"classname": "tests.unit", "name": "test_total", "time": "0.500", "file": "t.py", "line": "3"}
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib == {"message": "assert 1 == 2", "type": "failed"}


def test_counts_add_up_in_suites_and_document(mixed_run: Run) -> None:
    root = ET.fromstring(render(mixed_run).encode())
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(attribute) == str(sum(case.find(tag) is not None for case in cases))
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("7", "1", "1", "2")


def test_a_step_without_cases_is_a_case_itself(mixed_run: Run) -> None:
    found = suites(mixed_run)
    passed, error, blocked = (found[name].find("testcase") for name in ("image.shop", "perf.checkout", "publish.shop"))
    assert passed is not None
    assert error is not None
    assert blocked is not None
    assert [child.tag for child in passed] == []
    assert [(child.tag, child.get("message")) for child in error] == [("error", "registry is away")]
    assert [(child.tag, child.get("message")) for child in blocked] == [("skipped", "test.unit failed")]


def test_findings_of_a_passed_step_are_its_output(mixed_run: Run) -> None:
    out = suites(mixed_run)["scan.shop"].find("testcase/system-out")
    assert out is not None
    assert out.text is not None
    assert "critical: CVE-2026-0002 [bash]: overflow (waived: team-shop, until 2027-01-31: not reachable)" in out.text
    assert "low: CVE-2026-0003: leak (update bash to 5.3)" in out.text


def test_a_step_that_fails_though_its_cases_pass_still_shows_a_failure() -> None:
    case = Case(name="a", suite="s", status="passed")
    step = Result(id="test.unit", kind="test", name="unit", status=Status.FAILED, reason="exit code 3", cases=(case,))
    suite = suites(bare(step))["test.unit"]
    assert [(case.get("name"), case.find("failure") is not None) for case in suite.findall("testcase")] == [
        ("a", False),
        ("test.unit", True),
    ]


def test_a_properties_element_comes_first_and_holds_facts(mixed_run: Run) -> None:
    suite = suites(mixed_run)["scan.shop"]
    assert suite[0].tag == "properties"
    values = {item.get("name"): item.get("value") for item in suite[0]}
    assert values["lockgate.database"] == "fixtures"
    assert values["lockgate.verdict"] == "no-data"


@given(st.text(), st.text())
def test_any_text_makes_well_formed_xml(message: str, name: str) -> None:
    case = Case(name=name, suite=name, status="failed", message=message, detail=message)
    step = Result(id="test.x", kind="test", name="x", status=Status.FAILED, reason=message, cases=(case,), tail=(message,))
    encodable = render(replace(bare(step), project=name)).encode()
    assert len(ET.fromstring(encodable)) == 1
