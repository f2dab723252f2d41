from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.errors import StepFailed
from pipelines.model import BuiltImage, SecretRef, StepLimits, Verdict
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.image.spec import ImageTarget
from pipelines.steps.test import run as test
from pipelines.steps.test.spec import TestSpec

if TYPE_CHECKING:
    from pipelines.model import Check
    from pipelines.steps.common.step_inputs import StepInputs
    from tests.integration.steps.conftest import Workshop

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.asyncio(loop_scope="module")]

DOCKERFILE = """ARG BASE
FROM $BASE AS runtime
RUN useradd --create-home app && install -d -o app /reports
USER app
WORKDIR /home/app
"""
GOOD = '<testsuite name="s"><testcase classname="t" name="a"/><testcase classname="t" name="b"/></testsuite>'
FAILED = '<testcase classname="t" name="b"><failure message="1 != 2"/></testcase>'
BAD = f'<testsuite name="s"><testcase classname="t" name="a"/>{FAILED}</testsuite>'
JUNIT = "/reports/junit.xml"
SERVER = """
import http.server, sys, threading, time
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        healthy = time.time() - began > float(sys.argv[2])
        self.send_response(200 if healthy or self.path != "/healthz" else 503); self.end_headers(); self.wfile.write(b"hello")
    def log_message(self, *a): pass
began = time.time()
http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), H).serve_forever()
"""


@pytest.fixture
async def image(workshop: Workshop) -> BuiltImage:
    return await workshop.image(DOCKERFILE)


def spec(script: str, **more: Any) -> TestSpec:
    return TestSpec(**{"name": "unit", "image": ImageTarget(name="shop"), "command": ("sh", "-c", script), "junit": JUNIT, **more})


def leaving(report: str, code: int = 0, nonce: str = "") -> str:
    return f"echo told {nonce}; date +%s%N; printf '%s' '{report}' > {JUNIT}; exit {code}"


async def run(workshop: Workshop, image: BuiltImage, what: TestSpec, **more: Any) -> tuple[Check, StepInputs]:
    given = workshop.given(f"test.{what.name}", images=(image,), **more)
    return await test.step(what, given), given


@pytest.mark.parametrize("command", [("sh", "-c", "echo so; kill -9 $$"), ("sh", "-c", "echo so; kill -9 $PPID")])
async def test_a_command_that_a_signal_ends_is_a_failed_test(workshop: Workshop, image: BuiltImage, command: tuple[str, ...]) -> None:
    """The command alone, or its wrapper with it: as when the machine runs out of memory."""
    check, _ = await run(workshop, image, spec("", command=command))
    assert check.verdict is Verdict.FAIL
    assert check.reason is not None
    assert check.reason.startswith("the command was ended by SIGKILL (out of memory, perhaps)")
    assert "so\n" in workshop.log.replace("echo so", "")


def stamps(workshop: Workshop) -> list[str]:
    """The times commands printed: a replay prints the time of the first."""
    return [line for text in workshop.logs for line in text.splitlines() if line.isdecimal() and len(line) > 15]


async def test_cases_findings_and_the_report_come_out(workshop: Workshop, image: BuiltImage, nonce: str) -> None:
    check, given = await run(workshop, image, spec(leaving(BAD, 1, nonce)))
    assert (check.verdict, check.reason) == (Verdict.FAIL, "1 of 2 tests failed: t::b")
    assert [case.status for case in check.cases] == ["passed", "failed"]
    assert (given.context.folder / "junit.xml").read_text() == BAD
    assert check.artifacts == (str(given.context.folder / "junit.xml"),)
    assert f"told {nonce}" in workshop.log
    assert "\x1e" not in workshop.log


async def test_a_pass_is_replayed_and_shown_as_cached(workshop: Workshop, image: BuiltImage, nonce: str) -> None:
    what = spec(leaving(GOOD, 0, nonce))
    for cached in (False, True):
        check, given = await run(workshop, image, what)
        assert (check.verdict, given.context.cached) == (Verdict.PASS, cached)
    assert len(set(stamps(workshop))) == 1


