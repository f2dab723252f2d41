"""Dockerfiles damaged at random, and what is asked of each: an answer soon, which is a plan or one clean message.

The parser, a Go library that may crash its process, reads them in a child; the rest happens here: directives, stages, expansion, triggers,
translation to lazy operations (no image is fetched, nothing runs).
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self, cast

from pipelines.engine.embedded.dockerfile.plan.stages import plan_of
from pipelines.engine.embedded.dockerfile.syntax.parse import document
from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.ops.values.states import DirectoryState, SecretState
from tests.unit.engine.dockerfile.offline import Limits, Offline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.engine.embedded.ops.interface import ClientSession


SLOWEST = 30.0  # seconds for one file, on a busy machine
CHILD = """
import json, sys
from pipelines.engine.embedded.dockerfile.syntax.reader import read
for line in sys.stdin:
    print(json.dumps(read(json.loads(line))), flush=True)
"""
SEEDS = [
    """# syntax=docker/dockerfile:1
# escape=\\
ARG BASE=alpine:3 VERSION=${OTHER:-1}
FROM --platform=$BUILDPLATFORM ${BASE} AS build
ARG VERSION
ENV A=1 B="two words" C="${A:+x}${B%% *}${B//o/0}" D='$A'
LABEL "a b"=c d="$A \\
 more"
WORKDIR src/$A
COPY --chown=1:2 --chmod=u=rwX,go=r --exclude=**/*.md --link . /x/
ADD --unpack=false a.tar b?[a-c]*.gz /
RUN --mount=type=cache,id=c,target=/c,mode=0755,sharing=locked --mount=type=secret,id=s,env=S make
RUN --mount=type=tmpfs,target=/t,size=10m --network=none ["a", "b\\u00e9"]
FROM scratch
COPY --from=build --parents /src/./a/**/b /out/
COPY --from=0 / /
USER 1000:1000
EXPOSE 80 7000-7010/udp 127.0.0.1:1:2
VOLUME ["/a", "/b"]
HEALTHCHECK --interval=1m30s --retries=3 CMD curl localhost || exit 1
STOPSIGNAL SIGTERM
SHELL ["/bin/sh", "-c"]
ENTRYPOINT ["x"]
CMD y z
""",
    """# escape=`
FROM a AS b
ENV X=`$1 Y=q
ENV T=`$1 Y="`"q`"" Z="${X:?no X}" W=${Y#q*} V=${X/1/${Y:-${Z:-w}}} X=1
RUN <<EOF cat > /f
one $X
EOF
RUN <<-"A" <<B
	#!/bin/sh
	A
two
B
COPY <<one <<-'two' /dir/
${X} and \\$Y
one
	$Z
two
ONBUILD RUN --mount=from=b,target=/m echo $X
ONBUILD COPY <<E /e
t
E
FROM b
RUN x `
  # comment

  y
MAINTAINER me
""",
]
PIECES = [
    *("\0", "\r", "\t", "\ufeff", "\ud800", "\u2028", "é", "\x1b[31m", "\\", "`", "'", '"', "$", "{", "}", "[", "]", "/", "*", "<<"),
    *("${a", "${a:-", "${a:?", "${A//", "$A$A$A$A", "<<EOF\n", "<<-'X'\n", "--", "--=", "--mount=", "--from=1", "--from=b", "--chmod=9"),
    *("FROM ", "\nFROM scratch AS c\n", "\nONBUILD ", "\nRUN ", "\nARG ", "\nENV A=$A$A$A$A\n", "\nCOPY ", "\n# escape=`\n", ",", "=", "#"),
    *("9" * 400, "-1", "0" * 5000, "1e999", "77777777", "99999999h", "65536", "1_0", "٣", "\n", " \\\n", "\n# check=error=1\n"),
]
LONG = [
    *("x" * 70_000, "${a:-" * 2000, "[" * 20_000, "\nENV A=$A$A$A$A$A$A$A$A" * 40, " \\\n" * 5000, "<<A " * 500, "\nRUN <<A" * 300),
    *('"' * 9999, "$A" * 5_000),
]


def mutants(seed: int, count: int) -> Iterator[str]:
    """Damaged files; the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        text = chance.choice(SEEDS)
        for _ in range(chance.choice([1, 1, 2, 3, 8])):
            text = damaged(text, chance)
        yield text


def damaged(text: str, chance: random.Random) -> str:
    """The text after one mishap."""
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.choice([1, 3, 10, 60]))
    part = text[start:end]
    match chance.randrange(7):
        case 0:
            part = ""
        case 1:
            part *= chance.choice([2, 3, 50])
        case 2:
            part = part[::-1]
        case 3:
            part = chance.choice(PIECES if chance.randrange(5) else LONG)
        case 4:
            part = "".join(chr((ord(letter) ^ 1 << chance.randrange(7)) or 1) for letter in part)
        case 5:
            lines = text.split("\n")
            chance.shuffle(lines)
            return "\n".join(lines)
        case _:
            part = chance.choice(PIECES) * chance.choice([1, 2, 30])
    return text[:start] + part + text[end:]


def refused(seed: int, count: int) -> list[str]:
    """Put every mutant through; the messages of those that were refused.

    Raises:
        AssertionError: one gave anything else than a plan or a clean message, or took too long.
    """
    messages = []
    with Parser() as parser:
        for text in mutants(seed, count):
            start = time.monotonic()
            try:
                message = outcome(text, parser)
            except Exception as error:
                raise AssertionError(f"seed {seed}: {type(error).__name__}: {error!s:.200} of {text!r:.4000}") from error
            took = time.monotonic() - start
            assert took < SLOWEST, f"seed {seed}: {took:.1f} s for {text!r:.4000}"
            if message:
                assert not any(word in message for word in ("Traceback", "internal error", "parser failed")), (message, text)
                messages.append(message)
    return messages


def outcome(text: str, parser: Parser) -> str:
    """The message of the error that a file ends in; "" when it is translated to the end."""
    if not text or "\0" in text:
        return ""
    try:
        plan = plan_of(document(text, parser.read(text), "Dockerfile"), build_args={"VERSION": "2"})
        secrets = {"s": SecretState("s", "s", "", bytes)}
        asyncio.run(Offline(cast("ClientSession", Limits()), plan, DirectoryState(), secrets).run())
    except EngineError as error:
        return error.message
    return ""


class Parser:
    """The official parser in a child process, one text after the other."""

    def __enter__(self) -> Self:
        environment = {"PYTHONPATH": ":".join(path for path in sys.path if path), "PATH": "/usr/bin:/bin"}
        self._child = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._child.communicate()

    def read(self, text: str) -> dict[str, Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        valid = text.encode("utf-8", "replace").decode()
        print(json.dumps(valid), file=self._child.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        return answer
