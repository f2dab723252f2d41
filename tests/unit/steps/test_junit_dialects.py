"""Reports as their writers write them, each with what must come out of it."""

from __future__ import annotations

import pytest

from pipelines.model import Verdict
from pipelines.steps.test.judge import judge_test
from pipelines.steps.test.junit import findings, parse, settle
from pipelines.steps.test.junit_numbers import seconds

SEEN = {
    "gradle": (
        """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="a.CartTest" tests="2" skipped="1" failures="0" errors="0" timestamp="2026-01-01T00:00:00" hostname="h" time="0.02">
<properties/><testcase name="adds()" classname="a.CartTest" time="0.01"/><testcase name="later()" classname="a.CartTest" time="0.0">
<skipped/></testcase>
<system-out><![CDATA[GET / 200
<!DOCTYPE html>
<!ENTITY x "y">
<html></html>]]></system-out><system-err><![CDATA[]]></system-err></testsuite>""",
        [("adds()", "passed"), ("later()", "skipped")],
    ),
    "mocha": (
        """<testsuites name="Mocha Tests" time="0.01" tests="2" failures="1"><testsuite name="Root Suite" tests="0" failures="0"/>
<testsuite name="cart" tests="2" failures="1"><testcase name="cart adds" time="0" classname="adds"/>
<testcase name="cart pays" classname="pays">
<failure message="expected 1 to equal 2" type="AssertionError"><![CDATA[AssertionError: expected 1 to equal 2]]></failure></testcase>
</testsuite></testsuites>""",
        [("cart adds", "passed"), ("cart pays", "failed")],
    ),
    "go": (
        """<testsuites tests="2" failures="1" errors="0" time="0.2">
<testsuite tests="2" failures="1" time="0.2" name="example.com/cart"><properties>
<property name="go.version" value="go1.24"/></properties><testcase classname="example.com/cart" name="TestA" time="0.1"/>
<testcase classname="example.com/cart" name="TestB/sub" time="0.1"><failure message="Failed" type="">=== RUN</failure></testcase>
</testsuite></testsuites>""",
        [("TestA", "passed"), ("TestB/sub", "failed")],
    ),
    "googletest": (
        """<testsuites tests="3" failures="1" disabled="1" errors="0" name="AllTests">
<testsuite name="Cart" tests="3" failures="1" disabled="1">
<testcase name="Adds" file="cart.cc" line="5" status="run" result="completed" time="0.001" classname="Cart"/>
<testcase name="DISABLED_Pays" status="notrun" result="suppressed" time="0." classname="Cart"/>
<testcase name="Fails" status="run" result="completed" classname="Cart"><failure message="one"/><failure message="two"/></testcase>
<testcase name="Skips" status="run" result="skipped" classname="Cart"><skipped message="x"/></testcase></testsuite></testsuites>""",
        [("Adds", "passed"), ("DISABLED_Pays", "skipped"), ("Fails", "failed"), ("Skips", "skipped")],
    ),
    "ctest": (
        """<testsuite name="Linux-c++" tests="4" failures="1" disabled="1" skipped="1">
<testcase name="a" classname="a" time="0.1" status="run"/>
<testcase name="b" classname="b" status="fail"><failure message=""/><system-out>x</system-out></testcase>
<testcase name="c" status="disabled"/>
<testcase name="d" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase><testcase name="e" status="fail"/></testsuite>""",
        [("a", "passed"), ("b", "failed"), ("c", "skipped"), ("d", "skipped"), ("e", "failed")],
    ),
    "catch2": (
        """<testsuites><testsuite name="t" errors="0" failures="2" skipped="0" tests="9"><properties/>
<testcase classname="t.global" name="adds"
status="run" time="0"/><testcase classname="t.global" name="pays" status="run"><failure message="1 == 2" type="CHECK">FAILED:</failure>
<failure/></testcase>
<system-out/></testsuite></testsuites>""",
        [("adds", "passed"), ("pays", "failed")],
    ),
    "phpunit": (
        """<testsuites><testsuite name="all" tests="2" assertions="2" errors="1" warnings="0" failures="0" skipped="0" time="0.1">
<testsuite name="CartTest"
errors="1"><testcase name="adds" file="/a/CartTest.php" line="7" class="CartTest" classname="CartTest" assertions="1" time="0.1"/>
<testcase name="pays">
<error type="Exception">boom</error></testcase></testsuite></testsuite></testsuites>""",
        [("adds", "passed"), ("pays", "error")],
    ),
    "bats": (
        """<testsuites time="1"><testsuite name="a.bats" tests="2" failures="0" errors="0" skipped="1">
<testcase classname="a.bats" name="one" time="1"/>
<testcase classname="a.bats" name="two" time="0"><skipped>no docker</skipped></testcase></testsuite></testsuites>""",
        [("one", "passed"), ("two", "skipped")],
    ),
    "nunit": (
        """<testsuites><testsuite name="A.B" tests="2" failures="1" time="0,25"><testcase name="X" classname="A.B" time="0,125"/>
<testcase name="Y">
<failure>expected<message/></failure></testcase></testsuite></testsuites>""",
        [("X", "passed"), ("Y", "failed")],
    ),
    "robot": (
        """<testsuite name="S" tests="2" errors="0" failures="1" skipped="0" time="0.1"><testcase classname="S" name="A" time="0.1"/>
<testcase classname="S" name="B"><failure message="1 != 2" type="AssertionError"/></testcase></testsuite>""",
        [("A", "passed"), ("B", "failed")],
    ),
    "with a namespace": (
        """<j:testsuites xmlns:j="urn:x"><j:testsuite><j:testcase name="a"><j:failure/></j:testcase></j:testsuite></j:testsuites>""",
        [("a", "failed")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("writer", SEEN)
def test_the_cases_of_a_writer(writer: str) -> None:
    text, expected = SEEN[writer]
    assert [(case.name, case.status) for case in parse(text.encode())] == expected


NEXTEST = """<testsuites name="nextest-run" tests="2" failures="1" errors="0"><testsuite name="cart" tests="2" failures="1">
<testcase name="flaky" classname="cart" time="0.1">
<flakyFailure timestamp="2026" time="0.1" message="thread panicked" type="test failure">at x</flakyFailure>
</testcase><testcase name="bad" classname="cart"><failure type="test failure" message="no"/>
<rerunFailure type="test failure" message="no"/></testcase>
</testsuite></testsuites>"""


def test_a_test_that_passed_when_it_was_tried_again_is_flaky() -> None:
    flaky, bad = parse(NEXTEST)
    assert (flaky.status, flaky.flaky, flaky.message) == ("passed", True, "thread panicked")
    assert (bad.status, bad.flaky) == ("failed", False)
    assert [(one.rule, one.severity.value) for one in findings([flaky, bad])] == [("cart::flaky", "low"), ("cart::bad", "high")]


TWICE = """<testsuite name="s" tests="2" failures="1"><testcase name="t"><failure message="once"/></testcase><testcase name="t"/>
</testsuite>"""


def judge(text: str | bytes, exit_code: int = 0) -> tuple[Verdict, str | None, str | None]:
    check = judge_test(exit_code=exit_code, marks={}, last_line="", report="/r.xml", texts=[text])
    return check.verdict, check.reason, check.warning


def test_a_repeated_case_is_flaky_where_all_is_well_and_failed_where_not() -> None:
    assert judge(TWICE) == (Verdict.PASS, None, "s::t passed only when run again")
    assert judge(TWICE, 1) == (Verdict.FAIL, "1 of 2 tests failed: s::t", None)
    backwards = TWICE.replace('<testcase name="t"/>', "").replace("<testcase", '<testcase name="t"/><testcase', 1)
    assert judge(backwards)[0] is Verdict.FAIL
    other = TWICE.replace('<testcase name="t"/>', '<testcase name="t" line="9"/>')
    assert judge(other)[0] is Verdict.FAIL
    assert settle(parse(TWICE), all_is_well=True)[0].message == "once"


OUTSIDE = """<testsuites tests="1" errors="1"><testsuite name="s" tests="1" errors="1"><testcase name="ok"/>
<error message="hook crashed"/></testsuite></testsuites>"""
UNSEEN = """<testsuites failures="2"><testsuite name="s" failures="2"><testcase name="ok"/></testsuite><testsuite name="t">
<testcase name="ok"/></testsuite></testsuites>"""


def test_an_error_outside_any_test_is_a_failure_that_says_what_happened() -> None:
    assert judge(OUTSIDE) == (Verdict.FAIL, "1 of 2 tests failed: s::outside any test (hook crashed)", None)


def test_failures_that_are_counted_but_not_shown_are_not_passed() -> None:
    verdict, reason, _ = judge(UNSEEN)
    assert verdict is Verdict.FAIL
    assert reason == "1 of 3 tests failed: s::not in the report (2 failures and errors are counted, but none is shown)"
    assert judge('<testsuites errors="1"><testsuite><testcase name="a"/></testsuite></testsuites>')[0] is Verdict.FAIL
    assert judge('<testsuites errors="0" failures="x"><testsuite><testcase name="a"/></testsuite></testsuites>')[0] is Verdict.PASS


NAME = '<testsuites><testsuite name="s"><testcase name="prüft"/></testsuite></testsuites>'


@pytest.mark.parametrize(
    "data",
    [
        NAME.encode(),
        b"\xef\xbb\xbf" + NAME.encode(),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + NAME).encode("latin-1"),
        ("<?xml version='1.0' encoding='windows-1252' standalone='yes'?>" + NAME).encode("cp1252"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + NAME).encode("utf-16"),
        ('<?xml version="1.0" encoding="utf-16"?>' + NAME).encode("utf-16-be"),
        ('<?xml version="1.0" encoding="utf-8"?>' + NAME).encode("utf-16-le"),
        ('<?xml version="1.0" encoding="base64"?>' + NAME).encode(),
        ('<?xml version="1.0" encoding="no-such"?>' + NAME).encode(),
    ],
)
def test_a_report_keeps_its_letters_in_any_encoding(data: bytes) -> None:
    assert [case.name for case in parse(data)] == ["prüft"]


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (b"a\xffb", "a\ufffdb"),
        (b"\x1b[31mred", "red"),
        (b"&#27;[0m&#x1B;&#65;", "\ufffdA"),
        (b"&#99999999;", "\ufffd"),
        (b"a\0b", "a\ufffdb"),
    ],
)
def test_what_xml_does_not_allow_is_replaced_or_left_out(inside: bytes, message: str) -> None:
    (case,) = parse(b'<testsuite><testcase name="t"><failure message="' + inside + b'"/></testcase></testsuite>')
    assert case.message == message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5", 0.5), ("0,5", 0.5), ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("1,234", 1.234), ("1,234,567", 1234567.0),
        ("1 234,5", 1234.5),
        ("1'234.5", 1234.5), ("1.234.567", 1234567.0), ("12ms", 0.012), ("0.5s", 0.5), ("1e-3", 0.001), ("0.", 0.0), ("", 0.0), (None, 0.0),
        ("NaN", 0.0), ("inf", 0.0), ("-1", 0.0), ("9" * 5000, 0.0), ("1e999", 0.0), ("x", 0.0),
    ],
)  # fmt: skip
def test_times_of_every_country(text: str | None, expected: float) -> None:
    assert seconds(text) == expected
