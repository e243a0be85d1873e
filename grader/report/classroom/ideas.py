"""Which wrong ideas a class has: wrong options chosen, and wrong ideas said in short texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.lab.lab import Lab
from grader.lab.questions import TextQuestion
from grader.language.bilingual import Bilingual
from grader.report.classroom.glimpse import Glimpse
from grader.results.result import SubmissionGrade


@dataclass(frozen=True)
class Misconception:
    """A wrong idea: an option's text, or of a text's idea the answer to it; and how many have it."""

    question: str
    option: Bilingual | None
    feedback: Bilingual | None
    count: int
    of: int


def found(
    lab: Lab, submissions: Sequence[SubmissionGrade], glimpses: Iterable[Glimpse]
) -> tuple[Misconception, ...]:
    """Return what at least one student got wrong by name, the most frequent first."""
    counts: dict[tuple[str, Bilingual | None, Bilingual | None], int] = {}
    for glimpse in glimpses:
        for question, wrongs in glimpse.wrong.items():
            for one in wrongs:
                key = (question, one.option, one.feedback)
                counts[key] = counts.get(key, 0) + 1
    answers = {
        (question.id, idea.id): idea.feedback
        for question in lab
        if isinstance(question, TextQuestion)
        for idea in question.wrong_ideas
    }
    for submission in submissions:
        for result in submission.questions:
            for idea in {one.source.removeprefix("wrong idea ") for one in result.evidence if _said(one)}:
                if (feedback := answers.get((result.id, idea))) is not None:
                    counts[result.id, None, feedback] = counts.get((result.id, None, feedback), 0) + 1
    order = {question.id: at for at, question in enumerate(lab)}
    listed = [
        Misconception(name, option, say, count, len(submissions))
        for (name, option, say), count in counts.items()
    ]
    return tuple(sorted(listed, key=lambda one: (-one.count, order.get(one.question, len(order)))))


def _said(evidence: object) -> bool:
    source, seen = str(getattr(evidence, "source", "")), str(getattr(evidence, "seen", ""))
    return source.startswith("wrong idea ") and seen.startswith("said")
