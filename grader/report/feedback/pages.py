"""The pages of a whole class: each student's own, from a markbook."""

from __future__ import annotations

from domains.errors import UsageError
from grader.classroom.markbook import Markbook
from grader.grading import judging
from grader.lab.lab import Lab
from grader.language import Lang
from grader.report.feedback.page import Student, html_text
from grader.results.result import CheckResult, SubmissionGrade
from grader.review.decisions import TEACHER
from grader.submission.submission import Submission


def of(
    markbook: Markbook, grade: SubmissionGrade, lang: Lang | None = None, *, with_answers: bool = True
) -> str:
    """Return one student's page, in the language that they answered in, or in ``lang``."""
    known = markbook.roster.student(grade.student)
    chosen = known.chosen() if known else None
    given = _given(markbook, grade.student)
    return html_text(
        markbook.lab,
        _retold(markbook.lab, grade, given, lang) if lang and given else grade,
        given.questions if given else {},
        # In the teacher's zone, which is the students'.
        Student(
            known.name if known else grade.student,
            chosen.time.astimezone() if chosen and chosen.time else None,
        ),
        lang or (given.lang if given else markbook.lab.lang),
        with_answers=with_answers,
        unread=(given.answers.problem or "") if given else "",
    )


def _retold(lab: Lab, grade: SubmissionGrade, given: Submission, lang: Lang) -> SubmissionGrade:
    """Return the same grade with its sentences in another language: judged again, and only words are taken.

    Where judging again would say anything else (the lab was changed since), words stay as they were.
    """
    again = {one.id: one for one in judging.all_judged(lab, given, lang)}
    return grade.model_copy(
        update={"questions": tuple(_said(one, again.get(one.id)) for one in grade.questions)}
    )


def _said(one: CheckResult, again: CheckResult | None) -> CheckResult:
    is_decided = any(seen.source == TEACHER for seen in one.evidence)
    if again is None or is_decided or (again.outcome, again.points) != (one.outcome, one.points):
        return one
    return one.model_copy(update={"expected": again.expected, "actual": again.actual, "hint": again.hint})


def _given(markbook: Markbook, student: str) -> Submission | None:
    """Return what a student handed in; None where nothing of it could be kept."""
    try:
        return markbook.submission(student)
    except UsageError:
        return None
