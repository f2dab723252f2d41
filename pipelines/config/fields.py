"""Types of single keys, shared by the tables."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from pipelines.config.secret_uri import check_secret_uri
from pipelines.foundation.durations import parse_duration
from pipelines.foundation.sizes import parse_size

NAME_FORM = r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$"
_REGISTRY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*/?")
_PLACEHOLDER = re.compile(r"[{}]")
TAG_FIELDS = ("version", "revision", "short", "branch")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def _registry(value: str) -> str:
    if "://" in value:
        raise ValueError("write host[:port]/path without a scheme")
    if "@" in value:
        raise ValueError("credentials do not belong here: use username and auth")
    if not _REGISTRY.fullmatch(value):
        raise ValueError("expected host[:port]/path, the path in lower case")
    return value.rstrip("/")


def _tag(value: str) -> str:
    shown = value
    for field in TAG_FIELDS:
        shown = shown.replace(f"{{{field}}}", "x")
    if _PLACEHOLDER.search(shown):
        raise ValueError("placeholders are " + ", ".join(f"{{{field}}}" for field in TAG_FIELDS))
    if not _TAG.fullmatch(shown):
        raise ValueError("a tag has at most 128 letters, digits, _, . and -, and does not begin with . or -")
    return value


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise ValueError("expected a date such as 2027-01-31") from None


def _finite(value: float) -> float:
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - nan is the value that differs from itself
        raise ValueError("expected a finite number")
    return value


Name = Annotated[str, Field(pattern=NAME_FORM, max_length=63)]
Text = Annotated[str, Field(min_length=1)]
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Duration = Annotated[
    float,
    BeforeValidator(parse_duration, json_schema_input_type=Annotated[float, Field(gt=0)] | Annotated[str, Field(min_length=1)]),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size, json_schema_input_type=Annotated[int, Field(gt=0)] | Annotated[str, Field(min_length=1)]),
]
SecretUri = Annotated[str, AfterValidator(check_secret_uri), Field(json_schema_extra={"pattern": "^(env|file|cmd)://.+"})]
RegistryUrl = Annotated[str, AfterValidator(_registry)]
Tag = Annotated[str, AfterValidator(_tag)]
Day = Annotated[dt.date, BeforeValidator(_day, json_schema_input_type=dt.date)]
Platform = Annotated[str, Field(pattern=r"^[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9]+)?$")]
Number = Annotated[float, AfterValidator(_finite)]
Port = Annotated[int, Field(ge=1, le=65535)]
