"""How long each part of something took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class Phases:
    """Phases in the order in which they began; seconds on the monotonic clock."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of a ``with`` block to a phase."""
        self.phases.setdefault(name, 0.0)
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases[name] += time.monotonic() - began
