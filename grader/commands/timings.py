"""``--timings``: how long each phase of a command took, printed when it ends, however it ends."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from domains import phases

Words = ParamSpec("Words")
Ending = TypeVar("Ending")


def with_timings(command: Callable[Words, Ending]) -> Callable[Words, Ending]:
    """Give a command the option, and collect its phases where it is used."""

    @functools.wraps(command)
    def timed(*words: Words.args, **how: Words.kwargs) -> Ending:
        if not how.pop("show_timings"):
            return command(*words, **how)
        began = time.monotonic()
        with phases.collected() as found:
            try:
                return command(*words, **how)
            finally:
                _show(found, time.monotonic() - began)

    return click.option("--timings", "show_timings", is_flag=True, help="Print how long each phase took.")(
        timed
    )


def _show(found: phases.Phases, whole: float) -> None:
    """Print the phases to stderr, those within another indented beneath it, the whole last."""
    rows = [("  " * (len(path) - 1) + path[-1], seconds) for path, seconds in found.seconds.items()]
    rows += [("other", whole - sum(found.outermost.values())), ("in all", whole)]
    for name, seconds in rows:
        click.echo(f"{seconds:8.2f} s  {name}", err=True)
