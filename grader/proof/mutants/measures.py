"""Mutants of evidence: what contradicts itself, is missing, was changed by hand, or is another student's."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator

from grader.lab.questions import Expect, Measure, NumberQuestion
from grader.measure.run import METRICS, CellResult, Measurement, Run
from grader.proof.mutants.mutant import Kind, Mutant, Solved
from grader.submission import evidence
from grader.submission.evidence import PREDICTIONS_FILE, REPORT_FILE, Bundle, Missing
from grader.submission.history import HISTORY_FILE
from grader.submission.identity import WORKSPACE_FILE
from grader.submission.verification import provenance
from grader.submission.verification.provenance import Given

# Register exits a megabyte of an imitated card; a ring has none.
_OF_A_CARD = 3000.0
Edit = Callable[[CellResult, Run], CellResult | None]


def _with(solved: Solved, operator: str, aimed: str, change: str, bundle: Bundle) -> Mutant:
    return Mutant(operator, (aimed,), change, dataclasses.replace(solved.submission, evidence=bundle))


def _measured(solved: Solved) -> Iterator[tuple[NumberQuestion, Measure]]:
    """Yield each question whose number comes from the evidence, with the measure that it looks at first."""
    for question in solved.questions(NumberQuestion):
        first = _first(question.expect)
        if first and not isinstance(evidence.expected(question.expect, solved.submission.evidence), Missing):
            yield question, first


def _first(expect: Expect) -> Measure | None:
    return expect.ratio.of if expect.ratio else expect.measure


def _edited(bundle: Bundle, wanted: Measure, **changes: object) -> Bundle:
    """Return evidence in which the first measured cell that fits has another measurement."""
    assert bundle.run is not None  # noqa: S101  a question of _measured has a run
    cell = _cell(bundle.run, wanted)
    old = cell.measurements[wanted.metric]
    new = Measurement.model_validate(old.model_dump() | changes)
    edited = cell.model_copy(update={"measurements": {**cell.measurements, wanted.metric: new}})
    return dataclasses.replace(bundle, run=_replaced(bundle.run, cell, edited))


def _replaced(run: Run, old: CellResult, new: CellResult) -> Run:
    return run.model_copy(update={"cells": tuple(new if one is old else one for one in run.cells)})


def _old(solved: Solved, wanted: Measure) -> Measurement:
    run = solved.submission.evidence.run
    assert run is not None  # noqa: S101  a question of _measured has a run
    return _cell(run, wanted).measurements[wanted.metric]


def _cell(run: Run, wanted: Measure) -> CellResult:
    return next(one for one in run.cells if evidence.fits(one, wanted) and one.status == "measured")


def _median(solved: Solved) -> Iterator[Mutant]:
    bundle = solved.submission.evidence
    for question, wanted in _measured(solved):
        other = _edited(bundle, wanted, median=_old(solved, wanted).median * 2)
        change = f"doubled the median of {wanted.metric}, not its samples"
        yield _with(solved, "median-against-samples", question.id, change, other)


def _samples(solved: Solved) -> Iterator[Mutant]:
    bundle = solved.submission.evidence
    for question, wanted in _measured(solved):
        samples = [one * 2 for one in _old(solved, wanted).samples]
        change = f"doubled the samples of {wanted.metric}, not their median"
        yield _with(
            solved, "samples-against-median", question.id, change, _edited(bundle, wanted, samples=samples)
        )


def _other_measures(solved: Solved) -> Iterator[Mutant]:
    bundle = solved.submission.evidence
    for question, wanted in _measured(solved):
        old = _old(solved, wanted)
        other = _edited(bundle, wanted, samples=[one * 2 for one in old.samples], median=old.median * 2)
        change = f"{wanted.metric} of another run, twice as much, under the same answer"
        yield _with(solved, "other-measures", question.id, change, other)


def _no_report(solved: Solved) -> Iterator[Mutant]:
    bundle = dataclasses.replace(solved.submission.evidence, run=None)
    for question, _ in _measured(solved):
        yield _with(solved, "no-report", question.id, "the report is missing", bundle)


def _ran(solved: Solved, operator: str, change: str, edit: Edit) -> Iterator[Mutant]:
    """Yield for each question evidence in which its first cell was edited, and everything else kept."""
    bundle = solved.submission.evidence
    for question, wanted in _measured(solved):
        assert bundle.run is not None  # noqa: S101  a question of _measured has a run
        cell = _cell(bundle.run, wanted)
        if (edited := edit(cell, bundle.run)) is not None:
            run = _replaced(bundle.run, cell, edited)
            yield _with(solved, operator, question.id, change, dataclasses.replace(bundle, run=run))


def _other_driver(solved: Solved) -> Iterator[Mutant]:
    def edit(cell: CellResult, _: Run) -> CellResult | None:
        driver = "e1000" if cell.spec.nic.model != "e1000" else "virtio_net"
        had = "driver" in cell.ran
        return cell.model_copy(update={"ran": cell.ran | {"driver": driver}}) if had else None

    yield from _ran(solved, "edited-driver", "another driver in the guest", edit)


def _other_spec(solved: Solved) -> Iterator[Mutant]:
    def edit(cell: CellResult, _: Run) -> CellResult | None:
        other = "rtl8139" if cell.spec.nic.model != "rtl8139" else "e1000"
        named = cell.asked | {"nic_model": other}
        return cell.model_copy(update={"asked": named}) if "nic_model" in cell.asked else None

    yield from _ran(solved, "edited-spec", "another NIC was asked for", edit)


def _other_xml(solved: Solved) -> Iterator[Mutant]:
    def edit(cell: CellResult, _: Run) -> CellResult | None:
        other = "pcnet" if cell.spec.nic.model != "pcnet" else "e1000"
        xml = re.sub(r"(<model type=[\"'])[\w-]+", rf"\g<1>{other}", cell.xml or "")
        return cell.model_copy(update={"xml": xml}) if xml != (cell.xml or "") else None

    yield from _ran(solved, "edited-xml", "another NIC in the XML of the domain", edit)


def _other_exits(solved: Solved) -> Iterator[Mutant]:
    def edit(cell: CellResult, run: Run) -> CellResult | None:
        if cell.spec.nic.model not in {"virtio", "vmxnet3"}:
            return _with_registers(cell, 0.0)
        return _with_registers(cell, _OF_A_CARD)

    yield from _ran(solved, "exits-of-another", "the exits of another kind of NIC", edit)


def _with_registers(cell: CellResult, exits: float) -> CellResult:
    """Return a cell with so many exits at registers: none for a ring, many for an imitated card."""
    had = dict(cell.measurements)
    for name, value in (("exits_per_mb", exits + 1), ("mmio_exits_per_mb", exits), ("pio_exits_per_mb", 0.0)):
        had[name] = Measurement(unit=METRICS[name], samples=(value,), median=value)
    return cell.model_copy(update={"measurements": had})


def _reread(solved: Solved, report: bytes | None, history: bytes | None) -> Bundle:
    """Return the evidence as a grader reads it, with other files in the place of the student's."""
    paper = solved.paper
    found = evidence.read(report, paper.raw(PREDICTIONS_FILE))
    given = Given(
        solved.written.slug,
        solved.submission.answers.student,
        paper.raw(WORKSPACE_FILE),
        history or b"",
        {REPORT_FILE: report} if report else {},
    )
    return provenance.held(found, given)


