"""What a student answered: ``answers.yaml``, read as plain data and never as anything else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from domains import document
from domains.document import Document
from domains.errors import InputError, Position
from grader.language import LANGUAGES, Lang

ANSWERS_FILE = "answers.yaml"
_MOST_GUESSED = 100
_KEYS = ("lab", "lang", "student", "answers")


@dataclass(frozen=True)
class Answer:
    """One answer: plain data, or the bytes of a file; ``value`` is None when nothing was answered.

    ``note`` says what was found instead, such as an answer to a question of nearly the same name.
    """

    value: Any = None
    where: Position | None = None
    note: str = ""


@dataclass(frozen=True)
class Answers:
    """All answers of one submission; ``problem`` says why none of them could be read.

    ``student`` is whose variant the letters in them are of; None for the lab as its author wrote it.
    """

    lang: Lang | None = None
    student: str | None = None
    values: Mapping[str, Answer] = field(default_factory=lambda: MappingProxyType({}))
    problem: str | None = None

    def to(self, question_id: str) -> Answer:
        """Return the answer to a question; an empty one when there is none."""
        return self.values.get(question_id, Answer())


def parse(raw: bytes, lab: str, questions: Collection[str], file: Path = Path(ANSWERS_FILE)) -> Answers:
    """Read answers from bytes; raises :class:`InputError` at the first thing that is not as it should be."""
    # Whoever answers no, or is called so, means the word.
    doc = document.parse(raw, file, words=True)
    if doc.data is None:
        return Answers()
    if not isinstance(doc.data, dict):
        raise doc.error((), "answers are a mapping of keys to values", f"begin with: lab: {lab}")
    for key in doc.data:
        if key not in _KEYS:
            guess = document.nearest(key, _KEYS)
            remedy = f"did you mean {guess!r}?" if guess else "write it below answers:"
            raise doc.error(document.key_of((key,)), f"unknown key {key!r}", remedy)
    if doc.data.get("lab", lab) != lab:
        raise doc.error(
            ("lab",), f"these are answers to {doc.data['lab']!r}, not to {lab}", f"write: lab: {lab}"
        )
    lang = doc.data.get("lang")
    if lang is not None and lang not in LANGUAGES:
        raise doc.error(("lang",), f"{lang!r} is not one of {', '.join(LANGUAGES)}")
    student = doc.data.get("student")
    if student is not None and not isinstance(student, str):
        raise doc.error(("student",), f"{student!r} is no name", 'write it in quotes: "…"')
    return Answers(lang, student, _values(doc, questions))


def readable(raw: bytes, lab: str, questions: Collection[str]) -> Answers:
    """Read answers from bytes; what is wrong with the file becomes a problem of the student's."""
    try:
        return parse(raw, lab, questions)
    except InputError as bad:
        return Answers(problem=str(bad))


def _values(doc: Document, questions: Collection[str]) -> Mapping[str, Answer]:
    given = doc.data.get("answers")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise doc.error(
            ("answers",), "answers is a mapping of question to answer", "write for example: 1.2: a"
        )
    values: dict[str, Answer] = {}
    strays: dict[str, Answer] = {}
    unknown = 0
    for key, value in given.items():
        where = doc.position(("answers", key))
        if key in questions:
            values[key] = Answer(value, where)
        # Who has thousands of keys has not misspelt them, and each guess takes its time.
        elif (unknown := unknown + 1) <= _MOST_GUESSED and (guess := document.nearest(key, questions)):
            beside = doc.position(document.key_of(("answers", key)))
            strays[guess] = Answer(
                None, beside, f"{beside}: unknown question {key!r}; did you mean {guess!r}?"
            )
    return MappingProxyType({**strays, **values})
