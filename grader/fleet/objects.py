"""What travels to a machine: archives named by the hash of their content, made once and kept."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import os
import re
import secrets
import shutil
import tarfile
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains import scratch
from domains.files import is_leftover
from domains.images import GuestImage
from domains.paths import SHIPPED
from grader.lab import lab as labs
from grader.lab import public

# In each tree, last of its files: the hashes of all its files, as sha256sum reads them.
COMPLETE = ".complete"
_TOOL = ("domains", "grader", "playbooks", "tdlab", "requirements.lock", "pyproject.toml", "LICENSE")
# What Python leaves behind.
_LEFT_BEHIND = "__pycache__"
# An object's kind, before the hash of its content.
_HASHED = re.compile(r"(.+)-[0-9a-f]{16}(?:\.tar\.gz|\.json)?")
# What is not made yet is guessed by Debian 13's of November 2026: packed, and unpacked.
_IMAGE_BYTES, _PACKAGES_BYTES = (18 * 2**20, 60 * 2**20), (77 * 2**20, 263 * 2**20)
# So many of each kind are kept, and what another run may be sending.
_KEPT, _IN_USE_SECONDS = 3, 3600


@dataclass(frozen=True)
class Sent:
    """An archive below the objects' folder; ``wants`` are the lines of look.sh where it is unpacked."""

    name: str
    file: str
    sha256: str
    bytes: int
    unpacked: int
    wants: tuple[str, ...]
    links: tuple[str, ...] = ()

    @property
    def is_guessed(self) -> bool:
        """Whether it is still to be made, so that its size is an estimate and nobody knows its hash."""
        return not self.file

    def as_variable(self) -> dict[str, Any]:
        """Return what the role fleet_files reads."""
        return {"name": self.name, "file": self.file, "sha256": self.sha256, "wants": list(self.wants)}


def tool(folder: Path, command: str) -> Sent:
    """Return tdlab itself, from the checkout or wheel that runs; ``command`` is what starts it."""
    script = folder / f"command-{hashlib.sha256(command.encode()).hexdigest()[:16]}"
    _write(script, command.encode())
    script.chmod(0o755)
    files: dict[str, Path] = {"command": script}
    for name in _TOOL:
        place = SHIPPED / name
        files |= {name: place} if place.is_file() else _below(place, f"{name}/")
    # Its labs are those that were deployed.
    return _kept(folder, "tool", files, {"tool": "trees/{tree}"}, inner={"labs": "../../labs"})


def lab(folder: Path, place: Path, slug: str) -> Sent:
    """Return the students' edition of a lab: nothing that tells them a right answer."""
    with scratch.folder("edition") as made:
        edition = made / slug
        public.write(place, edition)
        # What would not be read there is refused here.
        labs.load(edition)
        files = _below(edition, f"{slug}/")
        return _kept(folder, f"lab-{slug}", files, {f"labs/{slug}": f"../trees/{{tree}}/{slug}"})


def image(folder: Path, made: GuestImage | None) -> Sent:
    """Return the guest image; of one that is to be built first, a guess."""
    if made is None:
        return _guessed("image", *_IMAGE_BYTES)
    return _kept(folder, "image", _below(made.folder, ""), {f"images/{made.digest}": "../trees/{tree}"})


def packages(folder: Path, version: str, place: Path | None) -> Sent:
    """Return the Python packages for a Python (``3.13``), from the folder that holds them, or a guess."""
    if place is None:
        return _guessed(f"python-{version}", *_PACKAGES_BYTES)
    return _kept(folder, f"python-{version}", _below(place, ""), {f"python/{version}": "../trees/{tree}"})


def _guessed(name: str, packed: int, unpacked: int) -> Sent:
    return Sent(name, "", "", packed, unpacked, (f"tree {name} unknown",))


def seat(folder: Path, name: str, workspace: Path, inside: str, wants: str) -> Sent:
    """Return a student's workspace, to be unpacked in their home as the folder ``inside``."""
    members = [
        (f"{inside}/{path}", file.read_bytes()) for path, file in sorted(_below(workspace, "").items())
    ]
    folders = sorted(one.relative_to(workspace).as_posix() for one in workspace.rglob("*") if one.is_dir())
    made = _archive([inside, *(f"{inside}/{one}" for one in folders)], members, {}, 0o700)
    digest = hashlib.sha256(made).hexdigest()
    file = f"seat-{digest[:16]}.tar.gz"
    _write(folder / file, made)
    return Sent(name, file, digest, len(made), sum(len(raw) for _, raw in members), (wants,))


