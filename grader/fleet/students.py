"""What machines say of their students: keys, noted when first seen, and how far each is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains import files
from grader.fleet.board import Row

_KEYS = "keys.json"


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


def keys(home: Path) -> dict[str, str]:
    """Return the public key of each student (slug), as it was first seen."""
    try:
        found: dict[str, str] = json.loads((home / _KEYS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def note_keys(home: Path, rows: Iterable[Row]) -> None:
    """Note the keys of students that were not known yet; one that is known is never replaced."""
    known = keys(home)
    found = {
        words[1]: words[2]
        for row in rows
        for line in row.said
        if (words := line.split(" ", 2))[0] == "key" and len(words) > 2
    }
    if found.keys() - known.keys():
        files.write_whole(home / _KEYS, json.dumps({**found, **known}, indent=1) + "\n")


def _number(said: dict[str, list[str]], name: str) -> int:
    first = next(iter(said.get(name, ())), "")
    return int(first) if first.isdecimal() and len(first) < 16 else 0
