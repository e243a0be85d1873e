"""Take in what a class handed in: who, when, which attempts; everything read is kept, and nothing is run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domains.errors import UsageError
from grader.classroom import comparing, examining, kept
from grader.classroom.examining import Asked
from grader.classroom.policy import Policy
from grader.classroom.roster import Attempt, Clock, Roster, Student
from grader.classroom.source import platforms, tree, units
from grader.classroom.source.tree import Tree
from grader.classroom.source.units import Handed, Unit
from grader.lab.lab import Lab
from grader.submission.answers import ANSWERS_FILE
from grader.submission.archives import ArchiveRefused, read_archive
from grader.submission.manifest import Manifest

# Times that are all the same are those of a download or a copy, and say nothing of when who handed in.
_SAME = timedelta(minutes=1)
# Two works in one archive may be two attempts of one student's.
_A_CLASS = 3
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Found:
    """One attempt with its unit, before the clocks of the class are known."""

    unit: Unit
    handed: Handed
    attempt: Attempt
    manifest: Manifest | None


def take_in(source: Path, lab: Lab, folder: Path, policy: Policy, *, jobs: int = 1) -> Roster:
    """Read a class, keep what was handed in below ``folder``, and return who handed in what.

    ``jobs`` is how many processes look at the archives (0: as many as pay).
    Raises :class:`UsageError` when the source is no class at all.
    """
    (folder / kept.FOLDER).mkdir(parents=True, exist_ok=True)
    is_zip = source.is_file()
    with tree.opened(source) as given:
        listed, left_out = units.sorted_out(given, lab.slug, is_zip=is_zip)
        found = list(_found(given, listed, folder, lab.slug, jobs))
    if not found:
        raise UsageError(
            f"{source} holds no submissions",
            remedy="name a folder with a folder or an archive a student, or the ZIP of a class",
        )
    _refuse_a_class_within(source, found, folder, lab.slug)
    trusted = _told_apart([one.handed.time for one in found])
    by_unit: dict[int, list[Attempt]] = {}
    for one in found:
        by_unit.setdefault(id(one.unit), []).append(_dated(one, trusted, is_zip, policy))
    students = [
        Student(key=who.name, name=who.name, id=who.id, email=who.email, folder=unit.folder, attempts=mine)
        for unit in listed
        for who in unit.who
        if (mine := tuple(ordered(by_unit.get(id(unit), []))))
    ]
    return Roster(
        lab=lab.slug, students=comparing.compared(_keyed(students)), left_out=tuple(sorted(left_out))
    )


def refuse_a_class(place: Path, lab: str) -> None:
    """Raise :class:`UsageError` when a place that is to be one submission is a class, or holds nothing."""
    if place.is_dir() and not any(place.iterdir()):
        remedy = f"name a folder that holds {ANSWERS_FILE}, or an archive"
        raise UsageError(f"{place} is an empty folder", remedy=remedy)
    if (count := _students_in(place, lab)) >= (2 if place.is_dir() else _A_CLASS):
        remedy = f"grade a class into a markbook: `tdlab grade {lab} {place} --into FOLDER`"
        raise UsageError(f"{place} is no submission: it holds the work of {count} students", remedy=remedy)


def _refuse_a_class_within(source: Path, found: Sequence[_Found], folder: Path, lab: str) -> None:
    """Raise :class:`UsageError` when the one archive of a class holds the class: a ZIP in a ZIP."""
    (one, *others) = found
    if others or not one.handed.is_archive or not one.attempt.problem or not one.attempt.kept:
        return
    if (count := _students_in(folder / one.attempt.kept, lab)) >= _A_CLASS:
        raise UsageError(
            f"{source} holds the class one level down: {one.handed.place}, with the work of {count} students",
            remedy="unpack it once, and name what is in it",
        )


def _students_in(place: Path, lab: str) -> int:
    """Return of how many students a place holds the work, 0 when it is itself the work of one."""
    try:
        if place.is_dir():
            is_one = (place / ANSWERS_FILE).is_file()
        else:
            is_one = ANSWERS_FILE in read_archive(place, {ANSWERS_FILE: 1})
        if is_one:
            return 0
    except ArchiveRefused:
        # Two folders with answers in one archive are refused there: that may be a class.
        pass
    try:
        with tree.opened(place) as given:
            listed, _ = units.sorted_out(given, lab, is_zip=place.is_file())
            return sum(map(units.has_work, listed))
    except UsageError:
        return 0


def ordered(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the attempts of a student, first to last: by the number on them, or else by their time.

    Where a number stands on two works, counting began anew in a workspace that was reset: the time says more.
    """
    works = {(one.number, one.sha256) for one in attempts}
    is_counted = len({one.number for one in attempts}) == len(works)
    if is_counted and all(one.number is not None for one in attempts):
        return sorted(attempts, key=lambda one: (one.number or 0, _counting(one.place)))
    return sorted(attempts, key=lambda one: (one.time or _LONG_AGO, _counting(one.place)))


