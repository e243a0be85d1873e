"""Grade a class: take it in, check it in one session, choose the attempts that count, settle the marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from domains.errors import UsageError
from domains.phases import phase
from grader.classroom import asked, intake, markbook
from grader.classroom.markbook import CHECKED_FILE, MARKBOOK_FILE, Markbook
from grader.classroom.policy import Policy
from grader.classroom.roster import Attempt, Roster, Student
from grader.grading import gradebook, grading
from grader.grading.class_items import Row
from grader.lab import lab as labs
from grader.lab.lab import Lab
from grader.language import Lang
from grader.results import store
from grader.results.ledger import Cause
from grader.results.result import Grade, SubmissionGrade


class Elsewhere(Protocol):
    """Grades a class and gives each row's grade as JSON, as :func:`grading.class_graded` does."""

    def __call__(
        self, lab: Lab, rows: Sequence[Row], *, lang: Lang | None, host: str | None
    ) -> AbstractContextManager[Iterator[bytes]]: ...


def mark(
    lab: Path,
    source: Path,
    folder: Path,
    policy: Policy,
    *,
    jobs: int,
    lang: Lang | None,
    now: datetime,
    host: str | None = None,
    elsewhere: Elsewhere | None = None,
) -> Markbook:
    """Grade a class into a markbook and return it; grading again keeps its decisions and its ledger.

    ``host`` names the lab host on which checks may boot guests; ``elsewhere`` grades the class in place of
    ``jobs`` workers here.

    Raises :class:`UsageError` when the source is no class, or the folder holds something else.
    """
    known = labs.load_whole(lab)
    _usable(folder, source)
    markbook.refuse_another(folder, known)
    if not (folder / MARKBOOK_FILE).is_file():
        # One that is there keeps its policy until it is graded anew: the class may yet be refused.
        markbook.begin(folder, known, policy, lang)
    with phase("take in the class"):
        roster = intake.take_in(source, known, folder, policy, jobs=jobs)
    return remark(
        folder, known, roster, policy, jobs=jobs, lang=lang, now=now, host=host, elsewhere=elsewhere
    )


def remark(
    folder: Path,
    lab: Lab,
    roster: Roster,
    policy: Policy,
    *,
    jobs: int,
    lang: Lang | None,
    now: datetime,
    cause: Cause = "graded",
    host: str | None = None,
    refined: Callable[[Iterator[bytes]], Iterator[bytes]] = iter,
    elsewhere: Elsewhere | None = None,
) -> Markbook:
    """Check what is kept of a class once more, and settle the marks.

    ``refined`` may change what the checks said of each submission (JSON) before it is written.
    """
    whole = folder.resolve()
    rows = [row for student in roster.students for row in _rows(whole, student, policy)]
    head = Grade(
        lab=lab.slug,
        lab_hash=labs.lab_hash(lab.folder),
        grader_hash=gradebook.grader_hash(),
        submissions=(),
    )
    graded = elsewhere or partial(grading.class_graded, jobs=jobs)
    with phase("check"), graded(lab, rows, lang=lang, host=host) as grades:
        chosen: list[Student] = []
        store.write(folder / CHECKED_FILE, head, refined(_counted(roster, policy, grades, chosen)))
    asked.write(folder, lab)
    found = roster.model_copy(update={"students": tuple(chosen)})
    book = markbook.complete(folder, lab, found, policy, lang)
    with phase("settle the marks"):
        markbook.write_marks(book, now, cause)
    return book


def _usable(folder: Path, source: Path) -> None:
    if source.resolve() == folder.resolve() or folder.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"{folder} is inside of what is graded", remedy="name another folder with --into")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", remedy="name another one with --into")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKBOOK_FILE).is_file():
        raise UsageError(f"{folder} is not empty, and no markbook", remedy="name a new folder with --into")


def _counting(attempts: tuple[Attempt, ...], policy: Policy) -> list[int]:
    """Return the attempts that are to be checked: the last one, or all of which one may be the best."""
    if policy.attempts == "last":
        return [intake.last(attempts)]
    return [index for index, one in enumerate(attempts) if one.problem is None] or [intake.last(attempts)]


def _rows(folder: Path, student: Student, policy: Policy) -> Iterator[Row]:
    for index in _counting(student.attempts, policy):
        one = student.attempts[index]
        place = str(folder / one.kept) if one.kept else ""
        unverified = "" if one.verified else one.why
        trouble = "" if one.kept else one.problem or "it could not be read"
        yield Row(student.key, place, Path(one.place).name, unverified, trouble)


def _counted(
    roster: Roster, policy: Policy, grades: Iterator[bytes], chosen: list[Student]
) -> Iterator[bytes]:
    """Yield the grade of each student's attempt that counts, and note in ``chosen`` which that is."""
    for student in roster.students:
        checked = [(index, next(grades)) for index in _counting(student.attempts, policy)]
        best = max(checked, key=lambda one: _worth(one, student, policy)) if len(checked) > 1 else checked[0]
        marked = (one.model_copy(update={"chosen": at == best[0]}) for at, one in enumerate(student.attempts))
        chosen.append(student.model_copy(update={"attempts": tuple(marked)}))
        yield best[1]


def _worth(one: tuple[int, bytes], student: Student, policy: Policy) -> tuple[float, int]:
    """Return what an attempt is worth after its lateness; of equal ones the later counts."""
    index, raw = one
    grade = policy.penalised(SubmissionGrade.model_validate_json(raw), student.attempts[index].late)
    return (grade.score / grade.max if grade.max else -1.0), index
