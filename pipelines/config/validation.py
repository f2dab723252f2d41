"""Tables against the classes that say what they may hold. pydantic is imported only when there is something new to validate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import ValidationError

    from pipelines.config.keys import Shape
    from pipelines.config.section import Section
    from pipelines.config.validation_cache import ValidationCache

Path = tuple[str | int, ...]


class InvalidTables(Exception):  # noqa: N818 - says what was found
    """Tables that break rules: one line a problem, as `path: message`."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Validator:
    """Validates whole files and settings for every project, with the sections of a set of kinds of step."""

    def __init__(self, sections: tuple[Section, ...], cache: ValidationCache) -> None:
        self.sections = sections
        self._cache = cache

    def shape(self) -> Shape:
        """What keys a whole file may have (`pipelines.config.keys`)."""
        return self._cache.outcome("shape", None, self._shape)

    def values(self, tables: Mapping[str, Any], where: Callable[[Path], str]) -> dict[str, Any]:
        """The values of a whole file as JSON has them: defaults included, what is None left out.

        `where` names the origin of a path when it is not the main file, else ''.

        Raises:
            InvalidTables: unknown keys, wrong types.
        """
        found: dict[str, Any] = self._cache.outcome("file", tables, lambda: self._values(tables, where))
        return found

    def check_shared(self, tables: Mapping[str, Any]) -> None:
        """Check settings for every project of a user or machine.

        Raises:
            InvalidTables: unknown keys, wrong types.
        """
        self._cache.outcome("shared", tables, lambda: self._shared(tables))

    def _shape(self) -> Shape:
        from pipelines.config.document import document_of
        from pipelines.config.keys import shape_of

        return shape_of(document_of(self.sections))

    def _values(self, tables: Mapping[str, Any], where: Callable[[Path], str]) -> Mapping[str, Any]:
        from pydantic import ValidationError

        from pipelines.config.document import document_of, values_of_document

        try:
            return values_of_document(document_of(self.sections).model_validate(tables))
        except ValidationError as error:
            raise InvalidTables(self._lines(error, self._shape(), where)) from error

    def _shared(self, tables: Mapping[str, Any]) -> None:
        from pydantic import ValidationError

        from pipelines.config.keys import shape_of
        from pipelines.config.tables import SharedSettings

        try:
            SharedSettings.model_validate(tables)
        except ValidationError as error:
            raise InvalidTables(self._lines(error, shape_of(SharedSettings), lambda _: "")) from error

    def _lines(self, error: ValidationError, shape: Shape, where: Callable[[Path], str]) -> tuple[str, ...]:
        from pipelines.config.problems import problems

        return problems(error, shape, self.sections, where)
