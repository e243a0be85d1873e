"""How long each phase of a command took, for ``--timings``."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import click


class Timings:
    """Phases in the order in which they began; seconds on the monotonic clock."""

    def __init__(self) -> None:
        self._began = time.monotonic()
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

    def show(self) -> None:
        """Print the phases to stderr, the whole last."""
        whole = time.monotonic() - self._began
        rows = [*self.phases.items(), ("other", whole - sum(self.phases.values())), ("in all", whole)]
        for name, seconds in rows:
            click.echo(f"{seconds:8.2f} s  {name}", err=True)
