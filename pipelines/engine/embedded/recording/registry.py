"""The recording's answers first, a test's own before them; then the engine's, where they need nothing to run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import FieldSpec, ResolverRegistry
from pipelines.engine.embedded.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.engine.embedded.recording.record import Recording


class RecordingRegistry(ResolverRegistry):
    """Resolvers for one recording."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        import pipelines.engine.embedded.api.fields
        from pipelines.engine.embedded.api.registry import registry
        from pipelines.engine.embedded.recording.fields import own

        del pipelines
        self._recording = recording
        self._found = {spec.name: spec for spec in registry if not spec.is_async} | {spec.name: spec for spec in own}

    def spec(self, name: str, args: Mapping[str, Any], defaults: Mapping[str, Any]) -> FieldSpec:
        """As the engine's, but a leaf a test gave an answer for takes any arguments."""
        del defaults
        return self._answered(name, args) or self[name]

    def _answered(self, name: str, args: Mapping[str, Any]) -> FieldSpec | None:
        if name not in self._recording.rules.answers:
            return None
        value = self._recording.rules.answers[name]
        return FieldSpec(name, lambda *_: value, frozenset(args), lazy=True, fresh=None, is_async=False)

    def __getitem__(self, name: str) -> FieldSpec:
        spec = self._found.get(name)
        if spec is None:
            raise Unsupported(f'{name} (give it an answer: recording.answer("{name}", …))')
        return spec
