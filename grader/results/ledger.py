"""The append-only history of results: one line a graded submission, chained to the one before by its hash.

A line is never changed; a later result of the same student is a later line. Whoever edits, drops or reorders
lines breaks the chain, and :func:`read` says where.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
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


class _Pinned(Record):
    schema_: Literal["tdlab.ledger/1"] = Field(default="tdlab.ledger/1", alias="schema")
    previous: str = Field(pattern=r"^[0-9a-f]{64}$")
    time: AwareDatetime
    lab: str
    lab_hash: str
    grader_hash: str
    cause: Cause = ""


class Entry(_Pinned):
    """One result, pinned to the lab and the grader that gave it, and to the line before."""

    submission: SubmissionGrade


def append_changed(
    file: Path, head: Grade, submissions: Iterable[bytes], now: datetime, cause: Cause = ""
) -> int:
    """Add those submissions that differ from their newest entries, or were graded by others; return how many.

    ``head`` names the lab and the hashes; ``submissions`` are JSON of :class:`SubmissionGrade`, of which
    only one at a time is in memory. ``now`` carries a time zone. All lines are on disk when this returns;
    what a killed writer left unfinished at the end is dropped first. Raises InputError when the ledger is
    damaged elsewhere.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock"), os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as stream:
        last, newest = _newest(file)
        end = _whole(file)
        stream.truncate(end)
        stream.seek(end)
        count = 0
        try:
            for raw in submissions:
                pinned = _Pinned(
                    previous=last,
                    time=now,
                    lab=head.lab,
                    lab_hash=head.lab_hash,
                    grader_hash=head.grader_hash,
                    cause=cause,
                )
                # A class that was never graded has nothing to compare with, and need not be read again.
                if newest and newest.get(_student(raw)) == _content(pinned, raw):
                    continue
                line = _line(pinned, raw)
                stream.write(line + b"\n")
                last, count = _hash(line), count + 1
            stream.flush()
            os.fsync(stream.fileno())
        except BaseException:
            # All of it or nothing: half a class is no result.
            stream.truncate(end)
            raise
    return count


def _newest(file: Path) -> tuple[str, dict[str, bytes]]:
    """Return the hash of the last line, and what stands for each student's newest result."""
    last, newest = _FIRST, {}
    for entry, line in _checked(file):
        last = _hash(line)
        newest[entry.submission.student] = _content(entry, entry.submission.model_dump_json().encode())
    return last, newest


def _content(pinned: _Pinned, submission: bytes) -> bytes:
    """Return what stands for a result and for who gave it, and not for when."""
    by = f"{pinned.lab}\0{pinned.lab_hash}\0{pinned.grader_hash}\0"
    return hashlib.sha256(by.encode() + submission).digest()


def _student(submission: bytes) -> str:
    return SubmissionGrade.model_validate_json(submission).student


def _line(pinned: _Pinned, submission: bytes) -> bytes:
    """Return an entry as JSON; its submission is JSON already."""
    return pinned.model_dump_json(by_alias=True).encode()[:-1] + b',"submission":' + submission + b"}"


def read(file: Path) -> list[Entry]:
    """Return all entries, oldest first; raises InputError at the first line that the chain does not hold."""
    return [entry for entry, _ in _checked(file)]


def _checked(file: Path) -> Iterator[tuple[Entry, bytes]]:
    """Yield the entries with their lines; a last line without an end was never acknowledged."""
    if not file.exists():
        return
    expected = _FIRST
    with file.open("rb") as stream:
        for number, ended in enumerate(stream, 1):
            line = ended.removesuffix(b"\n")
            if line == ended:
                return
            where = Position(file, number, 1)
            try:
                entry = Entry.model_validate_json(line)
            except ValidationError as bad:
                raise InputError("this line is no entry of a ledger", where=where) from bad
            if entry.previous != expected:
                raise InputError("a line before this one was changed, dropped or moved", where=where)
            expected = _hash(line)
            yield entry, line


def _whole(file: Path) -> int:
    """Return how many bytes the lines take that have an end."""
    total = 0
    with file.open("rb") as stream:
        for line in stream:
            total += len(line) if line.endswith(b"\n") else 0
    return total


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
