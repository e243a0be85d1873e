"""What a run leaves on disk while it goes: a plan, and one line for each thing that was measured.

A line is written whole and synced before the next measurement starts, so a run that is killed at any moment
can go on from where it was, and a report can be made again without a guest.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filelock

from domains import paths
from domains.errors import UsageError
from domains.files import write_whole

_PLAN = "plan.json"
_LINES = "journal.jsonl"


@dataclass(frozen=True)
class Journal:
    """The folder of one run, held by this process alone."""

    folder: Path
    plan: dict[str, Any]
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, kind: str, **values: Any) -> None:
        """Append one line and have it on the disk before returning."""
        line = json.dumps({"kind": kind, **values}, separators=(",", ":"), sort_keys=True) + "\n"
        # Guests boot side by side, each in a thread.
        with self._lock, (self.folder / _LINES).open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of one kind in the order they were written; a torn last line is no line."""
        with contextlib.suppress(FileNotFoundError):
            whole = (self.folder / _LINES).read_text(encoding="utf-8").rpartition("\n")[0]
            rows = [json.loads(line) for line in whole.splitlines()]
            return [row for row in rows if row["kind"] == kind]
        return []


@contextlib.contextmanager
def opened(folder: Path, plan: dict[str, Any], *, resume: bool) -> Iterator[Journal]:
    """Own a run's folder for the length of a ``with`` block.

    A new run replaces an old one; ``resume`` goes on with the run that is there if its plan is the same.
    Raises :class:`UsageError` when another process works in it, or when the plans differ.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UsageError(
            f"another tdlab is at work in {folder}",
            remedy="wait for it, or give another folder with --out",
        ) from None
    try:
        yield Journal(folder, _settled_plan(folder, plan, resume=resume))
    finally:
        lock.release()


def left(folder: Path) -> Journal | None:
    """Return what a run that has ended left in its folder, to be read only; None where none had begun."""
    try:
        plan = json.loads((folder / _PLAN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Journal(folder, plan)


def _settled_plan(folder: Path, plan: dict[str, Any], *, resume: bool) -> dict[str, Any]:
    file = folder / _PLAN
    _mend(folder / _LINES)
    if resume and file.exists():
        old: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if old["asked"] != plan["asked"]:
            raise UsageError(
                f"the run in {folder} was asked for something else", remedy="leave --resume out to start anew"
            )
        return old
    (folder / _LINES).unlink(missing_ok=True)
    write_whole(file, json.dumps(plan, indent=2))
    return plan


def _mend(lines: Path) -> None:
    """Cut a line that a killed run left half-written, so that the next one starts on a line of its own."""
    with contextlib.suppress(FileNotFoundError), lines.open("rb+") as file:
        raw = file.read()
        file.truncate(raw.rfind(b"\n") + 1)


def remember(folder: Path, command: str) -> None:
    """Note the folder of the newest run of a command, for ``--resume`` without a name."""
    write_whole(paths.state() / f"last-{command}", str(folder.resolve()))


def last(command: str) -> Path:
    """Return the folder of the newest run of a command; raises :class:`UsageError` when there is none."""
    try:
        return Path((paths.state() / f"last-{command}").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no {command} to resume", remedy=f"start one: tdlab {command}") from None
