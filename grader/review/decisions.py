"""The teacher's decisions: one line each in ``decisions.jsonl``, never changed, only followed by later ones.

A decision is about an answer, not about a student: it holds for all who gave the same one, and still holds
when everything is graded again. Where the answer alone does not say enough (a measure, a cut text) it names a
student.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from filelock import FileLock
from pydantic import AwareDatetime, Field, ValidationError

from domains.errors import InputError, Position
from domains.files import append_line
from grader.language.inert import inert
from grader.measure.run import Record
from grader.results.result import CheckResult, Evidence, Grade, Outcome, SubmissionGrade
from grader.results.score import submission_grade

DECISIONS_FILE = "decisions.jsonl"
LONGEST_COMMENT = 2000
# Where the evidence of a decided question says when it was decided.
TEACHER = "teacher"
# What `inert` writes after a text that it has cut.
_CUT = re.compile(r" \[…\+\d+\]\Z")
# Ours, or not gradable here: whatever was decided about the answer, it costs no point.
_NOT_OF_THE_ANSWER = frozenset({Outcome.ERROR, Outcome.SKIPPED})

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Decision(Record):
    """The part of a question's points that an answer is worth; a ``fraction`` of None takes a decision back.

    ``key`` is the answer's (:func:`answer_key`); ``student`` is empty where it holds for all equal answers.
    """

    schema_: Literal["tdlab.decision/1"] = Field(default="tdlab.decision/1", alias="schema")
    question: str = Field(min_length=1, max_length=64)
    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    fraction: Fraction | None
    comment: str = Field(default="", max_length=LONGEST_COMMENT)
    time: AwareDatetime
    student: str = ""


class Decided:
    """What holds after a row of decisions: for each answer the latest that was not taken back."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self._held: dict[tuple[str, str, str], tuple[int, Decision]] = {}
        for number, one in enumerate(decisions):
            if one.fraction is None:
                self._held.pop((one.question, one.key, one.student), None)
            else:
                self._held[one.question, one.key, one.student] = (number, one)

    def __bool__(self) -> bool:
        """Return whether there is any decision."""
        return bool(self._held)

    def of(self, student: str, result: CheckResult) -> Decision | None:
        """Return the decision that holds for one student's answer, or None."""
        if not self._held:
            return None
        key = answer_key(result.id, result.actual)
        own = self._held.get((result.id, key, student))
        shared = self._held.get((result.id, key, "")) if is_whole(result.actual) else None
        found = max((one for one in (own, shared) if one), key=lambda one: one[0], default=None)
        return found[1] if found else None

    def to(self, given: SubmissionGrade) -> SubmissionGrade:
        """Return a submission after the decisions, with its score; what else is known of it stays."""
        results = []
        for result in given.questions:
            decision = self.of(given.student, result)
            results.append(_decided(result, decision) if decision else result)
        scored = submission_grade(given.student, results)
        return given.model_copy(
            update={"score": scored.score, "max": scored.max, "questions": scored.questions}
        )


def answer_key(question_id: str, actual: str) -> str:
    """Return the SHA-256 over a question's id and an answer, without regard to case and spaces."""
    plain = " ".join(unicodedata.normalize("NFC", actual).casefold().split())
    return hashlib.sha256(f"{question_id}\0{plain}".encode()).hexdigest()


def is_whole(actual: str) -> bool:
    """Return whether an answer is there, and there to its end: only then can two of them be equal."""
    return bool(actual.strip()) and not _CUT.search(actual)


def read(file: Path) -> list[Decision]:
    """Return all decisions, oldest first; raises InputError at the first line that is none.

    A last line that a killed writer left unfinished was never acknowledged, and is not read.
    """
    return [decision for _, decision in _lines(file, _whole_lines(file))]


def parse(file: Path, raw: bytes, now: datetime) -> list[tuple[Position, Decision]]:
    """Read decisions that were made elsewhere, with their places; those without a time are of ``now``.

    Raises InputError like :func:`read`.
    """
    return list(_lines(file, raw, now))


def add(file: Path, *decisions: Decision) -> None:
    """Add decisions, which are on disk when this returns."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock"):
        whole = len(_whole_lines(file))
        if file.exists() and file.stat().st_size > whole:
            os.truncate(file, whole)
        if decisions:
            append_line(file, "\n".join(one.model_dump_json(by_alias=True) for one in decisions))


def applied(grade: Grade, decisions: Sequence[Decision]) -> Grade:
    """Return the grade after the decisions; what is decided becomes PASS, PARTIAL or FAIL."""
    held = Decided(decisions)
    submissions = tuple(held.to(one) for one in grade.submissions)
    return grade.model_copy(update={"submissions": submissions})


def _decided(result: CheckResult, decision: Decision) -> CheckResult:
    if result.outcome in _NOT_OF_THE_ANSWER or decision.fraction is None:
        return result
    fraction = decision.fraction
    outcome = Outcome.PASS if fraction >= 1 else Outcome.PARTIAL if fraction > 0 else Outcome.FAIL
    seen = Evidence(source=TEACHER, seen=decision.time.isoformat(timespec="seconds"))
    return result.model_copy(
        update={
            "outcome": outcome,
            "points": round(max(0.0, result.max * fraction - result.cost), 4),
            "hint": inert(decision.comment, limit=LONGEST_COMMENT),
            "evidence": (*result.evidence, seen),
        }
    )


def _whole_lines(file: Path) -> bytes:
    raw = file.read_bytes() if file.exists() else b""
    return raw[: raw.rfind(b"\n") + 1]


def _lines(file: Path, raw: bytes, now: datetime | None = None) -> Iterator[tuple[Position, Decision]]:
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        where = Position(file, number, 1)
        try:
            data = json.loads(line)
            if now is not None and isinstance(data, dict):
                data = {"time": now} | data
            yield where, Decision.model_validate(data)
        except (ValueError, RecursionError) as bad:
            raise InputError(f"this line is no decision: {_why(bad)}", where=where) from bad


def _why(bad: Exception) -> str:
    if not isinstance(bad, ValidationError):
        return "it is not JSON"
    first = bad.errors()[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
