"""Checks: pure functions from a question, an answer and a context to a result."""

from __future__ import annotations

from grader.checks import words
from grader.checks.choice import check_choice, check_choices
from grader.checks.domain import check_domain
from grader.checks.number import check_number
from grader.checks.order import check_order
from grader.checks.practical.experiment import check_experiment
from grader.checks.practical.host import check_host
from grader.checks.practical.transcript import check_transcript
from grader.checks.prediction import check_prediction
from grader.checks.settling import settled
from grader.checks.verdict import Context, result
from grader.lab.questions import (
    ChoiceQuestion,
    ChoicesQuestion,
    CodeQuestion,
    DomainQuestion,
    ExperimentQuestion,
    FileQuestion,
    HostQuestion,
    NumberQuestion,
    OrderQuestion,
    PredictionQuestion,
    Question,
    TextQuestion,
    TranscriptQuestion,
)
from grader.language import causes
from grader.results.result import CheckResult, Outcome
from grader.submission.answers import Answer

__all__ = ["Context", "check"]


def check(question: Question, answer: Answer, context: Context) -> CheckResult:
    """Judge one answer; whatever the answer holds, a result comes back and nothing is raised for it.

    What rests on evidence that is not verified is left to the teacher, and hints that were asked for cost.
    """
    if question.is_withheld:
        why = "the students' edition of a lab holds no right answers"
        return result(question, Outcome.ERROR, hint=causes.said(why, context.lang))
    return settled(_judged(question, answer, context), question, answer, context)


def _judged(question: Question, answer: Answer, context: Context) -> CheckResult:
    if isinstance(question, FileQuestion):
        return _check_file(question, answer, context)
    # What was measured may be impossible on this host: these look for themselves, also without an answer.
    match question:
        case NumberQuestion():
            return check_number(question, answer, context)
        case OrderQuestion():
            return check_order(question, answer, context)
        case CodeQuestion():
            return result(
                question, Outcome.ERROR, hint=causes.said("no result: its tests were not run", context.lang)
            )
    if answer.value is None:
        hint = causes.said(answer.note, context.lang) or words.NO_ANSWER.say(context.lang)
        return result(question, Outcome.FAIL, hint=hint)
    match question:
        case ChoiceQuestion():
            return check_choice(question, answer, context)
        case ChoicesQuestion():
            return check_choices(question, answer, context)
        case TextQuestion():
            # Its stemmers and word lists take a while to import, and `tdlab check` judges no text.
            from grader.checks.text import check_text

            return check_text(question, answer, context)
        case PredictionQuestion():
            return check_prediction(question, answer, context)


def _check_file(question: FileQuestion, answer: Answer, context: Context) -> CheckResult:
    match question:
        case DomainQuestion():
            return check_domain(question, answer, context)
        case TranscriptQuestion():
            return check_transcript(question, answer, context)
        case HostQuestion():
            return check_host(question, answer, context)
        case ExperimentQuestion():
            return check_experiment(question, answer, context)
