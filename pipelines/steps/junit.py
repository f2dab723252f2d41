"""JUnit XML in: cases out of what pytest, Maven, Go, Jest and others write.

There is no standard; what is read is what the writers share: `testcase` elements at any depth below `testsuite`, with at most one of
`failure`, `error`, `skipped` that counts, the worst first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pipelines.model import Case, Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TAGS = {"error": "error", "failure": "failed", "skipped": "skipped"}
_FLAG = re.compile(r"--?(?:junit-?xml|junitfile|junit-report|junit-path)(?:=|$)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


class NotJUnit(ValueError):  # noqa: N818 - names what the text is not
    """The text is no JUnit report; the message says why."""


def parse(text: str) -> tuple[Case, ...]:
    """The cases of a report, in its order.

    Raises:
        NotJUnit: the text is not XML, declares a document type (no writer does, and entities could fill the memory), or holds no suite.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotJUnit("it declares a document type")
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities need a document type, and that was refused
    except ET.ParseError as error:
        raise NotJUnit(f"it is not XML: {error}") from None
    if _name(root) not in {"testsuites", "testsuite"}:
        raise NotJUnit(f"its outermost element is <{_name(root)}>, not <testsuites> or <testsuite>")
    return tuple(_cases(root, _text(root.get("name"))))


def named_in(command: Iterable[str]) -> str | None:
    """The report a command is told to write (`--junitxml=PATH`, `--junitfile PATH` and their like)."""
    words = list(command)
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if _FLAG.match(word):
            return word.partition("=")[2] or after or None
    return None


def findings(cases: Iterable[Case]) -> tuple[Finding, ...]:
    """One finding for every case that failed."""
    return tuple(
        Finding(
            rule=title(case),
            severity=Severity.HIGH,
            message=case.message or case.status,
            location=Location(path=case.path, line=case.line, target=None if case.path else case.suite),
        )
        for case in cases
        if case.status in {"failed", "error"}
    )


def title(case: Case) -> str:
    """`suite::name`."""
    return f"{case.suite}::{case.name}" if case.suite else case.name


def _cases(element: ET.Element, suite: str) -> Iterator[Case]:
    """The cases below an element, without recursion: a report may nest as deep as it likes."""
    waiting = [(element, suite)]
    while waiting:
        here, name = waiting.pop()
        if _name(here) == "testcase":
            yield _case(here, name)
        elif _name(here) in {"testsuites", "testsuite"}:
            inner = _text(here.get("name")) or name
            waiting.extend((child, inner) for child in reversed(here))


def _case(element: ET.Element, suite: str) -> Case:
    children = {_name(child): child for child in reversed(element)}
    tag = next((tag for tag in _TAGS if tag in children), None)
    why = children[tag] if tag else None
    detail = _text(why.text) if why is not None else ""
    message = _text(why.get("message")) or _text(why.get("type")) if why is not None else ""
    return Case(
        name=_text(element.get("name")) or "unnamed",
        suite=_text(element.get("classname")) or suite,
        status=_TAGS[tag] if tag else "passed",
        duration_s=_seconds(element.get("time")),
        message=(message or detail.partition("\n")[0] or None) if why is not None else None,
        detail=detail or None,
        path=element.get("file") or None,
        line=_line(element.get("line")),
    )


def _name(element: ET.Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2]


def _text(text: str | None) -> str:
    return (text or "").strip()


def _seconds(text: str | None) -> float:
    """`1.5`, `1,234.5` (Surefire) or nothing, as seconds."""
    found = _NUMBER.fullmatch(_text(text).replace(",", ""))
    return float(found.group(0)) if found else 0.0


def _line(text: str | None) -> int | None:
    number = _text(text)
    return int(number) if number.isdecimal() and number.isascii() else None
