"""What a student measured: ``evidence/report.json`` and the predictions that came before it.

Students have root on their machines: evidence is *detectably* wrong at best. What contradicts itself is shown
to the teacher; nobody is accused.
"""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import Field, ValidationError

from grader.lab.practical import Ranking
from grader.lab.questions import Expect, Measure, OrderQuestion
from grader.measure import moment
from grader.measure.matrix import Cell
from grader.measure.moment import Moment
from grader.measure.run import CellResult, Record, Run
from grader.submission.verification import agreement

REPORT_FILE = "evidence/report.json"
PREDICTIONS_FILE = "evidence/predictions.jsonl"
# A median is printed with fewer digits than its samples.
_ROUNDING = 1e-3
# A matrix of everything that can be measured has some thousand; each takes a while to be looked at.
_MOST_PARTS = 20_000


class Commitment(Record):
    """A prediction made before measuring: which question, when, and the hash of what was predicted."""

    question: str = Field(max_length=64)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    time: Moment


@dataclass(frozen=True)
class Bundle:
    """The evidence of one submission; a problem says why a file that is there could not be read.

    ``unreadable`` says that the report was read whole and not understood: damaged, or of another tdlab.
    """

    run: Run | None = None
    problem: str | None = None
    unreadable: bool = False
    commitments: tuple[Commitment, ...] = ()
    commitments_problem: str | None = None
    # Files of the evidence that are not verified, each with the reason; None where nobody looked.
    unverified: Mapping[str, str] | None = None
    # Predictions given up by measuring without them, and the hints that were asked for, by question.
    given_up: frozenset[str] = frozenset()
    hints: Mapping[str, frozenset[int]] = field(default_factory=dict)
    # What was found in cells so far: several questions ask for the same, and each look reads its XML.
    _looked_at: dict[int, str | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def contradiction(self, cell: CellResult) -> str | None:
        """Return the first thing in a cell of the run that contradicts another, or None."""
        assert self.run is not None  # noqa: S101  its cells are asked about
        # By identity: who writes two cells of one name into a report has both looked at.
        if id(cell) not in self._looked_at:
            self._looked_at[id(cell)] = agreement.problem(cell, self.run)
        return self._looked_at[id(cell)]


class Why(Enum):
    """Why a value cannot be had from evidence."""

    NOT_BROUGHT = "the student did not bring it"
    UNREADABLE = "it is there, and this tdlab cannot read it"
    HOST_CANNOT = "the host cannot measure it"
    CONTRADICTS_ITSELF = "the file does not agree with itself"
    COUNTER_LOST = "the measuring lost it"


@dataclass(frozen=True)
class Seen:
    """A value computed from evidence, and how, in words that hold the numbers behind it.

    ``interval`` is that of a measure's median, or what its samples span where they are too few for one.
    """

    value: float
    how: str
    interval: tuple[float, float] | None = None

    @property
    def between(self) -> tuple[float, float]:
        """Return the lowest and the highest that the value may be."""
        return self.interval or (self.value, self.value)


@dataclass(frozen=True)
class Missing:
    """A value that evidence does not hold, and why."""

    why: Why
    cause: str


def read(report: bytes | None, predictions: bytes | None) -> Bundle:
    """Read evidence from bytes; None stands for a file that is not there. Raises nothing."""
    run, problem = None, None
    if report is not None:
        try:
            if report.count(b"{") > _MOST_PARTS:
                raise ValueError(f"more than {_MOST_PARTS:,} parts: no matrix has so many cells")
            run = Run.model_validate_json(report)
            moment.read(run.started)
        except ValueError as bad:
            run, problem = None, f"{REPORT_FILE}: {_first(bad)}"
    commitments, lost = _commitments(predictions or b"")
    return Bundle(run, problem, problem is not None, commitments, lost)


def _first(bad: ValueError) -> str:
    if isinstance(bad, ValidationError):
        first = bad.errors()[0]
        path = ".".join(str(step) for step in first["loc"])
        return f"{path}: {first['msg']}" if path else first["msg"]
    return str(bad).splitlines()[0]


def _commitments(raw: bytes) -> tuple[tuple[Commitment, ...], str | None]:
    found, problem = [], None
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(Commitment.model_validate_json(line))
        except ValidationError as bad:
            # One torn line must not take the others away: they were committed all the same.
            problem = problem or f"{PREDICTIONS_FILE}:{number}:1: {_first(bad)}"
    return tuple(found), problem


def commitment_hash(lab: str, question_id: str, prediction: Any) -> str:
    """Return the SHA-256 that commits a prediction: over ``[lab, question, prediction]`` as compact JSON.

    Numbers are taken as floats, so that 2 and 2.0 are the same prediction.
    """
    plain = float(prediction) if isinstance(prediction, int) else prediction
    text = json.dumps([lab, question_id, plain], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def started(run: Run) -> datetime:
    """Return when a run started, with a time zone."""
    return moment.read(run.started)


def first_moment(bundle: Bundle) -> datetime | None:
    """Return the earliest time that evidence names, or None when it names none."""
    moments = [one.time for one in bundle.commitments]
    moments += [started(bundle.run)] if bundle.run else []
    return min(moments, default=None)


def expected(expect: Expect, bundle: Bundle) -> Seen | Missing:
    """Compute the expected number of a question from the student's own evidence."""
    if expect.value is not None:
        return Seen(expect.value, "")
    if expect.measure is not None:
        return _measure(expect.measure, bundle)
    assert expect.ratio is not None  # noqa: S101  Expect holds exactly one of the three
    sides = [_measure(one, bundle) for one in (expect.ratio.of, expect.ratio.to)]
    lacking = [side for side in sides if isinstance(side, Missing)]
    if lacking:
        # What the host cannot do comes first: the student could not have brought it.
        return min(lacking, key=lambda one: one.why is not Why.HOST_CANNOT)
    above, below = (side for side in sides if isinstance(side, Seen))
    if not below.value:
        return Missing(Why.COUNTER_LOST, f"{below.how} is 0: no ratio to it")
    ratio = above.value / below.value
    if not math.isfinite(ratio):
        return Missing(Why.CONTRADICTS_ITSELF, f"{above.how} / {below.how} is no finite number")
    return Seen(ratio, f"{above.how} / {below.how}")


def ranked(question: OrderQuestion, bundle: Bundle) -> tuple[str, ...]:
    """Return the right order of a question: the author's, or by the student's own measures, as far as had."""
    if question.measured is None:
        return question.right
    order = by_measures(question.measured, question.items, bundle)
    return (*order, *(item for item in question.items if item not in order))


def by_measures(ranking: Ranking, items: Iterable[str], bundle: Bundle) -> list[str]:
    """Return the items that were measured, in the order of the student's own measures."""
    seen = {item: expected(Expect(measure=ranking.measure(item)), bundle) for item in items}
    had = {item: one.value for item, one in seen.items() if isinstance(one, Seen)}
    return sorted(had, key=lambda item: had[item], reverse=ranking.first == "most")


def no_run(bundle: Bundle) -> Missing:
    """Return why a submission has no run: not brought is the student's, not understood may be ours."""
    why = Why.UNREADABLE if bundle.unreadable else Why.NOT_BROUGHT
    return Missing(why, bundle.problem or f"{REPORT_FILE} is missing")


def _measure(wanted: Measure, bundle: Bundle) -> Seen | Missing:
    if bundle.run is None:
        return no_run(bundle)
    cells = [cell for cell in bundle.run.cells if fits(cell, wanted)]
    if not cells:
        return Missing(Why.NOT_BROUGHT, f"{REPORT_FILE} has no cell with {_words(wanted)}")
    cell = _first_measured(cells)
    if cell.status != "measured":
        return Missing(Why.HOST_CANNOT, f"{cell.id}: {cell.cause or cell.status}")
    if cause := bundle.contradiction(cell):
        return Missing(Why.CONTRADICTS_ITSELF, cause)
    metric = cell.measurements.get(wanted.metric)
    if metric is None:
        if cause := cell.not_measurable.get(wanted.metric):
            return Missing(Why.HOST_CANNOT, f"{cell.id}: {wanted.metric} is not measurable: {cause}")
        return Missing(Why.COUNTER_LOST, f"{cell.id}: {wanted.metric} was neither measured nor explained")
    numbers = (*metric.samples, metric.median)
    if not metric.samples or not all(map(math.isfinite, numbers)):
        return Missing(Why.CONTRADICTS_ITSELF, f"{cell.id}: {wanted.metric} holds no finite samples")
    median = statistics.median(metric.samples)
    if not math.isclose(median, metric.median, rel_tol=_ROUNDING, abs_tol=1e-9):
        cause = f"{cell.id}: {wanted.metric} says median {metric.median:g}, its samples say {median:g}"
        return Missing(Why.CONTRADICTS_ITSELF, cause)
    how = f"{wanted.metric}[{cell.id}] = {metric.median:g} {metric.unit}"
    return Seen(metric.median, how, metric.ci95 or (min(metric.samples), max(metric.samples)))


def _first_measured(cells: Sequence[CellResult]) -> CellResult:
    return next((cell for cell in cells if cell.status == "measured"), cells[0])


def fits(cell: CellResult | Cell, wanted: Measure) -> bool:
    """Say whether a cell is one that a measure asks for."""
    spec = cell.spec
    return (
        (wanted.nic is None or spec.nic.model == wanted.nic)
        and (wanted.vhost is None or (spec.nic.vhost or "off") == wanted.vhost)
        and (wanted.ept is None or spec.cpu.ept == wanted.ept)
    )


def _words(wanted: Measure) -> str:
    given = wanted.model_dump(exclude_none=True, exclude={"metric"})
    return ", ".join(f"{key} {value}" for key, value in given.items()) or wanted.metric
