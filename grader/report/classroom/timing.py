"""Times that cannot be, or that two students share: signals for a human, from clocks that may be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from grader.report.classroom.glimpse import Glimpse

# Clocks of two machines differ, and files keep whole seconds.
_SLACK = timedelta(minutes=5)
Kind = Literal["measured-after", "begun-after", "measured-before", "too-short", "same-run", "same-archive"]


@dataclass(frozen=True)
class Oddity:
    """Something about time or origin that does not fit; ``seen`` holds the two values side by side."""

    kind: Kind
    students: tuple[str, ...]
    seen: tuple[str, str]


def found(glimpses: Sequence[Glimpse]) -> tuple[Oddity, ...]:
    """Return what does not fit, student by student, and then what several share."""
    return (*_alone(glimpses), *_shared(glimpses))


def _alone(glimpses: Sequence[Glimpse]) -> Iterator[Oddity]:
    for one in glimpses:
        run = one.measured
        if one.began and one.handed_in and one.began > one.handed_in + _SLACK:
            yield _apart("begun-after", one, one.handed_in, one.began)
        if run is None:
            continue
        if one.began and run.started and run.started < one.began - _SLACK:
            yield _apart("measured-before", one, run.started, one.began)
        last = run.finished or run.started
        if last and one.handed_in and last > one.handed_in + _SLACK:
            yield _apart("measured-after", one, one.handed_in, last)
        if run.started and run.finished:
            took = (run.finished - run.started).total_seconds()
            # Times are kept to the second.
            if took + 1 < run.least:
                yield Oddity("too-short", (one.student,), (f"{took:.0f}", f"{run.least:.0f}"))


def _apart(kind: Kind, one: Glimpse, first: datetime, second: datetime) -> Oddity:
    return Oddity(kind, (one.student,), (first.isoformat(), second.isoformat()))


def _shared(glimpses: Sequence[Glimpse]) -> Iterator[Oddity]:
    archives: dict[str, list[str]] = {}
    runs: dict[tuple[str, str], list[str]] = {}
    for one in glimpses:
        if one.sha256:
            archives.setdefault(one.sha256, []).append(one.student)
        if one.measured and one.measured.started:
            runs.setdefault((one.measured.id, one.measured.started.isoformat()), []).append(one.student)
    same = {tuple(sorted(who)) for who in archives.values() if len(who) > 1}
    for who in sorted(same):
        yield Oddity("same-archive", who, ("", ""))
    for (name, started), students in sorted(runs.items()):
        # Equal archives hold equal runs: once is enough.
        if len(students) > 1 and tuple(sorted(students)) not in same:
            yield Oddity("same-run", tuple(sorted(students)), (name, started))
