"""Who sits where: a CSV of students and machines, or an inventory of Ansible's own."""

from __future__ import annotations

import csv
import fnmatch
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from domains.document import nearest
from domains.errors import InputError, Position, UsageError

_COLUMNS = ("student", "host", "user", "port", "room", "account")
_NEEDED = ("student", "host")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,252}")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
_MAX_BYTES = 2**20
_REASON = re.compile(r"^Failed to parse inventory: (.+)$", re.MULTILINE)
_QUOTED = re.compile(r"(\[[^\]]+\])|got: (\S+)|'([^']+)'")
_NOBODY = frozenset({"all", "ungrouped"})


@dataclass(frozen=True)
class Machine:
    """One machine: who works on it, under which account, and how Ansible reaches it (its variables)."""

    name: str
    students: tuple[str, ...]
    rooms: tuple[str, ...] = ()
    account: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Inventory:
    """The machines of a file, in its order; ``is_ansible`` where Ansible is to read the file too."""

    file: Path
    machines: tuple[Machine, ...]
    is_ansible: bool

    def limited(self, limit: str | None) -> Inventory:
        """Return the machines that a limit names: hosts, rooms or students, with ``*``, and ``!`` for not.

        Raises :class:`UsageError` for a word that names nothing.
        """
        if not limit:
            return self
        words = [word for word in re.split(r"[,\s]+", limit) if word]
        wanted = {one.name for word in words if not word.startswith("!") for one in self._named(word)}
        if not any(not word.startswith("!") for word in words):
            wanted = {one.name for one in self.machines}
        wanted -= {one.name for word in words if word.startswith("!") for one in self._named(word[1:])}
        kept = tuple(one for one in self.machines if one.name in wanted)
        if not kept:
            raise UsageError(f"--limit {limit} leaves no machine of {self.file}")
        return Inventory(self.file, kept, self.is_ansible)

    def _named(self, word: str) -> list[Machine]:
        found = [
            one
            for one in self.machines
            if any(fnmatch.fnmatchcase(name, word) for name in (one.name, *one.rooms, *one.students))
        ]
        if not found:
            known = {name for one in self.machines for name in (one.name, *one.rooms, *one.students)}
            guess = nearest(word, sorted(known))
            raise UsageError(
                f"--limit: {self.file} has no machine, room or student {word!r}",
                remedy=f"did you mean {guess}?" if guess else None,
            )
        return found


def read(file: Path) -> Inventory:
    """Read who sits where; raises :class:`InputError` with the position of what is wrong."""
    try:
        raw = file.read_bytes() if file.stat().st_size <= _MAX_BYTES else None
    except OSError as why:
        raise UsageError(f"{file} cannot be read: {why.strerror}") from why
    if raw is None:
        raise UsageError(f"{file} is larger than {_MAX_BYTES:,} bytes")
    if file.suffix.lower() == ".csv":
        machines = _of_csv(file, raw)
        is_ansible = False
    else:
        machines, is_ansible = _of_ansible(file, raw), True
    if not machines:
        raise InputError("it names no machine", where=Position(file, 1, 1))
    _refuse_one_student_twice(file, machines)
    return Inventory(file, machines, is_ansible)


def _refuse_one_student_twice(file: Path, machines: tuple[Machine, ...]) -> None:
    """A student's workspace, key and marks go by their name: two of the same name would share them."""
    at: dict[str, str] = {}
    for one in machines:
        for student in one.students:
            if before := at.get(student.casefold()):
                raise InputError(
                    f"{student} sits at {before} and at {one.name}",
                    where=_place(file, file.read_text(encoding="utf-8-sig"), one.name),
                    remedy="if they are two, add something that tells them apart",
                )
            at[student.casefold()] = one.name


def _of_csv(file: Path, raw: bytes) -> tuple[Machine, ...]:
    text = _text(file, raw.removeprefix(b"\xef\xbb\xbf"))
    first = text.partition("\n")[0]
    # A spreadsheet in French writes semicolons.
    split = ";" if first.count(";") > first.count(",") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=split, strict=True)
    try:
        names = _columns(file, next(rows, []), split)
        found: dict[str, Machine] = {}
        for row in rows:
            if any(cell.strip() for cell in row):
                _seat(found, _Row(file, rows.line_num, names, row, split))
    except csv.Error as bad:
        raise InputError(f"not valid CSV: {bad}", where=Position(file, rows.line_num, 1)) from bad
    return tuple(found.values())


def _columns(file: Path, header: list[str], split: str) -> list[str]:
    names = [name.strip().casefold() for name in header]
    for index, name in enumerate(names):
        if name not in _COLUMNS or name in names[:index]:
            problem = f"a second column {name!r}" if name in _COLUMNS else f"there is no column {name!r}"
            guess = nearest(name, _COLUMNS)
            where = Position(file, 1, _column(header, index, split))
            raise InputError(
                problem,
                where=where,
                remedy=f"did you mean {guess}?" if guess and name not in _COLUMNS else None,
            )
    for name in _NEEDED:
        if name not in names:
            raise InputError(
                f"the first line names no column {name}",
                where=Position(file, 1, 1),
                remedy=f"begin with: {','.join(_COLUMNS)} (only student and host are needed)",
            )
    return names


