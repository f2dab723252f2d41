"""How long to wait before another try after a transient error."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential back-off: after the n-th failed try, `first_s * 2**(n-1)` seconds, at most 30, of which up to half is left to chance
    (`chance` gives 0 to 1), so that many runs do not come back at the same moment.
    """

    first_s: float = 1.0
    chance: Callable[[], float] = field(default=random.random, repr=False)

    def delay_s(self, tries: int) -> float:
        """Seconds to wait after so many failed tries (1 or more)."""
        full = min(self.first_s * 2.0 ** (tries - 1), _LONGEST_S)
        return full * (1.0 - self.chance() / 2.0)
