"""The class as every format sees it: one row a student, with what is still open in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from grader.classroom.markbook import Markbook
from grader.lab.lab import Lab, LabPart
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade
from grader.results.score import GRADED, OUT_OF, mark


@dataclass(frozen=True)
class Row:
    """One student: the grade, and how other programs know them (empty where the class did not say).

    ``id`` is Moodle's number of the participant, or Gradescope's id; ``folder`` the name of what was
    downloaded; ``handed_in`` when the graded attempt came, with a time zone; ``problem`` why nothing can be
    read from it.
    """

    grade: SubmissionGrade
    name: str = ""
    id: str = ""
    email: str = ""
    folder: str = ""
    handed_in: datetime | None = None
    problem: str = ""

    @property
    def student(self) -> str:
        """The key of the student in the markbook."""
        return self.grade.student

    @property
    def shown(self) -> str:
        """The name that people know the student by."""
        return self.name or self.grade.student

    def open(self, outcome: Outcome) -> tuple[str, ...]:
        """Return the ids of the questions with this outcome."""
        return tuple(one.id for one in self.grade.questions if one.outcome is outcome)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The questions that a teacher has yet to decide."""
        return self.open(Outcome.INCONCLUSIVE)

    @property
    def broken(self) -> tuple[str, ...]:
        """The questions whose check broke: ours, to be graded again."""
        return self.open(Outcome.ERROR)


@dataclass(frozen=True)
class Notice:
    """Something that whoever exports must know of one student (no student: of the file)."""

    student: str
    why: str


@dataclass(frozen=True)
class Export:
    """Files by name, and what is to be said of them; a single file may be renamed by who writes it.

    ``left`` names who has no mark in it, ``notes`` everything else that is worth knowing.
    """

    files: dict[str, bytes]
    left: tuple[Notice, ...] = ()
    notes: tuple[Notice, ...] = ()
    is_folder: bool = False


@dataclass(frozen=True)
class Sheet:
    """All rows of one lab; ``provisional`` lets unfinished marks out, ``now`` dates scores."""

    lab: Lab
    grade: Grade
    rows: tuple[Row, ...]
    now: datetime
    provisional: bool = False

    def mark(self, row: Row, out_of: float = OUT_OF) -> float | None:
        """Return the mark that may leave the markbook: none while something in it is open."""
        if (row.waiting or row.broken) and not self.provisional:
            return None
        return mark(row.grade, out_of)

    def unfinished(self) -> tuple[Notice, ...]:
        """Name each student without a mark, and why."""
        return tuple(Notice(row.shown, why) for row in self.rows if (why := self.why_none(row)))

    def remarks(self) -> tuple[Notice, ...]:
        """Name whose mark goes out although something in it is open, and whose work could not be read."""
        found = []
        for row in self.rows:
            if self.mark(row) is None:
                continue
            if why := _open(row):
                found.append(Notice(row.shown, f"provisional: {why}"))
            if row.problem:
                found.append(Notice(row.shown, f"it could not be read whole: {row.problem}"))
        return tuple(found)

    def total(self) -> float:
        """Return the points of the whole lab."""
        return sum(question.points for question in self.lab)

    def is_hidden(self, result: CheckResult) -> bool:
        """Say whether students are not to see this: what the lab does not ask them is not theirs."""
        return self.lab.question(result.id) is None

    def public(self, row: Row) -> Iterator[CheckResult]:
        """Walk the results that the student may see."""
        return (one for one in row.grade.questions if not self.is_hidden(one))

    def part(self, part: LabPart, row: Row) -> tuple[float, float]:
        """Return the points of one part, and what they are out of: only what could be graded."""
        ids = {question.id for question in part.questions}
        own = [one for one in row.grade.questions if one.id in ids and one.outcome in GRADED]
        return round(sum(one.points for one in own), 4), round(sum(one.max for one in own), 4)

    def why_none(self, row: Row) -> str:
        """Say why a student has no mark that may leave, or nothing."""
        if self.mark(row) is not None:
            return ""
        return _open(row) or "nothing of it could be graded"


def _open(row: Row) -> str:
    """Say what is open in a row, or nothing."""
    said = []
    if row.waiting:
        said.append(f"waits for review: {', '.join(row.waiting)}")
    if row.broken:
        said.append(f"our error, to be graded again: {', '.join(row.broken)}")
    return "; ".join(said)


def sheet_of(markbook: Markbook, now: datetime, *, provisional: bool = False) -> Sheet:
    """Return the rows of a markbook, in its order; ``now`` carries a time zone."""
    grade = markbook.grade()
    roster = {one.key: one for one in markbook.roster.students}
    rows = []
    for one in grade.submissions:
        known = roster.get(one.student)
        chosen = known.chosen() if known else None
        row = Row(one, handed_in=chosen.time, problem=chosen.problem or "") if chosen else Row(one)
        rows.append(
            replace(row, name=known.name, id=known.id, email=known.email, folder=known.folder)
            if known
            else row
        )
    return Sheet(markbook.lab, grade, tuple(rows), now, provisional)
