"""What both kinds of inventory are read with: text and places in it, names, addresses and ports."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from pathlib import Path

from domains.errors import InputError, Position

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
_MAX_NAME = 120


def text_of(file: Path, raw: bytes) -> str:
    """Return a file as text; raises :class:`InputError` where it is none."""
    if raw.startswith(b"PK\x03\x04"):
        where = Position(file, 1, 1)
        raise InputError("it is a spreadsheet's own format", where=where, remedy="save it as CSV (UTF-8)")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        line = raw.count(b"\n", 0, bad.start) + 1
        column = bad.start - raw.rfind(b"\n", 0, bad.start)
        raise InputError("not UTF-8", where=Position(file, line, column), remedy="save it as UTF-8") from bad
    if "\0" in text:
        raise InputError("it holds a NUL", where=place(file, text, "\0"))
    return text


def place(file: Path, text: str, word: str) -> Position:
    """Return where a word first stands in a file, whole if it does so anywhere, or the file's beginning."""
    whole = re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.\w)", text)
    at = whole.start() if whole else text.find(word)
    if at < 0:
        return Position(file, 1, 1)
    return Position(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def named(text: str) -> str:
    """Return a student's name as it is kept: one way to write each letter, and single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def folded(name: str) -> str:
    """Return what two names have in common that nobody could tell apart."""
    return unicodedata.normalize("NFKC", name).casefold()


def is_name(text: str) -> bool:
    """Return whether a student may be called so."""
    return 0 < len(text) <= _MAX_NAME and text.isprintable()


def is_account(text: str) -> bool:
    """Return whether an account of a machine may be called so."""
    return _ACCOUNT.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Return whether a machine can be reached by this: a name, or an address of IPv4 or IPv6."""
    if not _HOST.fullmatch(text) or not text.strip("0123456789."):
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return False
    return True


def port(said: object) -> int | None:
    """Return a port, or None where it is none."""
    text = str(said).strip()
    is_number = text.isascii() and text.isdecimal() and len(text) < 6 and not isinstance(said, bool)
    return int(text) if is_number and 0 < int(text) < 65536 else None
