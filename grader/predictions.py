"""Commit a prediction before measuring: its hash and the time go into the evidence, never the value."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from domains.errors import UsageError
from grader.checks.prediction import plain
from grader.evidence import PREDICTIONS_FILE, Commitment, commitment_hash
from grader.lab import Lab
from grader.questions import PredictionQuestion


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
    file = workspace / PREDICTIONS_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(commitment.model_dump_json() + "\n")
    return commitment
