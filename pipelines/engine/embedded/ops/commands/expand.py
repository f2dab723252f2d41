"""`$NAME` and `${NAME}` in arguments, as Go's os.Expand does it for the API's `expand` arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.values.config import Pairs

_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*|[0-9*#$@!?-]))")


def expand(text: str, env: Pairs) -> str:
    """The text with variables replaced; an unknown one becomes nothing."""
    values = dict(env)
    return _VARIABLE.sub(lambda match: values.get(match[1] if match[1] is not None else match[2], ""), text)
