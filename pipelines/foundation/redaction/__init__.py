"""Hides secret values in text that is shown or kept."""

from pipelines.foundation.redaction.likely_secrets import without_likely_secrets, without_passwords
from pipelines.foundation.redaction.redactor import MASK, ByteStream, Redactor, Stream, redactor_of
from pipelines.foundation.redaction.written_forms import SHORTEST, written_forms

__all__ = [
    "MASK",
    "SHORTEST",
    "ByteStream",
    "Redactor",
    "Stream",
    "redactor_of",
    "without_likely_secrets",
    "without_passwords",
    "written_forms",
]