def _counting(name: str) -> list[tuple[int, str]]:
    """Return what a name is sorted by: 10 stands after 9."""
    return [(int(one), "") if one.isdecimal() else (-1, one) for one in re.split(r"([0-9]{1,18})", name)]


def last(attempts: Sequence[Attempt]) -> int:
    """Return which attempt counts where the last does: the last that can be read, or simply the last."""
    readable = [index for index, one in enumerate(attempts) if one.problem is None]
    return readable[-1] if readable else len(attempts) - 1


def _found(given: Tree, listed: Sequence[Unit], folder: Path, lab: str, jobs: int) -> Iterator[_Found]:
    """Keep what each unit handed in, and yield it with what it says of itself."""
    taken: list[_Found] = []
    handed = [(unit, one) for unit in listed for one in units.handed_in(unit)]

    def kept_ones() -> Iterator[Asked]:
        for unit, one in handed:
            attempt = _kept(given, one, folder, lab)
            taken.append(_Found(unit, one, attempt, None))
            file = folder / attempt.kept if attempt.kept else None
            yield Asked(file, one.place, is_zip=not one.is_archive or one.place.lower().endswith(".zip"))

    for number, seen in enumerate(examining.each(kept_ones(), lab, count=len(handed), jobs=jobs)):
        one = taken[number]
        # What stood in the way of reading it at all comes before what was then made of it.
        first = {"problem": one.attempt.problem} if one.attempt.problem else {}
        attempt = one.attempt.model_copy(update={**seen.changes, **first})
        yield replace(one, attempt=attempt, manifest=seen.manifest)


def _kept(given: Tree, handed: Handed, folder: Path, lab: str) -> Attempt:
    try:
        raw, problem = kept.gathered(given, handed)
    except OSError as why:
        # Ours: without anything kept, every question of it becomes an ERROR.
        return Attempt(place=handed.place, problem=f"it could not be read: {why.strerror or why}")
    digest, inside = kept.keep(folder, raw)
    number = platforms.own_number(Path(handed.place).name, lab)
    return Attempt(place=handed.place, number=number, sha256=digest, kept=inside, problem=problem)


def _told_apart(times: Sequence[datetime | None]) -> bool:
    known = [one for one in times if one]
    return len(known) == 1 or (bool(known) and max(known) - min(known) > _SAME)


def _dated(one: _Found, trusted: bool, is_zip: bool, policy: Policy) -> Attempt:
    time, clock = _time(one, trusted, is_zip)
    changes = {"time": time, "clock": clock, "late": policy.lateness(time)}
    return one.attempt.model_copy(update=changes)


def _time(one: _Found, trusted: bool, is_zip: bool) -> tuple[datetime | None, Clock]:
    """Return when it was handed in, and by whose clock: the platform's before the student's own."""
    if at := one.unit.who[0].time:
        return at, "gradescope"
    if is_zip and trusted and one.handed.time:
        return one.handed.time, "archive"
    if one.manifest:
        return one.manifest.time, "student"
    if trusted and one.handed.time:
        # A copy of a folder may have new dates: they count only where nothing else is known.
        return one.handed.time, "file"
    return None, "none"


def _keyed(students: Sequence[Student]) -> tuple[Student, ...]:
    """Give each student a key of their own, the same in any order; a number only where it must be."""
    shared = Counter(one.name.casefold() for one in students)
    keyed: dict[str, Student] = {}
    for one in sorted(students, key=lambda one: (one.name.casefold(), one.name, one.id, one.folder)):
        key = one.name if shared[one.name.casefold()] == 1 else f"{one.name} ({one.id or one.folder})"
        number = 2
        free = key
        while free.casefold() in keyed:
            free, number = f"{key} ({number})", number + 1
        keyed[free.casefold()] = one.model_copy(update={"key": free})
    return tuple(sorted(keyed.values(), key=lambda one: (comparing.alphabetical(one.key), one.key)))
