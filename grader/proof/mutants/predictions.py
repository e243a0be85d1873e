"""Mutants of predictions: too late, not committed, changed afterwards, committed elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

from grader.lab.questions import PredictionQuestion
from grader.proof.mutants.mutant import Kind, Mutant, Solved
from grader.submission import evidence
from grader.submission.evidence import Bundle, Commitment, commitment_hash
from grader.submission.predictions import plain


def _with(solved: Solved, operator: str, aimed: str, change: str, bundle: Bundle) -> Mutant:
    return Mutant(operator, (aimed,), change, dataclasses.replace(solved.submission, evidence=bundle))


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


_NONE = "no prediction"
_OURS = "tdlab let it through: please report it"
KINDS = (
    Kind("prediction-late", _late, _NONE, _OURS),
    Kind("prediction-uncommitted", _uncommitted, _NONE, _OURS),
    Kind("prediction-changed", _changed, _NONE, _OURS),
    Kind("prediction-elsewhere", _other_lab, _NONE, _OURS),
)
