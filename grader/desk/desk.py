"""A markbook on the teacher's desk: what waits in it, and each decision saved before it is acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domains.errors import UsageError
from grader.classroom import markbook as markbooks
from grader.classroom.markbook import CHECKED_FILE, GRADE_FILE, Markbook
from grader.desk.beside import Beside, beside
from grader.results.result import Grade, SubmissionGrade
from grader.review import decisions
from grader.review.decisions import DECISIONS_FILE, LONGEST_COMMENT, Decision
from grader.review.queue import Waiting, open_ones, queue

# So many students' measures stand beside an answer that many gave.
_COPIES = 3
Clock = Callable[[], datetime]
Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class Progress:
    """How far a teacher is: different answers, and how many students gave them."""

    answers: int
    decided: int
    students: int
    students_decided: int


class Desk:
    """One markbook, its queue in order, and the one writer of its decisions; threads may share it.

    ``clock`` gives the time with its zone.
    """

    def __init__(self, book: Markbook, clock: Clock) -> None:
        self.book = book
        self._clock = clock
        self._file = book.folder / DECISIONS_FILE
        self._checked: dict[str, SubmissionGrade] = {}
        self._lock = threading.RLock()
        self._undo: list[tuple[Waiting, Decision | None]] = []
        self._seen: tuple[Stamp, Stamp] | None = None
        self._queue: list[Waiting] = []

    def waiting(self) -> list[Waiting]:
        """Return what waits and what was decided of it; what another process wrote meanwhile is in it."""
        with self._lock:
            checked, decided = (_stamp(self.book.folder / name) for name in (CHECKED_FILE, DECISIONS_FILE))
            if self._seen is None or checked != self._seen[0]:
                self._checked = {one.student: one for one in self.book.checked().submissions}
            if (checked, decided) != self._seen:
                self._queue = queue(self.book.lab, self._checked.values(), decisions.read(self._file))
                self._seen = checked, decided
            return self._queue

    def find(self, name: str) -> Waiting | None:
        """Return one of the queue by its short name, or None."""
        return next((one for one in self.waiting() if one.id == name), None)

    def decide(self, one: Waiting, fraction: float | None, comment: str = "") -> None:
        """Save a decision; it is on disk when this returns. A ``fraction`` of None takes one back."""
        with self._lock:
            self._undo.append((one, one.decision))
            self._save(one, fraction, comment)

    def undo(self) -> Waiting | None:
        """Have the last decision of this desk not hold any more, by a later one; return what it was about."""
        with self._lock:
            if not self._undo:
                return None
            one, before = self._undo.pop()
            self._save(one, before.fraction if before else None, before.comment if before else "")
            return self.find(one.id)

    @property
    def can_undo(self) -> bool:
        """Return whether anything was decided at this desk."""
        return bool(self._undo)

    def after(self, one: Waiting) -> Waiting | None:
        """Return the next that waits after one, beginning again at the start; None when nothing waits."""
        waiting = self.waiting()
        place = next((number for number, other in enumerate(waiting) if other.id == one.id), -1)
        return next(iter(open_ones([*waiting[place + 1 :], *waiting[: place + 1]])), None)

    def neighbours(self, one: Waiting) -> tuple[Waiting | None, Waiting | None]:
        """Return what stands before and after one in the queue, decided or not."""
        waiting = self.waiting()
        place = next(number for number, other in enumerate(waiting) if other.id == one.id)
        return (
            waiting[place - 1] if place else None,
            waiting[place + 1] if place + 1 < len(waiting) else None,
        )

    def progress(self) -> Progress:
        """Return how far the teacher is."""
        waiting = self.waiting()
        decided = [one for one in waiting if one.decision is not None]
        return Progress(
            answers=len(waiting),
            decided=len(decided),
            students=sum(len(one.students) for one in waiting),
            students_decided=sum(len(one.students) for one in decided),
        )

    def beside(self, one: Waiting) -> list[Beside]:
        """Return what stands beside an answer, for the first students who gave it; no name is in it."""
        return [self._beside(one.question.id, student) for student in one.students[:_COPIES]]

    def names(self, one: Waiting) -> list[str]:
        """Return who gave an answer, as the class names them."""
        named = ((key, self.book.roster.student(key)) for key in one.students)
        return [f"{found.name} ({key})" if found and found.name != key else key for key, found in named]

    @property
    def grade_file(self) -> Path:
        """Return where the marks are written."""
        return self.book.folder / GRADE_FILE

    def graded(self) -> Iterable[SubmissionGrade]:
        """Return what the checks said of each submission."""
        self.waiting()
        return self._checked.values()

    def now(self) -> datetime:
        """Return the time by this desk's clock."""
        return self._clock()

    def add(self, made: Sequence[Decision]) -> None:
        """Save decisions that were made elsewhere; all are on disk when this returns."""
        with self._lock:
            decisions.add(self._file, *made)

    def settle(self) -> Grade:
        """Have the marks follow the decisions: ``grade.json`` and the ledger."""
        with self._lock:
            return markbooks.settle(self.book, self._clock())

    def _beside(self, question: str, student: str) -> Beside:
        """Return what stands beside one student's answer; without it the answer can still be decided."""
        graded = self._checked[student]
        try:
            return beside(question, graded, self.book.submission(student))
        except (UsageError, OSError) as bad:
            return beside(question, graded, None, problem=str(bad))

    def _save(self, one: Waiting, fraction: float | None, comment: str) -> None:
        if len(comment) > LONGEST_COMMENT:
            raise UsageError(f"a comment holds at most {LONGEST_COMMENT} characters")
        made = Decision(
            question=one.question.id,
            key=one.key,
            fraction=fraction,
            comment=comment,
            time=self._clock(),
            student=one.student,
        )
        decisions.add(self._file, made)


def _stamp(file: Path) -> Stamp:
    """Return what changes with every write to a file."""
    if not file.exists():
        return None
    seen = file.stat()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns
