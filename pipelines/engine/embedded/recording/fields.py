"""The fields a recording answers in its own way; all others that need no running are the engine's own."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.envfile import EnvFile
from pipelines.engine.embedded.api.registry import ResolverRegistry
from pipelines.engine.embedded.errors import ImageNotFound, InvalidInput
from pipelines.engine.embedded.images import references
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.json_value import JsonValue
from pipelines.engine.embedded.ops.values.states import ContainerState, DirectoryState, FileState, ServiceState
from pipelines.engine.embedded.recording.trees import HostOp, NamedOp, below, read

if TYPE_CHECKING:
    from pipelines.engine.embedded.recording.record import Recording
    from pipelines.engine.embedded.recording.rules import ExecRule

Args = dict[str, Any]
own = ResolverRegistry()
field = own.field


@field("Container.from", args=("address",))
def from_(recording: Recording, state: ContainerState, args: Args) -> ContainerState:
    """The container of an image as the rules describe it."""
    address = args["address"]
    reference = references.parse(address).with_default_tag()
    if address in recording.rules.missing:
        raise ImageNotFound(f'failed to resolve image "{reference}" (platform: "{state.platform}"): {reference}: not found')
    pinned = reference if reference.digest else reference.at(f"sha256:{digest_of('image', str(reference))}")
    return replace(state, rootfs=NamedOp(address, state.platform), config=recording.rules.config(address), image_ref=str(pinned), last=None)


@field("Container.import", args=("source", "tag"))
def import_(recording: Recording, state: ContainerState, args: Args) -> ContainerState:
    """A container from an archive, whose content is not read."""
    label = "imported archive"
    return replace(state, rootfs=NamedOp(label, args["tag"], [args["source"].op]), config=recording.rules.config(label), last=None)


@field("Directory.dockerBuild", args=("dockerfile", "platform", "buildArgs", "target", "secrets", "noInit"))
def docker_build(recording: Recording, state: DirectoryState, args: Args) -> ContainerState:
    """A container that stands for a build; the Dockerfile is not read."""
    where = state.op.path.name if isinstance(state.op, HostOp) else "a directory"
    label = f"build of {where}" + (f" ({args['target']})" if args["target"] else "")
    recipe = [args["dockerfile"], args["buildArgs"], state.path, [secret.name for secret in args["secrets"]]]
    config = recording.rules.config(label)
    return ContainerState(args["platform"] or recording.platform, NamedOp(label, recipe, [state.op]), config)


@field("Host.directory", args=("path", "exclude", "include", "gitignore", "noCache"))
def host_directory(recording: Recording, _: str, args: Args) -> DirectoryState:
    """A directory of the host, read when somebody looks into it."""
    return DirectoryState(HostOp(recording.host_path(args["path"]), tuple(args["include"]), tuple(args["exclude"])))


@field("Host.file", args=("path", "noCache"))
def host_file(recording: Recording, _: str, args: Args) -> FileState:
    """A file of the host."""
    path = recording.host_path(args["path"])
    return FileState(HostOp(path.parent, (path.name,), ()), f"/{path.name}")


@field("Query.http", args=("url", "name", "permissions", "checksum", "authHeader"))
def http(_: Recording, __: None, args: Args) -> FileState:
    """A file that stands for a download."""
    return FileState(NamedOp(args["url"], ""), "/" + (args.get("name") or posixpath.basename(args["url"]) or "index"))


@field("Container.stdout")
def stdout(recording: Recording, state: ContainerState, _: Args) -> str:
    """Standard output of the last command, by its rule."""
    return _outcome(recording, state).out


@field("Container.stderr")
def stderr(recording: Recording, state: ContainerState, _: Args) -> str:
    """Standard error of the last command, by its rule."""
    return _outcome(recording, state).err


@field("Container.combinedOutput")
def combined_output(recording: Recording, state: ContainerState, _: Args) -> str:
    """Both streams, standard output first."""
    outcome = _outcome(recording, state)
    return outcome.out + outcome.err


@field("Container.exitCode")
def exit_code(recording: Recording, state: ContainerState, _: Args) -> int:
    """The exit code of the last command, by its rule."""
    return _outcome(recording, state).code


def _outcome(recording: Recording, state: ContainerState) -> ExecRule:
    outcome = recording.outcome(state)
    if outcome is None:
        raise InvalidInput("no command has been set")
    return outcome


@field("Container.sync")
def container_sync(recording: Recording, state: ContainerState, _: Args) -> None:
    """Record the commands that a container needs."""
    recording.record_commands(state.rootfs)


@field("Directory.sync")
@field("File.sync")
def path_sync(recording: Recording, state: DirectoryState | FileState, _: Args) -> None:
    """Record the commands that a directory or file needs."""
    recording.record_commands(state.op)


@field("Container.publish", args=("address", "platformVariants", "forcedCompression", "mediaTypes"))
def publish(recording: Recording, state: ContainerState, args: Args) -> str:
    """Record a push."""
    from pipelines.engine.embedded.api.fields.publish import variants

    return recording.publish(variants(state, args), args["address"])


@field("Container.export", args=("path", "expand", "platformVariants", "forcedCompression", "mediaTypes"))
def container_export(recording: Recording, state: ContainerState, args: Args) -> str:
    """Record an export of an image to the host; nothing is written."""
    recording.record_commands(state.rootfs)
    recording.exported.append(args["path"])
    return str(recording.host_path(args["path"]))


@field("Directory.export", args=("path", "wipe"))
@field("File.export", args=("path", "allowParentDirPath"))
def path_export(recording: Recording, state: DirectoryState | FileState, args: Args) -> str:
    """Record an export of a directory or file; nothing is written."""
    recording.record_commands(state.op)
    recording.exported.append(args["path"])
    return str(recording.host_path(args["path"]))


@field("Directory.entries", args=("path",))
def entries(recording: Recording, state: DirectoryState, args: Args) -> list[str]:
    """Names in a directory, as far as they are known."""
    found = below(recording.tree(state.op), posixpath.normpath(posixpath.join(state.path, args["path"] or ".")))
    return sorted(name + ("/" if data is None else "") for name, data in found.items() if "/" not in name)


@field("Directory.glob", args=("pattern",))
def glob(recording: Recording, state: DirectoryState, args: Args) -> list[str]:
    """Known paths that match a pattern."""
    from pipelines.engine.embedded.store.selection.patterns import START, Filter

    found = below(recording.tree(state.op), state.path)
    filters = Filter((args["pattern"],))
    return sorted(name + ("/" if data is None else "") for name, data in found.items() if filters.visit(name, START).included)


@field("File.contents", args=("offsetLines", "limitLines"))
def contents(recording: Recording, state: FileState, _: Args) -> str:
    """A file's text, if it is known."""
    return read(recording.tree(state.op), state.path).decode(errors="replace")


