"""What all questions are made of: ids, points, and the measures of a student's own run."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

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


class Hint(Part):
    """A hint that a student can ask for with ``tdlab hint``, and the points that it costs."""

    text: Bilingual
    costs: Annotated[float, Field(ge=0, le=100)] = 0.0


class Asked(Part):
    """What every question has: its id, its points, what is asked, and the hint for who got it wrong.

    ``hints`` are given on demand, one after the other, before anything is graded.
    """

    id: QuestionId
    points: Annotated[float, Field(gt=0, le=100)]
    ask: Bilingual
    hint: Bilingual
    hints: tuple[Hint, ...] = ()
    # Whether its right answer is with the teacher: of the students' edition, some are.
    is_withheld: ClassVar[bool] = False


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


Unit = Literal["times", "Mbit/s", "us", "s", "s/GB", "1/MB", "1/packet", "count"]
