"""Settings of the user and of the machine (`settings.toml`), as the lowest layers of every project's configuration there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.config.files import read_toml
from pipelines.config.origin import Origin
from pipelines.config.places import is_there, places
from pipelines.config.validation import InvalidTables
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.config.layers import Layers
    from pipelines.config.validation import Validator

_NEXT = "correct the file; settings of one project belong in its lockgate.toml"


def lay_shared(layers: Layers, environ: Mapping[str, str], validator: Validator) -> None:
    """Put the settings files that exist into the layers, the machine's below the user's.

    Raises:
        ConfigError: a file cannot be read, or has settings that cannot apply to every project.
    """
    for place in reversed(places(environ)):
        if is_there(place.settings):
            tables = read_toml(place.settings)
            try:
                validator.check_shared(tables)
            except InvalidTables as error:
                lines = tuple(_own_words(line) for line in error.lines)
                raise ConfigError(f"{place.settings} is wrong", problems=lines, next_step=_NEXT) from error
            layers.lay(tables, Origin(place.layer, str(place.settings)))


def _own_words(line: str) -> str:
    """Replace `unknown key`: a key of a project's configuration is known, but not allowed in this file."""
    path, separator, message = line.partition(": ")
    if message.startswith(("unknown key", "not supported", "renamed")):
        return f"{path}{separator}settings for all projects are registry.url and build.secrets"
    return line
