"""The pages of a whole class: each student's own, from a markbook."""

from __future__ import annotations

from domains.errors import UsageError
from grader.classroom.markbook import Markbook
from grader.language import Lang
from grader.report.feedback.page import Student, html_text
from grader.results.result import SubmissionGrade
from grader.submission.submission import Submission

# What hints are in where a submission does not say its language.
_UNSAID: Lang = "en"


def of(
    markbook: Markbook, grade: SubmissionGrade, lang: Lang | None = None, *, with_answers: bool = True
) -> str:
    """Return one student's page, in the language that they answered in, or in ``lang``."""
    known = markbook.roster.student(grade.student)
    chosen = known.chosen() if known else None
    given = _given(markbook, grade.student)
    return html_text(
        markbook.lab,
        grade,
        given.questions if given else {},
        # In the teacher's zone, which is the students'.
        Student(
            known.name if known else grade.student,
            chosen.time.astimezone() if chosen and chosen.time else None,
        ),
        lang or (given.answers.lang if given else None) or _UNSAID,
        with_answers=with_answers,
    )


def _given(markbook: Markbook, student: str) -> Submission | None:
    """Return what a student handed in; None where nothing of it could be kept."""
    try:
        return markbook.submission(student)
    except UsageError:
        return None
