"""What the class report takes of each submission, so that no more than one is in memory at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from grader.checks.choice import chosen_one, chosen_some
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion, Question, TextQuestion
from grader.lab.written import prose
from grader.language import Lang
from grader.language.bilingual import Bilingual
from grader.measure import moment
from grader.measure.run import Run
from grader.submission.submission import Submission

# Seconds of a round: what is longer is no workload, and no number to print.
_LONGEST = 10**6


@dataclass(frozen=True)
class Wrong:
    """A wrong option that somebody chose: its text, which is the same under everybody's letters."""

    option: Bilingual
    feedback: Bilingual | None


@dataclass(frozen=True)
class Measured:
    """The run in a submission's evidence; times carry a zone, ``least`` is the seconds it must have taken."""

    id: str
    started: datetime | None
    finished: datetime | None
    least: float


@dataclass(frozen=True)
class Glimpse:
    """One student's texts and wrong options by question, the run that was brought, when it came.

    ``began`` is when the workspace was made that it is from.
    """

    student: str
    name: str
    texts: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, tuple[Wrong, ...]] = field(default_factory=dict)
    measured: Measured | None = None
    handed_in: datetime | None = None
    began: datetime | None = None
    lang: Lang | None = None
    sha256: str = ""


def take(student: str, name: str, given: Submission) -> Glimpse:
    """Look at one submission; when it came, and from which archive, the roster knows."""
    texts, wrong = {}, {}
    for question in given.questions.values():
        answer = given.answer(question)
        if isinstance(question, TextQuestion) and (text := prose(answer.value)):
            texts[question.id] = text
        elif found := _wrong(question, given):
            wrong[question.id] = found
    run = given.evidence.run
    measured = _measured(run) if run else None
    return Glimpse(student, name, texts, wrong, measured, lang=given.answers.lang)


def _wrong(question: Question, given: Submission) -> tuple[Wrong, ...]:
    answer = given.answer(question)
    if isinstance(question, ChoiceQuestion):
        one = chosen_one(question, answer) if answer.value is not None else None
        letters = [one] if one is not None and one != question.right else []
    elif isinstance(question, ChoicesQuestion):
        some = chosen_some(question, answer) if answer.value is not None else None
        letters = sorted((some or set()) - set(question.right))
    else:
        return ()
    return tuple(Wrong(question.options[one], question.feedback.get(one)) for one in letters)


def _measured(run: Run) -> Measured:
    rounds = sum(
        max(
            (len(one.samples) for name, one in cell.measurements.items() if name.startswith("tcp_")),
            default=0,
        )
        for cell in run.cells
    )
    seconds = run.workload.get("seconds", 0)
    # Each round sends for so long in each direction; whatever else it does comes on top.
    least = rounds * 2 * seconds if isinstance(seconds, int | float) and 0 < seconds < _LONGEST else 0
    return Measured(run.id, _moment(run.started), _moment(run.finished), least)


def _moment(text: str | None) -> datetime | None:
    try:
        return moment.read(text or "")
    except ValueError:
        return None
