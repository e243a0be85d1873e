"""What the TD claims, set against the data of a run: it holds, it does not, or it could not be told.

Both sides of a claim come from one host, under KVM: no time on an emulator ever meets one of hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from domains import document
from domains.quantities import Name
from domains.spec import NicModel
from grader.experiments.description import Chapter
from grader.language.bilingual import Bilingual
from grader.measure.run import CellResult, Record, Run
from grader.report import finding
from grader.report.figures import Sampled
from grader.report.finding import Ratio
from grader.report.story.kept import Shelf

FILE = Path(__file__).resolve().parent / "claims.yaml"
Verdict = Literal["holds", "not", "open", "unmeasured"]
_FEWEST = 3
_ORDER = ("processor", "memory", "devices")


class OfCell(Record):
    """A metric of the run's cell with a NIC model."""

    nic: NicModel
    metric: str


class OfExperiment(Record):
    """A measure of an experiment."""

    experiment: Name
    measure: Name


Side = OfCell | OfExperiment


class Claim(Record):
    """One claim: ``above`` divided by ``below`` is ``at_least`` so much."""

    id: Name
    chapter: Chapter
    text: Bilingual
    above: Side
    below: Side
    at_least: float = Field(gt=0)


@dataclass(frozen=True)
class Seen:
    """One side as it was measured; ``name`` is a cell's id, or the measure's title."""

    name: str | Bilingual
    unit: str
    measured: Sampled


@dataclass(frozen=True)
class CameOut:
    """What came out of a claim; ``where`` says on what it was measured.

    ``ratio`` is None when nothing was counted below: then ``holds`` needs no division. ``cause`` says why
    a claim is unmeasured.
    """

    claim: Claim
    verdict: Verdict
    above: Seen | None = None
    below: Seen | None = None
    ratio: Ratio | None = None
    where: str = ""
    cause: str | None = None


def read(file: Path = FILE) -> tuple[Claim, ...]:
    """Read the claims; raises :class:`domains.errors.InputError` with file:line:column."""
    doc = document.read(file)
    found = (document.validate(doc, Claim, at=(index,), data=data) for index, data in enumerate(doc.data))
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.chapter)))


def judge(run: Run, shelf: Shelf) -> tuple[CameOut, ...]:
    """Return what came out of each claim, in the story's order; nothing when none could be measured."""
    found = tuple(_judged(claim, run, shelf) for claim in read())
    return found if any(one.verdict != "unmeasured" for one in found) else ()


def verdict(above: Sampled, below: Sampled, ratio: Ratio | None, at_least: float) -> Verdict:
    """Compare a ratio with its bound; an interval that holds the bound leaves the claim open.

    So do fewer than three samples, which have no interval.
    """
    if min(len(above.samples), len(below.samples)) < _FEWEST:
        return "open"
    if ratio is None:
        return "holds" if above.median > 0 and below.median == 0 else "open"
    low, high = (ratio.value if end is None else end for end in (ratio.low, ratio.high))
    return "holds" if low >= at_least else "not" if high < at_least else "open"


def _judged(claim: Claim, run: Run, shelf: Shelf) -> CameOut:
    if isinstance(claim.above, OfCell) and isinstance(claim.below, OfCell):
        return _of_cells(claim, claim.above, claim.below, run)
    if isinstance(claim.above, OfExperiment) and isinstance(claim.below, OfExperiment):
        return _of_experiment(claim, claim.above, claim.below, shelf)
    return CameOut(claim, "unmeasured", cause="a cell cannot be compared with an experiment")


def _of_cells(claim: Claim, above: OfCell, below: OfCell, run: Run) -> CameOut:
    emulator = run.environment.get("emulator")
    # The TD speaks of a processor that runs the guest itself: under TCG there is none.
    own = [cell for cell in run.cells if finding.accelerator(cell) == "kvm"]
    first, second = (_cell(own, one) for one in (above, below))
    if first and second:
        return _came_out(claim, first, second, "KVM" + (f" ({emulator})" if emulator else ""))
    causes = (_missing(run, one) for one in (above, below))
    return CameOut(claim, "unmeasured", cause="; ".join(dict.fromkeys(one for one in causes if one)))


def _cell(cells: Sequence[CellResult], side: OfCell) -> Seen | None:
    """Return the first cell of a NIC model on EPT/RVI: chosen by what it is, never by what it measured."""
    for cell in cells:
        plain = cell.ran.get("ept") != "off" and cell.ran.get("vhost") != "on"
        if cell.status == "measured" and plain and cell.spec.nic.model == side.nic:
            measured = cell.measurements.get(side.metric)
            return Seen(cell.id, measured.unit, measured) if measured else None
    return None


def _missing(run: Run, side: OfCell) -> str | None:
    cells = [cell for cell in run.cells if cell.spec.nic.model == side.nic]
    if not cells:
        return f"no cell of this run has a NIC {side.nic}"
    if measured := [cell for cell in cells if side.metric in cell.measurements]:
        under = {finding.accelerator(cell) for cell in measured}
        return None if "kvm" in under else f"{side.nic} did not run under KVM"
    causes = [cell.not_measurable.get(side.metric) or cell.cause for cell in cells]
    return next((one for one in causes if one), f"{side.nic}: {side.metric} was not measured")


def _of_experiment(claim: Claim, above: OfExperiment, below: OfExperiment, shelf: Shelf) -> CameOut:
    kept = shelf.find(above.experiment)
    if kept is None or above.experiment != below.experiment:
        return CameOut(claim, "unmeasured", cause=f"the experiment {above.experiment} was not run")
    result = kept.result
    if result.status != "measured":
        return CameOut(claim, "unmeasured", cause=f"{above.experiment}: {result.cause}")
    sides = []
    for name in (above.measure, below.measure):
        measured = result.measurements.get(name)
        if measured is None:
            cause = result.not_measurable.get(name) or f"{above.experiment} did not measure {name}"
            return CameOut(claim, "unmeasured", cause=cause)
        sides.append((Seen(measured.title, measured.unit, measured), measured.emulator))
    (first, one), (second, other) = sides
    if one != other:
        return CameOut(claim, "unmeasured", cause="its two sides were measured on different processors")
    return _came_out(claim, first, second, one or result.host)


def _came_out(claim: Claim, above: Seen, below: Seen, where: str) -> CameOut:
    ratio = finding.ratio(above.measured, below.measured)
    said = verdict(above.measured, below.measured, ratio, claim.at_least)
    return CameOut(claim, said, above, below, ratio, where)
