"""The files of a class as it was downloaded: a folder, or one ZIP; nothing of it is extracted or followed.

What may not be there (a link, a name that climbs, a bomb) is refused by itself: it belongs to one student,
and the others are graded all the same.
"""

from __future__ import annotations

import contextlib
import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from domains.errors import UsageError
from grader.classroom.source import platforms
from grader.language.inert import inert
from grader.submission.answers import ANSWERS_FILE
from grader.submission.archives import DAMAGED, ArchiveRefused, safe_name
from grader.submission.sources import SUFFIXES, Folder

MAX_CLASS = 8 * 2**30
MAX_MEMBERS = 100_000
MAX_FILE = 32 * 2**20
_MAX_UNPACKED = 16 * 2**30
_MAX_RATIO = 200
_SMALL = 2**20
_MAX_DEPTH = 16
_SHOWN = 200
_END, _LOCATOR64, _END64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
# The end of the directory with the longest comment, and what a member takes in the directory.
_TAIL, _MEMBER = 2**16 + 22 + 20 + 56, 400
# The earliest date that a zip file can hold: it stands for none.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Entry:
    """One file of a class; ``refused`` says why it is not to be read, ``time`` is when it was handed in."""

    path: str
    size: int
    time: datetime | None
    refused: str = ""
    is_folder: bool = False

    @property
    def top(self) -> str:
        """Return the first step of the path."""
        return self.path.partition("/")[0]


class Tree(Protocol):
    """Gives the files of a class."""

    def entries(self) -> list[Entry]:
        """Return all files, in no order that means anything."""

    def read(self, entry: Entry) -> tuple[bytes | None, str]:
        """Return a file's bytes, or None and why not; raises OSError when the disk failed, which is ours."""


@contextlib.contextmanager
def opened(source: Path) -> Iterator[Tree]:
    """Open a class; raises :class:`UsageError` when it is neither a folder nor a ZIP."""
    if source.is_dir():
        yield _Directory(source)
        return
    if not source.is_file():
        raise UsageError(f"{source} does not exist", remedy="name a folder, or the ZIP of a class")
    if source.stat().st_size > MAX_CLASS:
        raise UsageError(f"{source} is larger than {MAX_CLASS >> 30} GiB")
    with source.open("rb") as stream:
        try:
            _refuse_long_directory(stream)
            archive = zipfile.ZipFile(stream)
        except (ArchiveRefused, zipfile.BadZipFile, *DAMAGED) as bad:
            raise UsageError(
                f"{source} is no ZIP of a class that can be read: {bad}",
                remedy="download it again, or unpack it yourself and name the folder",
            ) from bad
        with archive:
            yield _Zip(archive)


def _refuse_long_directory(stream: IO[bytes]) -> None:
    """Look at the directory's size before zipfile does, which reads all of it whatever its size."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read()
    at = len(tail) - 22
    if tail[at : at + 4] != _END or tail[-2:] != b"\0\0":
        at = tail.rfind(_END)
    if at < 0:
        raise ArchiveRefused("no directory at its end")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if at >= 76 and tail[at - 20 : at - 16] == _LOCATOR64 and tail[at - 76 : at - 72] == _END64:
        directory = int.from_bytes(tail[at - 36 : at - 28], "little")
    if directory > MAX_MEMBERS * _MEMBER:
        raise ArchiveRefused(f"more than {MAX_MEMBERS:,} files")


class _Directory:
    """A folder on disk; links are listed as refused, and so are devices and pipes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._source = Folder(folder)

    def entries(self) -> list[Entry]:
        """Return all files below the folder."""
        found: list[Entry] = []
        self._walk(self._folder, "", 0, found)
        return found

    def read(self, entry: Entry) -> tuple[bytes | None, str]:
        """Read one file."""
        if entry.refused:
            return None, entry.refused
        raw, why = self._source.read(entry.path, MAX_FILE)
        return raw, why or ("" if raw is not None else f"{entry.path} is gone")

    def _walk(self, folder: Path, inside: str, depth: int, found: list[Entry]) -> None:
        with os.scandir(folder) as listed:
            children = sorted(listed, key=lambda one: one.name)
        for one in children:
            if len(found) > MAX_MEMBERS:
                raise UsageError(f"{self._folder} holds more than {MAX_MEMBERS:,} files")
            status, path = one.stat(follow_symlinks=False), inside + one.name
            if stat.S_ISDIR(status.st_mode) and _is_closed(one):
                found.append(Entry(path, 0, None, is_folder=True))
                continue
            if stat.S_ISDIR(status.st_mode) and depth < _MAX_DEPTH:
                found.append(Entry(path, 0, None, is_folder=True))
                self._walk(Path(one.path), f"{path}/", depth + 1, found)
                continue
            time = datetime.fromtimestamp(status.st_mtime).astimezone().replace(microsecond=0)
            found.append(Entry(path, status.st_size, time, _unfit(path, status.st_mode)))


