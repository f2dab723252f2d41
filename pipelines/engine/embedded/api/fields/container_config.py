"""Container: what it starts with (environment, user, entrypoint, labels, ports …) and the leaves that read it back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.commands.expand import expand
from pipelines.engine.embedded.ops.values import config as pairs
from pipelines.engine.embedded.ops.values.config import Config, ExposedPort

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import ContainerState, SecretState

Args = dict[str, Any]


def configured(state: ContainerState, **changes: Any) -> ContainerState:
    """The container with other settings."""
    return replace(state, config=replace(state.config, **changes))


@field("Container.withEnvVariable", args=("name", "value", "expand"))
def with_env_variable(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    value = expand(args["value"], state.config.env) if args["expand"] else args["value"]
    return replace(state, config=state.config.with_env(args["name"], value))


@field("Container.withoutEnvVariable", args=("name",))
def without_env_variable(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return configured(state, env=pairs.drop(state.config.env, args["name"]))


@field("Container.envVariable", args=("name",))
def env_variable(_: ClientSession, state: ContainerState, args: Args) -> str | None:
    return pairs.get(state.config.env, args["name"])


@field("Container.envVariables")
def env_variables(_: ClientSession, state: ContainerState, __: Args) -> list[tuple[str, str]]:
    return list(state.config.env)


@field("EnvVariable.name")
@field("Label.name")
def pair_name(_: ClientSession, pair: tuple[str, str], __: Args) -> str:
    return pair[0]


@field("EnvVariable.value")
@field("Label.value")
def pair_value(_: ClientSession, pair: tuple[str, str], __: Args) -> str:
    return pair[1]


@field("Container.withVolatileVariable", args=("name", "value"))
def with_volatile_variable(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return replace(state, volatile=pairs.put(state.volatile, args["name"], args["value"]))


@field("Container.withoutVolatileVariable", args=("name",))
def without_volatile_variable(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return replace(state, volatile=pairs.drop(state.volatile, args["name"]))


@field("Container.withSecretVariable", args=("name", "secret"))
def with_secret_variable(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    others = tuple(pair for pair in state.secret_env if pair[0] != args["name"])
    secret: SecretState = args["secret"]
    return replace(state, secret_env=(*others, (args["name"], secret)))


@field("Container.withoutSecretVariable", args=("name",))
def without_secret_variable(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return replace(state, secret_env=tuple(pair for pair in state.secret_env if pair[0] != args["name"]))


@field("Container.withWorkdir", args=("path", "expand"))
def with_workdir(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    path = expand(args["path"], state.config.env) if args["expand"] else args["path"]
    return configured(state, workdir=state.absolute(path))


@field("Container.withoutWorkdir")
def without_workdir(_: ClientSession, state: ContainerState, __: Args) -> ContainerState:
    return configured(state, workdir="")


@field("Container.workdir")
def workdir(_: ClientSession, state: ContainerState, __: Args) -> str:
    return state.config.workdir


@field("Container.withUser", args=("name",))
def with_user(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return configured(state, user=args["name"])


@field("Container.withoutUser")
def without_user(_: ClientSession, state: ContainerState, __: Args) -> ContainerState:
    return configured(state, user="")


@field("Container.user")
def user(_: ClientSession, state: ContainerState, __: Args) -> str:
    return state.config.user


@field("Container.withEntrypoint", args=("args", "keepDefaultArgs"))
def with_entrypoint(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    cmd = state.config.cmd if args["keepDefaultArgs"] else None
    return configured(state, entrypoint=tuple(args["args"]), cmd=cmd)


@field("Container.withoutEntrypoint", args=("keepDefaultArgs",))
def without_entrypoint(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return configured(state, entrypoint=None, cmd=state.config.cmd if args["keepDefaultArgs"] else None)


@field("Container.entrypoint")
def entrypoint(_: ClientSession, state: ContainerState, __: Args) -> list[str]:
    return list(state.config.entrypoint or ())


@field("Container.withDefaultArgs", args=("args",))
def with_default_args(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return configured(state, cmd=tuple(args["args"]))


@field("Container.withoutDefaultArgs")
def without_default_args(_: ClientSession, state: ContainerState, __: Args) -> ContainerState:
    return configured(state, cmd=None)


@field("Container.defaultArgs")
def default_args(_: ClientSession, state: ContainerState, __: Args) -> list[str]:
    return list(state.config.cmd or ())


@field("Container.withLabel", args=("name", "value"))
def with_label(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return configured(state, labels=pairs.put(state.config.labels, args["name"], args["value"]))


@field("Container.withoutLabel", args=("name",))
def without_label(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return configured(state, labels=pairs.drop(state.config.labels, args["name"]))


@field("Container.label", args=("name",))
def label(_: ClientSession, state: ContainerState, args: Args) -> str | None:
    return pairs.get(state.config.labels, args["name"])


@field("Container.labels")
def labels(_: ClientSession, state: ContainerState, __: Args) -> list[tuple[str, str]]:
    return list(state.config.labels)


@field("Container.withAnnotation", args=("name", "value"))
def with_annotation(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return configured(state, annotations=pairs.put(state.config.annotations, args["name"], args["value"]))


@field("Container.withoutAnnotation", args=("name",))
def without_annotation(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return configured(state, annotations=pairs.drop(state.config.annotations, args["name"]))


@field("Container.withExposedPort", args=("port", "protocol", "description", "experimentalSkipHealthcheck"))
def with_exposed_port(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    if not 0 < args["port"] < 65536:  # noqa: PLR2004 - the range of a port
        raise InvalidInput(f"port {args['port']} is out of range: 1 to 65535")
    port = ExposedPort(args["port"], args["protocol"], args["description"], bool(args["experimentalSkipHealthcheck"]))
    return configured(state, ports=(*_other_ports(state.config, port.key), port))


@field("Container.withoutExposedPort", args=("port", "protocol"))
def without_exposed_port(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return configured(state, ports=_other_ports(state.config, ExposedPort(args["port"], args["protocol"]).key))


@field("Container.exposedPorts")
def exposed_ports(_: ClientSession, state: ContainerState, __: Args) -> list[ExposedPort]:
    return list(state.config.ports)


def _other_ports(config: Config, key: str) -> tuple[ExposedPort, ...]:
    return tuple(port for port in config.ports if port.key != key)


@field("Port.port")
def port_number(_: ClientSession, port: ExposedPort, __: Args) -> int:
    return port.port


@field("Port.protocol")
def port_protocol(_: ClientSession, port: ExposedPort, __: Args) -> str:
    return port.protocol


@field("Port.description")
def port_description(_: ClientSession, port: ExposedPort, __: Args) -> str | None:
    return port.description


@field("Port.experimentalSkipHealthcheck")
def port_skip_healthcheck(_: ClientSession, port: ExposedPort, __: Args) -> bool:
    return port.skip_healthcheck


@field("Container.platform")
def platform(_: ClientSession, state: ContainerState, __: Args) -> str:
    return state.platform


@field("Container.imageRef")
def image_ref(_: ClientSession, state: ContainerState, __: Args) -> str:
    if state.image_ref is None:
        raise InvalidInput("image reference can only be retrieved immediately after the 'Container.From' call; error in fetching imageRef")
    return state.image_ref
