"""What happened in a workspace, one line an event; lines are only ever added.

It belongs to the student, who can change it: it helps them to find their way, and proves nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, ValidationError

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
    file = folder / HISTORY_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as stream:
        # What a full disk or a crash left half-written must not swallow the next line.
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - 1))
        torn = stream.read(1) not in {b"", b"\n"}
        stream.write(b"\n" * torn + event.model_dump_json().encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
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
