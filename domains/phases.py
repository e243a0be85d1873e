"""How long each part of something took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar


class Phases:
    """Phases in the order in which they began, each with those within it; seconds on the monotonic clock."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, ...], float] = {}
        self._open: tuple[str, ...] = ()

    @property
    def outermost(self) -> dict[str, float]:
        """The seconds of the phases that are within no other."""
        return {path[0]: seconds for path, seconds in self.seconds.items() if len(path) == 1}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of a ``with`` block to a phase."""
        outer, path = self._open, (*self._open, name)
        self.seconds.setdefault(path, 0.0)
        self._open = path
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[path] += time.monotonic() - began
            self._open = outer

    def take(self, within: Phases) -> None:
        """Add what was collected within the phase that is open now."""
        for path, seconds in within.seconds.items():
            whole = (*self._open, *path)
            self.seconds[whole] = self.seconds.get(whole, 0.0) + seconds


_COLLECTING: ContextVar[Phases | None] = ContextVar("phases", default=None)


@contextlib.contextmanager
def collected() -> Iterator[Phases]:
    """Collect the phases of a ``with`` block, in this thread; who collects around it has them too."""
    phases, around = Phases(), _COLLECTING.get()
    before = _COLLECTING.set(phases)
    try:
        yield phases
    finally:
        _COLLECTING.reset(before)
        if around:
            around.take(phases)


@contextlib.contextmanager
def phase(name: str) -> Iterator[None]:
    """Add the time of a ``with`` block to a phase of the command that collects them, where one does."""
    phases = _COLLECTING.get()
    with phases.phase(name) if phases else contextlib.nullcontext():
        yield
