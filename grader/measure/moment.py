"""Moments that others wrote down: with a zone, and not so near to the ends of time that no sum fits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

# No clock of a student's machine is of another age, and within it any zone and any difference can be had.
_FIRST, _LAST = 1970, 2999


def in_our_time(moment: datetime) -> datetime:
    """Return a moment as it is; raises ValueError when it is of no year that a clock could show."""
    if not _FIRST <= moment.year <= _LAST:
        raise ValueError(f"the year {moment.year} is none in which this was written")
    return moment


def read(text: str) -> datetime:
    """Return a time that was written in ISO 8601; without a zone it is UTC. Raises ValueError."""
    found = in_our_time(datetime.fromisoformat(text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Moment = Annotated[AwareDatetime, AfterValidator(in_our_time)]
