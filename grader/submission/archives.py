"""Read wanted files out of a zip or tar file that someone else made, without writing anything anywhere.

Every member is looked at, wanted or not: an archive that holds a link, a device, a path that climbs, a name
twice, or more than an honest submission needs, is refused as a whole.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

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
# Stands for the content of a folder: it counts as a member, and is never looked for.
_FOLDER = b"\0folder"
_GZIP, _USTAR = b"\x1f\x8b", b"ustar"
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
_MAX_RECORD, _MAX_RECORDS = 4096, 2**20


class ArchiveRefused(Exception):
    """An archive is damaged, or holds what no submission needs; the message names the member."""


def read_archive(place: Path, names: Mapping[str, int]) -> dict[str, bytes]:
    """Return those of the wanted files (name → cap in bytes) that an archive holds: :func:`read_packed`."""
    if place.stat().st_size > MAX_ARCHIVE:
        raise ArchiveRefused(f"larger than {MAX_ARCHIVE:,} bytes")
    # In memory from here on: what still goes wrong with reading is the archive's fault and not the disk's.
    return read_packed(place.read_bytes(), names, is_zip=place.suffix.lower() == ".zip")


def read_packed(raw: bytes, names: Mapping[str, int] | None, *, is_zip: bool = True) -> dict[str, bytes]:
    """Return those of the wanted files (name → cap in bytes; None: all) that an archive in memory holds.

    A file longer than its cap comes back one byte longer than the cap. A single folder around everything, as
    many programs make it, is looked through. What is plainly of the other kind is read as that, whatever
    ``is_zip`` says. Raises :class:`ArchiveRefused`.
    """
    is_tar = raw.startswith(_GZIP) or raw[257:262] == _USTAR
    members = _zip(raw, names) if (is_zip and not is_tar) or raw.startswith(_LOCAL) else _tar(raw, names)
    found: dict[str, bytes] = {}
    seen: dict[str, str] = {}
    try:
        for count, (name, content) in enumerate(members, 1):
            if count > MAX_MEMBERS:
                raise ArchiveRefused(f"more than {MAX_MEMBERS:,} members")
            if content is _FOLDER:
                continue
            _remember(seen, name)
            if content is not None:
                found[name] = content
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, *DAMAGED) as bad:
        raise ArchiveRefused(f"damaged: {bad or type(bad).__name__}") from bad
    around = _folder_around(seen.values())
    return {name.removeprefix(around): one for name, one in found.items() if name.startswith(around)}


def _zip(raw: bytes, names: Mapping[str, int] | None) -> Iterator[tuple[str, bytes | None]]:
    _refuse_long_directory(raw)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        total = 0
        for member in archive.infolist():
            name = safe_name(member.orig_filename)
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir() and kind in {0, stat.S_IFDIR}:
                yield name, _FOLDER
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
                yield name, _FOLDER
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
    left = _MAX_RECORDS

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            nonlocal left
            header = super().frombuf(buf, encoding, errors)
            if header.type in _DESCRIBING:
                left -= header.size
                if left < 0 or header.size > _MAX_RECORD:
                    raise ArchiveRefused(f"members described in more than {_MAX_RECORD:,} bytes")
            return header

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


def safe_name(name: str) -> str:
    """Return a member's name without a trailing slash, or refuse one that could lead anywhere else."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name[:80])
    steps = name.rstrip("/").split("/")
    if steps and steps[0] == ".":
        steps = steps[1:]
    if len(name) > _MAX_NAME or len(steps) > _MAX_DEPTH:
        raise ArchiveRefused(f"{shown}: a name too long or too deep")
    if name.startswith("/") or "\\" in name or ":" in name or any(step in {"", ".", ".."} for step in steps):
        raise ArchiveRefused(f"{shown}: a path that leads elsewhere")
    if not name.isprintable():
        raise ArchiveRefused(f"{shown}: a name with invisible characters")
    return "/".join(steps)


def _remember(seen: dict[str, str], name: str) -> None:
    """Refuse a name that was there already, also to a file system that ignores case or accents' form."""
    key = unicodedata.normalize("NFKC", name).casefold()
    if key in seen:
        raise ArchiveRefused(f"{name} is there twice")
    seen[key] = name


def _cap(name: str, names: Mapping[str, int] | None) -> int | None:
    if names is None:
        return MAX_ARCHIVE
    inner = name.partition("/")[2]
    return names.get(name, names.get(inner))


def _folder_around(names: Iterable[str]) -> str:
    """Return the one folder that everything stands in, with its slash, or nothing."""
    paths = [PurePosixPath(name) for name in names]
    if any(str(path) == _LISTED for path in paths):
        return ""
    tops = {path.parts[0] for path in paths if len(path.parts) > 1} - {"__MACOSX"}
    return f"{tops.pop()}/" if len(tops) == 1 and not any(len(path.parts) == 1 for path in paths) else ""
