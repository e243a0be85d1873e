"""Which attempt counts, until when, and what lateness costs."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from domains.errors import UsageError
from grader.measure.run import Record
from grader.results.result import SubmissionGrade

_SECONDS = {"minute": 60, "min": 60, "hour": 3600, "h": 3600, "day": 86400, "week": 7 * 86400}
_RATE = re.compile(r"(\d+(?:[.,]\d+)?)\s*%\s*(?:(?:per|a|/)\s*(minute|hour|day|week))?")
_MOST = re.compile(r"at\s+most\s+(\d+(?:[.,]\d+)?)\s*%")
_GRACE = re.compile(r"(?:grace\s+)?(\d+)\s*(minute|min|hour|h|day)s?(?:\s+grace)?")
_HELP = 'write for example "10 % per day, at most 50 %, grace 15 min"'


class Late(Record):
    """What lateness costs: per cent of the points earned, once, or again for each period that has begun."""

    percent: float = Field(ge=0, le=100)
    # Seconds; None: it is taken once, however late.
    every: float | None = Field(default=None, gt=0)
    most: float = Field(default=100.0, ge=0, le=100)
    grace: float = Field(default=0.0, ge=0)

    def percent_of(self, late: float) -> float:
        """Return how many per cent are taken for so many seconds past the deadline."""
        if late <= self.grace:
            return 0.0
        times = 1 if self.every is None else math.ceil(late / self.every)
        return min(self.most, times * self.percent)


class Policy(Record):
    """How a class is marked; without ``late`` lateness is shown and costs nothing."""

    attempts: Literal["last", "best"] = "last"
    deadline: AwareDatetime | None = None
    late: Late | None = None

    def lateness(self, time: datetime | None) -> float:
        """Return by how many seconds a time is past the deadline; an unknown time is not late."""
        if time is None or self.deadline is None:
            return 0.0
        return max(0.0, (time - self.deadline).total_seconds())

    def penalised(self, grade: SubmissionGrade, late: float) -> SubmissionGrade:
        """Return a grade after its lateness; the points taken are kept beside the score."""
        percent = self.late.percent_of(late) if self.late else 0.0
        before = grade.score + grade.penalty
        penalty = round(before * percent / 100, 4)
        return grade.model_copy(
            update={"late": late, "penalty": penalty, "score": round(before - penalty, 4)}
        )


def parse_late(text: str) -> Late:
    """Read a policy as a teacher writes it; raises :class:`UsageError`.

    ``10 % per day, at most 50 %, grace 15 min``: each day that has begun takes a tenth of the points.
    """
    given: dict[str, float] = {}
    for part in (one.strip().casefold() for one in text.replace(";", ",").split(", ")):
        if match := _MOST.fullmatch(part):
            given["most"] = _number(match[1])
        elif match := _RATE.fullmatch(part):
            given["percent"] = _number(match[1])
            if match[2]:
                given["every"] = _SECONDS[match[2]]
        elif match := _GRACE.fullmatch(part):
            given["grace"] = int(match[1]) * _SECONDS[match[2]]
        else:
            raise UsageError(f"{part!r} is no part of a policy for lateness", remedy=_HELP)
    if "percent" not in given:
        raise UsageError("a policy for lateness names what is taken", remedy=_HELP)
    if given["percent"] > 100 or given.get("most", 0) > 100:
        raise UsageError("more than 100 % of the points cannot be taken", remedy=_HELP)
    return Late(**given)


def parse_deadline(text: str) -> datetime:
    """Read a deadline (ISO 8601); without a zone it is this machine's time. Raises :class:`UsageError`."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as bad:
        raise UsageError(
            f"{text!r} is no date", remedy="write for example 2026-11-30T18:00 or 2026-11-30T18:00+01:00"
        ) from bad


def _number(text: str) -> float:
    return float(text.replace(",", "."))
