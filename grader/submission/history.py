"""What happened in a workspace, one line an event, each chained to the one before by its hash.

It belongs to the student, who can change it: it helps them to find their way, and what was changed in it by
hand is seen. A broken chain accuses nobody and costs nothing; it only says that evidence is *unverified*.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from domains import files
from grader.measure.moment import Moment
from grader.measure.run import Record
from grader.submission import identity
from grader.submission.identity import WORKSPACE_FILE

HISTORY_FILE = "evidence/history.jsonl"
_SHA256 = r"^([0-9a-f]{64})?$"

What = Literal[
    "checked", "predicted", "unpredicted", "measured", "hint", "submitted", "finished", "reopened", "reset"
]


class Event(Record):
    """One thing that was done.

    ``about`` is a question, a file of the evidence, an archive or nothing; ``sha256`` what was predicted,
    measured or checked; ``costs`` the points of a hint; ``previous`` the hash of the line before, and of the
    workspace's nonce in the first.
    """

    what: What
    time: Moment
    about: Annotated[str, Field(max_length=256)] = ""
    sha256: Annotated[str, Field(pattern=_SHA256)] = ""
    receipt: str = ""
    costs: Annotated[float, Field(ge=0, le=100)] = 0.0
    previous: Annotated[str, Field(pattern=_SHA256)] = ""


@dataclass(frozen=True)
class Chain:
    """Events in order with the hash of each one's line, and why the chain does not hold, or None."""

    events: tuple[Event, ...] = ()
    hashes: tuple[str, ...] = ()
    problem: str | None = None


def add(folder: Path, event: Event) -> Event:
    """Append an event to a workspace's history, chained; it is on disk when this returns.

    What a killed writer left unfinished at the end was never acknowledged, and is dropped first.
    """
    from filelock import FileLock

    file = folder / HISTORY_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".history.lock"):
        whole = _whole_lines(file)
        if file.exists() and file.stat().st_size > len(whole):
            os.truncate(file, len(whole))
        lines = whole.splitlines()
        previous = line_hash(lines[-1]) if lines else first_hash(nonce(folder))
        chained = event.model_copy(update={"previous": previous})
        files.append_line(file, chained.model_dump_json(exclude_defaults=True))
    return chained


def head(folder: Path) -> str:
    """Return the hash that the next event will be chained to."""
    lines = _whole_lines(folder / HISTORY_FILE).splitlines()
    return line_hash(lines[-1]) if lines else first_hash(nonce(folder))


def events(folder: Path, what: str | None = None) -> Sequence[Event]:
    """Return the events of a workspace, oldest first; lines that make no sense are left out."""
    return parse(_whole_lines(folder / HISTORY_FILE), what)


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


def chain(raw: bytes, of_nonce: str) -> Chain:
    """Read a history and say whether each line still follows the one before; raises nothing."""
    found, hashes, problem = [], [], None
    expected = first_hash(of_nonce)
    for number, line in enumerate(raw.splitlines(), 1):
        where = f"{HISTORY_FILE}:{number}"
        try:
            event = Event.model_validate_json(line)
        except ValidationError:
            problem = problem or f"{where}: this line is no event"
            continue
        if event.previous != expected:
            began = "begins with another workspace" if number == 1 else "a line before this one was changed"
            problem = problem or f"{where}: {began}"
        expected = line_hash(line)
        found.append(event)
        hashes.append(expected)
    return Chain(tuple(found), tuple(hashes), problem)


def line_hash(line: bytes) -> str:
    """Return what the next line is chained to."""
    return hashlib.sha256(line).hexdigest()


def first_hash(of_nonce: str) -> str:
    """Return what the first line is chained to: the workspace itself."""
    return hashlib.sha256(f"tdlab history {of_nonce}".encode()).hexdigest()


def nonce(folder: Path) -> str:
    """Return a workspace's nonce; empty where there is none."""
    file = folder / WORKSPACE_FILE
    return identity.parse(file.read_bytes(), file).nonce if file.is_file() else ""


def now() -> datetime:
    """Return the time, to the second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def _whole_lines(file: Path) -> bytes:
    raw = file.read_bytes() if file.is_file() else b""
    return raw[: raw.rfind(b"\n") + 1]
