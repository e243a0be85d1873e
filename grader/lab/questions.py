"""The kinds of question that a lab can ask, as its author writes them in ``lab.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from domains import document
from domains.document import Refusal
from domains.spec import NicModel, Switch
from grader.lab.basis import INSIDE, Asked, Expect, Inside, Measure, Metric, Part, QuestionId, Ratio, Unit
from grader.lab.practical import (
    ExperimentQuestion,
    HostQuestion,
    OrderQuestion,
    Ranking,
    TranscriptQuestion,
)
from grader.language.bilingual import Bilingual

# What all questions are made of is named from here too.
__all__ = [
    "INSIDE",
    "KINDS",
    "Asked",
    "ChoiceQuestion",
    "ChoicesQuestion",
    "DomainQuestion",
    "Expect",
    "ExperimentQuestion",
    "FileQuestion",
    "HostQuestion",
    "Idea",
    "Inside",
    "Measure",
    "Metric",
    "NumberQuestion",
    "OrderQuestion",
    "Pairs",
    "Part",
    "PredictionQuestion",
    "Question",
    "QuestionId",
    "Ratio",
    "TextQuestion",
    "Tolerance",
    "TranscriptQuestion",
    "Unit",
    "Wanted",
    "WrongIdea",
]


def _same_options(known: dict[str, Bilingual], named: dict[str, list[str]]) -> None:
    for key, words in named.items():
        for word in words:
            if word not in known:
                guess = document.nearest(word, known)
                raise Refusal(
                    f"{word!r} is none of the options {', '.join(known)}",
                    path=(key,),
                    remedy=f"did you mean {guess!r}?" if guess else None,
                )


class ChoiceQuestion(Asked):
    """One option of several is right; ``feedback`` answers the wrong ones by name."""

    kind: Literal["choice"]
    options: Annotated[dict[str, Bilingual], Field(min_length=2)]
    right: str
    feedback: dict[str, Bilingual] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> ChoiceQuestion:
        _same_options(self.options, {"right": [self.right], "feedback": list(self.feedback)})
        return self


class ChoicesQuestion(Asked):
    """Several options are right; each wrong tick takes back a right one."""

    kind: Literal["choices"]
    options: Annotated[dict[str, Bilingual], Field(min_length=2)]
    right: Annotated[tuple[str, ...], Field(min_length=1)]
    feedback: dict[str, Bilingual] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> ChoicesQuestion:
        _same_options(self.options, {"right": list(self.right), "feedback": list(self.feedback)})
        return self


class Tolerance(Part):
    """How far from the expected value is still right; ``relative`` is a fraction of it."""

    absolute: Annotated[float, Field(ge=0)] = 0.0
    relative: Annotated[float, Field(ge=0, lt=1)] = 0.0


def _tolerance(value: Any) -> Any:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", str(value).strip())
    if match:
        return Tolerance(relative=float(match[1]) / 100)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Tolerance(absolute=float(value))
    raise Refusal(
        f"{value!r} is not a tolerance", remedy="write a percentage (5 %), or a number in the question's unit"
    )


class NumberQuestion(Asked):
    """A number with a unit, right within a tolerance."""

    kind: Literal["number"]
    unit: Unit
    expect: Expect
    tolerance: Annotated[Tolerance, BeforeValidator(_tolerance)]


class Idea(Part):
    """One thing that a right answer holds: each wording is terms that stand together in one sentence.

    How a wording is written is told in CONTRIBUTING.md, and in :mod:`grader.checks.reading.wording`.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    means: Bilingual
    wordings: Annotated[tuple[Annotated[str, Field(pattern=r"\w")], ...], Field(min_length=1)]


class WrongIdea(Part):
    """A common wrong idea, and what to tell the student who has it."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    feedback: Bilingual
    wordings: Annotated[tuple[Annotated[str, Field(pattern=r"\w")], ...], Field(min_length=1)]


class Pairs(Part):
    """Names of the vocabulary: subjects (``of``, in the order asked), and what can be chosen (``to``).

    ``also`` are subjects that are not asked for (everybody); ``besides`` are words that are neither.
    """

    of: Annotated[tuple[str, ...], Field(min_length=1)]
    to: Annotated[tuple[str, ...], Field(min_length=1)]
    also: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()


class TextQuestion(Asked):
    """A short text, judged by the ideas that it holds; ``vocabulary`` is the lab's, given by its loader."""

    kind: Literal["text"]
    ideas: Annotated[tuple[Idea, ...], Field(min_length=1)]
    wrong_ideas: tuple[WrongIdea, ...] = ()
    pairs: Pairs | None = None
    vocabulary: tuple[tuple[str, str], ...] = ()

    def wordings(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield every wording with its path in the question."""
        both: dict[str, tuple[Idea | WrongIdea, ...]] = {"ideas": self.ideas, "wrong_ideas": self.wrong_ideas}
        for key, ideas in both.items():
            for number, idea in enumerate(ideas):
                for index, text in enumerate(idea.wordings):
                    yield (key, number, "wordings", index), text


class Wanted(Part):
    """What a student's domain must mean; what is left out does not matter."""

    nic: NicModel
    vhost: Switch | None = None
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")] | None = None
    mac: Annotated[str, Field(pattern=r"^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$")] | None = None


class DomainQuestion(Asked):
    """A libvirt domain that the student writes into a file of the submission."""

    kind: Literal["domain"]
    file: Inside
    wants: Wanted


class PredictionQuestion(Asked):
    """A number, or an order of items, committed before measuring; any value is right if it came first."""

    kind: Literal["prediction"]
    unit: Unit | None = None
    items: tuple[str, ...] = ()
    measured: Expect | None = None

    @model_validator(mode="after")
    def _one(self) -> PredictionQuestion:
        if (self.unit is None) == (not self.items):
            raise Refusal("a prediction is either a number (unit) or an order (items)")
        return self


class CodeQuestion(Asked):
    """A question that the lab's own tests judge (``checks/test_*.py``); see :mod:`grader.api`.

    The answer is the student's ``file``, or else an entry of answers.yaml. ``shown`` lets ``tdlab check``
    show the verdict at once, where it cannot be guessed by trying. ``measured`` says that the answer is that
    of ``items`` which the student's own measures put first: samples name it anew for each run.
    """

    kind: Literal["code"]
    file: Inside | None = None
    shown: bool = False
    items: tuple[str, ...] = ()
    measured: Ranking | None = None

    @model_validator(mode="after")
    def _ranked(self) -> CodeQuestion:
        if (self.measured is None) != (not self.items):
            raise Refusal("items and measured belong together", path=("items",))
        if self.measured:
            self.measured.refuse_other(self.items)
        return self


# Answered by a file of the submission rather than in answers.yaml; each has its name as ``file``.
FileQuestion = DomainQuestion | TranscriptQuestion | HostQuestion | ExperimentQuestion
Question = (
    ChoiceQuestion
    | ChoicesQuestion
    | OrderQuestion
    | NumberQuestion
    | TextQuestion
    | PredictionQuestion
    | CodeQuestion
    | FileQuestion
)
KINDS: dict[str, type[Question]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(Question)
}


def file_of(question: Question) -> Inside | None:
    """Return the file of the submission that answers a question; None where answers.yaml does."""
    return question.file if isinstance(question, FileQuestion | CodeQuestion) else None
