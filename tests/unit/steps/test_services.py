from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest

from pipelines.errors import StepFailed
from pipelines.model import BuiltImage, ImageContainers
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.common.services import Bound, stage, within_deadlines

if TYPE_CHECKING:
    import dagger


class Service:
    """Stands for a service of the engine: healthy after so many seconds, or never."""

    def __init__(self, healthy_after_s: float | None) -> None:
        self.healthy_after_s = healthy_after_s
        self.calls: list[str] = []

    async def start(self) -> Service:
        self.calls.append("start")
        if self.healthy_after_s is None:
            await anyio.sleep_forever()
        await anyio.sleep(self.healthy_after_s or 0)
        return self

    async def stop(self) -> Service:
        self.calls.append("stop")
        return self


def bound(service: Service, deadline_s: float = 0.2) -> Bound:
    spec = ServiceSpec(image="shop", port=8000, health="healthz", deadline_s=deadline_s)
    return Bound(alias="shop", spec=spec, service=cast("dagger.Service", service))


async def work(seconds: float, value: str = "done") -> str:
    await anyio.sleep(seconds)
    return value


async def fails(seconds: float) -> str:
    await anyio.sleep(seconds)
    raise ValueError("the work itself")


async def test_a_quick_answer_starts_nothing() -> None:
    service = Service(None)
    assert await within_deadlines([bound(service)], work(0)) == "done"
    assert service.calls == []


async def test_work_with_a_healthy_service_goes_on_and_the_service_is_stopped_after_it() -> None:
    service = Service(0.01)
    assert await within_deadlines([bound(service)], work(0.3), quick_s=0.1) == "done"
    assert service.calls == ["start", "stop"]


async def test_a_service_that_never_opens_its_port_ends_the_work() -> None:
    service = Service(None)
    began = time.monotonic()
    with pytest.raises(StepFailed, match=r"service shop did not open port 8000 within 0\.2 s"):
        await within_deadlines([bound(service)], work(60), quick_s=0.1)
    assert time.monotonic() - began < 10
    assert service.calls == ["start", "stop"]


async def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    with pytest.raises(ValueError, match="the work itself"):
        await within_deadlines([bound(Service(None))], fails(0))


async def test_an_error_of_the_work_keeps_its_cause() -> None:
    async def fails_for_a_reason() -> None:
        raise ValueError("the work itself") from OSError("the reason")

    with pytest.raises(ValueError, match="the work itself") as caught:
        await within_deadlines([bound(Service(None))], fails_for_a_reason())
    assert isinstance(caught.value.__cause__, OSError)


async def test_without_services_the_work_is_just_awaited() -> None:
    assert await within_deadlines([], work(0)) == "done"


async def test_cancellation_from_outside_stops_what_was_started() -> None:
    service = Service(0.0)
    with anyio.move_on_after(0.3) as scope:
        await within_deadlines([bound(service, 30)], work(60), quick_s=0.1)
    assert scope.cancelled_caught
    assert service.calls == ["start", "stop"]


def test_where_a_service_is_asked_for_its_health() -> None:
    health = bound(Service(0), 30).health
    assert health is not None
    assert (health.alias, health.url, health.deadline_s) == ("shop", "http://shop:8000/healthz", 30)
    assert Bound(alias="db", spec=ServiceSpec(image="db", port=1), service=cast("Any", None)).health is None


def test_stages_of_an_image() -> None:
    shipped, tests = cast("Any", object()), cast("Any", object())
    containers = ImageContainers(container=shipped, targets={"test": tests})
    image = BuiltImage(name="shop", containers=lambda: containers)
    assert stage(image, None) is shipped
    assert stage(image, "test") is tests
    with pytest.raises(StepFailed, match="no stage 'tset'") as caught:
        stage(image, "tset")
    assert caught.value.cause == "built were: test"
