from __future__ import annotations

from typing import TypeVar

import pytest

from pipelines.engine.embedded.dockerfile.errors import DockerfileError
from pipelines.engine.embedded.dockerfile.instructions import config as i
from pipelines.engine.embedded.dockerfile.instructions.base import StageInstruction
from pipelines.engine.embedded.dockerfile.instructions.copy import CopyInstruction, CopySource, InlineFile
from pipelines.engine.embedded.dockerfile.instructions.origins import BuildContext
from pipelines.engine.embedded.dockerfile.instructions.run import Invocation, RunInstruction, Script
from pipelines.engine.embedded.dockerfile.plan.stages import plan
from pipelines.engine.embedded.errors import Unsupported

S = TypeVar("S", bound=StageInstruction)


def one(kind: type[S], line: str, variables: dict[str, str] | None = None) -> S:
    """The step of one instruction, expanded."""
    found = plan(f"FROM a\n{line}\n")
    step = found.expand(found.stages[0].steps[0], variables or {})
    assert isinstance(step, kind)
    return step


def refusal(line: str) -> str:
    with pytest.raises(DockerfileError) as caught:
        one(StageInstruction, line)
    return caught.value.message.partition("line 2: ")[2]


def test_env_and_label() -> None:
    assert one(i.EnvInstruction, 'ENV A=$X "B C"=\'$X\' D="a $X"', {"X": "x"}).pairs == (("A", "x"), ("B C", "$X"), ("D", "a x"))
    assert one(i.EnvInstruction, "ENV OLD a  $X  b", {"X": "x"}).pairs == (("OLD", "a  x  b"),)
    assert one(i.LabelInstruction, 'LABEL "a.b"="1" $X=y', {"X": "x"}).pairs == (("a.b", "1"), ("x", "y"))


@pytest.mark.parametrize(
    ("path", "current", "expected"),
    [
        ("/a/../b/", "", "/b"),
        ("x", "/w", "/w/x"),
        ("$X", "/w", "/w"),
        ("..", "/", "/"),
        ("//a", "", "/a"),
    ],
)
def test_workdir(path: str, current: str, expected: str) -> None:
    assert one(i.WorkdirInstruction, f"WORKDIR {path}").resolve(current) == expected


def test_config() -> None:
    assert one(i.UserInstruction, "USER $U:100", {"U": "me"}).user == "me:100"
    assert one(i.VolumeInstruction, 'VOLUME ["/a b", "$X"]', {"X": "/x"}).paths == ("/a b", "/x")
    assert one(i.VolumeInstruction, "VOLUME /a /b").paths == ("/a", "/b")
    assert one(i.ExposeInstruction, "EXPOSE 80 $P/udp", {"P": "1-2"}).ports == ("80/tcp", "1/udp", "2/udp")
    assert one(i.StopSignalInstruction, "STOPSIGNAL $S", {"S": "quit"}).signal == "quit"
    assert one(i.StopSignalInstruction, "STOPSIGNAL SIGRTMIN+3").signal == "SIGRTMIN+3"
    assert one(i.ShellInstruction, 'SHELL ["bash", "-ec"]').argv == ("bash", "-ec")
    assert one(i.MaintainerInstruction, "MAINTAINER A B <c@d>").name == "A B <c@d>"


def test_commands() -> None:
    assert one(i.CmdInstruction, "CMD a && $X", {"X": "no"}).command.argv(("bash", "-c")) == ("bash", "-c", "a && $X")
    assert one(i.EntrypointInstruction, "ENTRYPOINT exec a").command.argv() == ("/bin/sh", "-c", "exec a")
    assert one(i.EntrypointInstruction, 'ENTRYPOINT ["a", "$X"]', {"X": "no"}).command.argv() == ("a", "$X")
    assert one(i.EntrypointInstruction, "ENTRYPOINT []").command.argv() == ()


def test_healthcheck() -> None:
    check = one(
        i.HealthcheckInstruction,
        "HEALTHCHECK --interval=1m --timeout=5s --start-period=2s --start-interval=1s --retries=2 CMD curl x || exit 1",
    )
    assert check.config() == {
        "Test": ["CMD-SHELL", "curl x || exit 1"],
        "Interval": 60 * 10**9,
        "Timeout": 5 * 10**9,
        "StartPeriod": 2 * 10**9,
        "StartInterval": 10**9,
        "Retries": 2,
    }
    assert one(i.HealthcheckInstruction, 'HEALTHCHECK CMD ["a"]').config() == {"Test": ["CMD", "a"]}
    assert one(i.HealthcheckInstruction, "HEALTHCHECK none").config() == {"Test": ["NONE"]}


def test_run_in_a_shell_or_not() -> None:
    assert one(RunInstruction, "RUN echo $X", {"X": "no"}).invocation() == Invocation(("/bin/sh", "-c", "echo $X"))
    assert one(RunInstruction, 'RUN ["echo", "$X"]', {"X": "no"}).invocation(("bash",)) == Invocation(("echo", "$X"))


def test_run_with_heredocs() -> None:
    assert one(RunInstruction, "RUN <<-EOF\n\techo a\n\t\techo b\nEOF").invocation(("bash", "-e")).argv == (
        "bash",
        "-e",
        "echo a\necho b\n",
    )
    assert one(RunInstruction, "RUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF").invocation() == Invocation(
        ("/bin/sh", "-c", "/dev/pipes/EOF"), Script("/dev/pipes/EOF", "#!/usr/bin/env python3\nprint(1)\n")
    )
    whole = "python3 - <<A && cat <<'B'\nprint(1)\nA\n$x\nB"
    assert one(RunInstruction, f"RUN {whole}").invocation().argv == ("/bin/sh", "-c", whole)