def _by_hand(solved: Solved) -> Iterator[Mutant]:
    """Edit the report alone: the same numbers, but no longer the file that was measured."""
    raw = solved.paper.raw(REPORT_FILE)
    if raw is not None:
        bundle = _reread(solved, raw + b" ", solved.paper.raw(HISTORY_FILE))
        yield from _for_all(solved, "report-edited", "the report was changed after measuring", bundle)


def _of_another(solved: Solved) -> Iterator[Mutant]:
    raw = solved.other.raw(REPORT_FILE)
    if raw is not None:
        for history, change in (
            (solved.paper.raw(HISTORY_FILE), "another student's report"),
            (solved.other.raw(HISTORY_FILE), "another student's report and history"),
        ):
            yield from _for_all(solved, "another-student", change, _reread(solved, raw, history))


def _history(solved: Solved) -> Iterator[Mutant]:
    raw = solved.paper.raw(REPORT_FILE)
    lines = (solved.paper.raw(HISTORY_FILE) or b"").splitlines(keepends=True)
    if raw is not None:
        yield from _for_all(solved, "history-edited", "the history is missing", _reread(solved, raw, None))
    if raw is not None and len(lines) > 1:
        bundle = _reread(solved, raw, b"".join(lines[1:]))
        yield from _for_all(solved, "history-edited", "the history without its first line", bundle)


def _for_all(solved: Solved, operator: str, change: str, bundle: Bundle) -> Iterator[Mutant]:
    for question, _ in _measured(solved):
        yield _with(solved, operator, question.id, change, bundle)


_NONE = "no number that is measured"
_OURS = "tdlab let it through: please report it"
KINDS = (
    Kind("median-against-samples", _median, _NONE, _OURS),
    Kind("samples-against-median", _samples, _NONE, _OURS),
    Kind("other-measures", _other_measures, _NONE, "make the tolerance smaller"),
    Kind("no-report", _no_report, _NONE, _OURS),
    Kind("edited-driver", _other_driver, _NONE, _OURS),
    Kind("edited-spec", _other_spec, _NONE, _OURS),
    Kind("edited-xml", _other_xml, _NONE, _OURS),
    Kind("exits-of-another", _other_exits, _NONE, _OURS),
    Kind("report-edited", _by_hand, _NONE, _OURS),
    Kind("another-student", _of_another, _NONE, _OURS),
    Kind("history-edited", _history, _NONE, _OURS),
)
