"""Container: Docker's healthcheck."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api import healthcheck
from pipelines.engine.embedded.api.registry import field

if TYPE_CHECKING:
    from pipelines.engine.embedded.api.healthcheck import ImageHealthcheck
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import ContainerState

Args = dict[str, Any]


@field("Container.withDockerHealthcheck", args=("args", "shell", "retries", *healthcheck.TIMES))
def with_healthcheck(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return replace(state, config=replace(state.config, healthcheck=healthcheck.to_config(args)))


@field("Container.withoutDockerHealthcheck")
def without_healthcheck(_: ClientSession, state: ContainerState, __: Args) -> ContainerState:
    return replace(state, config=replace(state.config, healthcheck=None))


@field("Container.dockerHealthcheck")
def docker_healthcheck(_: ClientSession, state: ContainerState, __: Args) -> ImageHealthcheck | None:
    return healthcheck.from_config(state.config.healthcheck)


@field("HealthcheckConfig.args")
def args_(_: ClientSession, state: ImageHealthcheck, __: Args) -> list[str]:
    return list(state.args)


@field("HealthcheckConfig.shell")
def shell(_: ClientSession, state: ImageHealthcheck, __: Args) -> bool:
    return state.shell


@field("HealthcheckConfig.retries")
def retries(_: ClientSession, state: ImageHealthcheck, __: Args) -> int:
    return state.retries


@field("HealthcheckConfig.interval")
def interval(_: ClientSession, state: ImageHealthcheck, __: Args) -> str:
    return state.times["interval"]


@field("HealthcheckConfig.timeout")
def timeout(_: ClientSession, state: ImageHealthcheck, __: Args) -> str:
    return state.times["timeout"]


@field("HealthcheckConfig.startPeriod")
def start_period(_: ClientSession, state: ImageHealthcheck, __: Args) -> str:
    return state.times["startPeriod"]


@field("HealthcheckConfig.startInterval")
def start_interval(_: ClientSession, state: ImageHealthcheck, __: Args) -> str:
    return state.times["startInterval"]
