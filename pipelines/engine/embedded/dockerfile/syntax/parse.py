"""Dockerfile text to instructions, by the official parser in a process of its own."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, replace
from typing import Any

from pipelines.engine.embedded.dockerfile.errors import DockerfileError
from pipelines.engine.embedded.dockerfile.syntax.directives import check, directives
from pipelines.engine.embedded.dockerfile.syntax.parsed import Heredoc, ParsedInstruction
from pipelines.engine.embedded.helper import run_helper
from pipelines.foundation.process.result import ProcessTimeout

PARSE_S = 60.0  # a parser that takes longer hangs
READER = "pipelines.engine.embedded.dockerfile.syntax.reader"
ARRAY = re.compile(r"(?<=\s)\[(?=\s*[\"\]])")  # where an array of strings may begin
LISTS = frozenset({"ADD", "COPY", "VOLUME"})  # outside the exec form these split at white space; the others take one command line


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A parsed file.

    Attributes:
        nodes: its instructions in order.
        escape: the escape character (the ``# escape=`` directive).
        file: its path, for messages.
    """

    nodes: tuple[ParsedInstruction, ...]
    escape: str
    file: str


@functools.lru_cache(maxsize=32)
def parse(text: str, file: str = "Dockerfile") -> Dockerfile:
    """Split a Dockerfile into instructions.

    Blocks for about 20 ms the first time a text is seen.

    Raises:
        DockerfileError: with the line, where the syntax is wrong.
    """
    if not text:
        raise DockerfileError("the Dockerfile cannot be empty", file=file)
    if "\0" in text:
        raise DockerfileError("a NUL character", line=text.count("\n", 0, text.index("\0")) + 1, file=file)
    return document(text, _read(text, file), file)


def document(text: str, answer: dict[str, Any], file: str) -> Dockerfile:
    """What the parser (`reader.read`) said of a text.

    Raises:
        DockerfileError: it complained, or a directive is wrong.
    """
    if "error" in answer:
        raise DockerfileError(answer["error"], line=answer["line"], file=file)
    found = directives(text)
    check(found, file)
    return Dockerfile(tuple(_node(values) for values in answer["nodes"]), found.get("escape", "\\"), file)


def _read(text: str, file: str) -> dict[str, Any]:
    try:
        done = run_helper(READER, text.encode("utf-8", "replace"), timeout_s=PARSE_S)
    except ProcessTimeout:
        raise DockerfileError(f"the parser did not finish within {PARSE_S:g} s", file=file) from None
    if done.code:
        raise DockerfileError(f"the Dockerfile parser failed: {done.complaint[-500:]}", file=file)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _node(values: dict[str, Any]) -> ParsedInstruction:
    heredocs = tuple(Heredoc(name, content) for name, content in values["heredocs"])
    word = values["word"]
    node = ParsedInstruction(
        word.upper(), word, tuple(values["args"]), tuple(values["flags"]), values["json"], heredocs, values["text"], values["line"]
    )
    return _whole(node) if node.json else node


def _whole(node: ParsedInstruction) -> ParsedInstruction:
    """Only a JSON array to the end of the line is the exec form: ``["a"] && b`` is a command line, of which the parser keeps ``["a"]``."""
    arguments = list(node.args[node.name == "HEALTHCHECK" :])
    decoder = json.JSONDecoder()
    for start in (found.start() for found in ARRAY.finditer(node.text)):
        try:
            value, end = decoder.raw_decode(node.text, start)
        except (ValueError, RecursionError):
            continue
        if value == arguments:
            return node if not node.text[end:].strip() else _shell_form(node, node.text[start:])
    return node


def _shell_form(node: ParsedInstruction, rest: str) -> ParsedInstruction:
    if node.name == "HEALTHCHECK":
        return replace(node, args=(node.args[0], rest), json=False)
    return replace(node, args=tuple(rest.split()) if node.name in LISTS else (rest,), json=False)