async def test_a_failure_is_never_replayed(workshop: Workshop, image: BuiltImage, nonce: str) -> None:
    what = spec(leaving(BAD, 1, nonce))
    tokens = []
    for _ in range(3):
        check, given = await run(workshop, image, what)
        assert (check.verdict, given.context.cached) == (Verdict.FAIL, False)
        tokens.append((given.context.used_attempt, given.context.run_id))
    assert len(set(stamps(workshop))) == 3
    assert tokens[0][0] is None
    assert all(used == run_id for used, run_id in tokens[1:])


async def test_the_token_of_a_pass_finds_it_again(workshop: Workshop, image: BuiltImage, nonce: str) -> None:
    what = spec(leaving(GOOD, 0, nonce))
    _, first = await run(workshop, image, what, attempt="earlier")
    _, again = await run(workshop, image, what, attempt="earlier")
    _, other = await run(workshop, image, what)
    assert [given.context.cached for given in (first, again, other)] == [False, True, False]


@pytest.mark.parametrize(
    ("script", "verdict", "says"),
    [
        ("echo hello", Verdict.NO_DATA, "did not write a JUnit report at /reports/junit.xml"),
        ("echo boom >&2; exit 3", Verdict.FAIL, "exited with code 3 (boom)"),
        (f"printf '<html/>' > {JUNIT}", Verdict.NO_DATA, "is not a JUnit report"),
        ("kill -SEGV $$", Verdict.FAIL, "SIGSEGV"),
        ("exec no-such-program", Verdict.FAIL, "was not found in the image"),
    ],
)
async def test_every_end_has_a_reason(workshop: Workshop, image: BuiltImage, script: str, verdict: Verdict, says: str) -> None:
    check, _ = await run(workshop, image, spec(script))
    assert check.verdict is verdict
    assert check.reason is not None
    assert says in check.reason


async def test_a_report_that_came_with_the_image_does_not_count(workshop: Workshop, nonce: str) -> None:
    image = await workshop.image(f"{DOCKERFILE}RUN printf '%s' '{GOOD}' > {JUNIT} # {nonce}\n")
    check, _ = await run(workshop, image, spec("true"))
    assert check.verdict is Verdict.NO_DATA


async def test_several_reports_by_pattern(workshop: Workshop, image: BuiltImage) -> None:
    script = f"mkdir -p out/a; printf '%s' '{GOOD}' > out/a/TEST-1.xml; printf '%s' '{BAD}' > out/a/TEST-2.xml; touch out/a/other.txt"
    check, given = await run(workshop, image, spec(script, junit="out/**/TEST-*.xml"))
    assert check.facts == {"tests": 4, "failed": 1, "skipped": 0}
    assert {file.name for file in given.context.folder.iterdir()} == {"junit.xml", "junit-1.xml"}


async def test_a_test_that_hangs_is_stopped_in_time_and_its_output_kept(workshop: Workshop, image: BuiltImage, nonce: str) -> None:
    began = time.monotonic()
    check, _ = await run(workshop, image, spec(f"echo testing {nonce}; sleep 300", limits=StepLimits(timeout_s=5)))
    assert time.monotonic() - began < 60
    assert check.verdict is Verdict.FAIL
    assert check.reason is not None
    assert "at the step's limit of 5s" in check.reason
    assert f"(testing {nonce})" in check.reason
    assert f"testing {nonce}" in workshop.log


