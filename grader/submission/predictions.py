"""Commit a prediction before measuring: its hash and the time go into the evidence, never the value."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from domains import files
from domains.errors import UsageError
from grader.lab.lab import Lab
from grader.lab.questions import PredictionQuestion
from grader.lab.units import readings
from grader.submission.evidence import PREDICTIONS_FILE, Commitment, commitment_hash


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
    sha256 = commitment_hash(lab.slug, question_id, predicted)
    commitment = Commitment(question=question_id, sha256=sha256, time=now)
    files.append_line(workspace / PREDICTIONS_FILE, commitment.model_dump_json())
    return commitment


def plain(question: PredictionQuestion, value: object) -> float | list[str] | None:
    """Return a prediction in the one form that is hashed, or None when it is none."""
    if question.items:
        listed = [str(item) for item in value] if isinstance(value, list) else []
        return listed if sorted(listed) == sorted(question.items) else None
    numbers = readings(value, question.unit or "count")
    return numbers[0] if isinstance(numbers, list) else None
