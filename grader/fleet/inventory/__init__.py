"""Who sits where: a CSV of students and machines, or an inventory of Ansible's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from domains.errors import InputError, Position, UsageError
from grader.fleet.inventory import ansibles, spreadsheet
from grader.fleet.inventory.model import Inventory, Machine
from grader.fleet.inventory.places import folded, place, text_of

__all__ = ["Inventory", "Machine", "read"]

_MAX_BYTES = 2**20
_EMPTY = "a first line student,host and a line for each student; or an inventory of Ansible's own"


def read(file: Path, vault: Path | None = None) -> Inventory:
    """Read who sits where; ``vault`` holds the password of an inventory that is encrypted.

    Raises :class:`InputError` with the position of what is wrong.
    """
    try:
        raw = file.read_bytes() if file.stat().st_size <= _MAX_BYTES else None
    except OSError as why:
        raise UsageError(f"{file} cannot be read: {why.strerror}") from why
    if raw is None:
        raise UsageError(f"{file} is larger than {_MAX_BYTES:,} bytes")
    text = text_of(file, raw)
    if not text.strip():
        raise InputError("it is empty", where=Position(file, 1, 1), remedy=f"write {_EMPTY}")
    if spreadsheet.is_one(file, text):
        found = Inventory(file, spreadsheet.machines(file, text), is_ansible=False)
    else:
        found = ansibles.inventory(file, text, vault)
    if not found.machines:
        raise InputError("it names no machine", where=Position(file, 1, 1), remedy=f"write {_EMPTY}")
    for problem, name in _doubled(found.machines):
        raise InputError(problem, where=place(file, text, name), remedy="if they are two, tell them apart")
    return found


def _doubled(machines: tuple[Machine, ...]) -> Iterator[tuple[str, str]]:
    """Yield each student and each machine that is there twice under two names, and what to look for.

    A student's workspace, key and marks go by their name: two of the same name would share them. Two
    deployments to one machine at once would undo each other.
    """
    students: dict[str, str] = {}
    reached: dict[tuple[str, ...], str] = {}
    for one in machines:
        if before := reached.get(one.reached):
            yield f"{before} and {one.name} are one machine: both are {one.reached[0]}", one.name
        reached[one.reached] = one.name
        for student in one.students:
            if before := students.get(folded(student)):
                yield f"{student} sits at {before} and at {one.name}", one.name
            students[folded(student)] = one.name
