"""Publishing as a kind of step."""

from __future__ import annotations

from pipelines.steps.interface import Kind
from pipelines.steps.publish.definition import definitions
from pipelines.steps.publish.section import SECTION
from pipelines.steps.publish.spec import NAME

KIND = Kind(name=NAME, section=SECTION, definitions=definitions)
