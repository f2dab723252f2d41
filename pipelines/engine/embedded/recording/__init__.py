"""The Dagger API without running anything: a pipeline's calls are answered from given rules and recorded.

The same schema, server and metadata resolvers as the real engine; only what would run, pull, push or build is answered by `Rules`. It
answers the wish for unit-testable pipelines (dagger/dagger issues 4199 and 4234).
"""

from __future__ import annotations

from pipelines.engine.embedded.recording.record import RecordedExec, RecordedImage, Recording
from pipelines.engine.embedded.recording.rules import ExecRule

__all__ = ["ExecRule", "RecordedExec", "RecordedImage", "Recording"]
