"""Moodle's offline grading worksheet: the file that the teacher downloaded, with the marks filled in.

Moodle finds columns by their headers in the language of the teacher's interface, matches a row by the number
at the end of its identifier, and skips in silence what it does not like. So the headers are read and never
written, only cells of the grade column change, and every row that Moodle would skip is named. The rules are
those of Moodle's ``assignfeedback_offline`` (process_import_grades).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domains.errors import UsageError
from grader.export import cells
from grader.export.cells import Cell, Cells
from grader.export.rows import Export, Notice, Row, Sheet
from grader.results.score import OUT_OF

# What Moodle calls its columns in French and in English, by what we call them.
HEADERS = {
    "identifier": ("identifier", "identifiant"),
    "name": ("full name", "nom complet"),
    "email": ("email address", "adresse de courriel", "adresse email", "adresse e-mail"),
    "idnumber": ("id number", "numero d'identification", "numero id"),
    "username": ("username", "nom d'utilisateur"),
    "grade": ("grade", "note"),
    "maximum": ("maximum grade", "note maximale"),
    "changeable": ("grade can be changed", "la note peut etre modifiee"),
    "modified": ("last modified (grade)", "derniere modification (note)"),
}
_NEEDED = ("identifier", "grade", "modified")
_NO = ("no", "non")
_NOTHING = ("", "-")
# The months that PHP's strtotime knows, which Moodle reads the worksheet's dates with.
_ENGLISH = re.compile(
    r"\b(january|february|march|april|may|june|july|august|september|october|november|december)\b"
)


@dataclass(frozen=True)
class Worksheet:
    """A worksheet and its columns by our names for them; ``lines`` are its rows below the header."""

    cells: Cells
    columns: Mapping[str, int]

    @property
    def lines(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Walk the rows that hold something, with their numbers in ``cells.rows``."""
        return ((at, row) for at, row in enumerate(self.cells.rows) if at and any(one.text for one in row))

    def cell(self, row: Sequence[Cell], column: str) -> Cell | None:
        """Return a row's cell in a column; None where the column or the cell is not there."""
        at = self.columns.get(column)
        return row[at] if at is not None and at < len(row) else None

    def text(self, row: Sequence[Cell], column: str) -> str:
        """Return what a row says in a column, or nothing."""
        cell = self.cell(row, column)
        return cell.text.strip() if cell else ""


def read(file: Path) -> Worksheet:
    """Read a worksheet; raises :class:`UsageError` when the columns that Moodle needs are not in it."""
    found = cells.read(file)
    head = [_plain(one.text) for one in found.rows[0]] if found.rows else []
    columns = {
        column: at
        for column, names in HEADERS.items()
        if (at := next((at for at, one in enumerate(head) if one in names), None)) is not None
    }
    if missing := [" / ".join(HEADERS[one]) for one in _NEEDED if one not in columns]:
        raise UsageError(
            f"{file} is no grading worksheet of Moodle's: no column {'; '.join(missing)}",
            remedy="in Moodle, download the grading worksheet of the assignment, in French or in English",
        )
    return Worksheet(found, columns)


def filled(sheet: Sheet, worksheet: Worksheet) -> Export:
    """Return the worksheet with the marks of the class in it, and who will have none in Moodle, and why."""
    matched = _matched(sheet.rows, worksheet)
    left: list[Notice] = []
    notes: list[Notice] = list(sheet.remarks())
    for row in sheet.rows:
        if row.student not in matched:
            left.append(Notice(row.shown, "no such student in the worksheet"))
            continue
        line = worksheet.cells.rows[matched[row.student]]
        if why := sheet.why_none(row):
            left.append(Notice(row.shown, f"{why}: left as it was"))
        elif why := _locked(worksheet, line):
            left.append(Notice(row.shown, why))
        else:
            _fill(sheet, row, worksheet, line)
            if _key("identifier", worksheet.text(line, "identifier")) != row.id:
                notes.append(Notice(row.shown, _found_by(row, worksheet, line)))
            notes += [Notice(row.shown, why) for why in _skipped(sheet, row, worksheet, line)]
    ours = set(matched.values())
    left += [
        Notice(
            worksheet.text(line, "name") or worksheet.text(line, "identifier"),
            "nothing handed in: left as it was",
        )
        for at, line in worksheet.lines
        if at not in ours
    ]
    return Export({worksheet.cells.file.name: worksheet.cells.write()}, tuple(left), tuple(notes))


