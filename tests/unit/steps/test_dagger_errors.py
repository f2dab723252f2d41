from __future__ import annotations

import asyncio
import errno
import os
import warnings
from typing import TYPE_CHECKING, Any

import dagger
import dagger.mod
import gql
import httpx
import pytest
import tenacity
from dagger._exceptions import QueryErrorValue
from gql.transport.exceptions import TransportServerError

from pipelines.engine.codes import Code
from pipelines.errors import (
    CredentialsError,
    EngineLost,
    EngineUnavailable,
    ExitCode,
    InternalError,
    LockgateError,
    RegistryUnavailable,
    StepFailed,
    Unavailable,
)
from pipelines.steps.common.dagger_errors import CLIENTS, DAGGER, command_line, explained_errors, output_of, transient, translate
from pipelines.steps.common.error_messages import ERROR_MESSAGES

if TYPE_CHECKING:
    from collections.abc import Iterator


def refused(message: str, **extensions: Any) -> dagger.QueryError:
    return dagger.QueryError([QueryErrorValue(message=message, extensions=extensions)], gql.gql("{ version }"))


def failed(
    message: str = "exit code: 4", command: tuple[str, ...] = ("make",), out: str = "", err: str = "", **more: str
) -> dagger.QueryError:
    return refused(message, _type="EXEC_ERROR", cmd=list(command), exitCode=4, stdout=out, stderr=err, **more)


def classes(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for child in root.__subclasses__():
        yield from classes(child)


def ours(error: BaseException) -> LockgateError:
    found = translate(error)
    assert found is not None
    return found


def test_no_class_of_dagger_is_without_a_translation() -> None:
    exported = [value for value in vars(dagger).values() if isinstance(value, type) and issubclass(value, Exception)]
    every = {*classes(dagger.DaggerError), *exported}
    assert len(every) > 10
    assert {kind.__name__ for kind in every if kind.__name__ not in DAGGER.classes} == set()
    assert all(DAGGER.name_of(kind) == kind.__name__ for kind in every)


def test_the_names_are_no_more_than_dagger_has() -> None:
    every = {kind.__name__ for kind in classes(dagger.DaggerError)} | {"VersionMismatch"}
    assert set(DAGGER.classes) - every == set()


def test_no_class_of_the_client_libraries_is_without_a_translation() -> None:
    every = {kind for kind in classes(Exception) if kind.__module__.partition(".")[0] in CLIENTS.modules}
    assert len(every) > 40
    assert {f"{kind.__module__}.{kind.__name__}" for kind in every if CLIENTS.name_of(kind) is None} == set()


def test_no_code_is_without_an_answer() -> None:
    assert set(ERROR_MESSAGES) == set(Code)


@pytest.mark.parametrize("name", ["unauthorized", "429 Too Many Requests", "denied: x", "401 Unauthorized", "500/Error.html", "{says}"])
@pytest.mark.parametrize(
    ("code", "message", "cause"),
    [
        (Code.NOT_FOUND, "copy {name}: not found", None),
        (Code.UNREADABLE, "a file cannot be read", "/context/{name}: permission denied"),
        (Code.FAILED, "{name}", None),
        (Code.INVALID_INPUT, "{name}: is not a pattern", None),
        (Code.DOCKERFILE, "the Dockerfile cannot be built", "line 1: unknown flag: {name}"),
    ],
)
def test_what_the_embedded_engine_says_is_told_by_its_code_alone(name: str, code: Code, message: str, cause: str | None) -> None:
    error = refused((cause or message).replace("{name}", name), code=str(code))
    found = ours(error)
    assert type(found) is StepFailed
    assert found.exit_code is ExitCode.FAILED
    assert (found.message, found.cause) == (message.replace("{name}", name), cause.replace("{name}", name) if cause else None)
    assert not transient(error)


def test_the_registry_is_the_one_the_engine_names() -> None:
    found = ours(refused("it was quiet for 60 s", code="REGISTRY_SILENT", registry="r.example.com:5000"))
    assert (type(found), found.message) == (RegistryUnavailable, "the registry r.example.com:5000 does not answer")
    assert not transient(refused("it was quiet", code="REGISTRY_SILENT"))  # it has been waited for long enough


def test_a_code_of_another_engine_is_not_one_of_ours() -> None:
    assert ours(refused("lstat /x: no such file or directory", code="GRAPHQL_VALIDATION_FAILED")).message.startswith("lstat /x")


def test_a_health_check_that_fails_is_told_alike_whatever_engine_ran_it() -> None:
    said = "start sv1 (aliased as db): health check errored: exit code: 4"
    told = [ours(failed(said, command=("pg_isready",), **extra)) for extra in ({}, {"code": "SERVICE_FAILED"})]
    assert [(type(one), one.message) for one in told] == [(StepFailed, "service db is not healthy: `pg_isready` exited with code 4")] * 2


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT, errno.EISDIR, errno.ELOOP])
def test_a_file_that_cannot_be_used_is_a_failure_that_names_it(number: int) -> None:
    with pytest.raises(StepFailed, match=r"^build image shop: /a/b: ") as caught, explained_errors("build image shop"):
        raise OSError(number, os.strerror(number), "/a/b")
    assert caught.value.exit_code is ExitCode.FAILED


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENOMEM, errno.EIO])
def test_a_machine_that_has_run_out_of_something_is_unavailable(number: int) -> None:
    found = ours(OSError(number, os.strerror(number), "/a/b"))
    assert type(found) is Unavailable
    assert found.next_step
    assert str(found.cause).startswith("/a/b: ")


