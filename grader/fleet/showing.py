"""The room while a playbook runs: a table on a terminal, events a line each, or a line for each that ends."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from grader.fleet import telling
from grader.fleet.board import Board, Row, State, fresh
from grader.fleet.plan import Plan
from grader.language import Lang
from grader.language.inert import one_line

if TYPE_CHECKING:
    from rich.table import Table

OnChange = Callable[[Board, Row | None], None]
# Times a second: drawing takes its time too.
_REDRAWN = 3
_STYLES = {"failed": "red", "done": "green", "unchanged": "green", "running": "cyan"}
_ORDER: tuple[State, ...] = ("done", "unchanged", "failed", "running", "waiting")
# Who is shown first where not all can be.
_NEED: tuple[State, ...] = ("failed", "running", "waiting", "done", "unchanged")


@contextlib.contextmanager
def shown(plan: Plan, lang: Lang, *, as_json: bool) -> Iterator[OnChange]:
    """Show a room for the length of a ``with`` block."""
    if as_json:
        yield _events(plan)
    elif sys.stderr.isatty():
        yield from _live(plan, lang)
    else:
        yield _lines(lang)


def _live(plan: Plan, lang: Lang) -> Iterator[OnChange]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    board, began = Board(board_rows(plan)), time.monotonic()

    def drawn() -> Table:
        return table(board, lang, *console.size, now=time.monotonic(), began=began)

    # Drawn by the clock: seconds go on where no machine says anything.
    with Live(console=console, get_renderable=drawn, refresh_per_second=_REDRAWN, transient=True):

        def follow(seen: Board, _row: Row | None) -> None:
            nonlocal board
            board = seen

        yield follow


def board_rows(plan: Plan) -> dict[str, Row]:
    """Return a row for each machine of a plan, none of them begun."""
    return fresh((one.machine.name, one.machine.students) for one in plan.assigned)


def table(board: Board, lang: Lang, width: int, height: int, *, now: float, began: float) -> Table:
    """Return the board as a table for rich that fits a terminal: a line in all, then a line a machine.

    Where there is no room for all of them, those that failed and those at work are shown.
    """
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    rows, left = _fitting(list(board.rows.values()), height - 3)
    cells = [_cells(row, lang, now) for row in rows]
    wide = [max((cell_len(cell[at]) for cell in cells), default=1) for at in range(3)]
    shown = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = Text(_counts(board, lang, now - began), style="bold", overflow="ellipsis", no_wrap=True)
    for at in range(3):
        shown.add_column(no_wrap=True, width=wide[at], justify="right" if at == 2 else "left")
    # What is cut where it gets narrow is the cause at the end, and nothing else.
    shown.add_column(no_wrap=True, overflow="ellipsis", width=max(8, width - sum(wide) - 4 * 2))
    for row, (name, at_work, seconds, why) in zip(rows, cells, strict=True):
        shown.add_row(name, Text(at_work, style=_STYLES.get(row.state, "dim")), seconds, Text(why))
    if left:
        shown.add_row("…", f"+{left}", "", "")
    return shown


def _cells(row: Row, lang: Lang, now: float) -> tuple[str, str, str, str]:
    why = row.cause.told(lang) if row.cause else ", ".join(row.students)
    seconds = f"{row.seconds(now):.0f} s" if row.began is not None else ""
    return one_line(row.name, limit=30), telling.at(row, lang), seconds, one_line(why)


def _fitting(rows: list[Row], most: int) -> tuple[list[Row], int]:
    """Return the rows that are shown, in their order, and how many are not."""
    if len(rows) <= most:
        return rows, 0
    by_need = sorted(rows, key=lambda row: _NEED.index(row.state))
    kept = {row.name for row in by_need[: max(1, most - 1)]}
    return [row for row in rows if row.name in kept], len(rows) - len(kept)


def _counts(board: Board, lang: Lang, seconds: float) -> str:
    found = Counter(row.state for row in board.rows.values())
    said = [f"{found[state]} {telling.STATES[state].say(lang)}" for state in _ORDER if found[state]]
    return ", ".join([*said, f"{seconds:.0f} s"])


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
