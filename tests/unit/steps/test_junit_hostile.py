"""Reports of all dialects, spoiled: each is read, or refused by name; nothing that failed is lost."""

from __future__ import annotations

import math
import random
import re
from typing import TYPE_CHECKING

import pytest

from pipelines.steps.test.junit import BAD, NotJUnit, parse, settle
from pipelines.steps.test.junit_xml import read
from tests.unit.steps.test_junit_dialects import NEXTEST, OUTSIDE, SEEN, TWICE, UNSEEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree import ElementTree as ET

TEXTS = [*(text for text, _ in SEEN.values()), NEXTEST, TWICE, OUTSIDE, UNSEEN]
TOKENS = re.compile(r"<[^>]*>|[^<]+|.", re.DOTALL)
SPICE = [
    "<testcase/>", "<testcase name='x'>", "</testcase>", "<testsuite failures='1'>", "</testsuite>", "<testsuites>", "<failure/>",
    "<error>", "<skipped/>", "<flakyFailure/>", "<rerunError/>", "<![CDATA[", "]]>", "<!--", "-->", "<?x?>", "<!DOCTYPE a>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>", "&b;", "&#0;", "&#x110000;", "&#xd800;", "&lt;", "\0", "\x1b[1m", "\ufffe", "\ud800", "😀",
    "time='1,5'", "<a:b xmlns:a='u'/>", "<testsuite>" * 500,
]  # fmt: skip


def report(seed: int) -> bytes:
    rng = random.Random(seed)
    tokens = TOKENS.findall(rng.choice(TEXTS))
    changes: list[Callable[[int], None]] = [
        lambda at: tokens.insert(at, rng.choice(SPICE)),
        lambda at: tokens.__delitem__(slice(at, at + rng.choice([1, 1, 5]))),
        lambda at: tokens.insert(rng.randrange(len(tokens)), tokens[at]),
        lambda at: tokens.__setitem__(
            at, tokens[at].replace(rng.choice(['"', "0", "1", "=", "/", "e"]), rng.choice(["", "'", "9" * 400, "-", "<"]), 1)
        ),
    ]
    for _ in range(rng.choice([1, 2, 4])):
        if tokens:
            rng.choice(changes)(rng.randrange(len(tokens)))
    encoding = rng.choice(["utf-8", "utf-8", "utf-8", "latin-1", "utf-16", "utf-16-be", "cp1252"])
    head = rng.choice(["", "", f'<?xml version="1.0" encoding="{encoding}"?>', '<?xml version="1.0" encoding="x-unknown"?>'])
    data = (head + "".join(tokens)).encode(encoding, "replace")
    at = rng.randrange(len(data) + 1)
    return rng.choice([data, data, data[:at], data[:at] + bytes([rng.randrange(256)]) + data[at:]])


@pytest.mark.parametrize(
    "seeds", [pytest.param(range(500), id="500"), pytest.param(range(500, 10_500), id="10000", marks=pytest.mark.slow)]
)
def test_every_report_is_read_or_refused_and_no_failure_is_lost(seeds: range) -> None:
    for seed in seeds:
        data = report(seed)
        try:
            cases = settle(parse(data), all_is_well=False)
        except NotJUnit:
            continue
        for case in cases:
            assert case.status in {"passed", "failed", "error", "skipped"}, seed
            assert math.isfinite(case.duration_s), seed
            assert case.duration_s >= 0, seed
            assert case.name, seed
        shown = any(child.tag in {"failure", "error"} for element in _reached(data) for child in element)
        assert not shown or any(case.status in BAD for case in cases), seed


def _reached(data: bytes) -> list[ET.Element]:
    """The test cases below suites."""
    found, waiting = [], [read(data)]
    while waiting:
        here = waiting.pop()
        if here.tag == "testcase":
            found.append(here)
        elif here.tag in {"testsuite", "testsuites"}:
            waiting.extend(here)
    return found
