"""A mutant: the solution with one thing made wrong, and the questions that should notice it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from grader.lab.lab import Lab
from grader.lab.questions import Question
from grader.proof.papers import Letters, Paper
from grader.submission.answers import Answer
from grader.submission.submission import Submission


@dataclass(frozen=True)
class Mutant:
    """What was changed, in the author's letters, and what it makes of a submission.

    ``aimed`` are the questions of which at least one must notice; the first gives the mutant its name.
    ``example`` is a student's own value, which ``change`` does not hold: it is the same for all students.
    """

    operator: str
    aimed: tuple[str, ...]
    change: str
    submission: Submission
    example: str = ""


@dataclass(frozen=True)
class Solved:
    """The solution as one student hands it in, and as another does: what operators make mutants of."""

    written: Lab
    paper: Paper
    other: Paper

    @property
    def submission(self) -> Submission:
        """Return what the student handed in."""
        return self.paper.submission

    @property
    def letters(self) -> Letters:
        """Return the student's letters by the author's."""
        return self.paper.letters

    def questions(self, kind: type[Question] | tuple[type[Question], ...]) -> Iterator[Any]:
        """Yield the student's questions of some kinds."""
        return (question for question in self.paper.lab if isinstance(question, kind))

    def value(self, question: Question) -> Any:
        """Return what the solution answers."""
        return self.submission.answer(question).value

    def answering(
        self, operator: str, question: Question, value: object, change: str, *, example: object = ""
    ) -> Mutant:
        """Return the mutant that answers one question otherwise; None leaves it out."""
        values = dict(self.submission.answers.values) | {question.id: Answer(value)}
        answers = dataclasses.replace(self.submission.answers, values=MappingProxyType(values))
        made = dataclasses.replace(self.submission, answers=answers)
        return Mutant(operator, (question.id,), change, made, str(example))


Operator = Callable[[Solved], Iterator[Mutant]]


@dataclass(frozen=True)
class Kind:
    """An operator by its name: what it makes, why a lab may have no use for it, and what a survivor tells."""

    name: str
    make: Operator
    asked_by: str
    remedy: str


def shortened(text: object, limit: int = 60) -> str:
    """Return a text as a list of mutants shows it."""
    said = " ".join(str(text).split())
    return said if len(said) <= limit else f"{said[: limit - 1]}…"


def listed(values: Sequence[object]) -> str:
    """Return ticked letters as an author reads them."""
    return ", ".join(str(one) for one in values) or "none"
