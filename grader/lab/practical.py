"""Questions that are answered by doing: an order of measures, a transcript, a host, an experiment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from domains.document import Refusal, nearest
from domains.quantities import NicModel
from grader.lab.basis import Asked, Inside, Measure, Metric, Part
from grader.language.bilingual import Bilingual

HOST_FILE = "evidence/host.json"
EXPERIMENTS = "evidence/experiments"
TRANSCRIPTS = "evidence/transcripts"

_Id = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
_ITEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_Line = Annotated[str, Field(pattern=r"^[^\s][^\n\r\x00]{0,199}$")]
# A group that repeats inside a repetition: the time that `re` takes for it can double with each letter.
_NESTED = re.compile(r"\((?:\?:|\?P<\w+>)?(?:[^()\\]|\\.)*(?<!\\)[*+}](?:[^()\\]|\\.)*\)(?:[*+]|\{\d*,)")
_LONGEST_PATTERN = 300


def _pattern(value: Any) -> Any:
    if not isinstance(value, str) or not value:
        raise Refusal("a pattern is text", remedy='write it in quotes: "qemu-system-\\\\S+"')
    if len(value) > _LONGEST_PATTERN:
        raise Refusal(f"a pattern of {len(value)} characters is too long", remedy="ask for less in one line")
    try:
        re.compile(value)
    except re.error as bad:
        raise Refusal(f"{value!r} is no regular expression: {bad}") from bad
    if _NESTED.search(value):
        raise Refusal(f"{value!r} repeats a repetition, and could take for ever", remedy="repeat only once")
    return value


Pattern = Annotated[str, BeforeValidator(_pattern)]


def _among(given: Iterable[str], known: Iterable[str], key: str, what: str) -> None:
    known = list(known)
    for one in given:
        if one not in known:
            guess = nearest(one, known)
            remedy = f"did you mean {guess!r}?" if guess else f"{what}s: {', '.join(known)}"
            raise Refusal(f"{one!r} is no {what} of this question", path=(key,), remedy=remedy)


class Ranking(Part):
    """An order by the student's own measures; an item is a NIC model, or has its measure under ``of``."""

    metric: Metric
    first: Literal["most", "least"]
    of: dict[str, Measure] = Field(default_factory=dict)

    def measure(self, item: str) -> Measure:
        """Return what is measured of an item; virtio alone is virtio without vhost."""
        if item in self.of:
            return self.of[item]
        vhost = "off" if item == "virtio" else None
        return Measure.model_validate({"metric": self.metric, "nic": item, "vhost": vhost})

    def refuse_other(self, items: Iterable[str]) -> None:
        """Raise Refusal when nothing says what to measure of an item, or it is none of the question's."""
        items = list(items)
        _among(self.of, items, "measured", "item")
        for item in items:
            if item not in self.of and item not in get_args(NicModel):
                raise Refusal(
                    f"{item!r} is no NIC model: nothing says what to measure of it",
                    path=("items",),
                    remedy=f"write measured: {{of: {{{item}: {{metric: …, nic: …}}}}}}",
                )


class OrderQuestion(Asked):
    """Items to be put in order: the author's (``right``), or that of the student's own measures."""

    kind: Literal["order"]
    items: Annotated[tuple[str, ...], Field(min_length=2, max_length=12)]
    labels: dict[str, Bilingual] = Field(default_factory=dict)
    right: tuple[str, ...] = ()
    measured: Ranking | None = None

    @model_validator(mode="after")
    def _one(self) -> OrderQuestion:
        for number, item in enumerate(self.items):
            if not _ITEM.fullmatch(item):
                raise Refusal(
                    f"{item!r} is no name of an item", path=("items", number), remedy="a short word"
                )
        if len(set(self.items)) < len(self.items):
            raise Refusal("an item stands there twice", path=("items",))
        if (self.measured is None) == (not self.right):
            raise Refusal("an order needs either right or measured")
        _among(self.labels, self.items, "labels", "item")
        _among(self.right, self.items, "right", "item")
        if self.right and len(self.right) != len(self.items):
            raise Refusal("right must hold each item once", path=("right",))
        if self.measured:
            self.measured.refuse_other(self.items)
        return self

    def measure(self, item: str) -> Measure:
        """Return what is measured of an item."""
        assert self.measured is not None  # noqa: S101  only asked of an order by measures
        return self.measured.measure(item)


class Shown(Part):
    """Something that a transcript's output shows: a pattern, tried on each line.

    Named groups, as in ``(?P<pid>[0-9]+)``, hold the same text wherever the question names them.
    """

    id: _Id
    means: Bilingual
    pattern: Pattern


class Forbidden(Part):
    """Something that the output may not show, and what to tell who kept it."""

    pattern: Pattern
    feedback: Bilingual


