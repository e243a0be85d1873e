"""Read wanted files out of a zip or tar file that someone else made, without writing anything anywhere.

Every member is looked at, wanted or not: an archive that holds a link, a device, a path that climbs, a name
twice, or more than an honest submission needs, is refused as a whole.
"""

from __future__ import annotations

import gzip
import io
import re
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

MAX_ARCHIVE = 32 * 2**20
MAX_MEMBERS = 2000
MAX_UNPACKED = 128 * 2**20
_MAX_RATIO = 200
_MAX_NAME = 240
_MAX_DEPTH = 12
# Below this size a high ratio is no bomb: a page of zeros compresses well.
_SMALL = 2**20

# What the standard library raises for damaged archives, beside its own error classes.
DAMAGED = (EOFError, OSError, ValueError, OverflowError, RecursionError, NotImplementedError, RuntimeError)
_LISTED = "answers.yaml"
# Stands for the content of a folder, or of what a file manager left: it counts, and is never looked for.
_NOTHING = b"\0nothing"
_JUNK = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_GZIP, _USTAR = b"\x1f\x8b", b"ustar"
_OTHERS = {
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"(\xb5/\xfd": "Zstandard",
}
# What turns a line round or ends it. Other letters that do not show are in names of honest files: macOS has a
# narrow space in its screenshots, and families an emoji.
_ACTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_DRIVE = re.compile("[A-Za-z]:")
_LOCAL, _END, _ZIP64 = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x07"
_MAX_DIRECTORY = MAX_MEMBERS * (46 + _MAX_NAME + 64)
# Records of a tar file that only describe the next member. Python before 3.11.10 takes time that grows with
# the square of their length, so that megabytes of digits in one of them would keep it busy for days.
_DESCRIBING = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)
_MAX_RECORD, _MAX_RECORDS, _MAX_IN_A_ROW = 4096, 2**20, 16


class ArchiveRefused(Exception):
    """An archive is damaged, or holds what no submission needs; the message names the member."""


def read_archive(
    place: Path, names: Mapping[str, int], *, shown: str = "", listed: list[str] | None = None
) -> dict[str, bytes]:
    """Return those of the wanted files (name → cap in bytes) that an archive holds: :func:`read_packed`.

    ``shown`` is what it was called before it was kept under another name.
    """
    if place.stat().st_size > MAX_ARCHIVE:
        raise ArchiveRefused(f"larger than {MAX_ARCHIVE:,} bytes")
    # In memory from here on: what still goes wrong with reading is the archive's fault and not the disk's.
    is_zip = not (shown or place.name).lower().endswith((".tar", ".tgz", ".tar.gz"))
    return read_packed(place.read_bytes(), names, is_zip=is_zip, listed=listed)


def read_packed(
    raw: bytes, names: Mapping[str, int] | None, *, is_zip: bool = True, listed: list[str] | None = None
) -> dict[str, bytes]:
    """Return those of the wanted files (name → cap in bytes; None: all) that an archive in memory holds.

    A file longer than its cap comes back one byte longer than the cap. Names are below the folder in which
    the answers stand, however deep; the names of all files are added to ``listed``. What is plainly of the
    other kind is read as that, whatever ``is_zip`` says. Raises :class:`ArchiveRefused`.
    """
    if kind := next((kind for begin, kind in _OTHERS.items() if raw.startswith(begin)), None):
        raise ArchiveRefused(f"it is packed by {kind}, and only ZIP and tar (also with gzip) are read")
    is_tar = raw.startswith(_GZIP) or raw[257:262] == _USTAR
    members = (
        _zip(raw, names) if (is_zip and not is_tar) or raw.startswith((_LOCAL, _END)) else _tar(raw, names)
    )
    found: dict[str, bytes] = {}
    seen: dict[str, str] = {}
    try:
        for count, (name, content) in enumerate(members, 1):
            if count > MAX_MEMBERS:
                raise ArchiveRefused(f"more than {MAX_MEMBERS:,} members")
            if content is _NOTHING or _is_junk(name):
                continue
            _remember(seen, name)
            if content is not None:
                found[name] = content
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, *DAMAGED) as bad:
        raise ArchiveRefused(f"damaged: {bad or type(bad).__name__}") from bad
    if listed is not None:
        listed += seen.values()
    around = _root(seen.values())
    inside = {name.removeprefix(around): one for name, one in found.items() if name.startswith(around)}
    return inside if names is None else {name: one for name, one in inside.items() if name in names}


def _zip(raw: bytes, names: Mapping[str, int] | None) -> Iterator[tuple[str, bytes | None]]:
    _refuse_long_directory(raw)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        total = 0
        for member in archive.infolist():
            name = safe_name(member.orig_filename)
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir() and kind in {0, stat.S_IFDIR}:
                yield name, _NOTHING
                continue
            if kind not in {0, stat.S_IFREG}:
                raise ArchiveRefused(f"{name} is a link or a device")
            if member.flag_bits & 1 or member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise ArchiveRefused(f"{name} is encrypted, or packed in an unusual way")
            total += member.file_size
            ratio = member.file_size / max(1, member.compress_size)
            if total > MAX_UNPACKED or (member.file_size > _SMALL and ratio > _MAX_RATIO):
                raise ArchiveRefused(f"{name} would unpack to far too much")
            cap = _cap(name, names)
            if cap is None:
                yield name, None
                continue
            # What the directory says of a size is only a claim: the cap is what holds.
            with archive.open(member) as stream:
                yield name, stream.read(cap + 1)


