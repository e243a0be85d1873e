"""What happened in a workspace, one line an event; lines are only ever added.

It belongs to the student, who can change it: it helps them to find their way, and proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, ValidationError

from domains import files
from grader.measure.run import Record

HISTORY_FILE = "evidence/history.jsonl"


class Event(Record):
    """One thing that was done; ``about`` is a question, an archive or nothing, ``receipt`` a submission's."""

    what: Literal["checked", "hint", "submitted", "finished"]
    time: AwareDatetime
    about: str = ""
    receipt: str = ""


def add(folder: Path, event: Event) -> Event:
    """Append an event to a workspace's history; it is on disk when this returns."""
    files.append_line(folder / HISTORY_FILE, event.model_dump_json())
    return event


def events(folder: Path, what: str | None = None) -> Sequence[Event]:
    """Return the events of a workspace, oldest first; lines that make no sense are left out."""
    file = folder / HISTORY_FILE
    raw = file.read_bytes() if file.is_file() else b""
    return parse(raw, what)


def parse(raw: bytes, what: str | None = None) -> Sequence[Event]:
    """Return the events in bytes, of one kind when it is named."""
    found = []
    for line in raw.splitlines():
        try:
            event = Event.model_validate_json(line)
        except ValidationError:
            continue
        if what in {None, event.what}:
            found.append(event)
    return found


def now() -> datetime:
    """Return the time, to the second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)
