"""A CSV of students and machines, as spreadsheets write it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains.document import nearest
from domains.errors import InputError, Position
from grader.fleet.inventory.model import Machine
from grader.fleet.inventory.places import is_account, is_address, is_name, named, port

_COLUMNS = ("student", "host", "user", "port", "room", "account")
_NEEDED = ("student", "host")
# A spreadsheet in French writes semicolons; what is copied out of one has tabs.
_SEPARATORS = (",", ";", "\t")


def is_one(file: Path, text: str) -> bool:
    """Return whether a file is a CSV: by its name, or by a first line that names both needed columns."""
    first = _first(text)
    names = {name.strip().casefold() for name in first.split(_separator(first))}
    return file.suffix.lower() == ".csv" or names >= set(_NEEDED)


def machines(file: Path, text: str) -> tuple[Machine, ...]:
    """Return the machines of a CSV; raises :class:`InputError` with the place of what is wrong."""
    split = _separator(_first(text))
    records = _records(file, text, split)
    line, header = next(records, (1, []))
    names = _columns(file, line, header, split)
    found: dict[str, Machine] = {}
    for line, cells in records:
        _seat(found, _Row(file, line, names, cells, split))
    return tuple(found.values())


def _first(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip() and not _says_separator(line)), "")


def _says_separator(line: str) -> bool:
    """Return whether a line is Excel's own, which says by what cells are parted."""
    return line.casefold().startswith("sep=") and len(line.strip()) <= len("sep=;")


def _separator(first: str) -> str:
    return max(_SEPARATORS, key=first.count)


def _records(file: Path, text: str, split: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not empty, each with the line on which it begins."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=split, strict=True)
    while True:
        began = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as bad:
            unclosed = "a quotation mark is opened and not closed"
            problem = unclosed if "end of data" in str(bad) else f"not valid CSV: {bad}"
            raise InputError(problem, where=Position(file, began, 1)) from bad
        if any(cell.strip() for cell in row) and not (began == 1 and _says_separator(split.join(row))):
            yield began, row


def _columns(file: Path, line: int, header: list[str], split: str) -> list[str]:
    names = [name.strip().casefold() for name in header]
    while names and not names[-1]:
        names.pop()
    for index, name in enumerate(names):
        if name not in _COLUMNS or name in names[:index]:
            problem = f"a second column {name!r}" if name in _COLUMNS else f"there is no column {name!r}"
            guess = nearest(name, _COLUMNS) if name not in _COLUMNS else None
            raise InputError(
                problem,
                where=Position(file, line, _column(header, index, split)),
                remedy=f"did you mean {guess}?" if guess else f"columns are {', '.join(_COLUMNS)}",
            )
    for name in _NEEDED:
        if name not in names:
            raise InputError(
                f"the first line names no column {name}",
                where=Position(file, line, 1),
                remedy=f"begin with: {','.join(_COLUMNS)} (only student and host are needed)",
            )
    return names


@dataclass(frozen=True)
class _Row:
    """A record of a CSV: its cells by the names of their columns, and where each stands."""

    file: Path
    line: int
    names: list[str]
    cells: list[str]
    split: str

    def get(self, name: str) -> str:
        at = self.names.index(name) if name in self.names else len(self.cells)
        return self.cells[at].strip() if at < len(self.cells) else ""

    def error(self, name: str, problem: str, remedy: str | None = None) -> InputError:
        at = self.names.index(name) if name in self.names else 0
        where = Position(self.file, self.line, _column(self.cells, at, self.split))
        return InputError(problem, where=where, remedy=remedy)


def _column(cells: list[str], index: int, split: str) -> int:
    """Return the column at which a cell begins, if none before it is quoted."""
    return sum(len(cell) + len(split) for cell in cells[:index]) + 1


def _seat(found: dict[str, Machine], row: _Row) -> None:
    """Add a record of a CSV to the machines."""
    _refuse_bad_cells(row)
    host, user, said, room, account = (row.get(name) for name in _COLUMNS[1:])
    student, address = named(row.get("student")), host.strip("[]")
    variables: dict[str, Any] = {"ansible_host": address}
    if user:
        variables |= {"ansible_user": user, "ansible_become": user != "root"}
    if said:
        variables["ansible_port"] = port(said)
    # Names of machines are the same in capitals.
    key = address.casefold()
    before = found.get(key)
    if before is None:
        found[key] = Machine(address, (student,), (room,) if room else (), account, variables)
        return
    if student in before.students:
        raise row.error("student", f"{student} sits at {before.name} twice")
    if before.variables != {**variables, "ansible_host": before.name}:
        raise row.error("user", f"{host} is reached in two ways", "give all its lines one user and port")
    if before.account != account:
        raise row.error("account", f"{host} has two accounts", "give all its lines one account")
    found[key] = Machine(
        before.name, (*before.students, student), before.rooms, before.account, before.variables
    )


def _refuse_bad_cells(row: _Row) -> None:
    if any(cell.strip() for cell in row.cells[len(row.names) :]):
        where = Position(row.file, row.line, _column(row.cells, len(row.names), row.split))
        raise InputError(f"{len(row.cells)} cells, and {len(row.names)} columns", where=where)
    student, host = row.get("student"), row.get("host")
    if not is_name(named(student)):
        raise row.error("student", f"{student!r} is no name of a student")
    if not is_address(host.removeprefix("[").removesuffix("]") if ":" in host else host):
        raise row.error("host", f"{host!r} is no name or address of a machine")
    for name in ("user", "account"):
        if row.get(name) and not is_account(row.get(name)):
            raise row.error(name, f"{row.get(name)!r} is no account")
    if row.get("port") and port(row.get("port")) is None:
        raise row.error("port", f"{row.get('port')!r} is no port", "a port is a number from 1 to 65535")
