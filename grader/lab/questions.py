"""The kinds of question that a lab can ask, as its author writes them in ``lab.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from domains import document
from domains.document import Refusal
from domains.spec import NicModel, Switch
from grader.language.bilingual import Bilingual
from grader.measure.run import METRICS


def _quoted(value: Any) -> Any:
    """YAML reads a bare 1.20 as the number 1.2: an id must be written as text."""
    if not isinstance(value, str):
        raise Refusal(f"{value!r} is read as a number, not as an id", remedy=f'write it in quotes: "{value}"')
    return value


def _metric(value: Any) -> Any:
    if value in METRICS:
        return value
    guess = document.nearest(value, METRICS)
    remedy = f"did you mean {guess!r}?" if guess else f"known metrics: {', '.join(METRICS)}"
    raise Refusal(f"unknown metric {value!r}", remedy=remedy)


QuestionId = Annotated[str, BeforeValidator(_quoted), Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$")]
Metric = Annotated[str, BeforeValidator(_metric)]
# A file of the submission, or of the lab: relative, without dots that climb.
INSIDE = r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,4}$"
Inside = Annotated[str, Field(pattern=INSIDE)]


class Part(BaseModel):
    """One part of a lab: frozen, and without keys of its own invention."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(Part):
    """What every question has: its id, its points, what is asked, and the hint for who got it wrong."""

    id: QuestionId
    points: Annotated[float, Field(gt=0, le=100)]
    ask: Bilingual
    hint: Bilingual


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


class Measure(Part):
    """The median of one metric of one cell, named by what was asked of the cell and not by its id.

    What is left out does not matter; of several cells that fit, the first measured one counts.
    """

    metric: Metric
    nic: NicModel | None = None
    vhost: Switch | None = None
    ept: Switch | None = None


class Ratio(Part):
    """One measure divided by another."""

    of: Measure
    to: Measure


class Expect(Part):
    """Where a right number comes from: a constant, or the student's own measures."""

    value: float | None = None
    measure: Measure | None = None
    ratio: Ratio | None = None

    @model_validator(mode="after")
    def _one(self) -> Expect:
        if sum(given is not None for given in (self.value, self.measure, self.ratio)) != 1:
            raise Refusal("expect needs exactly one of value, measure and ratio")
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


Unit = Literal["times", "Mbit/s", "us", "s", "s/GB", "1/MB", "1/packet", "count"]


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


Question = (
    ChoiceQuestion | ChoicesQuestion | NumberQuestion | TextQuestion | DomainQuestion | PredictionQuestion
)
KINDS: dict[str, type[Question]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(Question)
}
