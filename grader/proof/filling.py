"""Fill in what a recorded run could not measure, so that every question can be proved on any machine.

The values are made up, which only this room may do: they are named in the proof, and never leave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.lab.lab import Lab
from grader.lab.questions import Expect, Measure, NumberQuestion
from grader.measure.run import METRICS, CellResult, Measurement, Run
from grader.submission import evidence
from grader.submission.evidence import REPORT_FILE, Bundle, Missing

# Of the size that real KVM shows, so that paravirtual and emulated NICs stay apart.
_EXITS = {"virtio": 450.0, "vmxnet3": 520.0}
_EMULATED_EXITS = 3960.0
_BASE = 100.0
_SPREAD = (0.98, 1.0, 1.03)


def complete(asked: Sequence[Lab], solution: Path) -> tuple[Run | None, tuple[str, ...]]:
    """Return the solution's run with all that the numbers of these variants need, and what was filled in."""
    file = solution / REPORT_FILE
    run = evidence.read(file.read_bytes(), None).run if file.is_file() else None
    if run is None:
        return None, ()
    wanted = dict.fromkeys(
        measure
        for lab in asked
        for question in lab
        if isinstance(question, NumberQuestion)
        for measure in _measures(question)
    )
    filled: list[str] = []
    for measure in wanted:
        if isinstance(evidence.expected(Expect(measure=measure), Bundle(run=run)), Missing):
            run = _with(run, measure, filled)
    return run, tuple(dict.fromkeys(filled))


def _measures(question: NumberQuestion) -> Iterator[Measure]:
    expect = question.expect
    if expect.ratio:
        yield from (expect.ratio.of, expect.ratio.to)
    elif expect.measure:
        yield expect.measure


def _with(run: Run, wanted: Measure, filled: list[str]) -> Run:
    fits = [cell for cell in run.cells if evidence.fits(cell, wanted)]
    measured = [cell for cell in fits if cell.status == "measured"]
    if not fits or (measured and wanted.metric in measured[0].measurements):
        return run
    old = (measured or fits)[0]
    new = _filled(old, wanted.metric)
    filled.append(f"{wanted.metric} of {old.id}")
    return run.model_copy(update={"cells": tuple(new if one is old else one for one in run.cells)})


def _filled(cell: CellResult, metric: str) -> CellResult:
    value = _BASE * (1.8 if cell.spec.cpu.ept == "off" else 1.0)
    if "exits" in metric:
        value = _EXITS.get(cell.spec.nic.model, _EMULATED_EXITS)
    made = Measurement(unit=METRICS[metric], samples=tuple(value * one for one in _SPREAD), median=value)
    changes = {
        "status": "measured",
        # A cell that has exits ran under KVM, and so does one with EPT on or off.
        "ran": cell.ran | {"accelerator": "kvm"},
        "xml": cell.xml and cell.xml.replace('<domain type="qemu"', '<domain type="kvm"', 1),
        "cause": None,
        "remedy": None,
        "measurements": {**cell.measurements, metric: made},
        "not_measurable": {name: why for name, why in cell.not_measurable.items() if name != metric},
    }
    return cell.model_copy(update=changes)
