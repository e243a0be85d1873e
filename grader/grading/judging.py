"""Judge one submission: a result for every question, whatever breaks on the way."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext

from grader.checks import Context, check
from grader.checks.settling import settled
from grader.checks.verdict import of_nobody, unreadable
from grader.grading import limits
from grader.lab.lab import Lab
from grader.lab.questions import CodeQuestion, Question
from grader.language import Lang
from grader.language.inert import inert
from grader.results.result import CheckResult, Outcome
from grader.submission.answers import ANSWERS_FILE
from grader.submission.identity import WORKSPACE_FILE
from grader.submission.submission import Submission


def judged(
    lab: Lab, question: Question, given: Submission, lang: Lang | None, host: str | None = None
) -> CheckResult:
    """Return the result of one question; what a check raises is passed on.

    ``host`` names the lab host on which checks that need one may boot guests.
    """
    context = Context(lab.slug, lang or given.lang, given.evidence)
    asked = given.questions[question.id]
    answer = given.answer(asked)
    if given.is_unreadable(asked):
        return unreadable(asked, context, ANSWERS_FILE, given.answers.problem or "")
    if given.whose is not None:
        return of_nobody(asked, context, WORKSPACE_FILE, given.whose, answer.value)
    if isinstance(asked, CodeQuestion):
        # A pytest session of their own is costly where no question asks for it.
        from grader.api import session
        from grader.api.case import Student

        found = session.judged(asked, Student(lab, given, context.lang, host))
        return settled(found, asked, answer, context)
    return check(asked, answer, context)


def all_judged(
    lab: Lab, given: Submission, lang: Lang | None, host: str | None = None, only: Collection[str] = ()
) -> list[CheckResult]:
    """Return the results of all questions, or ``only`` some; a check that breaks is its question's ERROR."""
    return [one_judged(lab, question, given, lang, host) for question in chosen(lab, only)]


def chosen(lab: Lab, only: Collection[str]) -> list[Question]:
    """Return a lab's questions in its order: ``only`` those of these ids, or all where none is named."""
    return [question for question in lab if not only or question.id in only]


def one_judged(
    lab: Lab, question: Question, given: Submission, lang: Lang | None, host: str | None = None
) -> CheckResult:
    """Return the result of one question as :func:`judged` does; a check that breaks is its ERROR.

    It also ends one that takes too long, except where guests are booted, which have deadlines of their own.
    """
    try:
        with nullcontext() if host else limits.for_a_question():
            return judged(lab, question, given, lang, host)
    except (Exception, limits.TimeUp) as bad:  # noqa: BLE001 - ours, and the other questions still count
        return lost(question, f"{type(bad).__name__}: {bad}")


def lost(question: Question, why: str) -> CheckResult:
    """Return the ERROR of a question that has no result."""
    return CheckResult(
        id=question.id, outcome=Outcome.ERROR, max=question.points, hint=inert(f"no result: {why}")
    )
