"""Whose a file of a class is: the names that Moodle and tdlab give to what students handed in."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import datetime

from grader.language.inert import one_line
from grader.submission.sources import SUFFIXES

# Moodle takes underscores out of names; the number is the participant's. Older ones make no folder.
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<rest>.*))?"
)
# What `tdlab submit` calls its archives, after the lab's name: student, number of the attempt.
_OURS = re.compile(r"(?P<name>.+)-(?P<number>[0-9]{1,6})")


# What nobody hands in on purpose, and who leaves it behind.
_LEFT_BEHIND = {
    ".git": "version control",
    ".hg": "version control",
    ".svn": "version control",
    ".ds_store": "macOS",
    "__macosx": "macOS",
    "thumbs.db": "Windows",
    "desktop.ini": "Windows",
}


@dataclass(frozen=True)
class Who:
    """A student as the platform names them; ``time`` is when the platform says that it was handed in."""

    name: str
    id: str = ""
    email: str = ""
    time: datetime | None = None


@functools.lru_cache(maxsize=65536)
def left_behind_by(name: str) -> str | None:
    """Return who leaves a file or folder of such a name behind, or None where people make it."""
    return "macOS" if name.startswith("._") else _LEFT_BEHIND.get(name.casefold())


def without_suffix(name: str) -> str:
    """Return a file name without the suffix of an archive."""
    suffix = next((one for one in SUFFIXES if name.lower().endswith(one)), "")
    return name[: -len(suffix)] if suffix and len(name) > len(suffix) else name


def moodle(top: str) -> Who | None:
    """Return the student of a folder or file of a Moodle download, or None."""
    match = _MOODLE.fullmatch(top)
    return Who(one_line(match["name"], limit=200), match["id"]) if match else None


def own_archive(name: str, lab: str) -> str | None:
    """Return the student in the name of an archive that ``tdlab submit`` made for a lab, or None."""
    plain, begin = without_suffix(name), f"{lab}-"
    match = _OURS.fullmatch(plain.removeprefix(begin)) if plain.startswith(begin) else None
    return match["name"] if match else None


def own_number(name: str, lab: str) -> int | None:
    """Return the number in such a name, or None."""
    return int(without_suffix(name).rpartition("-")[2]) if own_archive(name, lab) else None
