"""Turn a sample of a lab, written in its author's variant, into the same submission by a student.

What was right stays right and what was wrong stays wrong: letters, names, addresses and NIC models become the
student's own, and a number of the evidence keeps its ratio to the right one. Proving a lab over many seeds
and making a class of submissions both start from here: :func:`translate`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains import document
from domains.document import Document
from grader.lab import parameters, variants
from grader.lab.lab import Lab
from grader.lab.parameters import Value
from grader.lab.questions import NumberQuestion, OrderQuestion, PredictionQuestion, Question
from grader.lab.units import readings
from grader.submission import evidence, identity
from grader.submission.answers import ANSWERS_FILE
from grader.submission.evidence import PREDICTIONS_FILE, Bundle, Commitment, Seen, commitment_hash
from grader.submission.identity import WORKSPACE_FILE
from grader.submission.predictions import plain
from grader.submission.samples import Sample, kept, recorded
from grader.submission.verification import stamping

_DIGITS = 6


@dataclass(frozen=True)
class _Turn:
    """One lab as its author wrote it and as the student is asked it, and what each calls things."""

    author: Lab
    mine: Lab
    student: str
    bundle: Bundle
    loses: tuple[str, ...]


def translate(lab: Lab, sample: Sample, student: str, folder: Path) -> Path:
    """Write into ``folder`` what ``student`` would have handed in with a sample's answers; return the folder.

    ``lab`` is in its author's variant, and so is the sample. Raises what reading a sample raises.
    """
    shutil.copytree(sample.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("wrong.yaml"))
    turn = _Turn(lab, variants.drawn(lab, student), student, recorded(sample.folder), sample.loses)
    doc = document.read(sample.folder / ANSWERS_FILE)
    before = doc.data.get("answers") or {}
    after = {key: _answer(turn, key, value) for key, value in before.items()}
    (folder / ANSWERS_FILE).write_text(_answers_text(turn, doc, after), encoding="utf-8")
    began = evidence.first_moment(turn.bundle)
    # Drawn like the variant: a sample is the same for the same student on every machine.
    nonce = hashlib.sha256(f"{lab.slug}\0{student}".encode()).hexdigest()[:32]
    whose = identity.text(lab.slug, student, doc.data["lang"], began, nonce)
    (folder / WORKSPACE_FILE).write_text(whose, encoding="utf-8")
    _predictions(turn, folder / PREDICTIONS_FILE, before, after)
    for question_id in lab.templates:
        name = getattr(lab.question(question_id), "file", None)
        if isinstance(name, str) and (file := folder / name).is_file():
            file.write_text(_renamed(turn, question_id, file.read_text(encoding="utf-8")), encoding="utf-8")
    stamping.stamp(folder, lab.slug, student, nonce)
    return folder


def _answer(turn: _Turn, question_id: str, value: Any) -> Any:
    before, after = turn.author.question(question_id), turn.mine.question(question_id)
    if before is None or after is None:
        return value
    if letters := variants.letters(turn.author, before, turn.student):
        if isinstance(value, list):
            return [letters.get(str(one), one) for one in value]
        return letters.get(str(value), value)
    if isinstance(after, OrderQuestion) and after.measured:
        order = evidence.ranked(after, turn.bundle)
        return list(order[::-1] if question_id in turn.loses else order)
    if isinstance(before, NumberQuestion) and isinstance(after, NumberQuestion):
        return _number(turn, before, after, value)
    return _renamed(turn, question_id, value)


def _number(turn: _Turn, before: NumberQuestion, after: NumberQuestion, value: Any) -> Any:
    old, new = (evidence.expected(one.expect, turn.bundle) for one in (before, after))
    given = readings(value, before.unit)
    if before.expect == after.expect or not isinstance(new, Seen) or not isinstance(given, list):
        return value
    number = kept(given[0], old, new, before.id in turn.loses)
    return float(f"{number:.{_DIGITS}g}")


def _renamed(turn: _Turn, question_id: str, value: Any) -> Any:
    """Return an answer with the student's names for the author's, where the question asks for them."""
    if isinstance(value, list):
        return [_renamed(turn, question_id, one) for one in value]
    template = turn.author.templates.get(question_id)
    if template is None or not isinstance(value, str):
        return value
    names = parameters.used(template, turn.author.variables)
    exchanged: Mapping[str, Value] = {str(turn.author.values[one]): turn.mine.values[one] for one in names}
    if not exchanged:
        return value
    # Longest first, and all in one go: a student's name may be the author's for something else.
    either = "|".join(re.escape(one) for one in sorted(exchanged, key=len, reverse=True))
    return re.sub(rf"(?<![\w-])(?:{either})(?![\w-])", lambda found: str(exchanged[found[0]]), value)


def _answers_text(turn: _Turn, doc: Document, after: Mapping[str, Any]) -> str:
    whose = json.dumps(turn.student, ensure_ascii=False)
    lines = [f"lab: {turn.author.slug}", f"lang: {doc.data['lang']}", f"student: {whose}", "answers:"]
    lines += [f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in after.items()]
    return "\n".join(lines) + "\n"


def _predictions(turn: _Turn, file: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Write the commitments anew: those that held the author's answer hold the student's."""
    if not turn.bundle.commitments:
        return
    lines = [_committed(turn, one, before, after).model_dump_json() for one in turn.bundle.commitments]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _committed(
    turn: _Turn, one: Commitment, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Commitment:
    hashes = [
        _hash(turn.author.slug, lab.question(one.question), given.get(one.question))
        for lab, given in ((turn.author, before), (turn.mine, after))
    ]
    if one.sha256 != hashes[0] or hashes[1] is None:
        return one
    return one.model_copy(update={"sha256": hashes[1]})


def _hash(lab: str, question: Question | None, value: Any) -> str | None:
    predicted = plain(question, value) if isinstance(question, PredictionQuestion) else None
    return commitment_hash(lab, question.id, predicted) if question and predicted is not None else None