def keys(rows: Sequence[Row], worksheet: Worksheet, by: str) -> dict[str, str]:
    """Return the e-mail address, ID number or user name of each student, as the worksheet has it."""
    if by not in worksheet.columns:
        raise UsageError(
            f"{worksheet.cells.file} has no column for {by}",
            remedy="download it as a teacher who may see it, or match --by email",
        )
    matched = _matched(rows, worksheet)
    return {student: worksheet.text(worksheet.cells.rows[at], by) for student, at in matched.items()}


def _matched(rows: Sequence[Row], worksheet: Worksheet) -> dict[str, int]:
    """Return the row of each student: by Moodle's number, else by address, else by a name that is unique."""
    found: dict[str, int] = {}
    taken: set[int] = set()
    ways: tuple[tuple[str, Callable[[Row], str]], ...] = (
        ("identifier", lambda row: row.id),
        ("email", lambda row: _plain(row.email)),
        ("name", lambda row: _plain(row.name)),
    )
    for column, own in ways:
        there: dict[str, list[int]] = {}
        for at, line in worksheet.lines:
            there.setdefault(_key(column, worksheet.text(line, column)), []).append(at)
        asked = Counter(own(row) for row in rows)
        for row in rows:
            key = own(row)
            places = there.get(key, [])
            # Two students of one name cannot be told apart: a mark must not go to the wrong one.
            is_certain = bool(key) and len(places) == 1 and asked[key] == 1 and places[0] not in taken
            if is_certain and row.student not in found:
                found[row.student] = places[0]
                taken.add(places[0])
    return found


def _found_by(row: Row, worksheet: Worksheet, line: Sequence[Cell]) -> str:
    same = bool(row.email) and _plain(row.email) == _plain(worksheet.text(line, "email"))
    how = "address" if same else "name, which nobody else has"
    return f"found by {how}, for the number is not known: {worksheet.text(line, 'identifier')}"


def _key(column: str, text: str) -> str:
    if column != "identifier":
        return _plain(text)
    number = re.search(r"(\d+)$", text)
    return number[1] if number else ""


def _fill(sheet: Sheet, row: Row, worksheet: Worksheet, line: Sequence[Cell]) -> None:
    value = sheet.mark(row, _maximum(worksheet, line))
    cell = worksheet.cell(line, "grade")
    assert value is not None and cell is not None  # noqa: S101, PT018  who has no mark does not come here
    if not _same(value, cell.text):
        said = f"{value:.2f}"
        worksheet.cells.replace(cell, said.replace(".", ",") if _has_comma(worksheet, line) else said)


def _skipped(sheet: Sheet, row: Row, worksheet: Worksheet, line: Sequence[Cell]) -> Iterator[str]:
    """Say why Moodle would skip a row that was filled in."""
    maximum = _maximum(worksheet, line)
    value = sheet.mark(row, maximum)
    before = worksheet.text(line, "grade")
    modified = worksheet.text(line, "modified")
    if value is not None and _same(value, before):
        yield f"unchanged: {before} is there already"
    if value is not None and value < 0:
        yield "negative: Moodle takes no mark below 0"
    if value is not None and value > maximum:
        yield f"above the maximum ({value:g} > {maximum:g})"
    if modified not in _NOTHING and not _ENGLISH.search(_plain(modified)):
        yield (
            f"stale: Moodle reads dates in English alone, and {modified!r} is none: when importing, tick "
            "that records modified more recently in Moodle may be updated"
        )


def _locked(worksheet: Worksheet, line: Sequence[Cell]) -> str:
    if len(line) <= max(worksheet.columns[one] for one in _NEEDED):
        return "its row in the worksheet is cut short: left as it was"
    is_locked = _plain(worksheet.text(line, "changeable")) in _NO
    return "locked: Moodle says that the grade cannot be changed; left as it was" if is_locked else ""


def _maximum(worksheet: Worksheet, line: Sequence[Cell]) -> float:
    said = _number(worksheet.text(line, "maximum"))
    return OUT_OF if said is None or said <= 0 else said


def _has_comma(worksheet: Worksheet, line: Sequence[Cell]) -> bool:
    """Say whether the worksheet writes numbers as French does."""
    return "," in worksheet.text(line, "maximum") + worksheet.text(line, "grade")


def _same(value: float, before: str) -> bool:
    there = _number(before)
    return there is not None and round(there, 2) == round(value, 2)


def _number(text: str) -> float | None:
    plain = re.sub(r"\s", "", text).replace(",", ".")
    return float(plain) if re.fullmatch(r"-?\d+(\.\d+)?", plain) else None


def _plain(text: str) -> str:
    """Return text as headers and names are compared: without accents, case and doubled spaces."""
    apart = unicodedata.normalize("NFKD", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    letters = "".join(one for one in apart if not unicodedata.combining(one))
    return " ".join(letters.casefold().split())
