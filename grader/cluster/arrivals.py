"""The grades that have arrived while a class is being graded: each once, whatever is killed meanwhile.

It lies beside the markbook only while the class is not done: what a killed run left is what the next one need
not grade again. The history of marks is the ledger, as ever.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from domains.errors import InfrastructureError, UsageError
from grader.grading.class_items import Row

_NAME, _LOCK = "arrived.sqlite", "arrived.lock"
_TABLE = """\
CREATE TABLE IF NOT EXISTS arrived (
    lab_hash TEXT, grader_hash TEXT, sha256 TEXT, attempt TEXT, graded BLOB NOT NULL,
    PRIMARY KEY (lab_hash, grader_hash, sha256, attempt)
) WITHOUT ROWID"""


@dataclass(frozen=True)
class Key:
    """What a grade is of: the bytes that were handed in, and a token of all else that decides it."""

    sha256: str
    attempt: str


def token(row: Row, *asked: object) -> str:
    """Return the token of an attempt: whose it is, what is known of it, what is ``asked`` of the checks."""
    said = [row.student, row.shown, row.unverified, row.trouble, *asked]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


class Arrivals:
    """The table of grades; written by this process alone."""

    def __init__(self, database: sqlite3.Connection, lab_hash: str, grader_hash: str) -> None:
        self._database = database
        self._by = (lab_hash, grader_hash)

    def add(self, graded: Iterable[tuple[Key, bytes]]) -> None:
        """Keep grades (JSON), on disk when this returns; of two of the same key the first counts."""
        rows = [(*self._by, key.sha256, key.attempt, raw) for key, raw in graded]
        with self._database:
            self._database.executemany("INSERT OR IGNORE INTO arrived VALUES (?, ?, ?, ?, ?)", rows)

    def get(self, key: Key) -> bytes | None:
        """Return a grade, or None where it has not arrived."""
        found = self._database.execute(
            "SELECT graded FROM arrived WHERE (lab_hash, grader_hash, sha256, attempt) = (?, ?, ?, ?)",
            (*self._by, key.sha256, key.attempt),
        ).fetchone()
        return found[0] if found else None


@contextmanager
def opened(folder: Path, lab_hash: str, grader_hash: str) -> Iterator[Arrivals]:
    """Lend the table of a markbook; it is gone when the block ends well, and kept when it does not.

    Raises :class:`UsageError` while another grading has it.
    """
    file = folder / _NAME
    try:
        with FileLock(folder / _LOCK, timeout=0):
            with contextlib.closing(sqlite3.connect(file)) as database:
                database.execute(_TABLE)
                yield Arrivals(database, lab_hash, grader_hash)
            file.unlink()
    except Timeout as held:
        raise UsageError(
            f"{folder} is being graded by another run", remedy="wait for it, or name another folder"
        ) from held
    except sqlite3.Error as bad:
        remedy = f"make room, or remove it, and all is graded anew: rm {file}"
        raise InfrastructureError(f"{file} cannot be used: {bad}", remedy=remedy) from bad
