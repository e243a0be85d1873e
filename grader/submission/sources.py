"""Where a submission's files come from: a folder or an archive; only regular files, each up to a cap.

An archive is never unpacked: its members are checked one by one, and the few files that a lab asks for are
read into memory. One member that may not be there refuses the whole archive.
"""

from __future__ import annotations

import itertools
import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from grader.language.inert import one_line
from grader.submission.archives import ArchiveRefused, read_archive

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
# In an archive that was made of a folder: which of its files are not in it, and why.
LEFT_OUT_FILE = "tdlab-left-out.json"
_LEFT_OUT_CAP = 256 * 1024
_MOST_NAMES = 1000


class Source(Protocol):
    """Gives the files of one submission."""

    def read(self, name: str, cap: int) -> tuple[bytes | None, str | None]:
        """Return a file's bytes, or None and why it is not to be read (no reason: it is simply not there)."""

    def names(self) -> Sequence[str]:
        """Return what is there, to tell who misnamed a file."""


def open_source(place: Path, names: Mapping[str, int], shown: str = "") -> Source:
    """Return the source of a submission; ``names`` are the files to be read, with their caps in bytes.

    ``shown`` is the name by which the student knows an archive, when it is kept under another.
    """
    if place.is_dir():
        return Folder(place)
    return Archive(place, names, shown)


class Folder:
    """A folder as the student left it: links are not followed, and devices and pipes are not opened."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def names(self) -> Sequence[str]:
        """Return what stands in the folder itself."""
        with os.scandir(self._place) as listed:
            return sorted(one.name for one in itertools.islice(listed, _MOST_NAMES))

    def read(self, name: str, cap: int) -> tuple[bytes | None, str | None]:
        """Read one file below the folder; raises OSError when it is there and cannot be read: ours."""
        place = self._place
        mode = 0
        for step in Path(name).parts:
            place = place / step
            try:
                mode = place.lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                return None, None
            if stat.S_ISLNK(mode):
                return None, f"{name}: links are not followed; hand in the file itself"
        if not stat.S_ISREG(mode):
            return None, f"{name} is not a regular file"
        # The flags hold even if the file is exchanged for a link or a pipe just now.
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            return capped(name, stream.read(cap + 1), cap)


class Archive:
    """A zip or tar file, with the wanted files already in memory."""

    def __init__(self, place: Path, names: Mapping[str, int], shown: str = "") -> None:
        self._files: Mapping[str, bytes] = {}
        self._refused: str | None = None
        self._left_out: Mapping[str, str] = {}
        self._names: list[str] = []
        try:
            wanted = {**names, LEFT_OUT_FILE: _LEFT_OUT_CAP}
            self._files = read_archive(place, wanted, shown=shown, listed=self._names)
            self._left_out = left_out(self._files.get(LEFT_OUT_FILE))
        except ArchiveRefused as bad:
            self._refused = f"{shown or place.name}: {bad}"

    def names(self) -> Sequence[str]:
        """Return the names of all its files."""
        return self._names

    def read(self, name: str, cap: int) -> tuple[bytes | None, str | None]:
        """Return one of the wanted files; a refused archive says why for each of them."""
        raw = self._files.get(name)
        return (None, self._refused or self._left_out.get(name)) if raw is None else capped(name, raw, cap)


def missing(name: str, among: Iterable[str]) -> str:
    """Say that a file is missing, and what is there that may be meant."""
    begin = name.partition(".")[0].removesuffix("s")
    listed = sorted((one.count("/"), one) for one in among)
    likely = [one for _, one in listed if one.rpartition("/")[2].casefold().startswith(begin)]
    packed = [one for _, one in listed if one.lower().endswith(SUFFIXES)]
    if likely:
        return f"{name} is missing; {one_line(likely[0], limit=80)} is there: name it {name}"
    if packed:
        return f"{name} is missing; the archive {one_line(packed[0], limit=80)} is there: hand that one in"
    return f"{name} is missing"


def left_out(raw: bytes | None) -> Mapping[str, str]:
    """Return why files were not taken into an archive; whoever writes such a list is its own victim."""
    try:
        found = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        return {}
    return {str(name): str(why) for name, why in found.items()} if isinstance(found, dict) else {}


def capped(name: str, raw: bytes, cap: int) -> tuple[bytes | None, str | None]:
    """Return bytes that are not too many, or say so."""
    return (None, f"{name} is larger than {cap:,} bytes") if len(raw) > cap else (raw, None)
