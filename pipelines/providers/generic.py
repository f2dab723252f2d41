"""A laptop, or a CI without log commands of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.providers.interface import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

_OFF = frozenset({"", "0", "false", "no", "off"})
_NO_CI_VARIABLE = ("JENKINS_URL", "TF_BUILD", "TEAMCITY_VERSION")
"""Set by CI systems that do not set CI: Jenkins, Azure Pipelines, TeamCity."""


def opted_out(environ: Mapping[str, str]) -> bool:
    """Whether CI is set to a word for no: then no provider is assumed, whatever else is set."""
    return "CI" in environ and environ["CI"].strip().lower() in _OFF


def detect(environ: Mapping[str, str]) -> Provider:
    """`ci` where the environment says so, else `local`."""
    in_ci = environ.get("CI", "").strip().lower() not in _OFF or any(environ.get(name) for name in _NO_CI_VARIABLE)
    return Provider(name="ci", in_ci=True) if in_ci else Provider()