async def test_environment_and_secrets(workshop: Workshop, image: BuiltImage, nonce: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.write(token_dot_txt=f"s3cret-{nonce}")
    script = f'test "$TOKEN" = s3cret-{nonce} && test "$PLAIN" = yes && echo leak $TOKEN && printf "%s" \'{GOOD}\' > {JUNIT}'
    check, _ = await run(workshop, image, spec(script, env={"PLAIN": "yes"}, secrets={"TOKEN": SecretRef("file://token.txt")}))
    assert check.verdict is Verdict.PASS
    assert workshop.secrets == [f"s3cret-{nonce}"]
    assert "leak ***" in workshop.log


async def test_a_stage_that_does_not_build_is_told_from_a_test_that_fails(workshop: Workshop, nonce: str) -> None:
    image = await workshop.image(f"{DOCKERFILE}FROM runtime AS test\nRUN echo {nonce}; exit 9\nFROM runtime\n", "test")
    with pytest.raises(StepFailed, match=r"build stage test of image shop: `echo \d+; exit 9` exited with code 9"):
        await run(workshop, image, spec("true", image=ImageTarget(name="shop", target="test")))


async def test_a_command_in_an_image_without_a_shell(workshop: Workshop) -> None:
    k6 = workshop.locked["k6"]
    if k6.origin != "built":
        pytest.skip("the official k6 image has a shell")
    workshop.write(Dockerfile=f"FROM {k6.reference}\n")
    image = await workshop.image(f"FROM {k6.reference}\n", base=None)
    check, given = await run(workshop, image, spec("", command=("k6", "version"), junit=None))
    assert check.verdict is Verdict.PASS
    assert "running the command without it" in workshop.log
    failed, _ = await run(workshop, image, spec("", command=("k6", "no-such-command"), junit=None))
    assert failed.verdict is Verdict.FAIL
    assert not given.context.cached


async def test_much_output_without_a_shell(workshop: Workshop) -> None:
    k6 = workshop.locked["k6"]
    if k6.origin != "built":
        pytest.skip("the official k6 image has a shell")
    says = 'export default function () { for (let i = 0; i < 1500; i++) console.log("y".repeat(1000)); console.log("the end"); }'
    workshop.write(much_dot_js=says)
    image = await workshop.image(f"FROM {k6.reference}\nCOPY much.js /much.js\n", base=None)
    check, _ = await run(workshop, image, spec("", command=("k6", "run", "--quiet", "--no-summary", "/much.js"), junit=None))
    assert check.verdict is Verdict.PASS
    assert workshop.log.count("y" * 1000) == 1500
    assert workshop.log.count("the end") == 1


def serving(healthy_after_s: float = 0, port: int = 8000, **more: Any) -> ServiceSpec:
    command = ("python3", "-c", SERVER, str(port), str(healthy_after_s))
    return ServiceSpec(**{"image": "shop", "port": 8000, "command": command, "health": "/healthz", "deadline_s": 30, **more})


async def test_the_command_starts_when_the_service_is_healthy(workshop: Workshop, image: BuiltImage, nonce: str) -> None:
    get = "import urllib.request as u; print(u.urlopen('http://web:8000/healthz').read().decode())"
    script = f'python3 -c "{get}" # {nonce}'
    for cached in (False, True):
        check, given = await run(workshop, image, spec(script, junit=None, services={"web": serving(1.5)}))
        assert (check.verdict, given.context.cached) == (Verdict.PASS, cached)
    assert "hello" in workshop.log


async def test_a_service_that_stays_sick(workshop: Workshop, image: BuiltImage) -> None:
    check, _ = await run(workshop, image, spec("true", junit=None, services={"web": serving(600, deadline_s=1)}))
    assert check.verdict is Verdict.FAIL
    assert check.reason is not None
    assert check.reason.startswith("service web was not healthy within 1 s: ")
    assert "503" in check.reason


async def test_a_service_that_never_opens_its_port(workshop: Workshop, image: BuiltImage) -> None:
    began = time.monotonic()
    with pytest.raises(StepFailed, match=r"service web did not open port 8000 within 2 s"):
        await run(workshop, image, spec("true", junit=None, services={"web": serving(port=9999, deadline_s=2)}))
    assert time.monotonic() - began < 30


async def test_a_service_that_dies(workshop: Workshop, image: BuiltImage) -> None:
    dying = ServiceSpec(image="shop", port=8000, command=("sh", "-c", "echo bad config >&2; exit 3"))
    with pytest.raises(StepFailed, match="service web exited with code 3 before it was healthy") as caught:
        await run(workshop, image, spec("true", junit=None, services={"web": dying}))
    assert caught.value.cause == "bad config"


async def test_a_foreign_image_by_its_locked_name(workshop: Workshop, image: BuiltImage) -> None:
    foreign = ServiceSpec(image="python", port=8000, command=("python3", "-m", "http.server", "8000"), health="/")
    check, _ = await run(workshop, image, spec("true", junit=None, services={"web": foreign}))
    assert check.verdict is Verdict.PASS
