"""Image references as the API gets them, refused in the words that a Dagger engine has."""

from __future__ import annotations

from pipelines.engine.codes import Code
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.foundation.image_reference import ImageReference, ImageReferenceError, parse_image_reference


class InvalidReference(InvalidInput):
    """What was given is not an image reference."""

    code = Code.INVALID_REFERENCE

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"failed to parse image address {text}: {reason}")


def parse(text: str) -> ImageReference:
    """Read a reference and write out its registry; no tag is added.

    Raises:
        InvalidReference: it is not one.
    """
    try:
        return parse_image_reference(text)
    except ImageReferenceError as error:
        raise InvalidReference(text, error.reason) from None
