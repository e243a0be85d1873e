"""Grade a class again from what its markbook keeps: no class source, no VM; the teacher's decisions stay."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

from domains import scratch
from domains.errors import InfrastructureError
from domains.phases import phase
from grader.classroom import asked, markbook, marking
from grader.classroom.markbook import CHECKED_FILE, GRADE_FILE, LEDGER_FILE, Markbook
from grader.classroom.marking import Elsewhere
from grader.desk.difference import Comparison, Difference, Hashes, causes
from grader.lab.questions import CodeQuestion
from grader.results import ledger, store
from grader.results.ledger import Entry
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade
from grader.results.score import GRADED, submission_grade
from grader.review import decisions
from grader.review.decisions import DECISIONS_FILE, Decision, answer_key

_KEPT = "kept"


def regrade(
    folder: Path,
    now: datetime,
    *,
    jobs: int = 0,
    dry_run: bool = False,
    elsewhere: Callable[[Path], Elsewhere] | None = None,
) -> Difference:
    """Check again all that is kept, settle the marks, and return what has moved; ``now`` has a time zone.

    ``elsewhere`` makes of the folder what grades the class in place of ``jobs`` workers here. A dry run does
    it all in a copy. Raises InputError at a ledger that was tampered with, and grades nothing.
    """
    with phase("look at the ledger"):
        ledger.read(folder / LEDGER_FILE)
    with _copy(folder) if dry_run else _itself(folder) as place:
        # What was decided since the marks were written moves them first, so that it is not taken for this.
        book = markbook.open_markbook(place)
        markbook.settle(book, now)
        before = store.head(place / CHECKED_FILE)
        held = _held(place)
        found = _remarked(book, now, jobs, elsewhere(place) if elsewhere else None)
        after = store.head(place / CHECKED_FILE)
        lost = len(held - _held(place))
    return _difference(before, after, found, dry_run=dry_run, lost=lost)


def _remarked(book: Markbook, now: datetime, jobs: int, elsewhere: Elsewhere | None) -> Comparison:
    """Check and settle a markbook again, and return how it compares with what it was."""
    place, found = book.folder, Comparison()
    with scratch.folder("regrade") as old:
        for name in (GRADE_FILE, CHECKED_FILE):
            shutil.copyfile(place / name, old / name)
        found.asked(asked.read(place), asked.of(book.lab))
        carrier = _Carrier(book, old / CHECKED_FILE, found)
        marking.remark(
            place,
            book.lab,
            book.roster,
            book.policy,
            jobs=jobs,
            lang=book.lang,
            now=now,
            cause="regraded",
            elsewhere=elsewhere,
            refined=carrier.over,
        )
        with phase("compare"):
            _compare(found, old / GRADE_FILE, place / GRADE_FILE)
    return found


def history(folder: Path, student: str) -> list[Entry]:
    """Return a student's entries in the ledger, oldest first; raises InputError where it does not hold."""
    return [one for one in ledger.read(folder / LEDGER_FILE) if one.submission.student == student]


def _difference(before: Grade, after: Grade, found: Comparison, *, dry_run: bool, lost: int) -> Difference:
    old, new = (Hashes(lab=one.lab_hash, grader=one.grader_hash) for one in (before, after))
    return Difference(
        lab=after.lab,
        dry_run=dry_run,
        before=old,
        after=new,
        causes=causes(old, new),
        graded=found.graded,
        moved=tuple(found.moved),
        carried=found.carried,
        questions={name: tuple(sorted(changes)) for name, changes in found.questions.items()},
        decisions_lost=lost,
        errors=found.errors,
    )


class _Carrier:
    """Carries over what only a guest could tell when the class was graded: regrading boots none.

    Only where the lab's own checks are not gradable now, and only where the same attempt counts.
    """

    def __init__(self, book: Markbook, before: Path, found: Comparison) -> None:
        self._code = {one.id for one in book.lab if isinstance(one, CodeQuestion)}
        self._is_same = book.policy.attempts == "last"
        self._before = before
        self._found = found

    def over(self, checked: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what the checks say now of each submission (JSON), with what is carried over in it."""
        if not self._code or not self._is_same:
            yield from checked
            return
        for raw, before in zip(checked, store.each(self._before), strict=True):
            now = SubmissionGrade.model_validate_json(raw)
            results = self._results(before, now)
            if results == now.questions:
                yield raw
                continue
            scored = submission_grade(now.student, results)
            changed = {"questions": scored.questions, "score": scored.score, "max": scored.max}
            yield now.model_copy(update=changed).model_dump_json(by_alias=True).encode()

    def _results(self, before: SubmissionGrade, now: SubmissionGrade) -> tuple[CheckResult, ...]:
        old = {one.id: one for one in before.questions if one.id in self._code and one.outcome in GRADED}
        results = []
        for one in now.questions:
            kept = old.get(one.id)
            if one.outcome is Outcome.SKIPPED and kept is not None and kept.max == one.max:
                self._found.carried[one.id] = self._found.carried.get(one.id, 0) + 1
                results.append(kept)
            else:
                results.append(one)
        return tuple(results)


def _compare(found: Comparison, old: Path, new: Path) -> None:
    """Compare two grades of one class, a student at a time: a large class need not be in memory twice."""
    for before, after in zip_longest(store.each(old), store.each(new)):
        if before is None or after is None or before.student != after.student:
            raise InfrastructureError("grading again gave other students than before")
        found.add(before, after)


def _held(folder: Path) -> set[tuple[str, str, str]]:
    """Return the decisions that hold for an answer of the class."""
    made: dict[tuple[str, str, str], Decision] = {}
    for one in decisions.read(folder / DECISIONS_FILE):
        made[one.question, one.key, one.student] = one
    if not made:
        return set()
    given = set()
    for submission in store.each(folder / CHECKED_FILE):
        for result in submission.questions:
            key = answer_key(result.id, result.actual)
            given |= {(result.id, key, ""), (result.id, key, submission.student)}
    return {name for name, one in made.items() if one.fraction is not None and name in given}


@contextmanager
def _itself(folder: Path) -> Iterator[Path]:
    yield folder


@contextmanager
def _copy(folder: Path) -> Iterator[Path]:
    """Lend a copy of a markbook in which what is kept is shared, for it is never written to."""
    with scratch.folder("regrade") as place:
        for file in folder.iterdir():
            if file.is_file() and not file.name.endswith(".lock"):
                shutil.copyfile(file, place / file.name)
        (place / _KEPT).symlink_to((folder / _KEPT).resolve(), target_is_directory=True)
        yield place
