"""Hides secret values in text that is shown or kept."""

from pipelines.foundation.redaction.forms import SHORTEST, forms_of
from pipelines.foundation.redaction.guess import cautious, without_passwords
from pipelines.foundation.redaction.redactor import MASK, ByteStream, Redactor, Stream, redactor_of

__all__ = ["MASK", "SHORTEST", "ByteStream", "Redactor", "Stream", "cautious", "forms_of", "redactor_of", "without_passwords"]
