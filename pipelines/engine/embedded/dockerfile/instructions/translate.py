"""Instructions as parsed to typed steps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.instructions import config as instructions
from pipelines.engine.embedded.dockerfile.instructions.config import CommandLine
from pipelines.engine.embedded.dockerfile.instructions.copy import CopyInstruction, InlineFile
from pipelines.engine.embedded.dockerfile.instructions.mounts import MountFlag, fields, option
from pipelines.engine.embedded.dockerfile.instructions.origins import BuildContext, Origin, Scratch
from pipelines.engine.embedded.dockerfile.instructions.run import RunInstruction, heredoc_word
from pipelines.engine.embedded.dockerfile.syntax import flags
from pipelines.engine.embedded.dockerfile.syntax.expand import Expander
from pipelines.engine.embedded.dockerfile.syntax.numbers import nanoseconds, whole_number
from pipelines.engine.embedded.dockerfile.syntax.suggest import hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.engine.embedded.dockerfile.instructions.base import Pairs, StageInstruction
    from pipelines.engine.embedded.dockerfile.syntax.parsed import ParsedInstruction

ONBUILD = re.compile(r"\s*ONBUILD\s*", re.IGNORECASE)
NETWORKS = frozenset({"default", "none", "host"})
HIGHEST_COUNT = 2**31 - 1
DURATIONS = ("interval", "timeout", "start-period", "start-interval")


def step(node: ParsedInstruction, find: Callable[[str], Origin]) -> StageInstruction:
    """One instruction other than FROM.

    Args:
        node: the instruction.
        find: what the name in a ``from`` stands for.

    Raises:
        Fault: where the instruction is not well-formed.
    """
    if node.name in FROM_OTHERS:
        return FROM_OTHERS[node.name](node, find)
    if node.name in CONFIG:
        return CONFIG[node.name](node)
    raise Fault(f"unknown instruction: {node.word}" + hint(node.word, NAMES, fold=True))


def _run(node: ParsedInstruction, find: Callable[[str], Origin]) -> StageInstruction:
    given = flags.read(node.flags, texts=("network", "security"), lists=("mount", "device"))
    network, security = given.text("network", "default"), given.text("security", "sandbox")
    if network not in NETWORKS:
        raise Fault(f'invalid network mode "{network}"')
    if security not in {"sandbox", "insecure"}:
        raise Fault(f'security "{security}" is not valid')
    return RunInstruction(
        text=node.text,
        line=node.line,
        command=_command(node),
        heredocs=node.heredocs,
        flags=tuple(MountFlag(text, _mount_origin(text, find)) for text in given.list("mount")),
        network=network,
        insecure=security == "insecure",
        devices=given.list("device"),
    )


def _mount_origin(text: str, find: Callable[[str], Origin]) -> Origin | None:
    values = dict(option(one) for one in fields(text))
    name = values.get("from")
    if not name:
        return Scratch() if values.get("type", "").lower() == "cache" else None
    if "$" in name[:-1]:
        raise Fault("'from' doesn't support variable expansion, define alias stage instead")
    return find(name)


def _copy(node: ParsedInstruction, find: Callable[[str], Origin]) -> StageInstruction:
    given = flags.read(node.flags, texts=("chown", "chmod", "from"), lists=("exclude",), switches=("link", "parents"))
    paths, inline, dest = _sources(node)
    return CopyInstruction(
        text=node.text,
        line=node.line,
        paths=paths,
        inline=inline,
        dest=dest,
        origin=_copy_origin(given.text("from"), find),
        chown=given.text("chown"),
        chmod=given.text("chmod"),
        exclude=given.list("exclude"),
        parents=bool(given.switch("parents")),
        link=bool(given.switch("link")),
    )


def _copy_origin(name: str, find: Callable[[str], Origin]) -> Origin:
    if Expander().word(name) != name:
        raise Fault(
            "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround"
        )
    return find(name) if name else BuildContext()


def _add(node: ParsedInstruction, _: Callable[[str], Origin]) -> StageInstruction:
    switches = ("link", "keep-git-dir", "unpack")
    given = flags.read(node.flags, texts=("chown", "chmod", "checksum"), lists=("exclude",), switches=switches)
    paths, inline, dest = _sources(node)
    return CopyInstruction(
        text=node.text,
        line=node.line,
        paths=paths,
        inline=inline,
        dest=dest,
        origin=BuildContext(),
        chown=given.text("chown"),
        chmod=given.text("chmod"),
        exclude=given.list("exclude"),
        link=bool(given.switch("link")),
        unpack=given.switch("unpack") is not False,
        add=True,
        checksum=given.text("checksum"),
    )


def _sources(node: ParsedInstruction) -> tuple[tuple[str, ...], tuple[InlineFile, ...], str]:
    if len(node.args) < 2:  # noqa: PLR2004 - a source and a destination
        raise Fault(f"{node.name} requires at least two arguments, but only one was provided. Destination could not be determined")
    *sources, dest = node.args
    if node.heredocs and heredoc_word(dest):
        raise Fault(f"{node.name} cannot accept a heredoc as a destination")
    bodies = {heredoc.name: heredoc.content for heredoc in node.heredocs}
    paths, inline = [], []
    for source in sources:
        word = heredoc_word(source) if node.heredocs else None
        if word is None:
            paths.append(source)
        else:
            inline.append(InlineFile(word.name, word.body(bodies.get(word.name, "")), word.expand))
    return tuple(paths), tuple(inline), dest


def _command(node: ParsedInstruction) -> CommandLine:
    return CommandLine(node.args, not node.json)


def _pairs(node: ParsedInstruction) -> Pairs:
    flags.read(node.flags)
    if not node.args:
        raise Fault(f"{node.name} requires at least one argument")
    names, values = node.args[::2], node.args[1::2]
    if "" in names:
        raise Fault(f"{node.name} names can not be blank")
    return tuple(zip(names, values, strict=True))


def _one(node: ParsedInstruction) -> str:
    flags.read(node.flags)
    if len(node.args) != 1:
        raise Fault(f"{node.name} requires exactly one argument")
    return node.args[0]


def _some(node: ParsedInstruction) -> tuple[str, ...]:
    flags.read(node.flags)
    if not node.args:
        raise Fault(f"{node.name} requires at least one argument")
    return node.args


def _arg(node: ParsedInstruction) -> StageInstruction:
    pairs = [(name, value if equals else None) for name, equals, value in (word.partition("=") for word in _some(node))]
    if any(not name for name, _ in pairs):
        raise Fault("ARG names can not be blank")
    return instructions.ArgInstruction(text=node.text, line=node.line, pairs=tuple(pairs))


def _cmd(node: ParsedInstruction) -> StageInstruction:
    flags.read(node.flags)
    kind = instructions.CmdInstruction if node.name == "CMD" else instructions.EntrypointInstruction
    return kind(text=node.text, line=node.line, command=_command(node))


def _shell(node: ParsedInstruction) -> StageInstruction:
    argv = _some(node)
    if not node.json:
        raise Fault(f"SHELL requires the arguments to be in JSON form, not: {node.text}")
    return instructions.ShellInstruction(text=node.text, line=node.line, argv=argv)


def _volume(node: ParsedInstruction) -> StageInstruction:
    paths = tuple(path.strip() for path in _some(node))
    if "" in paths:
        raise Fault("VOLUME specified can not be an empty string")
    return instructions.VolumeInstruction(text=node.text, line=node.line, paths=paths)


def _healthcheck(node: ParsedInstruction) -> StageInstruction:
    if not node.args:
        raise Fault("HEALTHCHECK requires at least one argument")
    kind, arguments = node.args[0].upper(), node.args[1:]
    if kind == "NONE":
        if arguments:
            raise Fault("HEALTHCHECK NONE takes no arguments")
        return instructions.HealthcheckInstruction(text=node.text, line=node.line, test=("NONE",))
    given = flags.read(node.flags, texts=(*DURATIONS, "retries"))
    if kind != "CMD":
        raise Fault(f'Unknown type "{kind}" in HEALTHCHECK (try CMD)')
    if not arguments:
        raise Fault("Missing command after HEALTHCHECK CMD")
    test = ("CMD", *arguments) if node.json else ("CMD-SHELL", " ".join(arguments))
    times = {name.replace("-", "_"): nanoseconds(given.text(name), name) for name in DURATIONS}
    return instructions.HealthcheckInstruction(
        text=node.text, line=node.line, test=test, retries=_retries(given.text("retries", "0")), **times
    )


def _retries(text: str) -> int:
    number = whole_number(text.removeprefix("+").removeprefix("-"), HIGHEST_COUNT)
    if number is None:
        raise Fault(f"--retries is not a number ({text})")
    if number and text.startswith("-"):
        raise Fault(f"--retries cannot be negative ({text})")
    return number


def _onbuild(node: ParsedInstruction) -> StageInstruction:
    trigger = ONBUILD.sub("", node.text, count=1)
    if not trigger:
        raise Fault("ONBUILD requires at least one argument")
    name = trigger.split()[0].upper()
    if name == "ONBUILD":
        raise Fault("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if name in {"MAINTAINER", "FROM"}:
        raise Fault(f"{name} isn't allowed as an ONBUILD trigger")
    bodies = "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in node.heredocs)
    return instructions.OnBuildInstruction(text=node.text, line=node.line, trigger=trigger + bodies)


FROM_OTHERS: dict[str, Callable[[ParsedInstruction, Callable[[str], Origin]], StageInstruction]] = {"RUN": _run, "COPY": _copy, "ADD": _add}
"""Instructions that may read from another stage or image."""
CONFIG: dict[str, Callable[[ParsedInstruction], StageInstruction]] = {
    "ARG": _arg,
    "CMD": _cmd,
    "ENTRYPOINT": _cmd,
    "ENV": lambda node: instructions.EnvInstruction(text=node.text, line=node.line, pairs=_pairs(node)),
    "EXPOSE": lambda node: instructions.ExposeInstruction(text=node.text, line=node.line, ports=_some(node)),
    "HEALTHCHECK": _healthcheck,
    "LABEL": lambda node: instructions.LabelInstruction(text=node.text, line=node.line, pairs=_pairs(node)),
    "MAINTAINER": lambda node: instructions.MaintainerInstruction(text=node.text, line=node.line, name=_one(node)),
    "ONBUILD": _onbuild,
    "SHELL": _shell,
    "STOPSIGNAL": lambda node: instructions.StopSignalInstruction(text=node.text, line=node.line, signal=_one(node)),
    "USER": lambda node: instructions.UserInstruction(text=node.text, line=node.line, user=_one(node)),
    "VOLUME": _volume,
    "WORKDIR": lambda node: instructions.WorkdirInstruction(text=node.text, line=node.line, path=_one(node)),
}
NAMES = ("FROM", *FROM_OTHERS, *CONFIG)