def test_requests_of_a_step_to_others_are_the_steps_own_affair() -> None:
    elsewhere, engine = httpx.Request("GET", "https://example.com/api"), httpx.Request("POST", "http://127.0.0.1:1/query")
    assert translate(httpx.ConnectError("refused", request=elsewhere)) is None
    assert isinstance(translate(httpx.ReadTimeout("slow", request=engine)), EngineUnavailable)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (dagger.ClientConnectionError("refused"), EngineUnavailable, "connection to the engine broke"),
        (dagger.TransportError("closed"), EngineLost, "connection to the engine broke"),
        (dagger.TransportError("Server error '502 Bad Gateway' for url"), EngineLost, "connection to the engine broke"),
        (dagger.TransportError("Client error '413 Content Too Large' for url"), EngineUnavailable, "connection to the engine broke"),
        (httpx.ReadTimeout("slow"), EngineUnavailable, "connection to the engine broke"),
        (dagger.SessionError("no"), EngineUnavailable, "did not start"),
        (dagger.DownloadError("403"), EngineUnavailable, "did not start"),
        (dagger.InvalidQueryError("null"), InternalError, "could not be built"),
        (dagger.mod._exceptions.BadUsageError("x"), InternalError, "outside a module"),
        (refused("dial tcp 127.0.0.1:1: connect: connection refused"), RegistryUnavailable, "the registry 127.0.0.1:1 does not answer"),
        (refused("429 Too Many Requests"), RegistryUnavailable, "a registry is busy"),
        (refused("lookup r.invalid: no such host"), RegistryUnavailable, "cannot be found"),
        (refused("x509: certificate signed by unknown authority"), RegistryUnavailable, "cannot be trusted"),
        (refused("HEAD https://r.example.com/v2/: 401 Unauthorized"), CredentialsError, "the registry r.example.com refuses"),
        (refused('secret env var not found: "REG..."'), CredentialsError, "a secret cannot be read"),
        (refused("no space left on device"), Unavailable, "the disk is full"),
        (OSError(errno.ENOSPC, "No space left on device"), Unavailable, "the disk is full"),
        (refused("Container.terminal is not supported", code="UNSUPPORTED"), EngineUnavailable, "cannot do that"),
        (KeyError("Argument x does not exist in Field: Field."), EngineUnavailable, "cannot do that"),
        (
            refused('failed to convert Dockerfile to LLB: target stage "two" could not be found'),
            StepFailed,
            "the Dockerfile cannot be built",
        ),
        (refused("exec format error"), StepFailed, "cannot run that platform"),
        (refused("it rains {somewhere}"), StepFailed, "it rains {somewhere}"),
        (failed(command=("/bin/sh", "-c", "pip install x"), err="no index\n"), StepFailed, "`pip install x` exited with code 4"),
        (
            refused("exit code: 137", _type="EXEC_ERROR", cmd=["k6", "run"], exitCode=137, stdout="", stderr=""),
            StepFailed,
            "`k6 run` was ended by SIGKILL (out of memory, perhaps)",
        ),
        (
            failed("start sv2 (aliased as db): exit code: 4", err="bad config\n"),
            StepFailed,
            "service db exited with code 4 before it was healthy",
        ),
        (failed("bound service sv2 (aliased as db) exited: exit code: 4"), StepFailed, "service db exited with code 4 while it was used"),
        (
            failed("start sv2 (aliased as db): health check errored: exit code: 4", command=("pg_isready",)),
            StepFailed,
            "service db is not healthy: `pg_isready` exited with code 4",
        ),
    ],
)
def test_what_an_error_becomes(error: BaseException, kind: type[LockgateError], says: str) -> None:
    found = ours(error)
    assert type(found) is kind
    assert says in found.message


def test_a_field_the_engine_does_not_have_is_an_engine_too_old() -> None:
    error = dagger.InvalidQueryError("Failed to build GraphQL query, …")
    error.__cause__ = AttributeError("Field withVolatileVariable does not exist in type Container.")
    found = ours(error)
    assert isinstance(found, EngineUnavailable)
    assert found.exit_code is ExitCode.UNAVAILABLE
    assert found.cause == "Field withVolatileVariable does not exist in type Container."


