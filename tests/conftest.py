"""For all tests: a property is about values, not about how fast a busy machine tries them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
