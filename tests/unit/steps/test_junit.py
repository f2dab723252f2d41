from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model import Case, Location
from pipelines.steps.test.junit import NotJUnit, findings, named_in, parse, title

PYTEST = """<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">
<testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.123" timestamp="2026-01-01T00:00:00" hostname="x">
<testcase classname="tests.unit.test_carts" name="test_total[2]" time="0.001" />
<testcase classname="tests.unit.test_carts" name="test_tax" time="0.002"><failure message="assert 19 == 20">def test_tax():
&gt;       assert 19 == 20</failure></testcase>
<testcase classname="tests.unit.test_carts" name="test_db" time="0.0"><error message="failed on setup">boom</error></testcase>
<testcase classname="tests.unit.test_carts" name="test_later" time="0.0">
<skipped type="pytest.skip" message="not yet">x</skipped></testcase>
</testsuite></testsuites>"""

SUREFIRE = """<testsuite name="com.example.CartTest" time="1,234.5" tests="2"><properties><property name="a" value="b"/></properties>
<testcase name="adds" classname="com.example.CartTest" time="1,230.25"/>
<testcase name="pays" classname="com.example.CartTest" time="4.25"><failure type="java.lang.AssertionError">expected: 1
	at com.example.CartTest.pays(CartTest.java:12)</failure><system-out>x</system-out></testcase></testsuite>"""

JEST = """<testsuites name="jest"><testsuite name="outer"><testsuite name="inner">
<testcase name="works" time="0.5" file="src/cart.test.js" line="12"/>
</testsuite><testcase classname="" name="also" time=""/></testsuite></testsuites>"""


def test_pytest() -> None:
    assert parse(PYTEST) == (
        Case(name="test_total[2]", suite="tests.unit.test_carts", status="passed", duration_s=0.001),
        Case(
            name="test_tax",
            suite="tests.unit.test_carts",
            status="failed",
            duration_s=0.002,
            message="assert 19 == 20",
            detail="def test_tax():\n>       assert 19 == 20",
        ),
        Case(name="test_db", suite="tests.unit.test_carts", status="error", message="failed on setup", detail="boom"),
        Case(name="test_later", suite="tests.unit.test_carts", status="skipped", message="not yet", detail="x"),
    )


def test_surefire_has_thousands_separators_and_no_messages() -> None:
    adds, pays = parse(SUREFIRE)
    assert adds.duration_s == 1230.25
    assert (pays.status, pays.message) == ("failed", "java.lang.AssertionError")


def test_nested_suites_and_places_in_files() -> None:
    works, also = parse(JEST)
    assert (works.suite, works.path, works.line) == ("inner", "src/cart.test.js", 12)
    assert (also.suite, also.name, also.duration_s) == ("outer", "also", 0.0)


def test_an_error_outweighs_a_failure() -> None:
    (case,) = parse('<testsuite><testcase name="t"><skipped/><failure message="f"/><error message="e"/></testcase></testsuite>')
    assert (case.status, case.message) == ("error", "e")


def test_the_first_of_several_failures_speaks() -> None:
    (case,) = parse('<testsuite><testcase name="t"><failure message="one"/><failure message="two"/></testcase></testsuite>')
    assert case.message == "one"


def test_deep_nesting_is_no_problem() -> None:
    depth = 2000
    (case,) = parse("<testsuite>" * depth + '<testcase name="t"/>' + "</testsuite>" * depth)
    assert case.name == "t"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        (b"\xef\xbb\xbf \n", "it is empty"),
        ('<?xml version="1.0"?><testsuite><testcase name="a"/>', "ends too early"),
        ("<testsuite><testcase><system-out><![CDATA[x", "ends too early"),
        ("<testsuite></testcase></testsuite>", "not XML"),
        ("<testsuite/><!DOCTYPE x>", "not XML"),
        ('<?xml version="1.0"?>\n<!-- c --><!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>', "document type"),
        ("<TestRun xmlns='http://microsoft.com/schemas/VisualStudio/TeamTest/2010'/>", "TRX report"),
        ("<robot/>", "Robot Framework's own"),
        ("<assemblies/>", "xUnit.net's own"),
        ("<test-run/>", "NUnit's own"),
        ("{}", "not XML"),
        ("<html/>", "outermost element is <html>"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', "document type"),
    ],
)
def test_what_is_no_report(text: bytes | str, why: str) -> None:
    with pytest.raises(NotJUnit, match=why):
        parse(text)


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["pytest", "--junitxml=/reports/junit.xml"], "/reports/junit.xml"),
        (["pytest", "--junit-xml", "out.xml", "-q"], "out.xml"),
        (["gotestsum", "--junitfile", "unit.xml", "--", "./..."], "unit.xml"),
        (["pytest", "--junitxml"], None),
        (["pytest", "--junit-prefix=x", "-q"], None),
        (["sh", "-c", "pytest --junitxml=x"], None),
    ],
)
def test_the_report_a_command_names(command: list[str], path: str | None) -> None:
    assert named_in(command) == path


def test_failures_become_findings() -> None:
    found = findings(parse(PYTEST))
    assert [finding.rule for finding in found] == ["tests.unit.test_carts::test_tax", "tests.unit.test_carts::test_db"]
    assert found[0].message == "assert 19 == 20"
    assert found[0].location == Location(target="tests.unit.test_carts")


def test_a_case_without_a_suite_is_called_by_its_name() -> None:
    assert title(Case(name="t", suite="", status="passed")) == "t"


XML_TEXT = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1)
    .map(str.strip)
    .filter(bool)
)
CASES = st.builds(
    Case,
    name=XML_TEXT,
    suite=XML_TEXT,
    status=st.sampled_from(["passed", "failed", "error", "skipped"]),
    duration_s=st.floats(0, 1e6).map(lambda seconds: round(seconds, 3)),
    path=XML_TEXT | st.none(),
    line=st.integers(0, 10**6) | st.none(),
)


def write(cases: list[Case]) -> str:
    root = ET.Element("testsuites")
    for case in cases:
        element = ET.SubElement(
            ET.SubElement(root, "testsuite", name="other"), "testcase", classname=case.suite, name=case.name, time=str(case.duration_s)
        )
        if case.path is not None:
            element.set("file", case.path)
        if case.line is not None:
            element.set("line", str(case.line))
        if case.status != "passed":
            ET.SubElement(element, {"failed": "failure", "error": "error", "skipped": "skipped"}[case.status])
    return ET.tostring(root, encoding="unicode")


@given(st.lists(CASES))
def test_every_case_that_is_written_is_read(cases: list[Case]) -> None:
    assert list(parse(write(cases))) == cases


@given(st.text())
def test_any_text_is_a_report_or_told_to_be_none(text: str) -> None:
    try:
        parse(text)
    except NotJUnit:
        return
    assert text.lstrip().startswith("<")
