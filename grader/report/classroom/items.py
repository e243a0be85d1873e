"""How hard each question was, and whether it told who knows from who does not."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from grader.lab.lab import Lab
from grader.results.result import CheckResult, Outcome, SubmissionGrade
from grader.results.score import GRADED

# With fewer students a correlation says more about them than about the question.
ENOUGH = 10


@dataclass(frozen=True)
class Item:
    """One question: of ``graded`` students the mean fraction of its points, and how it discriminates.

    ``discrimination`` is None for a reason: ``few`` students, all ``alike``, or nothing to compare with.
    """

    id: str
    points: float
    graded: int
    mean: float | None
    discrimination: float | None
    why_none: Literal["", "few", "alike"]
    outcomes: Mapping[Outcome, int]


def analyse(lab: Lab, submissions: Sequence[SubmissionGrade]) -> tuple[Item, ...]:
    """Analyse the lab's questions in their order, and after them the checks that students are not asked."""
    by_id: dict[str, list[tuple[CheckResult, SubmissionGrade]]] = {question.id: [] for question in lab}
    for submission in submissions:
        for one in submission.questions:
            by_id.setdefault(one.id, []).append((one, submission))
    return tuple(_item(name, found) for name, found in by_id.items() if found)


def _item(name: str, found: Sequence[tuple[CheckResult, SubmissionGrade]]) -> Item:
    counted = [(one, of) for one, of in found if one.outcome in GRADED and one.max > 0]
    fractions = [one.points / one.max for one, _ in counted]
    value, why = discrimination(fractions, [_rest(one, of) for one, of in counted])
    return Item(
        name,
        max(one.max for one, _ in found),
        len(counted),
        statistics.fmean(fractions) if fractions else None,
        value,
        why,
        Counter(one.outcome for one, _ in found),
    )


def _rest(one: CheckResult, of: SubmissionGrade) -> float | None:
    """Return the fraction of all other points, before lateness; None where nothing else was graded."""
    others = [other for other in of.questions if other.outcome in GRADED and other.id != one.id]
    total = sum(other.max for other in others)
    return sum(other.points for other in others) / total if total else None


def discrimination(
    fractions: Sequence[float], rests: Sequence[float | None]
) -> tuple[float | None, Literal["", "few", "alike"]]:
    """Return the corrected item-total correlation: Pearson's r of a question with the rest of the test.

    Without the correction a question correlates with itself, which is part of the total: S. Henrysson,
    "Correction of item-total correlations in item analysis", Psychometrika 28(2), 1963, pages 211 to 218. For
    a question that is only right or wrong Pearson's r is the point-biserial correlation. From -1 to 1;
    below 0 who does well elsewhere does badly here.
    """
    pairs = [(one, rest) for one, rest in zip(fractions, rests, strict=True) if rest is not None]
    if len(pairs) < ENOUGH:
        return None, "few"
    own, others = zip(*pairs, strict=True)
    # What differs by rounding alone does not differ.
    if max(own) - min(own) < 1e-9 or max(others) - min(others) < 1e-9:
        return None, "alike"
    return round(statistics.correlation(own, others), 4), ""
