"""Checks: pure functions from a question, an answer and a context to a result."""

from __future__ import annotations

from grader.checks import words
from grader.checks.choice import check_choice, check_choices
from grader.checks.domain import check_domain
from grader.checks.number import check_number
from grader.checks.prediction import check_prediction
from grader.checks.text import check_text
from grader.checks.verdict import Context, result
from grader.lab.questions import (
    ChoiceQuestion,
    ChoicesQuestion,
    DomainQuestion,
    NumberQuestion,
    PredictionQuestion,
    Question,
    TextQuestion,
)
from grader.results.result import CheckResult, Outcome
from grader.submission.answers import Answer

__all__ = ["Context", "check"]


def check(question: Question, answer: Answer, context: Context) -> CheckResult:
    """Judge one answer; whatever the answer holds, a result comes back and nothing is raised for it."""
    # A number may be impossible to measure on this host, and a domain is a file: they look for themselves.
    match question:
        case NumberQuestion():
            return check_number(question, answer, context)
        case DomainQuestion():
            return check_domain(question, answer, context)
    if answer.value is None:
        hint = answer.note or words.NO_ANSWER.say(context.lang)
        return result(question, Outcome.FAIL, hint=hint)
    match question:
        case ChoiceQuestion():
            return check_choice(question, answer, context)
        case ChoicesQuestion():
            return check_choices(question, answer, context)
        case TextQuestion():
            return check_text(question, answer, context)
        case PredictionQuestion():
            return check_prediction(question, answer, context)
