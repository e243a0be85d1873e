"""What a class was asked, as digests: enough to tell later which question's text or rules have changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from domains import files
from grader.lab.lab import Lab
from grader.lab.questions import Question
from grader.measure.run import Record

ASKED_FILE = "asked.json"


class Digest(Record):
    """SHA-256 of a question's text in both languages, and of everything else that its author wrote."""

    text: str
    rules: str


class Asked(Record):
    """The questions of a lab by id, in its order."""

    schema_: Literal["tdlab.asked/1"] = Field(default="tdlab.asked/1", alias="schema")
    questions: dict[str, Digest]


def of(lab: Lab) -> Asked:
    """Return the digests of a lab's questions."""
    return Asked(questions={question.id: _digest(question) for question in lab})


def write(folder: Path, lab: Lab) -> None:
    """Write down what a markbook's class was asked."""
    files.write_whole(folder / ASKED_FILE, of(lab).model_dump_json(by_alias=True, indent=1) + "\n")


def read(folder: Path) -> Asked | None:
    """Return what a markbook's class was asked; None where that was not written down, or cannot be read."""
    try:
        return Asked.model_validate_json((folder / ASKED_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def _digest(question: Question) -> Digest:
    text = question.ask.model_dump_json()
    rules = question.model_dump_json(exclude={"ask"})
    return Digest(text=_hash(text), rules=_hash(rules))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
