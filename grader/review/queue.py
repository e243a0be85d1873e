"""What waits for a teacher: the questions that checks left open, equal answers together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from domains.errors import UsageError
from grader.lab.lab import Lab
from grader.lab.questions import Question, TextQuestion
from grader.language.bilingual import Bilingual
from grader.results.result import CheckResult, Evidence, Outcome, SubmissionGrade
from grader.review.decisions import Decided, Decision, answer_key, is_whole

State = Literal["said", "denied", "missing"]
# How `grader.checks.text` names in its evidence what it found.
_IDEA, _WRONG_IDEA = "idea ", "wrong idea "


@dataclass(frozen=True)
class Idea:
    """An idea of the rubric: what it means (or what to tell who has a wrong one), and where it was found."""

    id: str
    says: Bilingual
    state: State
    words: str = ""


@dataclass(frozen=True)
class Waiting:
    """An answer to decide, once for all ``students`` who gave it.

    ``student`` names the one whom alone it can be decided for, or is empty. ``evidence`` is what the check
    saw beside the ideas. ``decision`` is the one that holds now, or None.
    """

    question: Question
    key: str
    student: str
    answer: str
    why: str
    ideas: tuple[Idea, ...] = ()
    wrong_ideas: tuple[Idea, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    students: tuple[str, ...] = ()
    decision: Decision | None = None

    @property
    def id(self) -> str:
        """Return a short name that tells nothing of the student."""
        whole = f"{self.question.id}\0{self.key}\0{self.student}"
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    @property
    def found(self) -> float:
        """Return the part of the points (0 to 1) of the ideas that the check found."""
        return sum(one.state == "said" for one in self.ideas) / len(self.ideas) if self.ideas else 0.0


def queue(lab: Lab, checked: Iterable[SubmissionGrade], decisions: Sequence[Decision]) -> list[Waiting]:
    """Return what waits and what was decided of it: by question in the lab's order, most common answer first.

    Raises UsageError when the lab has changed so that it no longer asks what was graded.
    """
    held = Decided(decisions)
    groups: dict[tuple[str, str, str], Waiting] = {}
    for submission in checked:
        for result in submission.questions:
            if result.outcome is not Outcome.INCONCLUSIVE:
                continue
            one = _waiting(_asked(lab, result.id), result, submission.student, held)
            name = (result.id, one.key, one.student)
            earlier = groups.get(name)
            students = (*(earlier.students if earlier else ()), submission.student)
            groups[name] = replace(earlier or one, students=students)
    place = {question.id: number for number, question in enumerate(lab)}
    return sorted(groups.values(), key=lambda one: (place[one.question.id], -len(one.students), one.key))


def open_ones(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return those that nothing was decided about."""
    return [one for one in waiting if one.decision is None]


def alone(question: Question, actual: str) -> bool:
    """Return whether an answer can only be decided for the student who gave it.

    What a number is worth depends on the student's own measures, and an answer that is not there, or was cut,
    is equal to no other.
    """
    return not (isinstance(question, TextQuestion) and is_whole(actual))


def _asked(lab: Lab, question_id: str) -> Question:
    question = lab.question(question_id)
    if question is None:
        raise UsageError(
            f"question {question_id} was graded, and {lab.folder} no longer asks it",
            remedy="grade again by the lab as it is now: tdlab regrade FOLDER",
        )
    return question


def _waiting(question: Question, result: CheckResult, student: str, held: Decided) -> Waiting:
    right, wrong = _ideas(question, result.evidence)
    decision = held.of(student, result)
    # Who was decided about apart from the others stays apart.
    is_apart = alone(question, result.actual) or (decision is not None and decision.student)
    return Waiting(
        question=question,
        key=answer_key(result.id, result.actual),
        student=student if is_apart else "",
        answer=result.actual,
        why=result.hint,
        ideas=right,
        wrong_ideas=wrong,
        evidence=tuple(one for one in result.evidence if not one.source.startswith((_IDEA, _WRONG_IDEA))),
        decision=decision,
    )


def _ideas(question: Question, evidence: Sequence[Evidence]) -> tuple[tuple[Idea, ...], tuple[Idea, ...]]:
    """Return the rubric's ideas as they were found, and those of its wrong ideas that were found."""
    if not isinstance(question, TextQuestion):
        return (), ()
    seen = {one.source: one.seen.partition(": ") for one in evidence}
    right = tuple(_idea(one.id, one.means, seen.get(_IDEA + one.id)) for one in question.ideas)
    wrong = tuple(_idea(one.id, one.feedback, seen.get(_WRONG_IDEA + one.id)) for one in question.wrong_ideas)
    return right, tuple(one for one in wrong if one.state != "missing")


def _idea(name: str, says: Bilingual, seen: tuple[str, str, str] | None) -> Idea:
    if seen is None:
        return Idea(name, says, "missing")
    return Idea(name, says, "denied" if seen[0] == "denied" else "said", seen[2])
