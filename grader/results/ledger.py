"""The append-only history of results: one line a graded submission, chained to the one before by its hash.

A line is never changed; a later result of the same student is a later line. Whoever edits, drops or reorders
lines breaks the chain, and :func:`read` says where.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock
from pydantic import AwareDatetime, Field, ValidationError

from domains.errors import InputError, Position
from grader.measure.run import Record
from grader.results.result import Grade, SubmissionGrade

_FIRST = "0" * 64
# Why a result was written: the class was graded, or graded again, or the teacher decided.
Cause = Literal["", "graded", "regraded", "decided"]


class Entry(Record):
    """One result, pinned to the lab and the grader that gave it, and to the line before."""

    schema_: Literal["tdlab.ledger/1"] = Field(default="tdlab.ledger/1", alias="schema")
    previous: str = Field(pattern=r"^[0-9a-f]{64}$")
    time: AwareDatetime
    lab: str
    lab_hash: str
    grader_hash: str
    cause: Cause = ""
    submission: SubmissionGrade


def append(file: Path, grade: Grade, now: datetime, cause: Cause = "") -> list[Entry]:
    """Add a grade's submissions and return their entries; ``now`` carries a time zone.

    All lines are on disk when this returns. What a killed writer left unfinished at the end is dropped first.
    Raises InputError when the ledger is damaged elsewhere.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock"):
        whole = _whole_lines(file)
        last = _FIRST
        for _, line in _checked(file, whole):
            last = _hash(line)
        added, lines = [], b""
        for submission in grade.submissions:
            entry = Entry(
                previous=last,
                time=now,
                lab=grade.lab,
                lab_hash=grade.lab_hash,
                grader_hash=grade.grader_hash,
                cause=cause,
                submission=submission,
            )
            line = entry.model_dump_json(by_alias=True).encode()
            last = _hash(line)
            lines += line + b"\n"
            added.append(entry)
        _write(file, len(whole), lines)
    return added


def append_changed(file: Path, grade: Grade, now: datetime, cause: Cause = "") -> list[Entry]:
    """Add those of a grade's submissions that differ from their newest entries, or were graded by others."""
    newest = {one.submission.student: one for one in read(file)}
    changed = tuple(
        one
        for one in grade.submissions
        if (before := newest.get(one.student)) is None
        or before.submission != one
        or (before.lab_hash, before.grader_hash) != (grade.lab_hash, grade.grader_hash)
    )
    return append(file, grade.model_copy(update={"submissions": changed}), now, cause) if changed else []


def read(file: Path) -> list[Entry]:
    """Return all entries, oldest first; raises InputError at the first line that the chain does not hold."""
    return [entry for entry, _ in _checked(file, _whole_lines(file))]


def _checked(file: Path, raw: bytes) -> Iterator[tuple[Entry, bytes]]:
    expected = _FIRST
    for number, line in enumerate(raw.splitlines(), 1):
        where = Position(file, number, 1)
        try:
            entry = Entry.model_validate_json(line)
        except ValidationError as bad:
            raise InputError("this line is no entry of a ledger", where=where) from bad
        if entry.previous != expected:
            raise InputError("a line before this one was changed, dropped or moved", where=where)
        expected = _hash(line)
        yield entry, line


def _whole_lines(file: Path) -> bytes:
    raw = file.read_bytes() if file.exists() else b""
    return raw[: raw.rfind(b"\n") + 1]


def _write(file: Path, keep: int, lines: bytes) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as stream:
        stream.truncate(keep)
        stream.seek(keep)
        stream.write(lines)
        stream.flush()
        os.fsync(stream.fileno())


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
