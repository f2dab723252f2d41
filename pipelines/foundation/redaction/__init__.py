"""Hides secret values in text that is shown or kept."""

from pipelines.foundation.redaction.forms import SHORTEST, forms_of
from pipelines.foundation.redaction.redactor import MASK, Redactor, Span, merged

__all__ = ["MASK", "SHORTEST", "Redactor", "Span", "forms_of", "merged"]
