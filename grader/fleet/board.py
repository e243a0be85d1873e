"""Where each machine of a room is, from Ansible's events (pure but for the clock)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from grader.fleet import causes
from grader.fleet.causes import Cause

State = Literal["waiting", "running", "done", "unchanged", "failed"]
LOOKING = "Look at the machine"
# The last task on a machine that was deployed to; Ansible says only of all together that it has ended.
LAST = "Find everything there"
# What a role is called while it runs.
PHASES = {
    "fleet_look": "look",
    "lab_host": "host",
    "fleet_files": "files",
    "fleet_seat": "seat",
}


@dataclass
class Row:
    """One machine: ``said`` are the lines that it printed when it was looked at last, ``had`` first."""

    name: str
    students: tuple[str, ...] = ()
    state: State = "waiting"
    phase: str = ""
    task: str = ""
    began: float | None = None
    ended: float | None = None
    changed: int = 0
    cause: Cause | None = None
    said: tuple[str, ...] = ()
    had: tuple[str, ...] = ()

    def seconds(self, now: float) -> float:
        """Return how long the machine has taken, or took."""
        return 0.0 if self.began is None else (self.ended or now) - self.began


@dataclass
class Board:
    """All machines of a run; ``wants`` are the lines of a machine that has everything."""

    rows: dict[str, Row]
    wants: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def take(self, event: Mapping[str, Any]) -> Row | None:
        """Take one of Ansible's events in; return the machine that it changed, if any."""
        kind, data = event.get("event", ""), event.get("event_data", {})
        if kind == "playbook_on_stats":
            self._settle(data)
            return None
        row = self.rows.get(str(data.get("host", "")))
        if row is None or not str(kind).startswith("runner_on_"):
            return None
        if row.began is None:
            row.began = time.monotonic()
        task, result = str(data.get("task", "")), data.get("res") or {}
        if kind == "runner_on_start":
            row.state, row.task = "running", task
            row.phase = PHASES.get(str(data.get("role", "")), row.phase)
            if row.phase == "look" and row.had:
                row.phase = "check"
        elif kind == "runner_on_ok":
            self._ok(row, task, result)
        elif kind in {"runner_on_failed", "runner_on_unreachable"} and not data.get("ignore_errors"):
            self._end(row, "failed")
            row.cause = causes.classify(task, result)
        return row

    def _ok(self, row: Row, task: str, result: Mapping[str, Any]) -> None:
        row.changed += bool(result.get("changed"))
        if task == LAST:
            self._end(row, "done" if row.changed else "unchanged")
        if task == LOOKING:
            row.said = tuple(str(line).strip() for line in result.get("stdout_lines", ()))
            row.had = row.had or row.said
            wanted = self.wants.get(row.name)
            if wanted and not set(wanted) - set(row.said) and not row.changed:
                self._end(row, "unchanged")

    def _settle(self, stats: Mapping[str, Any]) -> None:
        """End what is neither failed nor unchanged; what Ansible never began is not done."""
        for row in self.rows.values():
            if row.state in {"failed", "unchanged", "done"}:
                continue
            if row.name in stats.get("ok", {}):
                self._end(row, "done" if row.changed else "unchanged")
            else:
                row.state, row.cause = "failed", Cause(causes.NOT_STARTED, "")

    def close(self, why: Cause | None = None) -> None:
        """Say of what is still open that it was not done: Ansible ended before it."""
        for row in self.rows.values():
            if row.state in {"waiting", "running"}:
                self._end(row, "failed")
                row.cause = why or Cause(causes.NOT_STARTED, row.task)

    def _end(self, row: Row, state: State) -> None:
        row.state, row.phase = state, ""
        row.ended = time.monotonic()


def fresh(machines: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, Row]:
    """Return a row for each machine and its students, none of them begun."""
    return {name: Row(name, students) for name, students in machines}
