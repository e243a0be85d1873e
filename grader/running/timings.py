"""How long each phase of a command took, for ``--timings``."""

from __future__ import annotations

import time

import click

from domains.phases import Phases


class Timings(Phases):
    """The phases of a command, and what all of it took."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def show(self) -> None:
        """Print the phases to stderr, the whole last."""
        whole = time.monotonic() - self._began
        rows = [*self.phases.items(), ("other", whole - sum(self.phases.values())), ("in all", whole)]
        for name, seconds in rows:
            click.echo(f"{seconds:8.2f} s  {name}", err=True)