@field("File.asEnvFile")
def as_env_file(recording: Recording, state: FileState, _: Args) -> EnvFile:
    """A known file as an env file."""
    return EnvFile.parse(contents(recording, state, {}))


@field("File.asJSON")
def as_json(recording: Recording, state: FileState, _: Args) -> JsonValue:
    """A known file as JSON."""
    return JsonValue.parse(contents(recording, state, {}))


@field("File.size")
def size(recording: Recording, state: FileState, _: Args) -> int:
    """Bytes of a known file."""
    return len(read(recording.tree(state.op), state.path))


@field("Directory.exists", args=("path", "expectedType", "doNotFollowSymlinks"))
def exists(recording: Recording, state: DirectoryState, args: Args) -> bool:
    """Whether a path of a directory is known."""
    return posixpath.normpath(posixpath.join(state.path, args["path"])) in recording.tree(state.op)


@field("Container.exists", args=("path", "expectedType", "doNotFollowSymlinks", "expand"))
def container_exists(recording: Recording, state: ContainerState, args: Args) -> bool:
    """Whether a path of a container is known."""
    from pipelines.engine.embedded.api.fields.container_files import place

    op, path = place(state, state.absolute(args["path"]))
    return path in recording.tree(op)


@field("Service.start")
@field("Service.sync")
def start(recording: Recording, state: ServiceState, _: Args) -> None:
    """Record the commands that a service needs; nothing is started."""
    if state.container is not None:
        recording.record_commands(state.container.rootfs)


@field("Service.stop", args=("kill",))
def stop(_: Recording, __: ServiceState, ___: Args) -> None:
    """Nothing runs."""


@field("Service.endpoint", args=("port", "scheme"))
def endpoint(_: Recording, state: ServiceState, args: Args) -> str:
    """An address of a service that is not there."""
    ports = state.container.config.ports if state.container else ()
    port = args["port"] or next((one.port for one in ports), 0)
    return f"{args['scheme']}://{state.name}:{port}" if args["scheme"] else f"{state.name}:{port}"


@field("Secret.plaintext")
async def plaintext(recording: Recording, state: Any, _: Args) -> str:
    """A secret's value."""
    return (await recording.secret_value(state)).decode(errors="replace")
