"""A CSV file as it lies on disk: cells can be read and replaced, and every other byte stays as it was."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from domains.errors import InputError, Position, UsageError

# A class is some thousands of rows at most, each with a comment at most.
_MAX_BYTES = 32 * 2**20
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Cell:
    """What a cell says, and where it stands in the text, its quotes included."""

    text: str
    start: int
    end: int
    is_quoted: bool


@dataclass
class Cells:
    """The cells of a file; ``write`` puts replaced ones back between bytes that nobody touched."""

    file: Path
    text: str
    encoding: str
    mark: bytes
    delimiter: str
    rows: list[list[Cell]]
    _new: dict[int, tuple[Cell, str]] = field(default_factory=dict)

    def replace(self, cell: Cell, text: str) -> None:
        """Put a text into a cell, quoted as it was, or where the text needs it."""
        needs = any(one in text for one in (self.delimiter, '"', "\r", "\n"))
        doubled = text.replace('"', '""')
        self._new[cell.start] = (cell, f'"{doubled}"' if cell.is_quoted or needs else text)

    def write(self) -> bytes:
        """Return the file with what was replaced."""
        parts, at = [], 0
        for start in sorted(self._new):
            cell, text = self._new[start]
            parts += [self.text[at:start], text]
            at = cell.end
        return self.mark + "".join([*parts, self.text[at:]]).encode(self.encoding)

    def where(self, row: int) -> Position:
        """Return where a row begins."""
        before = self.text[: self.rows[row][0].start]
        return Position(self.file, 1 + len(re.findall(r"\r\n|\r|\n", before)), 1)


def read(file: Path) -> Cells:
    """Read a CSV file; raises :class:`UsageError` when it is none, or InputError at an open quote."""
    try:
        size = file.stat().st_size
        raw = file.read_bytes() if size <= _MAX_BYTES else b""
    except OSError as why:
        raise UsageError(f"{file} cannot be read: {why.strerror}") from why
    if size > _MAX_BYTES:
        raise UsageError(f"{file} is larger than {_MAX_BYTES:,} bytes", remedy="name the worksheet itself")
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw:
        raise UsageError(
            f"{file} is not UTF-8 text", remedy="save it as CSV UTF-8, or download the worksheet again"
        )
    body = raw[len(mark) :]
    try:
        text, encoding = body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        # A spreadsheet in western Europe saves a CSV file like this.
        try:
            text, encoding = body.decode("cp1252"), "cp1252"
        except UnicodeDecodeError as bad:
            raise UsageError(f"{file} is not UTF-8 text", remedy="download the worksheet again") from bad
    first = next(iter(re.split(r"[\r\n]", text)), "")
    delimiter = max(_DELIMITERS, key=first.count)
    cells = Cells(file, text, encoding, mark, delimiter, [])
    cells.rows.extend(_rows(text, delimiter, file))
    return cells


def _rows(text: str, delimiter: str, file: Path) -> Iterator[list[Cell]]:
    row: list[Cell] = []
    at = 0
    while at < len(text):
        cell = _cell(text, at, delimiter, file)
        row.append(cell)
        at = cell.end
        if at < len(text) and text[at] == delimiter:
            at += 1
            if at == len(text):
                row.append(Cell("", at, at, is_quoted=False))
            continue
        yield row
        row = []
        at += 2 if text.startswith("\r\n", at) else 1
    if row:
        yield row


def _cell(text: str, at: int, delimiter: str, file: Path) -> Cell:
    if not text.startswith('"', at):
        end = re.compile(f"[^{re.escape(delimiter)}\r\n]*").match(text, at)
        assert end is not None  # noqa: S101  it matches nothing too
        return Cell(end[0], at, end.end(), is_quoted=False)
    quoted = re.compile(r'"((?:[^"]|"")*)"' + f"([^{re.escape(delimiter)}\\r\\n]*)").match(text, at)
    if quoted is None:
        line = text.count("\n", 0, at) + 1
        column = at - (text.rfind("\n", 0, at) + 1) + 1
        raise InputError(
            "this quote is never closed",
            where=Position(file, line, column),
            remedy="download the worksheet again",
        )
    return Cell(quoted[1].replace('""', '"') + quoted[2], at, quoted.end(), is_quoted=True)