def test_a_version_warning_turned_error_is_known_too() -> None:
    with warnings.catch_warnings():
        assert isinstance(ours(dagger.VersionMismatch("0.19")), EngineUnavailable)


def test_the_cause_of_a_failed_command_is_its_last_line() -> None:
    error = failed(out="one\n", err="two\n\n  three  \n\n")
    assert ours(error).cause == "three"
    assert output_of(error) == "one\ntwo\n\n  three\n"


def test_the_output_is_found_behind_an_error_of_ours() -> None:
    with pytest.raises(StepFailed) as caught, explained_errors("build image shop"):
        raise failed(out="one\n")
    assert caught.value.message == "build image shop: `make` exited with code 4"
    assert output_of(caught.value) == "one\n"
    assert output_of(ValueError("x")) == ""
    assert output_of(StepFailed("x")) == ""


def test_the_border_lets_ours_and_strangers_through() -> None:
    with pytest.raises(StepFailed, match="no tests"), explained_errors("test unit"):
        raise StepFailed("no tests")
    with pytest.raises(ZeroDivisionError), explained_errors("test unit"):
        raise ZeroDivisionError
    assert translate(ZeroDivisionError()) is None
    assert translate(asyncio.CancelledError()) is None
    assert translate(OSError(errno.ENOENT, "x")) is None


def test_a_group_gives_its_first_member_that_can_be_told() -> None:
    group = ExceptionGroup("several", [ValueError("x"), ExceptionGroup("inner", [failed()])])
    assert ours(group).message == "`make` exited with code 4"
    assert translate(ExceptionGroup("several", [ValueError("x")])) is None


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (refused("503 Service Unavailable"), True),
        (refused("read: connection reset by peer"), True),
        (refused("connect: connection refused"), True),
        (refused("no such host"), True),
        (refused("401 Unauthorized"), False),
        (refused("x509: unknown authority"), False),
        (refused("manifest unknown"), False),
        (failed(err="connection refused, 503 Service Unavailable"), False),
        (dagger.TransportError("connection refused"), False),
        (ValueError("connection refused"), False),
        (ExceptionGroup("g", [refused("429 Too Many Requests")]), True),
    ],
)
def test_what_is_worth_another_try(error: Exception, again: bool) -> None:
    assert transient(error) is again
    with pytest.raises(Exception) as wrapped, explained_errors("publish shop"):  # noqa: PT011 - whatever comes out must be judged alike
        raise error
    assert transient(wrapped.value) is again


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["make", "a b"], "`make 'a b'`"),
        (["/bin/sh", "-c", " echo x && y "], "`echo x && y`"),
        (["/bin/sh", "/lockgate/run", "--health", "db", "http://db/", "60", "--", "pytest", "-q"], "`pytest -q`"),
        (["/bin/sh", "-x"], "`/bin/sh -x`"),
    ],
)
def test_commands_are_shown_as_a_person_would_type_them(command: list[str], shown: str) -> None:
    assert command_line(command) == shown


def given_up(error: Exception) -> tenacity.RetryError:
    """What gql raises when it tried in vain."""

    def fail() -> None:
        raise error

    with pytest.raises(tenacity.RetryError) as caught:
        tenacity.Retrying(stop=tenacity.stop_after_attempt(2))(fail)
    return caught.value


def test_an_engine_that_answers_with_errors_until_the_client_gives_up_is_lost() -> None:
    found = ours(given_up(given_up(TransportServerError("Server error '503 Service Unavailable'", 503))))
    assert isinstance(found, EngineUnavailable)
    assert (found.exit_code, found.cause) == (ExitCode.UNAVAILABLE, "Server error '503 Service Unavailable'")


def test_what_a_step_tried_in_vain_is_its_own_affair() -> None:
    assert translate(given_up(ValueError("mine"))) is None
    assert translate(tenacity.TryAgain()) is None


def test_an_engine_older_than_the_sdk_is_unavailable_also_when_the_sdk_lost_the_cause() -> None:
    """Seen with Dagger 0.20.0, whose schema has no `node`: it ended in exit code 70."""
    error = dagger.InvalidQueryError("Failed to build GraphQL query, probably due to a schema validation issue. Please file a bug report …")
    translated = translate(error)
    assert isinstance(translated, EngineUnavailable)
    assert translated.next_step is not None
    assert "0.21.1" in translated.next_step


def test_a_registry_that_our_own_client_could_not_reach_is_asked_again() -> None:
    assert transient(RegistryUnavailable("it answers with 503"))
    unreachable = RegistryUnavailable("it does not answer")
    unreachable.__cause__ = ConnectionRefusedError("no")
    assert transient(unreachable)
    assert not transient(Unavailable("it has no such image"))