def note(folder: Path, lab: str, content: str) -> tuple[str, str]:
    """Write down what a machine gets; return the file's name and its hash."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    name = f"record-{lab}-{digest[:16]}.json"
    _write(folder / name, content.encode())
    return name, digest


def sweep(folder: Path, needed: Collection[str]) -> None:
    """Remove what nobody needs: neither named, nor of the newest of its kind, nor used within the hour."""
    kinds: dict[str, list[tuple[float, Path]]] = {}
    for file in folder.iterdir():
        kind = _HASHED.fullmatch(file.name)
        kinds.setdefault(kind[1] if kind else "", []).append((file.stat().st_mtime, file))
    limit = time.time() - _IN_USE_SECONDS
    for name, found in kinds.items():
        kept = _KEPT if name else 0
        for used, file in sorted(found, reverse=True)[kept:]:
            if used < limit and file.name not in needed and (name or is_leftover(file)):
                file.unlink(missing_ok=True)


def lent(folder: Path, aside: Path) -> Path:
    """Return a folder below ``aside`` that has all archives of the objects' folder without a copy of them."""
    made = aside / "objects"
    made.mkdir()
    for archive in folder.glob("*.tar.gz"):
        (made / archive.name).symlink_to(archive)
    return made


def place(made: Path, there: Path) -> None:
    """Put an object into another folder, as a second name of the same file where that can be."""
    there.unlink(missing_ok=True)
    try:
        there.hardlink_to(made)
    except OSError:
        shutil.copyfile(made, there)


def differing(folder: Path, old: str, new: str) -> list[str] | None:
    """Return the files in which two trees differ, or None where the archive of one is not kept any more."""
    sums = [_sums(folder / f"{tree}.tar.gz", tree) for tree in (old, new)]
    if None in sums:
        return None
    before, after = (set((one or "").splitlines()) for one in sums)
    return sorted({line.split("  ", 1)[1] for line in before ^ after})


def _sums(archive: Path, tree: str) -> str | None:
    try:
        with tarfile.open(archive) as packed:
            member = packed.extractfile(f"trees/{tree}/{COMPLETE}")
            return member.read().decode() if member else None
    except (OSError, EOFError, KeyError, tarfile.TarError):
        # A machine may name any object as the one that it had: also one that is no tree.
        return None


def _below(place: Path, prefix: str) -> dict[str, Path]:
    return {
        prefix + file.relative_to(place).as_posix(): file
        for file in sorted(place.rglob("*"))
        if file.is_file() and not file.is_symlink() and _LEFT_BEHIND not in file.parts
    }


def _kept(
    folder: Path,
    name: str,
    files: Mapping[str, Path],
    links: Mapping[str, str],
    inner: Mapping[str, str] | None = None,
) -> Sent:
    """Return a tree as an archive, packed only if none of this content was packed before."""
    sums = {inside: _sha256(file) for inside, file in sorted(files.items())}
    complete = "".join(f"{digest}  {inside}\n" for inside, digest in sums.items()).encode()
    whole = hashlib.sha256(complete).hexdigest()
    tree = f"{name}-{whole[:16]}"
    archive = folder / f"{tree}.tar.gz"
    targets = {link: target.format(tree=tree) for link, target in links.items()}
    if archive.exists():
        # Of one that is lent, the link.
        os.utime(archive, follow_symlinks=False)
    else:
        inside = {f"trees/{tree}/{link}": target for link, target in (inner or {}).items()}
        above = {"trees", f"trees/{tree}"} | {os.path.dirname(link) for link in targets} - {""}  # noqa: PTH120
        above |= {f"trees/{tree}/{parent}" for one in files for parent in _parents(one)}
        executable = {f"trees/{tree}/{one}" for one, file in files.items() if os.access(file, os.X_OK)}
        contents = ((f"trees/{tree}/{one}", file.read_bytes()) for one, file in sorted(files.items()))
        members = itertools.chain(contents, [(f"trees/{tree}/{COMPLETE}", complete)])
        _write(archive, _archive(sorted(above), members, {**inside, **targets}, 0o755, executable))
    wants = (f"tree {tree} {whole}", *(f"link {link} {target}" for link, target in targets.items()))
    unpacked = sum(file.stat().st_size for file in files.values())
    size, digest = archive.stat().st_size, _sha256(archive)
    return Sent(name, archive.name, digest, size, unpacked, wants, tuple(targets))


def _parents(inside: str) -> list[str]:
    return [str(one) for one in Path(inside).parents if str(one) != "."]


def _archive(
    folders: Iterable[str],
    members: Iterable[tuple[str, bytes]],
    links: Mapping[str, str],
    mode: int,
    executable: Iterable[str] = (),
) -> bytes:
    """Pack files so that the same content makes the same bytes; what stands last comes last of them."""
    programs = frozenset(executable)
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0, filename="") as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name in folders:
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, mode
            archive.addfile(member)
        for name, raw in members:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(raw), mode if name in programs else mode & 0o666
            archive.addfile(member, io.BytesIO(raw))
        # Last: where unpacking is cut, what was there before still works.
        for name, target in sorted(links.items()):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return packed.getvalue()


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(file: Path, raw: bytes) -> None:
    """Write what can be made again: whole or not at all, and without waiting for the disk."""
    if file.exists():
        os.utime(file)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(raw)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
