from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.errors import StepFailed, Unavailable
from pipelines.model import Verdict
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.perf import run as perf
from pipelines.steps.perf.spec import PerfSpec, Thresholds

if TYPE_CHECKING:
    from pipelines.model import BuiltImage, Check
    from pipelines.steps.common.step_inputs import StepInputs
    from tests.integration.steps.conftest import Workshop

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.asyncio(loop_scope="module")]

SCRIPT = """import http from 'k6/http';
import { path } from './lib/where.js';
export const options = { vus: 1, iterations: Number(__ENV.TIMES || 5) };
export default function () { http.get(`${__ENV.BASE_URL}${path}`); }
"""


STRICT = SCRIPT.replace("vus: 1,", "vus: 1, thresholds: { http_req_duration: ['p(95)<0.000001'] },")


@pytest.fixture
async def image(workshop: Workshop, nonce: str) -> BuiltImage:
    workshop.write(perf__load_dot_js=SCRIPT, perf__lib__where_dot_js="export const path = '/';\n")
    return await workshop.image(f'ARG BASE\nFROM $BASE\nRUN echo {nonce}\nCMD ["python3", "-m", "http.server", "8000"]\n')


SERVICE = ServiceSpec(image="shop", port=8000, health="/", deadline_s=30)
SPEC = PerfSpec(name="load", script="perf/load.js", service=SERVICE, thresholds=Thresholds(p95_ms=60_000, error_rate=0.0))


async def measure(workshop: Workshop, image: BuiltImage, what: PerfSpec = SPEC, **more: Any) -> tuple[Check, StepInputs]:
    given = workshop.given(f"perf.{what.name}", images=(image,), **more)
    return await perf.step(what, given), given


async def test_a_measurement_and_its_replay(workshop: Workshop, image: BuiltImage) -> None:
    first, _ = await measure(workshop, image)
    assert (first.verdict, first.reason, first.facts["requests"]) == (Verdict.PASS, None, 5)
    again, given = await measure(workshop, image)
    assert (again.verdict, given.context.cached) == (Verdict.PASS, True)
    assert again.facts == first.facts
    assert again.reason == f"measured at {first.facts['measured_at']}"
    assert (given.context.folder / "k6-summary.json").is_file()


async def test_a_crossed_limit_fails_and_is_measured_again(workshop: Workshop, image: BuiltImage) -> None:
    strict = dataclasses.replace(SPEC, thresholds=Thresholds(p95_ms=0.000001))
    times = set()
    for _ in range(2):
        check, given = await measure(workshop, image, strict)
        assert check.verdict is Verdict.FAIL
        assert [finding.rule for finding in check.findings] == ["p95_ms"]
        assert not given.context.cached
        times.add(check.facts["p95_ms"])
    assert len(times) == 2


async def test_the_configuration_reaches_the_script(workshop: Workshop, image: BuiltImage) -> None:
    check, _ = await measure(workshop, image, dataclasses.replace(SPEC, env={"TIMES": "2", "BASE_URL": "http://service:8000/nothing"}))
    assert check.facts["requests"] == 2
    assert (check.verdict, check.reason) == (Verdict.FAIL, "100.00% of requests failed, more than 0.00%")


@pytest.mark.parametrize(
    ("script", "verdict", "says"),
    [
        ("export default function ( {", Verdict.FAIL, "Unexpected end of input"),
        ("import x from './no.js'; export default function () {}", Verdict.FAIL, "no.js"),
        ("export default function () { null.x; }", Verdict.FAIL, "perf/load.js:1"),
        ("export function setup() { throw new Error('no data'); }\nexport default function () {}", Verdict.FAIL, "Error: no data"),
        ("export default function () {}", Verdict.NO_DATA, "made no request"),
        (
            STRICT,
            Verdict.FAIL,
            "p(95)<0.000001 was crossed",
        ),
    ],
)
async def test_what_goes_wrong_in_a_script(workshop: Workshop, image: BuiltImage, script: str, verdict: Verdict, says: str) -> None:
    workshop.write(perf__load_dot_js=script)
    check, _ = await measure(workshop, image)
    assert check.verdict is verdict
    assert check.reason is not None
    assert says in check.reason


async def test_a_candidate_that_is_not_healthy(workshop: Workshop, image: BuiltImage) -> None:
    sick = dataclasses.replace(SPEC, service=dataclasses.replace(SERVICE, health="/healthz", deadline_s=1))
    with pytest.raises(StepFailed, match=r"service service was not healthy at http://service:8000/healthz within 1 s") as caught:
        await measure(workshop, image, sick)
    assert caught.value.cause == "status 404"


async def test_a_candidate_that_never_opens_its_port(workshop: Workshop, image: BuiltImage) -> None:
    deaf = dataclasses.replace(SPEC, service=dataclasses.replace(SERVICE, port=8001, deadline_s=2))
    with pytest.raises(StepFailed, match=r"did not open port 8001 within 2 s"):
        await measure(workshop, image, deaf)


async def test_what_is_missing_is_told_before_anything_starts(workshop: Workshop, image: BuiltImage) -> None:
    with pytest.raises(StepFailed, match="there is no k6 script at"):
        await measure(workshop, image, dataclasses.replace(SPEC, script="perf/none.js"))
    with pytest.raises(Unavailable, match="perf load needs the image 'k7'"):
        await measure(workshop, image, dataclasses.replace(SPEC, image="k7"))
