from __future__ import annotations

from grader.results.result import CheckResult, Outcome
from grader.results.score import lost, submission_grade


def result(question: str, outcome: Outcome, points: float = 0, hint: str = "") -> CheckResult:
    return CheckResult(id=question, outcome=outcome, points=points, max=4, hint=hint)


RESULTS = [
    result("a", Outcome.PASS, 4),
    result("b", Outcome.PARTIAL, 1.5),
    result("c", Outcome.FAIL, hint="wrong"),
    result("d", Outcome.SKIPPED, hint="no KVM"),
    result("e", Outcome.SKIPPED, hint="no KVM"),
    result("f", Outcome.ERROR, hint="broke"),
    result("g", Outcome.INCONCLUSIVE, hint="unsure"),
]


def test_only_what_could_be_graded_counts() -> None:
    graded = submission_grade("zoe", RESULTS)
    assert (graded.score, graded.max) == (5.5, 12)
    assert graded.questions == tuple(RESULTS)


def test_what_is_not_the_students_is_not_lost() -> None:
    assert lost(RESULTS) == ["b", "c"]


def test_nothing_to_grade_is_no_division_by_anything() -> None:
    assert submission_grade("zoe", []).max == 0
