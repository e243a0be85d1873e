"""Students: what each is called in files, for good; their keys, noted when first seen; how far each is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domains import files
from grader.fleet.board import Row
from grader.fleet.inventory import Machine

_KEYS = "keys.json"
_PLACES = "students.json"
_ANY = ""
_LONGEST_KEY = 400
# The keys of each student (slug) at each machine; the last is "" where it was removed.
_Known = dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class Place:
    """What a student is called in files, and the folder of their workspace in their home."""

    slug: str
    folder: str


def placed(home: Path, lab: str, machines: Iterable[Machine]) -> dict[str, Place]:
    """Return the place of each student; what was given once stays, whoever is left out or comes later."""
    try:
        said = json.loads((home / _PLACES).read_text(encoding="utf-8"))
    except FileNotFoundError:
        said = {}
    before = {student: Place(**one) for student, one in said.items()}
    found = dict(before)
    for machine in machines:
        taken: set[str] = set()
        for student in machine.students:
            slug = found[student].slug if student in found else _slug(student, found)
            own = f"{lab}-workspace-{slug}"
            folder = own if len(machine.students) > 1 else f"{lab}-workspace"
            if student in found:
                folder = found[student].folder
            # Somebody who has come from another machine.
            folder = own if folder in taken else folder
            taken.add(folder)
            found[student] = Place(slug, folder)
    if found != before:
        home.mkdir(parents=True, exist_ok=True)
        written = {student: asdict(one) for student, one in found.items()}
        files.write_whole(home / _PLACES, json.dumps(written, ensure_ascii=False, indent=1) + "\n")
    return found


def _slug(student: str, others: Mapping[str, Place]) -> str:
    """Return a name for files, which no other student has."""
    kept = "".join(one if one.isascii() and one.isalnum() else "-" for one in student.casefold())
    plain = "-".join(word for word in kept.split("-") if word)[:40] or "student"
    if plain in {place.slug for place in others.values()}:
        plain += "-" + hashlib.sha256(student.encode()).hexdigest()[:8]
    return plain


def collected(student: str) -> str:
    """Return the folder of a class in which a student's archives go: the name, as a file may be called."""
    safe = "".join("-" if one in '/\\:*?"<>|' or not one.isprintable() else one for one in student)
    # What begins with a dot is passed over when a class is read.
    return safe.strip().lstrip(".")[:100] or "student"


@dataclass(frozen=True)
class Seen:
    """One student's place on a machine, by what it said when it was looked at."""

    slug: str
    has_workspace: bool = False
    untouched: bool = True
    archives: int = 0
    evidence: int = 0
    written: int = 0
    key: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return {
            "workspace": self.has_workspace,
            "begun": self.has_workspace and not self.untouched,
            "handed_in": self.archives,
            "evidence": self.evidence,
            "written": self.written or None,
        }


def seen(row: Row, slug: str) -> Seen:
    """Return what a machine said of one student."""
    said: dict[str, list[str]] = {}
    for line in row.said:
        words = line.split(" ", 2)
        if len(words) > 1 and words[1] == slug:
            said.setdefault(words[0], []).append(words[2] if len(words) > 2 else "")
    return Seen(
        slug,
        has_workspace="seat" in said,
        untouched="untouched" in said,
        archives=len(said.get("archive", ())),
        evidence=_number(said, "evidence"),
        written=_number(said, "written"),
        key=next(iter(said.get("key", ())), ""),
    )


def keys(home: Path) -> dict[str, set[str]]:
    """Return the public keys of each student (slug): the first that each of their machines showed."""
    return {slug: {key for one in at.values() for key in one if key} for slug, at in _keys(home).items()}


def note_keys(home: Path, seats: Mapping[str, Collection[str]], rows: Iterable[Row]) -> None:
    """Note the keys that were not known yet; one that is known is never replaced.

    ``seats`` are the students (slugs) of each machine: of others a machine has nothing to say.
    """
    known = _keys(home)
    before = json.dumps(known)
    for row in rows:
        for slug in seats.get(row.name, ()):
            noted = _noted(known, slug, row)
            if (key := seen(row, slug).key[:_LONGEST_KEY]) and (not noted or not noted[-1]):
                known.setdefault(slug, {})[row.name] = [*noted[:-1], key]
    _write_keys(home, known, before)


def forget_keys(home: Path, seats: Mapping[str, Collection[str]], rows: Iterable[Row]) -> None:
    """Note which keys went when machines were cleared: the next ones there are new, and no forgeries.

    What was signed by the old ones stays verified.
    """
    known = _keys(home)
    before = json.dumps(known)
    for row in rows:
        for slug in seats.get(row.name, ()):
            noted = _noted(known, slug, row)
            if "end" in row.said and noted and noted[-1] and not seen(row, slug).key:
                noted.append("")
    _write_keys(home, known, before)


def _noted(known: _Known, slug: str, row: Row) -> list[str]:
    at = known.get(slug, {})
    return at.get(row.name, at.get(_ANY, []))


def _keys(home: Path) -> _Known:
    """Return what is known of keys."""
    try:
        found: dict[str, Any] = json.loads((home / _KEYS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    # Until 23 November 2026 a student had one key, of whichever machine.
    return {slug: {_ANY: [one]} if isinstance(one, str) else one for slug, one in found.items()}


def _write_keys(home: Path, known: _Known, before: str) -> None:
    if json.dumps(known) != before:
        files.write_whole(home / _KEYS, json.dumps(known, indent=1) + "\n")


def _number(said: dict[str, list[str]], name: str) -> int:
    first = next(iter(said.get(name, ())), "")
    return int(first) if first.isdecimal() and len(first) < 16 else 0
