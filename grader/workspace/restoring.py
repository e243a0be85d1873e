"""Put a workspace's own files back to what ``tdlab start`` made; the student's go to a dated backup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from domains import files
from domains.errors import UsageError
from grader.lab.questions import DomainQuestion, Question, file_of
from grader.submission import history
from grader.submission.answers import ANSWERS_FILE
from grader.submission.history import Event
from grader.workspace import answer_file
from grader.workspace.workspace import Workspace

BACKUP = "backup"


def question(place: Workspace, asked: Question) -> list[Path]:
    """Put the place of one answer back to empty; return what was kept in the backup."""
    if file := file_of(asked):
        return _moved(place, [place.folder / file])
    written = place.folder / ANSWERS_FILE
    text = answer_file.text(place.lab, place.identity.student, place.identity.lang)
    if not written.is_file():
        files.write_whole(written, text)
        return []
    fresh = _entry(text.splitlines(keepends=True), asked.id)
    if fresh is None:
        raise UsageError(f"{asked.id} has no place of its own in {ANSWERS_FILE}")
    lines = written.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    entry = _entry(lines, asked.id)
    first, last = entry or (len(lines), len(lines))
    wanted = text.splitlines(keepends=True)[slice(*fresh)]
    if lines[first:last] == wanted:
        return []
    # A copy first: killed in between, both are there.
    kept = _backup(place) / ANSWERS_FILE
    files.write_whole(kept, written.read_bytes())
    if entry is None and lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    files.write_whole(written, "".join([*lines[:first], *wanted, *lines[last:]]))
    _remember(place, asked.id)
    return [kept]


def domains(place: Workspace) -> list[Path]:
    """Move the domains that the student wrote to the backup; return what was kept there."""
    asked = {place.folder / one.file for one in place.lab if isinstance(one, DomainQuestion)}
    found = {file for one in asked for file in one.parent.glob("*") if file.is_file() or file.is_symlink()}
    return _moved(place, sorted(found))


def _moved(place: Workspace, wanted: Sequence[Path]) -> list[Path]:
    there = [file for file in wanted if file.is_file() or file.is_symlink()]
    if not there:
        return []
    backup = _backup(place)
    kept = []
    for file in there:
        target = backup / file.relative_to(place.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        _remember(place, file.relative_to(place.folder).as_posix())
        kept.append(target)
    return kept


def _entry(lines: list[str], question_id: str) -> tuple[int, int] | None:
    """Return the lines of an answer, from its key to the next key, comment or heading."""
    key = re.compile(rf"  {re.escape(question_id)}\s*:")
    first = next((at for at, line in enumerate(lines) if key.match(line)), None)
    if first is None:
        return None
    last = first + 1
    while last < len(lines) and (lines[last].startswith("   ") or not lines[last].strip()):
        last += 1
    while last > first + 1 and not lines[last - 1].strip():
        last -= 1
    return first, last


def _backup(place: Workspace, now: datetime | None = None) -> Path:
    """Return a new folder for what is taken out of a workspace now."""
    stamp = (now or datetime.now()).strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        folder = place.folder / BACKUP / (f"{stamp}-{number}" if number else stamp)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise UsageError(f"{place.folder / BACKUP} is full of folders of this second", remedy="try again")


def _remember(place: Workspace, about: str) -> None:
    history.add(place.folder, Event(what="reset", time=history.now(), about=about))