def _tar(raw: bytes, names: Mapping[str, int] | None) -> Iterator[tuple[str, bytes | None]]:
    plain: Any = io.BytesIO(raw)
    opened: Any = gzip.GzipFile(fileobj=plain) if raw.startswith(_GZIP) else plain
    source: Any = _Capped(opened)
    with tarfile.open(fileobj=source, mode="r|", tarinfo=_headers()) as archive:
        for member in archive:
            name = safe_name(member.name)
            if member.type == tarfile.DIRTYPE:
                yield name, _NOTHING
                continue
            if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE}:
                raise ArchiveRefused(f"{name} is a link or a device")
            cap = _cap(name, names)
            stream = archive.extractfile(member) if cap is not None else None
            yield name, stream.read((cap or 0) + 1) if stream else None


def _refuse_long_directory(raw: bytes) -> None:
    """Look at the directory's size before zipfile does, which reads all of it whatever its size."""
    at = len(raw) - 22
    if raw[at : at + 4] != _END or raw[-2:] != b"\0\0":
        at = raw.rfind(_END)
    if at < 0 or at + 22 > len(raw):
        raise ArchiveRefused("damaged: no directory at its end")
    size = int.from_bytes(raw[at + 12 : at + 16], "little")
    if size > _MAX_DIRECTORY or raw[max(0, at - 20) : max(0, at - 16)] == _ZIP64:
        raise ArchiveRefused(f"more than {MAX_MEMBERS:,} members")


def _headers() -> type[tarfile.TarInfo]:
    """Return a class that looks at each header of one tar file before tarfile reads the record after it."""
    left, in_a_row = _MAX_RECORDS, 0

    class Header(tarfile.TarInfo):
        # Every tarfile comes through here with each header, also where a security update has moved the rest.
        def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
            nonlocal left, in_a_row
            in_a_row = in_a_row + 1 if self.type in _DESCRIBING else 0
            if in_a_row:
                left -= self.size
                # Tarfile calls itself for each of those in a row.
                if left < 0 or self.size > _MAX_RECORD or in_a_row > _MAX_IN_A_ROW:
                    raise ArchiveRefused(f"members described in more than {_MAX_RECORD:,} bytes")
            proceed: Callable[[tarfile.TarFile], tarfile.TarInfo] = super()._proc_member  # type: ignore[misc]
            return proceed(archive)

    return Header


class _Capped:
    """Passes reads on until an archive has unpacked to more than any submission needs."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = MAX_UNPACKED

    def read(self, size: int = -1) -> bytes:
        """Read like a file; raises ArchiveRefused beyond the cap."""
        wanted = min(size, self._left + 1) if size >= 0 else self._left + 1
        raw = self._stream.read(wanted)
        self._left -= len(raw)
        if self._left < 0:
            raise ArchiveRefused("it would unpack to far too much")
        return raw


@lru_cache(maxsize=4096)
def safe_name(name: str) -> str:
    """Return a member's name without a trailing slash, or refuse one that could lead anywhere else.

    Some programs of Windows write ``\\`` where a ZIP has ``/``.
    """
    typed, name = name, name.replace("\\", "/")
    steps = name.rstrip("/").split("/")
    if steps and steps[0] == ".":
        steps = steps[1:]
    if len(name) > _MAX_NAME or len(steps) > _MAX_DEPTH:
        raise ArchiveRefused(f"{_shown(typed)}: a name too long or too deep")
    if name.startswith("/") or _DRIVE.match(name) or any(step in {"", ".", ".."} for step in steps):
        raise ArchiveRefused(f"{_shown(typed)}: a path that leads elsewhere")
    if _ACTIVE.search(name):
        raise ArchiveRefused(f"{_shown(typed)}: a name with invisible characters")
    return "/".join(steps)


def _shown(name: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in name[:80])


def _remember(seen: dict[str, str], name: str) -> None:
    """Refuse a name that was there already, also to a file system that ignores case or accents' form."""
    key = unicodedata.normalize("NFKC", name).casefold()
    if key in seen:
        raise ArchiveRefused(f"{name} is there twice")
    seen[key] = name


def _cap(name: str, names: Mapping[str, int] | None) -> int | None:
    if names is None:
        return MAX_ARCHIVE
    steps = name.split("/")
    ends = ("/".join(steps[at:]) for at in range(len(steps)))
    return max((names[end] for end in ends if end in names), default=None)


def _is_junk(name: str) -> bool:
    """Say whether a file is what file managers leave in archives."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in _JUNK


def _root(names: Iterable[str]) -> str:
    """Return the outermost folder in which answers stand, with its slash; of two as deep nobody can say."""
    every = list(names)
    found = sorted(
        (name.count("/"), name) for name in every if name == _LISTED or name.endswith(f"/{_LISTED}")
    )
    if not found:
        return _folder_around(every)
    if len(found) > 1 and found[0][0] == found[1][0]:
        raise ArchiveRefused(f"{found[0][1]} and {found[1][1]}: which one is meant? Hand in one of them")
    return found[0][1].removesuffix(_LISTED)


def _folder_around(names: Iterable[str]) -> str:
    """Return the one folder that everything stands in, with its slash, or nothing."""
    paths = [PurePosixPath(name) for name in names]
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    return f"{tops.pop()}/" if len(tops) == 1 and not any(len(path.parts) == 1 for path in paths) else ""