@dataclass(frozen=True)
class _Row:
    """A line of a CSV: its cells by the names of their columns, and where each stands."""

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
    """Add a line of a CSV to the machines."""
    _refuse_bad_cells(row)
    student, host, user, port, room, account = (row.get(name) for name in _COLUMNS)
    variables: dict[str, Any] = {"ansible_host": host}
    if user:
        variables |= {"ansible_user": user, "ansible_become": user != "root"}
    if port:
        variables["ansible_port"] = int(port)
    before = found.get(host)
    if before is None:
        found[host] = Machine(host, (student,), (room,) if room else (), account, variables)
        return
    if student in before.students:
        raise row.error("student", f"{student} sits at {host} twice")
    if before.variables != variables:
        raise row.error("user", f"{host} is reached in two ways", "give all its lines one user and port")
    found[host] = Machine(host, (*before.students, student), before.rooms, before.account, variables)


def _refuse_bad_cells(row: _Row) -> None:
    if len(row.cells) > len(row.names):
        where = Position(row.file, row.line, _column(row.cells, len(row.names), row.split))
        raise InputError(f"{len(row.cells)} cells, and {len(row.names)} columns", where=where)
    student, host, port = row.get("student"), row.get("host"), row.get("port")
    if not student or len(student) > 120 or not student.isprintable():
        raise row.error("student", f"{student!r} is no name of a student")
    if not _HOST.fullmatch(host):
        raise row.error("host", f"{host!r} is no name or address of a machine")
    for name in ("user", "account"):
        if row.get(name) and not _ACCOUNT.fullmatch(row.get(name)):
            raise row.error(name, f"{row.get(name)!r} is no account")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise row.error("port", f"{port!r} is no port", "a port is a number from 1 to 65535")


def _of_ansible(file: Path, raw: bytes) -> tuple[Machine, ...]:
    """Have Ansible read its own inventory; ``tdlab_students`` and ``tdlab_account`` are read from it."""
    text = _text(file, raw)
    if file.suffix.lower() in {".yml", ".yaml"}:
        _refuse_bad_yaml(file, text)
    from domains import many_hosts

    listed, complaint = many_hosts.listed(file)
    if listed is None:
        raise _ini_error(file, text, complaint)
    variables: dict[str, dict[str, Any]] = listed.get("_meta", {}).get("hostvars", {})
    rooms: dict[str, list[str]] = {}
    order: dict[str, None] = {}
    for group, content in listed.items():
        for host in content.get("hosts", ()) if isinstance(content, dict) else ():
            order.setdefault(host)
            if group not in _NOBODY:
                rooms.setdefault(host, []).append(group)
    for host in variables:
        order.setdefault(host)
    return tuple(
        Machine(
            host,
            tuple(_students(file, text, host, variables.get(host, {}))),
            tuple(rooms.get(host, ())),
            str(variables.get(host, {}).get("tdlab_account", "")),
            variables.get(host, {}),
        )
        for host in order
    )


def _students(file: Path, text: str, host: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """Yield the students of a machine: a name, or a list of them."""
    said = variables.get("tdlab_students", variables.get("tdlab_student", []))
    for name in [said] if isinstance(said, str) else said if isinstance(said, list) else [said]:
        if not isinstance(name, str) or not name or len(name) > 120 or not name.isprintable():
            raise InputError(
                f"{name!r} is no name of a student, at {host}",
                where=_place(file, text, host),
                remedy="write tdlab_students: [a name, another name]",
            )
        yield name


def _refuse_bad_yaml(file: Path, text: str) -> None:
    """Say where YAML is broken: of what is valid, Ansible knows more (vaults, anchors) than we do."""
    try:
        yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark or bad.context_mark
        where = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)
        raise InputError(f"not valid YAML: {bad.problem or bad.context}", where=where) from bad


def _ini_error(file: Path, text: str, complaint: str) -> InputError:
    """Return what Ansible complains of, at the word that it quotes: it names no line."""
    reasons = _REASON.findall(complaint)
    if not reasons:
        last = complaint.strip().splitlines()[-1:] or ["no reason given"]
        return InputError(f"Ansible cannot read it: {last[0]}", where=Position(file, 1, 1))
    quoted = _QUOTED.search(reasons[-1])
    where = _place(file, text, next(filter(None, quoted.groups()))) if quoted else Position(file, 1, 1)
    return InputError(f"Ansible cannot read it: {reasons[-1]}", where=where)


def _place(file: Path, text: str, word: str) -> Position:
    """Return where a word first stands in a file, or its beginning."""
    at = text.find(word)
    if at < 0:
        return Position(file, 1, 1)
    return Position(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _text(file: Path, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        line = raw.count(b"\n", 0, bad.start) + 1
        column = bad.start - raw.rfind(b"\n", 0, bad.start)
        raise InputError("not UTF-8", where=Position(file, line, column), remedy="save it as UTF-8") from bad
    if "\0" in text:
        raise InputError("it holds a NUL", where=_place(file, text, "\0"))
    return text