def test_run_flags() -> None:
    run = one(RunInstruction, "RUN --network=none --security=insecure --mount=type=cache,target=$D x", {"D": "/c"})
    assert (run.network, run.insecure, run.mounts[0].target) == ("none", True, "/c")


def test_copy() -> None:
    copy = one(CopyInstruction, "COPY --chown=$U --chmod=u=rw --exclude=*.md --link a/$X /b/../c* dest/", {"X": "x", "U": "me:us"})
    assert copy.sources() == (CopySource("/a/x"), CopySource("/c*"))
    assert (copy.origin, copy.chown, copy.chmod, copy.exclude, copy.link) == (BuildContext(), "me:us", "u=rw", ("*.md",), True)
    assert not copy.unpack


@pytest.mark.parametrize(
    ("dest", "workdir", "expected"),
    [
        (".", "/w", "/w/"),
        ("./", "/w", "/w/"),
        ("x", "/w", "/w/x"),
        ("x/", "/w", "/w/x/"),
        ("/", "/w", "/"),
        ("/a/.", "", "/a/"),
        ("../../x", "/w", "/x"),
    ],
)
def test_destination(dest: str, workdir: str, expected: str) -> None:
    assert one(CopyInstruction, f"COPY a {dest}").destination(workdir) == expected


def test_parents_keep_what_follows_the_pivot() -> None:
    assert one(CopyInstruction, "COPY --parents a/b/*.c x/./y/z /d/").sources() == (CopySource("/", "a/b/*.c"), CopySource("/x", "y/z"))


def test_paths_cannot_leave_the_context() -> None:
    assert one(CopyInstruction, "COPY ../../etc/passwd /x").sources() == (CopySource("/etc/passwd"),)


def test_copy_of_heredocs() -> None:
    copy = one(CopyInstruction, "COPY f <<A <<-'B' /d/\n$X \\$X\nA\n\t$X\nB", {"X": "x"})
    assert copy.paths == ("f",)
    assert copy.inline == (InlineFile("A", "x $X\n", expand=True), InlineFile("B", "$X\n", expand=False))


def test_add() -> None:
    assert one(CopyInstruction, "ADD a.tar /x").unpack
    assert not one(CopyInstruction, "ADD --unpack=false a.tar /x").unpack


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ADD https://example.com/x /x", "ADD from a URL or git repository (https://example.com/x)"),
        ("ADD git@example.com:a/b.git /x", "ADD from a URL or git repository (git@example.com:a/b.git)"),
        ("RUN --mount=type=ssh true", "RUN --mount=type=ssh"),
        ("RUN --network=host true", "RUN --network=host"),
        ("RUN --device=a true", "RUN --device"),
    ],
)
def test_unsupported_by_name(line: str, name: str) -> None:
    with pytest.raises(Unsupported) as caught:
        one(StageInstruction, line)
    assert caught.value.message == f"{name} is not supported by the embedded engine: it needs a Dagger engine"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ENV", "ENV requires at least one argument"),
        ("ENV =x", "ENV names can not be blank"),
        ("ARG =x", "ARG names can not be blank"),
        ("ARG", "ARG requires at least one argument"),
        ("WORKDIR", "WORKDIR requires exactly one argument"),
        ("USER", "USER requires exactly one argument"),
        ("EXPOSE", "EXPOSE requires at least one argument"),
        ("EXPOSE x", "invalid containerPort: x"),
        ("VOLUME", "VOLUME requires at least one argument"),
        ('VOLUME [" "]', "VOLUME specified can not be an empty string"),
        ("VOLUME $X", "VOLUME specified can not be an empty string"),
        ("STOPSIGNAL SIGNOPE", "invalid signal: SIGNOPE"),
        ("SHELL bash -c", "SHELL requires the arguments to be in JSON form, not: SHELL bash -c"),
        ("SHELL []", "SHELL requires at least one argument"),
        ("ONBUILD", "ONBUILD requires at least one argument"),
        ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("ONBUILD from x", "FROM isn't allowed as an ONBUILD trigger"),
        ("HEALTHCHECK", "HEALTHCHECK requires at least one argument"),
        ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
        ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK RUN x", 'Unknown type "RUN" in HEALTHCHECK (try CMD)'),
        ("HEALTHCHECK --retries=-1 CMD x", "--retries cannot be negative (-1)"),
        ("HEALTHCHECK --retries=x CMD x", "--retries is not a number (x)"),
        ("RUN --network=x y", 'invalid network mode "x"'),
        ("RUN --security=x y", 'security "x" is not valid'),
        ("RUN --mount=from=$X,target=/x y", "'from' doesn't support variable expansion, define alias stage instead"),
        ("COPY a", "COPY requires at least two arguments, but only one was provided. Destination could not be determined"),
        ("COPY a <<E\nE", "COPY cannot accept a heredoc as a destination"),
        (
            "COPY --from=$X a b",
            "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
        ),
        ("COPY --chmod=9 a b", "invalid chmod parameter: '9'. it should be octal string and between 0 and 07777"),
        ("COPY https://x/y /z", "source can't be a URL for COPY"),
        ("COPY git://x/y /z", "source can't be a git ref for COPY"),
        ("ADD --checksum=sha256:0 a b", "checksum requires HTTP(S) or Git sources"),
        ("ADD --from=x a b", "unknown flag: --from"),
        ("LABEL --x a=b", "unknown flag: --x"),
    ],
)
def test_refused(line: str, expected: str) -> None:
    assert refusal(line) == expected