class TranscriptQuestion(Asked):
    """Commands and what they printed, kept by the student as a text file; ``command`` must be among them."""

    kind: Literal["transcript"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    command: Pattern
    example: _Line
    shows: Annotated[tuple[Shown, ...], Field(min_length=1)]
    forbidden: tuple[Forbidden, ...] = ()

    @property
    def file(self) -> Inside:
        """Return the file of the submission."""
        return f"{TRANSCRIPTS}/{self.name}.txt"


# What can be asked of a host, and what more of each.
_ATTRIBUTES: dict[str, frozenset[str]] = {
    "package": frozenset(),
    "service": frozenset({"running", "enabled"}),
    "module": frozenset(),
    "file": frozenset({"mode", "owner", "group", "contains"}),
    "process": frozenset({"argument"}),
    "sysctl": frozenset({"value"}),
    "domain": frozenset({"state"}),
}


class Fact(Part):
    """Something that holds on the student's lab host; exactly one of the first seven keys is given."""

    id: _Id
    means: Bilingual
    package: _Line | None = None
    service: _Line | None = None
    module: _Line | None = None
    file: Annotated[str, Field(pattern=r"^/[^\n\r\x00]{0,199}$")] | None = None
    process: _Line | None = None
    sysctl: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_./-]{0,99}$")] | None = None
    domain: _Line | None = None
    absent: bool = False
    running: bool | None = None
    enabled: bool | None = None
    mode: Annotated[str, Field(pattern=r"^0?[0-7]{3,4}$")] | None = None
    owner: _Line | None = None
    group: _Line | None = None
    contains: Pattern | None = None
    argument: _Line | None = None
    value: _Line | None = None
    state: Literal["running", "shut off", "paused"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Fact:
        given = [kind for kind in _ATTRIBUTES if getattr(self, kind) is not None]
        if len(given) != 1:
            raise Refusal(f"a fact is about exactly one of {', '.join(_ATTRIBUTES)}")
        for key in frozenset().union(*_ATTRIBUTES.values()) - _ATTRIBUTES[given[0]]:
            if getattr(self, key) is not None:
                raise Refusal(f"a {given[0]} has no {key}", path=(key,), remedy="remove it")
        return self

    @property
    def about(self) -> tuple[str, str]:
        """Return what kind of thing the fact is about, and its name."""
        kind = next(kind for kind in _ATTRIBUTES if getattr(self, kind) is not None)
        return kind, getattr(self, kind)


class HostQuestion(Asked):
    """State of the student's lab host; where a need does not hold, the question is not gradable there."""

    kind: Literal["host"]
    needs: tuple[Fact, ...] = ()
    facts: Annotated[tuple[Fact, ...], Field(min_length=1)]

    @property
    def file(self) -> Inside:
        """Return the file of the submission."""
        return HOST_FILE


class Where(Part):
    """Which row of a table is meant: a column, and the text that it is, or has in it."""

    column: str
    is_: str | None = Field(default=None, alias="is")
    has: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Where:
        if (self.is_ is None) == (self.has is None):
            raise Refusal("where needs either is or has")
        return self


class Cell(Part):
    """A number in a table of the result: its column, and which row it stands in."""

    table: str
    column: str
    where: Where


# A measure by its name, a number in a table, or a number.
Operand = str | float | Cell


class More(Part):
    """A measure is at least so many times another one, or a number."""

    of: Operand
    than: Operand
    times: Annotated[float, Field(gt=0)] = 1.0


class Same(Part):
    """A measure is another one, or a number, up to a factor."""

    of: Operand
    to: Operand
    within: Annotated[float, Field(ge=1)] = 1.0


class Row(Part):
    """Some row of a table (of those that ``where`` means) has this text in a column."""

    table: str
    column: str
    has: str
    where: Where | None = None


class Claim(Part):
    """What an experiment shows: one of ``more``, ``same`` and ``row``."""

    id: _Id
    means: Bilingual
    more: More | None = None
    same: Same | None = None
    row: Row | None = None

    @model_validator(mode="after")
    def _one(self) -> Claim:
        if sum(one is not None for one in (self.more, self.same, self.row)) != 1:
            raise Refusal("a claim needs exactly one of more, same and row")
        return self

    @property
    def operands(self) -> list[tuple[tuple[str, str], Operand]]:
        """Return what is compared, each with where it stands in the claim."""
        if self.more:
            return [(("more", "of"), self.more.of), (("more", "than"), self.more.than)]
        return [(("same", "of"), self.same.of), (("same", "to"), self.same.to)] if self.same else []


class ExperimentQuestion(Asked):
    """An experiment of the lab, measured by the student; its result is valid and its claims hold."""

    kind: Literal["experiment"]
    experiment: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]

    @property
    def file(self) -> Inside:
        """Return the file of the submission."""
        return f"{EXPERIMENTS}/{self.experiment}.json"
