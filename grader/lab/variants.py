"""A student's own variant of a lab: what differs between neighbours, drawn from who they are.

The variant is never stored: it is drawn again from the lab and the student wherever it is needed, so that
nothing in a submission can choose it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import unicodedata

from grader.lab import parameters
from grader.lab.lab import Lab
from grader.lab.parameters import Value
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion, Question, TextQuestion


def known_as(student: str) -> str:
    """Return a name without what does not count: case, spaces, and whether é is one letter or two."""
    return unicodedata.normalize("NFC", " ".join(student.casefold().split()))


def seed(lab: str, student: str) -> int:
    """Return the seed of a student in a lab: the same on every machine, and nobody else's."""
    return int.from_bytes(_hash(f"{lab}\0{known_as(student)}")[:8])


def drawn(lab: Lab, student: str | None) -> Lab:
    """Return the lab as a student sees it; nobody's variant is the lab as its author wrote it."""
    if student is None:
        return lab
    number, own = seed(lab.slug, student), values(lab, student)
    parts = tuple(
        dataclasses.replace(
            part, questions=tuple(_drawn(lab, question, number, own) for question in part.questions)
        )
        for part in lab.parts
    )
    return dataclasses.replace(lab, parts=parts, values=own)


def values(lab: Lab, student: str | None) -> dict[str, Value]:
    """Return a student's values of what the lab declares under ``variants:``; nobody's are the author's."""
    if student is None:
        return parameters.authors(lab.variables)
    number = seed(lab.slug, student)
    return {
        name: one.at(int.from_bytes(_hash(f"{number} variant {name}")[:8]))
        for name, one in lab.variables.items()
    }


def _drawn(lab: Lab, question: Question, number: int, own: dict[str, Value]) -> Question:
    if template := lab.templates.get(question.id):
        asked = type(question).model_validate(parameters.filled(template, own))
        if isinstance(question, TextQuestion):
            asked = asked.model_copy(update={"vocabulary": question.vocabulary})
        question = asked
    if isinstance(question, ChoiceQuestion | ChoicesQuestion):
        return _shuffled(question, number)
    return question


def letters(lab: Lab, question: Question, student: str | None) -> dict[str, str]:
    """Return under which letter a student sees each option that its author wrote under another."""
    if not isinstance(question, ChoiceQuestion | ChoicesQuestion):
        return {}
    if student is None:
        return {letter: letter for letter in question.options}
    return _letters(question, seed(lab.slug, student))


def _letters(question: ChoiceQuestion | ChoicesQuestion, number: int) -> dict[str, str]:
    # By hashes, not by a random generator: no version of Python may draw another order, and one more question
    # in a lab must not move those after it.
    order = sorted(question.options, key=lambda letter: _hash(f"{number} {question.id} {letter}"))
    return dict(zip(order, question.options, strict=True))


def _shuffled(question: ChoiceQuestion | ChoicesQuestion, number: int) -> Question:
    """Return a choice whose options stand in another order, under the same letters."""
    letters, shown = list(question.options), _letters(question, number)
    options = {letter: question.options[one] for one, letter in shown.items()}
    feedback = {shown[one]: text for one, text in question.feedback.items()}
    right: str | tuple[str, ...]
    if isinstance(question, ChoiceQuestion):
        right = "" if question.is_withheld else shown[question.right]
    else:
        right = tuple(sorted((shown[one] for one in question.right), key=letters.index))
    changes = {"options": options, "feedback": feedback, "right": right}
    return question.model_copy(update=changes)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
