"""A student's own variant of a lab: what differs between neighbours, drawn from who they are.

The variant is never stored: it is drawn again from the lab and the student wherever it is needed, so that
nothing in a submission can choose it.
"""

from __future__ import annotations

import dataclasses
import hashlib

from grader.lab.lab import Lab
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion, Question


def seed(lab: str, student: str) -> int:
    """Return the seed of a student in a lab: the same on every machine, and nobody else's."""
    return int.from_bytes(_hash(f"{lab}\0{student.strip().casefold()}")[:8])


def drawn(lab: Lab, student: str | None) -> Lab:
    """Return the lab as a student sees it; nobody's variant is the lab as its author wrote it."""
    if student is None:
        return lab
    number = seed(lab.slug, student)
    parts = tuple(
        dataclasses.replace(part, questions=tuple(_drawn(question, number) for question in part.questions))
        for part in lab.parts
    )
    return dataclasses.replace(lab, parts=parts)


def _drawn(question: Question, number: int) -> Question:
    if isinstance(question, ChoiceQuestion | ChoicesQuestion):
        return _shuffled(question, number)
    return question


def _shuffled(question: ChoiceQuestion | ChoicesQuestion, number: int) -> Question:
    """Return a choice whose options stand in another order, under the same letters."""
    letters = list(question.options)
    # By hashes, not by a random generator: no version of Python may draw another order, and one more question
    # in a lab must not move those after it.
    order = sorted(letters, key=lambda letter: _hash(f"{number} {question.id} {letter}"))
    shown = dict(zip(order, letters, strict=True))
    options = {shown[one]: question.options[one] for one in order}
    feedback = {shown[one]: text for one, text in question.feedback.items()}
    if isinstance(question, ChoiceQuestion):
        changes = {"options": options, "feedback": feedback, "right": shown[question.right]}
    else:
        right = tuple(sorted((shown[one] for one in question.right), key=letters.index))
        changes = {"options": options, "feedback": feedback, "right": right}
    return question.model_copy(update=changes)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
