"""What a student is told before the marks: enough to go on with, and nothing that could be tried out.

Where an answer cannot be guessed by trying (a number or an order of one's own measures, a prediction, or what
is handed in as a file: a domain, a transcript, an experiment) the check's verdict is shown at once. Of a
choice or a text is only said whether it can be read: a verdict on each attempt would give the answer away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from grader.checks import check, words
from grader.checks.form import problem
from grader.checks.verdict import Context
from grader.lab.asking import how
from grader.lab.questions import (
    CodeQuestion,
    FileQuestion,
    NumberQuestion,
    OrderQuestion,
    PredictionQuestion,
    Question,
    file_of,
)
from grader.language import Lang, causes
from grader.results.result import CheckResult, Outcome
from grader.submission.answers import ANSWERS_FILE
from grader.submission.submission import Submission
from grader.workspace import sayings

State = Literal["open", "noted", "right", "partly", "wrong", "waiting", "not-here", "broken"]
_SHOWN = NumberQuestion | FileQuestion | PredictionQuestion
Judge = Callable[[CodeQuestion], CheckResult]
_STATES: dict[Outcome, State] = {
    Outcome.PASS: "right",
    Outcome.PARTIAL: "partly",
    Outcome.FAIL: "wrong",
    Outcome.INCONCLUSIVE: "waiting",
    Outcome.SKIPPED: "not-here",
    Outcome.ERROR: "broken",
}
_ANSWERED = {Outcome.PASS, Outcome.PARTIAL}


@dataclass(frozen=True)
class Feedback:
    """What a student is told of one question: its state, what was seen of the answer, and the next step.

    ``asked`` says in general what an answer looks like, ``hints`` are the prices of those that are left.
    """

    question: Question
    state: State
    seen: str = ""
    next: str = ""
    asked: str = ""
    hints: tuple[float, ...] = ()


def look(given: Submission, lab: str, lang: Lang, judge: Judge | None = None) -> list[Feedback]:
    """Look at all answers of a workspace; raises nothing for what a student wrote.

    ``judge`` runs the lab's own tests of a question; without one, they are left for the marks.
    """
    if given.answers.problem is not None:
        said = words.ANSWERS_BROKEN.say(lang, problem=causes.said(given.answers.problem, lang))
        return [Feedback(question, "wrong", ANSWERS_FILE, said) for question in given.questions.values()]
    if given.whose is not None:
        said = words.WHOSE_UNKNOWN.say(lang, cause=causes.said(given.whose, lang))
        return [Feedback(question, "waiting", next=said) for question in given.questions.values()]
    context = Context(lab, lang, given.evidence)
    told = (_look(question, given, context, judge) for question in given.questions.values())
    return [replace(one, asked=how(one.question, lang), hints=_prices(one.question, given)) for one in told]


def _prices(question: Question, given: Submission) -> tuple[float, ...]:
    taken = given.evidence.hints.get(question.id, frozenset())
    return tuple(one.costs for number, one in enumerate(question.hints) if number not in taken)


def _look(question: Question, given: Submission, context: Context, judge: Judge | None) -> Feedback:
    answer = given.answer(question)
    lang = context.lang
    if answer.value is None or (isinstance(answer.value, str) and not answer.value.strip()):
        todo = how(question, lang) if file_of(question) else sayings.ANSWER_IT.say(lang)
        return Feedback(question, "open", next=causes.said(answer.note, lang) or todo)
    if wrong := problem(question, answer, lang):
        return Feedback(question, "wrong", seen=str(answer.value)[:200], next=wrong)
    is_measured = isinstance(question, OrderQuestion) and question.measured is not None
    is_shown = isinstance(question, CodeQuestion) and question.shown and judge is not None
    if not isinstance(question, _SHOWN) and not is_measured and not is_shown:
        return Feedback(question, "noted", seen=file_of(question) or _short(answer.value))
    coded = judge(question) if judge and isinstance(question, CodeQuestion) else None
    found = coded or check(question, answer, context)
    # What hints took says nothing of the answer.
    is_right = found.cost > 0 and found.outcome in _ANSWERED and found.points + found.cost >= found.max
    state = "right" if is_right else _STATES[found.outcome]
    # What was expected is a number of the student's own: it would be the answer.
    hint = "" if state == "right" else found.hint
    seen = file_of(question) or _short(answer.value)
    return Feedback(question, state, seen=found.actual or seen, next=hint)


def _short(value: object) -> str:
    said = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return said if len(said) <= 200 else said[:199] + "…"
