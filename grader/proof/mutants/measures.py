"""Mutants of evidence and of predictions: what contradicts itself, is missing, or was changed afterwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

from grader.lab.questions import Expect, Measure, NumberQuestion, PredictionQuestion
from grader.measure.run import CellResult, Measurement, Run
from grader.proof.mutants.mutant import Kind, Mutant, Solved
from grader.submission import evidence
from grader.submission.evidence import Bundle, Commitment, Missing, commitment_hash
from grader.submission.predictions import plain


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
    cell = next(one for one in bundle.run.cells if evidence.fits(one, wanted) and one.status == "measured")
    old = cell.measurements[wanted.metric]
    new = Measurement.model_validate(old.model_dump() | changes)
    edited = cell.model_copy(update={"measurements": {**cell.measurements, wanted.metric: new}})
    return dataclasses.replace(bundle, run=_replaced(bundle.run, cell, edited))


def _replaced(run: Run, old: CellResult, new: CellResult) -> Run:
    return run.model_copy(update={"cells": tuple(new if one is old else one for one in run.cells)})


def _old(solved: Solved, wanted: Measure) -> Measurement:
    run = solved.submission.evidence.run
    assert run is not None  # noqa: S101  a question of _measured has a run
    cells = (one for one in run.cells if evidence.fits(one, wanted) and one.status == "measured")
    return next(cells).measurements[wanted.metric]


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


def _committed(solved: Solved) -> Iterator[tuple[PredictionQuestion, list[Commitment], list[Commitment]]]:
    """Yield each prediction with its own commitments, and the others'."""
    every = solved.submission.evidence.commitments
    for question in solved.questions(PredictionQuestion):
        yield (
            question,
            [one for one in every if one.question == question.id],
            [one for one in every if one.question != question.id],
        )


def _bundle(solved: Solved, commitments: list[Commitment]) -> Bundle:
    return dataclasses.replace(solved.submission.evidence, commitments=tuple(commitments))


def _late(solved: Solved) -> Iterator[Mutant]:
    run = solved.submission.evidence.run
    for question, mine, others in _committed(solved):
        if run is not None and mine:
            after = evidence.started(run) + timedelta(seconds=2)
            late = [one.model_copy(update={"time": after}) for one in mine]
            change = "committed two seconds after the measuring began"
            yield _with(solved, "prediction-late", question.id, change, _bundle(solved, others + late))


def _uncommitted(solved: Solved) -> Iterator[Mutant]:
    for question, mine, others in _committed(solved):
        if mine:
            yield _with(
                solved, "prediction-uncommitted", question.id, "never committed", _bundle(solved, others)
            )


def _changed(solved: Solved) -> Iterator[Mutant]:
    for question, _, _ in _committed(solved):
        value = plain(question, solved.value(question))
        if isinstance(value, list):
            other: object = [*value[1:], value[0]]
            change = "another order than the committed one"
        else:
            other, change = (value or 0.0) * 2 + 1, "another number than the committed one"
        yield solved.answering("prediction-changed", question, other, change)


def _other_lab(solved: Solved) -> Iterator[Mutant]:
    for question, mine, others in _committed(solved):
        value = plain(question, solved.value(question))
        if mine and value is not None:
            foreign = commitment_hash("another-lab", question.id, value)
            moved = [one.model_copy(update={"sha256": foreign}) for one in mine]
            change = "committed in another lab"
            yield _with(solved, "prediction-elsewhere", question.id, change, _bundle(solved, others + moved))


_NONE, _NO_PREDICTION = "no number that is measured", "no prediction"
_OURS = "tdlab let it through: please report it"
KINDS = (
    Kind("median-against-samples", _median, _NONE, _OURS),
    Kind("samples-against-median", _samples, _NONE, _OURS),
    Kind("other-measures", _other_measures, _NONE, "make the tolerance smaller"),
    Kind("no-report", _no_report, _NONE, _OURS),
    Kind("prediction-late", _late, _NO_PREDICTION, _OURS),
    Kind("prediction-uncommitted", _uncommitted, _NO_PREDICTION, _OURS),
    Kind("prediction-changed", _changed, _NO_PREDICTION, _OURS),
    Kind("prediction-elsewhere", _other_lab, _NO_PREDICTION, _OURS),
)
