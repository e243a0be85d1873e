"""Everything that the class report shows, found once, for the page, the terminal and ``--json``."""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from grader.lab.lab import Lab
from grader.language import Lang
from grader.report.classroom import alike, ideas, items, timing
from grader.report.classroom.alike import Alike
from grader.report.classroom.glimpse import Glimpse
from grader.report.classroom.ideas import Misconception
from grader.report.classroom.items import Item
from grader.report.classroom.timing import Oddity
from grader.results.result import Grade, Outcome, SubmissionGrade
from grader.results.score import OUT_OF, mark


@dataclass(frozen=True)
class Cause:
    """Why questions could not be graded: what was said, how often, and of which questions and students."""

    said: str
    count: int
    questions: tuple[str, ...]
    students: int


@dataclass(frozen=True)
class Marks:
    """The marks of a class, out of 20; ``columns`` counts them in steps of a point, 20 in the last."""

    values: tuple[float, ...]
    columns: tuple[int, ...]
    mean: float | None
    median: float | None
    deviation: float | None


@dataclass(frozen=True)
class Overview:
    """The class as the report shows it."""

    lab: Lab
    students: tuple[tuple[str, float | None], ...]
    marks: Marks
    unfinished: int
    items: tuple[Item, ...]
    misconceptions: tuple[Misconception, ...]
    alike: tuple[Alike, ...]
    oddities: tuple[Oddity, ...]
    waiting: tuple[tuple[str, int], ...]
    errors: tuple[Cause, ...]
    skipped: tuple[Cause, ...]
    late: int
    unverified: tuple[tuple[str, int], ...]
    unreadable: tuple[tuple[str, str], ...] = ()
    is_anonymous: bool = False


def language(glimpses: Sequence[Glimpse]) -> Lang:
    """Return the language that most of a class answered in."""
    said = Counter(one.lang for one in glimpses if one.lang)
    return said.most_common(1)[0][0] if said else "fr"


def of(
    lab: Lab,
    grade: Grade,
    glimpses: Sequence[Glimpse],
    *,
    unreadable: Mapping[str, str] = MappingProxyType({}),
    anonymous: bool = False,
) -> Overview:
    """Look at a class; ``anonymous`` gives everybody a number in place of the name, and shows no answer.

    ``unreadable`` says by student why nothing could be read of what was handed in.
    """
    submissions = grade.submissions
    names = {one.student: one.name or one.student for one in glimpses}
    shown = _numbers(submissions, grade.lab_hash) if anonymous else names
    name: Callable[[str], str] = lambda student: shown.get(student, student)  # noqa: E731
    # A question did nothing to those whose work could not be read.
    found = items.analyse(lab, [one for one in submissions if one.student not in unreadable])
    waiting = [(one.id, one.outcomes.get(Outcome.INCONCLUSIVE, 0)) for one in found]
    return Overview(
        lab=lab,
        students=tuple(sorted((name(one.student), mark(one)) for one in submissions)),
        marks=_marks([value for one in submissions if (value := mark(one)) is not None]),
        unfinished=sum(_is_open(one) for one in submissions),
        items=found,
        misconceptions=ideas.found(lab, submissions, glimpses),
        alike=tuple(_renamed(one, name, anonymous) for one in alike.found(lab, glimpses)),
        oddities=tuple(replace(one, students=_sorted(one.students, name)) for one in timing.found(glimpses)),
        waiting=tuple((question, count) for question, count in waiting if count),
        errors=_causes(submissions, Outcome.ERROR),
        skipped=_causes(submissions, Outcome.SKIPPED),
        late=sum(one.late > 0 for one in submissions),
        unverified=tuple(Counter(one.unverified for one in submissions if one.unverified).most_common()),
        unreadable=tuple(sorted((name(who), "" if anonymous else why) for who, why in unreadable.items())),
        is_anonymous=anonymous,
    )


def _marks(values: Sequence[float]) -> Marks:
    columns = [0] * OUT_OF
    for value in values:
        columns[min(OUT_OF - 1, max(0, int(value)))] += 1
    several = len(values) > 1
    return Marks(
        tuple(sorted(values)),
        tuple(columns),
        round(statistics.fmean(values), 2) if values else None,
        round(statistics.median(values), 2) if values else None,
        round(statistics.stdev(values), 2) if several else None,
    )


def _is_open(one: SubmissionGrade) -> bool:
    return any(result.outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR) for result in one.questions)


def _causes(submissions: Sequence[SubmissionGrade], outcome: Outcome) -> tuple[Cause, ...]:
    found: dict[str, list[tuple[str, str]]] = {}
    for one in submissions:
        for result in one.questions:
            if result.outcome is outcome:
                found.setdefault(result.hint, []).append((result.id, one.student))
    causes = [
        Cause(
            said,
            len(where),
            tuple(dict.fromkeys(sorted(name for name, _ in where))),
            len({who for _, who in where}),
        )
        for said, where in found.items()
    ]
    return tuple(sorted(causes, key=lambda one: (-one.count, one.said)))


def _numbers(submissions: Sequence[SubmissionGrade], salt: str) -> dict[str, str]:
    """Number the students in an order that says nothing about their names, the same each time."""
    order = sorted(submissions, key=lambda one: hashlib.sha256(f"{salt}\0{one.student}".encode()).digest())
    return {one.student: f"#{number:03d}" for number, one in enumerate(order, 1)}


def _renamed(one: Alike, name: Callable[[str], str], anonymous: bool) -> Alike:
    return replace(one, students=_sorted(one.students, name), text="" if anonymous else one.text)


def _sorted(students: Sequence[str], name: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(sorted(name(one) for one in students))
