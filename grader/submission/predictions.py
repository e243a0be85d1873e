"""Commit a prediction before measuring: its hash and the time go into the evidence, never the value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from domains import files
from domains.errors import UsageError
from grader.lab import written
from grader.lab.lab import Lab
from grader.lab.questions import PredictionQuestion
from grader.lab.units import readings
from grader.measure.matrix import Cell
from grader.submission import history
from grader.submission.evidence import PREDICTIONS_FILE, Commitment, commitment_hash, fits
from grader.submission.history import Event
from grader.submission.identity import WORKSPACE_FILE


def commit(lab: Lab, question_id: str, value: Any, workspace: Path, now: datetime) -> Commitment:
    """Append the commitment of a prediction to a workspace's evidence and return it.

    ``now`` carries a time zone. Raises UsageError when the question takes no prediction, or not this one.
    """
    question = lab.question(question_id)
    if not isinstance(question, PredictionQuestion):
        known = ", ".join(one.id for one in lab if isinstance(one, PredictionQuestion))
        raise UsageError(f"{question_id} takes no prediction", remedy=f"predictions: {known}")
    predicted = plain(question, value)
    if predicted is None:
        form = f"each of {', '.join(question.items)} once" if question.items else "a number"
        raise UsageError(f"{value!r} is no prediction for {question_id}", remedy=f"give {form}")
    if isinstance(predicted, float) and is_senseless(question, predicted):
        raise UsageError(f"{question_id} cannot be negative, and {value} is", remedy="give 0 or more")
    sha256 = commitment_hash(lab.slug, question_id, predicted)
    commitment = Commitment(question=question_id, sha256=sha256, time=now)
    # The history first: a commitment that it does not know could have been written at any time.
    if (workspace / WORKSPACE_FILE).is_file():
        history.add(workspace, Event(what="predicted", time=now, about=question_id, sha256=sha256))
    files.append_line(workspace / PREDICTIONS_FILE, commitment.model_dump_json())
    return commitment


def plain(question: PredictionQuestion, value: object) -> float | list[str] | None:
    """Return a prediction in the one form that is hashed, or None when it is none."""
    if question.items:
        return written.order(value, question.items, {})
    numbers = readings(value, question.unit or "count")
    return numbers[0] if isinstance(numbers, list) else None


def is_senseless(question: PredictionQuestion, number: float) -> bool:
    """Say whether a number is negative where none can be: what is measured is a rate, a time or a count."""
    is_told = question.measured is not None and question.measured.value is not None
    return number < 0 and not is_told


def told_by_run(lab: Lab, cells: Sequence[Cell]) -> Iterator[PredictionQuestion]:
    """Yield the predictions that a run of some cells would answer: once seen, nothing is predicted."""
    for question in lab:
        if not isinstance(question, PredictionQuestion):
            continue
        expect = question.measured
        if expect is None:
            yield question
            continue
        sides = [expect.measure] if expect.measure else []
        sides += [expect.ratio.of, expect.ratio.to] if expect.ratio else []
        if any(fits(cell, side) for cell in cells for side in sides):
            yield question


def told_by_experiment(lab: Lab, name: str, about: Sequence[str]) -> Iterator[PredictionQuestion]:
    """Yield the predictions that an experiment would answer: they name it, or it names them."""
    for question in lab:
        if isinstance(question, PredictionQuestion):
            measured = question.measured.model_dump() if question.measured else {}
            if question.id in about or name in _experiments(measured):
                yield question


def _experiments(data: Any) -> set[str]:
    """Return what is named as an ``experiment`` anywhere in some data."""
    if not isinstance(data, dict):
        return set()
    named = {data["experiment"]} if isinstance(data.get("experiment"), str) else set()
    return named.union(*(_experiments(value) for value in data.values()))
