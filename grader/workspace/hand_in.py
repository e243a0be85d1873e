"""Hand a workspace in: one archive that names its files by their hashes, signed with the student's key."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domains import files, scratch
from domains.errors import UsageError
from grader.lab.lab import lab_hash
from grader.lab.questions import file_of
from grader.submission import history
from grader.submission.answers import ANSWERS_FILE
from grader.submission.history import Event
from grader.submission.identity import WORKSPACE_FILE
from grader.workspace import keys
from grader.workspace.workspace import Workspace

MANIFEST_FILE = "manifest.json"
SIGNATURE_FILE = "manifest.json.sig"
SUBMISSIONS = "submissions"
# What an honest workspace never comes near, and what graders refuse (grader.submission.archives).
_MAX_BYTES = 32 * 2**20
_MAX_FILES = 1500
# The earliest time that a zip file can hold: the archive's bytes depend on its files only.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Receipt:
    """What a student keeps: the archive, and a code that stands for exactly its content."""

    archive: Path
    code: str
    number: int
    time: datetime
    files: int


def submit(workspace: Workspace) -> Receipt:
    """Make the next archive of a workspace, and remember that it was made.

    Raises :class:`UsageError` when there is nothing to hand in, or more than a grader would take.
    """
    content = dict(_files(workspace))
    before = history.events(workspace.folder, "submitted")
    time, number = history.now(), len(before) + 1
    # Without its history a workspace still has its archives, and receipts were given for them.
    while (archive := _archive(workspace, number)).exists():
        number += 1
    key = keys.mine()
    manifest = {
        "schema": "tdlab.submission/1",
        "lab": workspace.lab.slug,
        "lab_hash": lab_hash(workspace.lab.folder),
        "student": workspace.identity.student,
        "number": number,
        "time": time.isoformat(),
        "previous": before[-1].receipt if before else None,
        "key": keys.public(key),
        "files": {name: hashlib.sha256(raw).hexdigest() for name, raw in sorted(content.items())},
    }
    raw = (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode()
    with scratch.folder("sign") as place:
        signature = keys.sign(key, raw, place).encode()
    archive.parent.mkdir(exist_ok=True)
    files.write_whole(archive, _zip({**content, MANIFEST_FILE: raw, SIGNATURE_FILE: signature}))
    code = receipt_code(raw)
    history.add(workspace.folder, Event(what="submitted", time=time, about=archive.name, receipt=code))
    return Receipt(archive, code, number, time, len(content))


def require_whole(workspace: Workspace) -> None:
    """Raise :class:`UsageError` when what is in the workspace could not be handed in."""
    for _ in _files(workspace):
        pass


def receipt_code(manifest: bytes) -> str:
    """Return the code of a manifest: 80 bits of its SHA-256, in groups that can be read aloud."""
    digest = hashlib.sha256(manifest).hexdigest()[:20]
    return "-".join(digest[at : at + 5] for at in range(0, 20, 5))


def _files(workspace: Workspace) -> Iterator[tuple[str, bytes]]:
    """Yield what is handed in: the answers, the files that questions ask for, and the evidence."""
    folder = workspace.folder
    if not (folder / ANSWERS_FILE).is_file():
        raise UsageError(f"{folder / ANSWERS_FILE} is missing", remedy="`tdlab start` makes an empty one")
    asked = [folder / name for question in workspace.lab if (name := file_of(question))]
    wanted = [folder / WORKSPACE_FILE, folder / ANSWERS_FILE, *asked]
    wanted += sorted(one for one in (folder / "evidence").rglob("*") if not files.is_leftover(one))
    total = count = 0
    # Several questions may ask for one file, which may lie among the evidence.
    for file in dict.fromkeys(wanted):
        try:
            status = file.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(status.st_mode):
            continue
        if not stat.S_ISREG(status.st_mode):
            # A grader would not follow it either, and would take it for missing.
            raise UsageError(f"{file} is not a regular file", remedy="put the file itself there")
        total, count = total + status.st_size, count + 1
        if total > _MAX_BYTES or count > _MAX_FILES:
            raise UsageError(
                f"more than {_MAX_BYTES >> 20} MiB or {_MAX_FILES} files are not taken",
                remedy=f"remove what you do not need from {folder / 'evidence'}",
            )
        yield file.relative_to(folder).as_posix(), file.read_bytes()


def _zip(content: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in sorted(content.items()):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, raw)
    return made.getvalue()


def _archive(workspace: Workspace, number: int) -> Path:
    name = f"{workspace.lab.slug}-{_plain(workspace.identity.student)}-{number}.zip"
    return workspace.folder / SUBMISSIONS / name


def _plain(student: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in student.casefold())
    return kept.strip("-")[:40] or "student"
