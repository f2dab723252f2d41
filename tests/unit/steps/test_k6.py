from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.steps.perf.k6 import NotSummary, Summary, errors, parse

SUMMARY = {
    "root_group": {"checks": {}, "groups": {}},
    "metrics": {
        "http_reqs": {"count": 1470, "rate": 734.91},
        "http_req_duration": {
            "avg": 2.3,
            "min": 0.2,
            "med": 1.4,
            "max": 12.2,
            "p(90)": 5.3,
            "p(95)": 7.5,
            "thresholds": {"p(95)<500": False, "p(95)<5": True},
        },
        "http_req_failed": {"passes": 15, "fails": 1455, "value": 0.0102},
        "checks": {"passes": 10, "fails": 2, "value": 0.83, "thresholds": {"rate>0.9": True}},
    },
}

LOG = r"""
     checks_total.......: 2
time="T" level=warning msg="Request Failed" error="Get \"http://x\": dial tcp: connection refused"
time="T" level=error msg="thresholds on metrics 'http_req_duration' have been crossed"
time="T" level=error msg="TypeError: Cannot read 'x'\n\tat default (file:///s/throw.js:2:35(2))\n" source=stacktrace
time="T" level=error msg="TypeError: Cannot read 'x'\n\tat default (file:///s/throw.js:2:35(2))\n" source=stacktrace
time="T" level=error msg="Error: no\n\tat go.k6.io/k6/js/x (native)\n\tat setup (file:///s/setup.js:1:33(3))\n" hint="script exception"
time="T" level=error msg="syntax.js:3:0 Expected \"x\" but found end of file"
"""


def test_a_summary() -> None:
    assert parse(json.dumps(SUMMARY)) == Summary(
        requests=1470,
        rps=734.91,
        p95_ms=7.5,
        median_ms=1.4,
        max_ms=12.2,
        error_rate=0.0102,
        checks_failed=2,
        crossed=("checks: rate>0.9", "http_req_duration: p(95)<5"),
    )


def test_a_summary_without_requests() -> None:
    assert parse('{"metrics": {"iterations": {"count": 2, "rate": 1}}}') == Summary()


def test_the_shape_of_newer_versions() -> None:
    text = '{"metrics": {"http_reqs": {"type": "counter", "values": {"count": 3, "rate": 1.5}, "thresholds": {"rate>9": {"ok": false}}}}}'
    assert parse(text) == Summary(requests=3, rps=1.5, crossed=("http_reqs: rate>9",))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"metrics": 5}',
        '{"metrics": {"http_reqs": {"count": "many"}}}',
        '{"metrics": {"x": 5}}',
        '{"metrics": {"http_reqs": {"count": Infinity}}}',
    ],
)
def test_what_is_no_summary(text: str) -> None:
    with pytest.raises(NotSummary):
        parse(text)


def test_errors_of_a_script_once_each_with_their_place() -> None:
    assert errors(LOG) == (
        "TypeError: Cannot read 'x' at default (file:///s/throw.js:2:35(2))",
        "Error: no at setup (file:///s/setup.js:1:33(3))",
        'syntax.js:3:0 Expected "x" but found end of file',
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=4),
    lambda x: st.lists(x, max_size=2) | st.dictionaries(st.text(max_size=4), x),
)


@given(
    st.dictionaries(
        st.sampled_from(["http_reqs", "http_req_duration", "checks"]),
        JSON | st.dictionaries(st.sampled_from(["count", "rate", "thresholds"]), JSON),
    )
)
def test_any_metrics_are_a_summary_or_told_to_be_none(metrics: dict[str, object]) -> None:
    try:
        assert parse(json.dumps({"metrics": metrics})).requests is not None
    except NotSummary:
        return


@given(st.text())
def test_any_log_is_read_without_harm(log: str) -> None:
    errors(f'level=error msg="{log}"\n{log}')
