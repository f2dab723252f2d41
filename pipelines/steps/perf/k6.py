"""k6's summary (`--summary-export`) and log to numbers.

In that file a threshold is `true` when it was *crossed*. Rates carry `passes` and `fails`, where a request that failed is a "pass" of
`http_req_failed`. Times are milliseconds.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TREND_STATS = "avg,min,med,max,p(90),p(95),p(99)"
THRESHOLDS_CROSSED = 99
"""Exit code of k6 when a threshold of the script is crossed; its other codes but 0 are errors (k6: errext/exitcodes)."""

_ERROR = re.compile(r'level=(?:error|fatal) msg="((?:[^"\\]|\\.)*)"(.*)')
_NOISE = ("thresholds on metrics", "Automatic extension resolution")


class NotSummary(ValueError):  # noqa: N818 - names what the text is not
    """The text is not a summary of k6; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The numbers of a run: latencies in milliseconds, `rps` requests per second, `error_rate` 0 to 1; None where nothing was measured.

    `crossed` names the script's own thresholds that were crossed, as `metric: expression`.
    """

    requests: int = 0
    rps: float | None = None
    p95_ms: float | None = None
    median_ms: float | None = None
    max_ms: float | None = None
    error_rate: float | None = None
    checks_failed: int = 0
    crossed: tuple[str, ...] = ()


def parse(text: str) -> Summary:
    """Read a summary.

    Raises:
        NotSummary: it is not JSON, or holds no metrics.
    """
    try:
        metrics = json.loads(text)["metrics"]
        requests, latency = _metric(metrics, "http_reqs"), _metric(metrics, "http_req_duration")
        return Summary(
            requests=int(requests.get("count", 0)),
            rps=_number(requests.get("rate")),
            p95_ms=_number(latency.get("p(95)")),
            median_ms=_number(latency.get("med")),
            max_ms=_number(latency.get("max")),
            error_rate=_number(_metric(metrics, "http_req_failed").get("value")),
            checks_failed=int(_metric(metrics, "checks").get("fails", 0)),
            crossed=tuple(sorted(_crossed(metrics))),
        )
    except (ArithmeticError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise NotSummary(f"{type(error).__name__}: {error}") from None


def errors(log: str) -> tuple[str, ...]:
    """What went wrong in the script, from k6's log on standard error: each message once, the first line and the place of an exception."""
    found = [_unescape(match.group(1)) for match in _ERROR.finditer(log)]
    return tuple(dict.fromkeys(_short(message) for message in found if not message.startswith(_NOISE)))


def _short(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    place = next((line for line in lines[1:] if line.startswith("at ") and not line.endswith("(native)")), "")
    return " ".join(filter(None, (lines[0] if lines else message, place)))


def _unescape(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _metric(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = metrics.get(name) or {}
    return {**found.get("values", {}), **found}  # some versions put the numbers one level deeper


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _crossed(metrics: Mapping[str, Any]) -> list[str]:
    crossed = []
    for name, metric in metrics.items():
        for expression, state in (metric.get("thresholds") or {}).items():
            if state is True or (isinstance(state, dict) and state.get("ok") is False):
                crossed.append(f"{name}: {expression}")
    return crossed
