"""The room while a playbook runs: a table on a terminal, events a line each, or a line for each that ends."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator

from grader.fleet import telling
from grader.fleet.board import Board, Row
from grader.fleet.plan import Plan
from grader.language import Lang
from grader.language.inert import one_line

OnChange = Callable[[Board, Row | None], None]
# Redrawn no more often: drawing 200 rows takes its time too.
_REDRAW_SECONDS = 0.25


@contextlib.contextmanager
def shown(plan: Plan, lang: Lang, *, as_json: bool) -> Iterator[OnChange]:
    """Show a room for the length of a ``with`` block."""
    if as_json:
        yield _events(plan)
    elif sys.stderr.isatty():
        yield from _live(lang)
    else:
        yield _lines(lang)


def _live(lang: Lang) -> Iterator[OnChange]:
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        drawn = 0.0

        def draw(board: Board, _row: Row | None) -> None:
            nonlocal drawn
            if time.monotonic() - drawn >= _REDRAW_SECONDS:
                drawn = time.monotonic()
                live.update(telling.table(board, lang, drawn), refresh=True)

        yield draw


def _events(plan: Plan) -> OnChange:
    """Print an event, ``tdlab.room-event/1``, whenever a machine's state or phase changes."""
    before: dict[str, tuple[str, str]] = {}
    by_name = {one.machine.name: one for one in plan.assigned}

    def tell(board: Board, row: Row | None) -> None:
        for one in [row] if row else board.rows.values():
            now = (one.state, one.phase)
            if before.get(one.name) != now:
                before[one.name] = now
                said = telling.row_document(one, by_name[one.name], time.monotonic())
                print(json.dumps({"schema": "tdlab.room-event/1", **said}, ensure_ascii=False), flush=True)

    return tell


def _lines(lang: Lang) -> OnChange:
    told: set[str] = set()

    def tell(board: Board, row: Row | None) -> None:
        for one in [row] if row else board.rows.values():
            if one.state in {"done", "unchanged", "failed"} and one.name not in told:
                told.add(one.name)
                why = f": {one.cause.told(lang)}" if one.cause else ""
                said = f"{one.name}: {telling.STATES[one.state].say(lang)}{why}"
                print(
                    one_line(f"{said} ({one.seconds(time.monotonic()):.0f} s)"), file=sys.stderr, flush=True
                )

    return tell
