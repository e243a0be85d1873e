"""From results to a score: points are summed, and only what could be graded counts in the maximum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.results.result import CheckResult, Outcome, SubmissionGrade

GRADED = frozenset({Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL})
# What a mark is out of, as French universities give it.
OUT_OF = 20


def submission_grade(student: str, results: Sequence[CheckResult]) -> SubmissionGrade:
    """Return all results of one submission with its score; ERROR, SKIPPED and INCONCLUSIVE cost nothing."""
    counted = [one for one in results if one.outcome in GRADED]
    return SubmissionGrade(
        student=student,
        score=round(sum(one.points for one in counted), 4),
        max=round(sum(one.max for one in counted), 4),
        questions=tuple(results),
    )


def lost(results: Iterable[CheckResult]) -> list[str]:
    """Return the questions that cost points."""
    return [one.id for one in results if one.outcome in GRADED and one.points < one.max]


def mark(submission: SubmissionGrade, out_of: float = OUT_OF) -> float | None:
    """Return the mark of a submission, to two decimals; None when nothing of it could be graded.

    Every point weighs the same, so that parts of equal points weigh the same; what could not be graded is in
    neither the score nor the maximum.
    """
    return round(submission.score / submission.max * out_of, 2) if submission.max else None
