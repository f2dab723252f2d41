"""Who ran a command, and when: how a step tells an outcome of this run from one an engine replayed out of its cache.

A command gets a *stamp* (time and run id) in a volatile variable, which is not part of its cache key, and leaves it in what it produces.
An outcome that carries another run's stamp was replayed. One that passed is shown as cached; one that did not is run again with an
attempt token, which is part of the key. Engines before 0.21.4 have no volatile variables: there nothing shows as cached, and an outcome
that did not pass is always run a second time.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.foundation.clock import COMPACT, compact_timestamp, utc_now
from pipelines.model import Check, Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import dagger

    from pipelines.steps.definition import StepContext

ATTEMPT = "LOCKGATE_ATTEMPT"
_STAMP = re.compile(r"(\d{8}T\d{6}Z)-([\w.:+-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The run a command belongs to and the time that run asked for it."""

    run_id: str
    at: dt.datetime

    def __str__(self) -> str:
        return f"{compact_timestamp(self.at)}-{self.run_id}"

    @classmethod
    def now(cls, run_id: str) -> Stamp:
        """The stamp of a command about to be asked for."""
        return cls(run_id, utc_now())

    @classmethod
    def read(cls, text: str) -> Stamp | None:
        """The stamp a text is, or None."""
        found = _STAMP.fullmatch(text)
        if found is None:
            return None
        try:
            at = dt.datetime.strptime(found.group(1), COMPACT).replace(tzinfo=dt.UTC)
        except ValueError:
            return None
        return cls(found.group(2), at)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The outcome of one attempt: what was judged, and the stamp found in it, if any."""

    check: Check
    stamp: Stamp | None


async def settle(context: StepContext, attempt: Callable[[str | None], Awaitable[Attempt]]) -> Attempt:
    """Ask for an outcome with the step's attempt token; when it did not pass and may be a replay, ask again with this run's token."""
    outcome = await attempt(context.attempt)
    ours = outcome.stamp is not None and outcome.stamp.run_id == context.run_id
    if not passed(outcome.check) and not ours and context.attempt != context.run_id:
        context.log("this result may come from the cache, and only results that passed are reused: running again\n")
        context.set_attempt(context.run_id)
        return await attempt(context.run_id)
    context.cached = outcome.stamp is not None and not ours
    return outcome


def passed(check: Check) -> bool:
    """Whether a check lets the steps after it run: the rule of `Result`."""
    return check.verdict is Verdict.PASS or (check.warn and check.verdict in {Verdict.INCONCLUSIVE, Verdict.NO_DATA})


def with_attempt(container: dagger.Container, token: str | None) -> dagger.Container:
    """The container with the attempt token in the key of what runs in it."""
    return container if token is None else container.with_env_variable(ATTEMPT, token)


async def has_volatile(client: dagger.Client) -> bool:
    """Whether the engine knows volatile variables, by the schema the SDK fetched when it connected."""
    schema = await client._ctx.conn.session.get_schema()  # noqa: SLF001 - the SDK has no public way to ask what an engine can do
    fields = getattr(schema.get_type("Container"), "fields", {})
    return "withVolatileVariable" in fields