def _is_closed(folder: os.DirEntry[str]) -> bool:
    """Say whether a folder is only named, and not looked into: whole disks are kept behind a dot."""
    if platforms.left_behind_by(folder.name):
        return True
    if not folder.name.startswith(".") or platforms.moodle(folder.name):
        return False
    inside = Path(folder.path)
    try:
        named = list(inside.iterdir())
    except OSError:
        # It would stop the whole class, and is most likely nobody's.
        return True
    return not any(
        one.name == ANSWERS_FILE or one.name.lower().endswith(SUFFIXES) or os.path.lexists(one / ANSWERS_FILE)
        for one in named
    )


def _unfit(path: str, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return f"{path}: links are not followed; hand in the file itself"
    return "" if stat.S_ISREG(mode) else f"{path} is not a regular file"


class _Zip:
    """A ZIP: members are told apart by their place in its directory and never by their names."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members: dict[str, zipfile.ZipInfo] = {}

    def entries(self) -> list[Entry]:
        """Return all members; two of the same name are both refused."""
        members = self._archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise UsageError(f"the ZIP holds more than {MAX_MEMBERS:,} files")
        found: dict[str, Entry] = {}
        total = 0
        for member in members:
            total += member.file_size
            entry = _listed(member, total)
            key = unicodedata.normalize("NFKC", entry.path).casefold()
            key = f"{entry.top}/{key}"
            if key in found and not (entry.is_folder and found[key].is_folder):
                again = found[key]
                found[key] = replace(again, refused=f"{entry.path} is there twice", is_folder=False)
                continue
            found[key] = entry
            self._members[entry.path] = member
        return list(found.values())

    def read(self, entry: Entry) -> tuple[bytes | None, str]:
        """Read one member; what is damaged is refused."""
        if entry.refused:
            return None, entry.refused
        try:
            with self._archive.open(self._members[entry.path]) as stream:
                # What the directory says of a size is only a claim: the cap is what holds.
                raw = stream.read(MAX_FILE + 1)
        except (zipfile.BadZipFile, zlib.error, *DAMAGED) as bad:
            return None, f"{entry.path} is damaged: {bad or type(bad).__name__}"
        return (None, f"{entry.path} is larger than {MAX_FILE:,} bytes") if len(raw) > MAX_FILE else (raw, "")


def _listed(member: zipfile.ZipInfo, total: int) -> Entry:
    kind = stat.S_IFMT(member.external_attr >> 16)
    is_folder = member.is_dir() and kind in {0, stat.S_IFDIR}
    try:
        path, refused = safe_name(member.orig_filename), ""
    except ArchiveRefused as bad:
        path, refused = inert(member.orig_filename, limit=_SHOWN), str(bad)
    ratio = member.file_size / max(1, member.compress_size)
    if refused or is_folder:
        pass
    elif kind not in {0, stat.S_IFREG}:
        refused = f"{path} is a link or a device"
    elif member.flag_bits & 1 or member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        refused = f"{path} is encrypted, or packed in an unusual way"
    elif total > _MAX_UNPACKED or (member.file_size > _SMALL and ratio > _MAX_RATIO):
        refused = f"{path} would unpack to far too much"
    return Entry(path, member.file_size, _date(member), refused, is_folder and not refused)


def _date(member: zipfile.ZipInfo) -> datetime | None:
    """Return a member's date, which has no zone and is taken for this machine's."""
    if member.date_time == _NO_DATE:
        return None
    try:
        return datetime(*member.date_time).astimezone()
    except (ValueError, OverflowError, OSError):
        return None
