"""What a check said: an outcome, points, and the evidence behind them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from grader.measure.run import Record


class Outcome(StrEnum):
    """FAIL is the student's, ERROR is ours.

    Only a check that ran and saw a wrong answer is FAIL. INCONCLUSIVE is a measurement whose interval
    straddles the limit, or a text that only a teacher can judge. ERROR and SKIPPED never cost a point.
    """

    PASS = "pass"  # noqa: S105
    PARTIAL = "partial"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    SKIPPED = "skipped"


class Evidence(Record):
    """Something that can be looked at again: a file of the submission, and what was seen in it."""

    source: str
    seen: str = ""


class CheckResult(BaseModel):
    """The result of one question of one submission; points are out of ``max``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    outcome: Outcome
    points: float = 0.0
    max: float = 1.0
    # What hints took, already gone from the points; a teacher's decision takes it too.
    cost: float = 0.0
    expected: str = ""
    actual: str = ""
    hint: str = ""
    evidence: tuple[Evidence, ...] = ()


class SubmissionGrade(Record):
    """All questions of one submission; ``max`` counts only what could be graded.

    ``late`` is seconds past the deadline and ``penalty`` the points taken for it; ``score`` is after it.
    ``unverified`` says why the submission's signature or evidence is not verified, which costs nothing.
    """

    student: str
    score: float
    max: float
    late: float = 0.0
    penalty: float = 0.0
    unverified: str = ""
    questions: tuple[CheckResult, ...]


class Grade(Record):
    """What ``tdlab grade --json`` prints (schema ``tdlab.grade/1``)."""

    schema_: Literal["tdlab.grade/1"] = Field(default="tdlab.grade/1", alias="schema")
    lab: str
    lab_hash: str
    grader_hash: str
    submissions: tuple[SubmissionGrade, ...]
