"""Inputs of our own, and what BuildKit's sources and tests say is right: what is decided when a Dockerfile is translated.

Each row is one behaviour. What a container or a file system decides is in `test_copy_action.py` and `tests/contract/test_dockerfile.py`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipelines.engine.embedded.dockerfile.building import ignore
from pipelines.engine.embedded.dockerfile.plan.stages import plan
from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.ops.values.states import CacheMount, DirectoryMount, SecretMount, TempMount
from pipelines.engine.embedded.store.selection.patterns import START, Filter
from tests.unit.engine.dockerfile.offline import config, last_run, offline, translated

SH = ["/bin/sh", "-c"]


@pytest.mark.parametrize(
    ("text", "args", "expected"),
    [
        # values: the last one counts, in the place of the first; one instruction reads what was there before it
        ("FROM bare\nENV A=1\nENV B=2\nENV A=3", {}, {"Env": ["A=3", "B=2"]}),
        ("FROM bare\nENV A=1\nENV A=2 B=$A", {}, {"Env": ["A=2", "B=1"]}),
        ("FROM bare\nENV K spaces  stay $UNSET here", {}, {"Env": ["K=spaces  stay  here"]}),
        ("FROM bare\nENV A=x\\ y B='$A' C=\"$D\\$D\"", {}, {"Env": ["A=x y", "B=$A", "C=$D"]}),
        ("FROM busy\nENV B=$B/more", {}, "base/more"),
        # arguments: declared, default, global, given
        ("FROM bare\nENV Y=$Z", {"Z": "1"}, {"Env": ["Y="]}),
        ("ARG G=g\nFROM bare\nENV Y=$G", {}, {"Env": ["Y="]}),
        ("ARG G=g\nFROM bare\nARG G\nENV Y=$G", {}, {"Env": ["Y=g"]}),
        ("ARG G=g\nFROM bare\nARG G=own\nENV Y=$G", {}, {"Env": ["Y=own"]}),
        ("ARG G=g\nFROM bare\nARG G=own\nENV Y=$G", {"G": "given"}, {"Env": ["Y=given"]}),
        ("FROM bare\nARG A=1 B=${A}2 C='${A}'\nENV Y=$B$C", {}, {"Env": ["Y=12${A}"]}),
        ("FROM bare AS one\nARG A=1\nFROM one\nENV Y=$A", {}, {"Env": ["Y=1"]}),
        ("FROM bare AS one\nARG A=1\nFROM bare\nENV Y=$A", {}, {"Env": ["Y="]}),
        ("FROM bare\nENV X=env\nARG X=arg\nENV Y=$X", {}, {"Env": ["X=env", "Y=arg"]}),
        ("ARG G\nFROM bare\nARG G=${H:-h}\nENV Y=$G", {}, {"Env": ["Y=h"]}),
        ("FROM bare\nARG A=${A:-d}\nENV Y=$A", {}, {"Env": ["Y=d"]}),
        ("FROM bare\nENV A=a.b.c\nENV B=${A#*.} C=${A##*.} D=${A%.*} E=${A/./-} F=${A//./}", {}, "abc"),
        # labels
        ('FROM bare\nLABEL "a.b"="x \\"y\\"" c=d\\ e', {}, {"Labels": {"a.b": 'x "y"', "c": "d e"}}),
        ('FROM bare\nLABEL a="one \\\ntwo"', {}, {"Labels": {"a": "one two"}}),
        ("FROM busy\nLABEL l=$B", {}, "base"),
        # working directory and user
        ("FROM bare\nWORKDIR /a\nWORKDIR b\nENV D=c\nWORKDIR $D/../d", {}, {"Env": ["D=c"], "WorkingDir": "/a/b/d"}),
        ("FROM busy\nWORKDIR x\nUSER $B:staff", {}, "base:staff"),
        ("FROM scratch\nUSER 1", {}, {"User": "1", "WorkingDir": "/"}),
        # commands
        ('FROM bare\nSHELL ["bash", "-ec"]\nCMD echo $X', {}, {"Shell": ["bash", "-ec"], "Cmd": ["bash", "-ec", "echo $X"]}),
        ('FROM bare\nCMD a\nSHELL ["bash"]\nENTRYPOINT ["b"]', {}, {"Shell": ["bash"], "Cmd": [*SH, "a"], "Entrypoint": ["b"]}),
        ("FROM bare\nCMD [\"a\", 'b']", {}, {"Cmd": [*SH, "[\"a\", 'b']"]}),
        ('FROM bare\nCMD ["a"] && b', {}, {"Cmd": [*SH, '["a"] && b']}),
        ('FROM bare\nCMD  [ "a" , "b" ] ', {}, {"Cmd": ["a", "b"]}),
        ("FROM bare AS c\nCMD x\nFROM c\nENTRYPOINT y", {}, {"Entrypoint": [*SH, "y"]}),
        ("FROM bare AS c\nCMD x\nENTRYPOINT y\nFROM c\nENTRYPOINT []", {}, {}),
        # what the image says of itself
        ('FROM bare\nHEALTHCHECK --timeout=1m --retries=2 CMD ["a"]\nHEALTHCHECK NONE', {}, {"Healthcheck": {"Test": ["NONE"]}}),
        ("FROM bare\nARG P=80\nEXPOSE $P 9000-9001/UDP 8080:81", {}, ["80/tcp", "81/tcp", "9000/udp", "9001/udp"]),
        ('FROM bare\nVOLUME /a /b\nVOLUME ["/a", "/c d"]', {}, {"Volumes": {"/a": {}, "/b": {}, "/c d": {}}}),
        ("FROM bare\nARG S=INT\nSTOPSIGNAL SIG$S", {}, {"StopSignal": "SIGINT"}),
        # triggers: kept for others, run in those, gone after
        ("FROM bare\nONBUILD RUN x", {}, {"OnBuild": ["RUN x"]}),
        ("FROM bare AS p\nONBUILD ENV A=1\nONBUILD ENV B=$A\nFROM p AS q\nENV A=2\nFROM q", {}, {"Env": ["A=2", "B=1"]}),
        ("FROM bare AS one\nFROM bare AS two\nFROM reading\nENV A=1", {}, {"Env": ["A=1"]}),  # stages that only its base needs
        ("FROM triggering\nENV Y=$T", {"T": "given"}, {"Env": ["ON=given", "Y=given"]}),
        # the file itself
        ("from bare as X\nenv a=1\nfrom x", {}, {"Env": ["a=1"]}),
        ("FROM bare\r\nENV A=1 \\  \r\n  # why\r\n\r\n  B=2\r\n", {}, {"Env": ["A=1", "B=2"]}),
        ("\ufeff  # escape=`\nFROM bare\nENV A=C:\\x `\n B=`$A", {}, {"Env": ["A=C:\\x", "B=$A"]}),
        ("# a comment first\n# escape=`\nFROM bare\nENV A=\\$x", {}, {"Env": ["A=$x"]}),
        ("#syntax = docker/dockerfile:1.9\n# check=skip=all;error=true\nFROM bare\nENV A=1", {}, {"Env": ["A=1"]}),
        ("FROM bare AS a\nENV N=1\nFROM bare AS a\nENV N=2\nFROM a", {}, {"Env": ["N=2"]}),
        ("FROM bare AS unused\nENV A=${X:?no}\nRUN --mount=type=nope x\nFROM bare\nENV A=1", {}, {"Env": ["A=1"]}),
    ],
)
def test_configuration(text: str, args: dict[str, str], expected: Any) -> None:
    found = config(text, args)
    match expected:
        case dict():
            assert {name: value for name, value in found.items() if name != "WorkingDir" or name in expected} == expected
        case list():
            assert sorted(found["ExposedPorts"]) == expected
        case "abc":
            assert found["Env"][1:] == ["B=b.c", "C=c", "D=a.b", "E=a-b.c", "F=abc"]
        case _:
            assert expected in (*found.get("Labels", {}).values(), found["User"], *(one.partition("=")[2] for one in found["Env"]))


def test_what_a_base_image_sets_stays() -> None:
    assert config("FROM busy\nWORKDIR x\nENTRYPOINT e") == {
        "Env": ["B=base"],
        "User": "7",
        "WorkingDir": "/from/base/x",
        "Labels": {"l": "base"},
        "Entrypoint": [*SH, "e"],
    }


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("RUN a \\\n  b", [*SH, "a   b"]),
        ('RUN ["a", "b\\u00e9"]', ["a", "bé"]),
        ("RUN <<E\none $X\nE", [*SH, "one $X\n"]),
        ("RUN <<-'E'\n\tone\n\t\ttwo\n\tE", [*SH, "one\ntwo\n"]),
        ("RUN <<E\n#!/bin/x\none\nE", [*SH, "/dev/pipes/E"]),
        ("RUN <<E cat\none\nE", [*SH, "<<E cat\none\nE"]),
        ("RUN cat <<A <<B\none\nA\ntwo\nB", [*SH, "cat <<A <<B\none\nA\ntwo\nB"]),
        ('RUN echo "<<E"', [*SH, 'echo "<<E"']),
        ("RUN 3<<E\none\nE", [*SH, "one\n"]),
        ("RUN --network=none --security=sandbox -- x", [*SH, "x"]),
    ],
)
def test_what_runs(line: str, argv: list[str]) -> None:
    assert list(last_run(f"FROM bare\n{line}\n").args) == argv


def test_where_and_with_what_a_command_runs() -> None:
    run = last_run(
        "FROM busy\nENV X=env\nARG X=arg\nARG HTTP_PROXY\nUSER 5\nWORKDIR x\nRUN --network=none y\n", {"http_proxy": "p", "Q": "q"}
    )
    assert (run.user, run.cwd, run.network) == ("5", "/from/base/x", False)
    assert dict(run.env) == {"PATH": "/bin", "B": "base", "X": "arg"}
    assert dict(run.volatile) == {"HTTP_PROXY": "p", "http_proxy": "p"}


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("target=m", DirectoryMount),
        ("type=bind,source=a/../b,target=/m,rw", ("/b", False)),
        ("from=s,src=/x,dst=/m", ("/x", True)),
        ("type=$KIND,target=/m,size=1k", 1024),
        ("type=tmpfs,target=/m", None),
        ("type=cache,target=./c/", "c"),
        ("type=cache,target=/c//d", "/c/d"),
        ("type=cache,id=$KIND,target=/c,sharing=locked", "tmpfs"),
        ("type=secret,id=known", "/run/secrets/known"),
        ("type=secret,target=/a/known,mode=0440,uid=1", "/a/known"),
        ("type=secret,id=unknown,target=/x", None),
    ],
)
def test_mounts(flag: str, expected: Any) -> None:
    run = last_run(f"FROM scratch AS s\nFROM bare\nWORKDIR /w\nENV KIND=tmpfs\nRUN --mount={flag} x\n")
    match run.mounts:
        case (DirectoryMount() as mount,):
            assert expected in (DirectoryMount, (mount.source.path, mount.readonly))
            assert mount.target in {"/m", "/w/m"}
        case (TempMount() as temp,):
            assert temp.size == expected
        case (CacheMount() as cache,):
            assert cache.cache.key == expected
        case (SecretMount() as secret,):
            assert secret.target == expected
        case nothing:
            assert (nothing, expected) == ((), None)


def test_a_secret_may_be_a_variable_alone() -> None:
    run = last_run("FROM bare\nRUN --mount=type=secret,id=known,env=TOKEN x\n")
    assert ([name for name, _ in run.secret_env], run.mounts) == (["TOKEN"], ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM bare\nRUN --mount=type=secret,id=no,required x", "secret no: not found"),
        ("FROM bare\nRUN --mount=type=cache,target=/ x", 'line 2: invalid mount target "/"'),
        ("FROM scratch\nRUN --mount=type=tmpfs x", 'line 2: invalid mount target "/"'),
        ("FROM bare\nRUN --mount=from=$X,target=/x x", "'from' doesn't support variable expansion, define alias stage instead"),
        ("FROM bare\nRUN --mount=type=tmp,target=/x x", 'unsupported mount type "tmp" (did you mean tmpfs?)'),
        ("FROM bare\nRUN --mount=typ=tmpfs,target=/x x", "unexpected key 'typ' in 'typ=tmpfs' (did you mean type?)"),
        ("FROM bare\nRUN --mount=type=cache,target=/x,mode=9 x", "invalid value 9 for mode"),
        ("FROM bare\nRUN --mount=type=tmpfs,target=/x,uid=1 x", 'uid not allowed for "tmpfs" type mounts'),
        ("FROM bare\nRUN --mont=target=/x x", "line 2: unknown flag: --mont (did you mean mount?)"),
        ("FROM bare\nRUN --network=wild x", 'invalid network mode "wild"'),
        ("FROM bare\nRUN --security=some x", 'security "some" is not valid'),
        ("FROM bare\nCOPY --from=$S a b", "line 2: variable expansion is not supported for --from"),
        ("FROM bare\nCOPY a", "line 2: COPY requires at least two arguments, but only one was provided"),
        ("FROM bare\nCOPY a <<E\nE", "line 2: COPY cannot accept a heredoc as a destination"),
        ("FROM bare\nCOPY --link=maybe a b", "expecting boolean value for flag --link, not: maybe"),
        ("FROM bare\nCOPY --chown a b", "missing a value on flag: --chown"),
        ("FROM bare\nCOPY --chmod=1 --chmod=2 a b", "duplicate flag specified: --chmod"),
        ("FROM bare\nCOPY --chmod=10000 a b", "line 2: invalid chmod parameter: '10000'"),
        ("FROM bare\nCOPY --link --chown=app a b", "line 2: --link needs --chown with numbers, not app"),
        ("FROM bare\nCOPY https://a.example/x /x", "source can't be a URL for COPY"),
        ("FROM bare\nCOPY git@a.example:b/c /x", "source can't be a git ref for COPY"),
        ("FROM bare\nADD --checksum=sha256:00 a /x", "line 2: checksum requires HTTP(S) or Git sources"),
        ("FROM bare\nADD --checksum=sha256:00 a b /x", "checksum can't be specified for multiple sources"),
        ("FROM bare\nHEALTHCHECK --interval=0.5ms CMD x", 'Interval "interval" cannot be less than 1ms'),
        ("FROM bare\nHEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
        ("FROM bare\nHEALTHCHECK --retries=-1 CMD x", "--retries cannot be negative (-1)"),
        ("FROM bare\nEXPOSE 1-65535 1-65534 1-65533 1-65532 1-65531", "line 2: EXPOSE names more than 262144 ports"),
        ("FROM bare\nEXPOSE 1:70000", "line 2: invalid containerPort: 70000"),
        ("FROM bare\nEXPOSE 1-3:5-6", "invalid ranges specified for container and host Ports: 5-6 and 1-3"),
        ("FROM bare\nEXPOSE here:1:2", "invalid IP address: here"),
        ("FROM bare\nEXPOSE 80/icmp", "invalid proto: icmp"),
        ("FROM bare\nSTOPSIGNAL SIGNO", "line 2: invalid signal: SIGNO"),
        ('FROM bare\nVOLUME [" "]', "VOLUME specified can not be an empty string"),
        ("FROM bare\nSHELL bash -c", "SHELL requires the arguments to be in JSON form"),
        ("FROM bare\nSHELL []", "SHELL requires at least one argument"),
        ('FROM bare\nCMD ["a", 1]', "when using JSON array syntax, arrays must be comprised of strings only"),
        ("FROM bare\nENV A", "line 2: ENV must have two arguments"),
        ("FROM bare\nLABEL a=b c", 'can\'t find = in "c". Must be of the form: name=value'),
        ("FROM bare\nARG =x", "ARG names can not be blank"),
        ("FROM bare\nONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("FROM bare\nONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"),
        ("FROM bare AS u\nNOPE x\nFROM bare", "line 2: unknown instruction: NOPE"),
        ("FROM bare\n\nRUN a \\\n  b\nRUN <<E\nx", "line 5: unterminated heredoc"),
        ('ARG F=${F:?"must be given"}\nFROM bare', "line 1: failed to process"),
        ('ARG F=${F:?"must be given"}\nFROM bare', "F: must be given"),
        ("FROM bare AS a\nCOPY --from=b x y\nFROM bare AS b\nCOPY --from=a x y\nFROM bare", "circular dependency detected on stage: a"),
        ("FROM bare AS u\nCOPY --from=u x y\nFROM bare", "line 2: circular dependency detected on stage: u"),
        ("FROM bare AS t\nCOPY --from=late x y\nFROM bare AS late\nFROM t", 'cannot copy from stage "late", it needs to be defined before'),
        ("# syntax=example.com/front\nFROM bare", "the frontend example.com/front (# syntax=) is not supported"),
        ("# check=skip\nFROM bare", 'failed to parse check options: invalid check option "skip"'),
        ("# escape=x\nFROM bare", "invalid escape token 'x' does not match ` or \\"),
        ("# escape=`\n# escape=`\nFROM bare", "only one escape parser directive can be used"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        translated(text + "\n")
    assert message in caught.value.message


async def test_a_long_file_lets_others_work() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await offline("FROM bare\n" + "ENV A=x\n" * 500)
    counting.cancel()
    assert turns >= 500


@pytest.mark.parametrize(("name", "index"), [("ONE", 0), ("two", 1), ("", 2)])
def test_targets_are_found_in_any_case(name: str, index: int) -> None:
    assert plan("FROM a AS One\nFROM b AS two\nFROM c\n", target=name).target == index


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", "a.md docs/a.md docs/b.txt src/A.md src/deep/x.md"),
        ("*.md", "docs/a.md docs/b.txt src/A.md src/deep/x.md"),
        ("**/*.md", "docs/b.txt"),
        ("# *.md\n  \n/docs/", "a.md src/A.md src/deep/x.md"),
        ("docs\n!docs/b.txt", "a.md docs/b.txt src/A.md src/deep/x.md"),
        ("!docs/b.txt\ndocs", "a.md src/A.md src/deep/x.md"),
        ("*\n!src/**\nsrc/deep", "src/A.md"),
        ("  ./src/../docs/*.txt  ", "a.md docs/a.md src/A.md src/deep/x.md"),
        ("SRC\na.MD", "a.md docs/a.md docs/b.txt src/A.md src/deep/x.md"),
        ("*/*/x.md\n[ab].md", "docs/a.md docs/b.txt src/A.md"),
        ("\ufeffdocs\n! docs/a.md", "a.md docs/a.md src/A.md src/deep/x.md"),
        ("**\n!**/x.md", "src/deep/x.md"),
        ("docs/\\a.md", "a.md docs/b.txt src/A.md src/deep/x.md"),
    ],
)
def test_ignore_files(text: str, left: str) -> None:
    filters = Filter(exclude=ignore.patterns(text))
    kept = []
    for path in ["a.md", "docs/a.md", "docs/b.txt", "src/A.md", "src/deep/x.md"]:
        state, visit = START, None
        parts = path.split("/")
        for depth in range(len(parts)):
            visit = filters.visit("/".join(parts[: depth + 1]), state)
            state = visit.state
        if visit is not None and visit.included:
            kept.append(path)
    assert " ".join(kept) == left


def test_a_dockerfile_has_an_ignore_file_of_its_own() -> None:
    assert ignore.candidates("docker/app.Dockerfile") == ("docker/app.Dockerfile.dockerignore", ".dockerignore")
