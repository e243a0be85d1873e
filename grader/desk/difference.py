"""What grading again has moved: whose mark, by which questions, and why (schema ``tdlab.regrade/1``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field

from grader.classroom.asked import Asked
from grader.measure.run import Record
from grader.results.result import CheckResult, Outcome, SubmissionGrade

Cause = Literal["lab", "grader"]
# What can be told of a question: by what its author wrote (its text, its rules), and by its two results (how
# many points it is worth, what is expected, how the answer was read).
Change = Literal["asked", "dropped", "text", "rules", "max", "expected", "answer"]


class Mark(Record):
    """A score and what it is out of."""

    score: float
    max: float


class Verdict(Record):
    """A question's outcome and points."""

    outcome: Outcome
    points: float
    max: float


class MovedQuestion(Record):
    """A question that was judged otherwise; None where it was not asked."""

    id: str
    before: Verdict | None
    after: Verdict | None


class Moved(Record):
    """A student whose mark, or whose verdict on a question, is another one now."""

    student: str
    before: Mark
    after: Mark
    questions: tuple[MovedQuestion, ...]


class Hashes(Record):
    """What a grade was given by."""

    lab: str
    grader: str


class Difference(Record):
    """All that grading again has changed; ``questions`` says what can be told of each changed question."""

    schema_: Literal["tdlab.regrade/1"] = Field(default="tdlab.regrade/1", alias="schema")
    lab: str
    dry_run: bool
    before: Hashes
    after: Hashes
    causes: tuple[Cause, ...]
    graded: int
    moved: tuple[Moved, ...]
    questions: dict[str, tuple[Change, ...]]
    # Results of before that stay, by question: they came from a guest, and regrading boots none.
    carried: dict[str, int]
    # Decisions that held for an answer before, and now hold for none: it is read otherwise, or asked no more.
    decisions_lost: int
    errors: int


class Comparison:
    """Gathers the difference of two grades, a student at a time."""

    def __init__(self) -> None:
        self.graded = 0
        self.errors = 0
        self.moved: list[Moved] = []
        self.questions: dict[str, set[Change]] = {}
        self.carried: dict[str, int] = {}

    def asked(self, before: Asked | None, after: Asked) -> None:
        """Compare what was asked, where that was written down."""
        if before is None:
            return
        for name, now in after.questions.items():
            one = before.questions.get(name)
            changes: set[Change] = set()
            if one is not None and one.text != now.text:
                changes.add("text")
            if one is not None and one.rules != now.rules:
                changes.add("rules")
            if changes:
                self.questions.setdefault(name, set()).update(changes)

    def add(self, before: SubmissionGrade, after: SubmissionGrade) -> None:
        """Compare one student's two grades."""
        self.graded += 1
        self.errors += any(one.outcome is Outcome.ERROR for one in after.questions)
        rows = tuple(_questions(before.questions, after.questions))
        for one, now in rows:
            if changes := set(_changes(one, now)):
                name = (one or now or after.questions[0]).id
                self.questions.setdefault(name, set()).update(changes)
        marks = _mark(before), _mark(after)
        verdicts = tuple(_moved(one, now) for one, now in rows if _verdict(one) != _verdict(now))
        if marks[0] != marks[1] or verdicts:
            row = Moved(student=after.student, before=marks[0], after=marks[1], questions=verdicts)
            self.moved.append(row)


def causes(before: Hashes, after: Hashes) -> tuple[Cause, ...]:
    """Return what has changed between two gradings."""
    found: list[Cause] = []
    if before.lab != after.lab:
        found.append("lab")
    if before.grader != after.grader:
        found.append("grader")
    return tuple(found)


Pair = tuple[CheckResult | None, CheckResult | None]


def _questions(before: Iterable[CheckResult], after: Iterable[CheckResult]) -> Iterator[Pair]:
    old, new = ({one.id: one for one in results} for results in (before, after))
    yield from ((old.get(name), new.get(name)) for name in dict.fromkeys([*new, *old]))


def _changes(before: CheckResult | None, after: CheckResult | None) -> Iterator[Change]:
    if before is None or after is None:
        yield "asked" if before is None else "dropped"
        return
    if before.max != after.max:
        yield "max"
    if before.expected != after.expected:
        yield "expected"
    if before.actual != after.actual:
        yield "answer"


def _moved(before: CheckResult | None, after: CheckResult | None) -> MovedQuestion:
    named = before or after
    assert named is not None  # noqa: S101  a row is of one of the two at least
    return MovedQuestion(id=named.id, before=_verdict(before), after=_verdict(after))


def _verdict(result: CheckResult | None) -> Verdict | None:
    return Verdict(outcome=result.outcome, points=result.points, max=result.max) if result else None


def _mark(grade: SubmissionGrade) -> Mark:
    return Mark(score=grade.score, max=grade.max)
