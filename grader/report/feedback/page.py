"""The page that one student gets back: self-contained, without scripts, on a phone and on paper."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from grader import look
from grader.lab.lab import Lab
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion, CodeQuestion, Question
from grader.language import Lang
from grader.language.bilingual import Bilingual, filled, typeset
from grader.language.i18n import moment, points
from grader.look.templates import environment
from grader.report.feedback import words
from grader.results.result import CheckResult, Outcome, SubmissionGrade
from grader.results.score import GRADED, OUT_OF, mark
from grader.review.decisions import TEACHER

_TEMPLATES = Path(__file__).resolve().parent / "templates"
# Only these say what was missing: to who got it right there is nothing to add, and the rest is still open.
_ANSWERED_WRONG = frozenset({Outcome.PARTIAL, Outcome.FAIL})
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


@dataclass(frozen=True)
class Told:
    """One question as the student is told of it; ``question`` is the one that this student was asked."""

    question: Question
    result: CheckResult
    shows_answer: bool

    @property
    def options(self) -> Mapping[str, Bilingual]:
        """The options of a choice under the student's own letters; of another kind none."""
        return self.question.options if isinstance(self.question, ChoiceQuestion | ChoicesQuestion) else {}

    @property
    def chosen(self) -> frozenset[str]:
        """The letters that the student gave, as far as they are options."""
        said = (
            self.result.actual.split(":")[0]
            if isinstance(self.question, ChoiceQuestion)
            else self.result.actual
        )
        return frozenset(re.split(r"[\s,;]+", said.strip())) & frozenset(self.options)

    @property
    def expected(self) -> str:
        """What a right answer holds, where the student may know and has it not yet."""
        # What the lab's own tests expect may be what they try in secret: its author says that it is not.
        is_public = self.question.shown if isinstance(self.question, CodeQuestion) else True
        shown = self.shows_answer and is_public and self.result.outcome in _ANSWERED_WRONG
        return self.result.expected if shown else ""

    @property
    def is_decided(self) -> bool:
        """Whether the teacher gave these points: then the hint is the teacher's comment."""
        return any(one.source == TEACHER for one in self.result.evidence)


@dataclass(frozen=True)
class Student:
    """Who the page is for: the name that they are shown, and when the graded attempt came."""

    name: str
    handed_in: datetime | None = None


@dataclass(frozen=True)
class Section:
    """One part of the lab: what it is called, its points of what could be graded, and its questions."""

    title: Bilingual
    score: float
    max: float
    told: tuple[Told, ...]


def html_text(
    lab: Lab,
    grade: SubmissionGrade,
    asked: Mapping[str, Question],
    student: Student,
    lang: Lang,
    *,
    with_answers: bool = True,
    unread: str = "",
) -> str:
    """Return the page of one student; ``asked`` are the questions as this student was asked them, by id.

    What the lab does not ask its students (a hidden check) shows in the total alone, and what stands as
    evidence for the teacher (which idea of a rubric was seen) not at all. ``with_answers`` false keeps what
    a right answer holds for the teacher, who may ask the same next year. ``unread`` says why nothing that
    the student answered could be read: it is said once, and not at every question.
    """
    style = look.style_of(_TEMPLATES.parent.parent / "templates/marks.css")
    sections = tuple(_section(part.title, part.questions, grade, asked, with_answers) for part in lab.parts)
    return (
        environment(_TEMPLATES, _TEMPLATES.parent.parent / "templates")
        .get_template("feedback.html.j2")
        .render(
            lang=lang,
            say=_sayer(lang),
            bi=lambda text: typeset(text.say(lang), lang),
            n=lambda value: points(value, lang),
            lab=lab,
            student=student,
            grade=grade,
            unread=unread,
            mark=mark(grade),
            out_of=OUT_OF,
            sections=sections,
            others=_others(lab, grade),
            open=_open(grade, {one.id for one in lab}),
            late=_duration(grade.late, lang) if grade.late else "",
            handed_in=moment(student.handed_in.isoformat(), lang) if student.handed_in else "",
            outcomes=words.OUTCOMES,
            graded=GRADED,
            style=Markup(style),  # noqa: S704  our own file
            style_hash=look.style_hash(style),
        )
    )


def _sayer(lang: Lang) -> Any:
    def say(name: str, /, **values: object) -> str:
        text: Bilingual = getattr(words, name)
        return filled(typeset(text.say(lang), lang), lang, values)

    return say


def _section(
    title: Bilingual,
    questions: tuple[Question, ...],
    grade: SubmissionGrade,
    asked: Mapping[str, Question],
    with_answers: bool,
) -> Section:
    results = {one.id: one for one in grade.questions}
    told = tuple(
        Told(asked.get(one.id, one), results[one.id], with_answers) for one in questions if one.id in results
    )
    counted = [one.result for one in told if one.result.outcome in GRADED]
    return Section(title, sum(one.points for one in counted), sum(one.max for one in counted), told)


def _others(lab: Lab, grade: SubmissionGrade) -> tuple[float, float]:
    """Return the points of checks that students do not see, and what they are out of."""
    hidden = [one for one in grade.questions if lab.question(one.id) is None and one.outcome in GRADED]
    return sum(one.points for one in hidden), sum(one.max for one in hidden)


def _open(grade: SubmissionGrade, public: set[str]) -> dict[str, str]:
    """Return the questions that are open, by why."""
    kinds = {"WAITING": Outcome.INCONCLUSIVE, "BROKEN": Outcome.ERROR, "SKIPPED": Outcome.SKIPPED}
    found = {}
    for name, outcome in kinds.items():
        own = [one.id for one in grade.questions if one.outcome is outcome]
        shown = [one for one in own if one in public]
        if own:
            found[name] = ", ".join([*shown, *(["…"] if len(shown) < len(own) else [])])
    return found


def _duration(seconds: float, lang: Lang) -> str:
    """Write how long somebody was late, to the minute, rounded up."""
    minutes = max(1, -int(-seconds // _MINUTE))
    if seconds >= _DAY:
        return words.DAYS.say(lang, days=int(seconds // _DAY), hours=int(seconds % _DAY // _HOUR))
    return f"{minutes // 60} h {minutes % 60:02d}" if seconds >= _HOUR else f"{minutes} min"
