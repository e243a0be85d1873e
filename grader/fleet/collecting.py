"""What came back from a room: whose it is, whether its signature holds, and whether it is whom it says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from domains import files
from domains.errors import InputError
from grader.fleet import students
from grader.fleet.plan import Plan, Seat, collected
from grader.language.inert import one_line
from grader.submission import identity, manifest, signature
from grader.submission.archives import ArchiveRefused, read_packed
from grader.submission.identity import WORKSPACE_FILE
from grader.submission.manifest import MANIFEST_FILE, Manifest

# Hidden, so that reading the folder as a class passes over it.
RECORD = ".tdlab-collected.json"


@dataclass(frozen=True)
class Archive:
    """One archive; ``why`` says why it is not verified, and is empty when it is."""

    host: str
    student: str
    file: str
    sha256: str
    receipt: str
    why: str


def examined(plan: Plan, into: Path) -> list[Archive]:
    """Look at all archives of a plan's students below a folder, and note what was found beside them."""
    known = students.keys(plan.home)
    found = [
        _examined(one.machine.name, seat, file, into, plan.lab.slug, known.get(seat.slug))
        for one in plan.assigned
        for seat in one.seats
        for file in _archives(into, seat, plan.lab.slug)
    ]
    told = {"schema": "tdlab.collected/1", "lab": plan.lab.slug, "archives": [asdict(one) for one in found]}
    into.mkdir(parents=True, exist_ok=True)
    files.write_whole(into / RECORD, json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    return found


def _archives(into: Path, seat: Seat, lab: str) -> Iterator[Path]:
    yield from sorted((into / collected(seat.student)).glob(f"{lab}-{seat.slug}-*.zip"))


def _examined(host: str, seat: Seat, file: Path, into: Path, lab: str, known: str | None) -> Archive:
    raw = file.read_bytes()
    receipt, why = _verified(raw, seat, lab, known)
    digest = hashlib.sha256(raw).hexdigest()
    place = file.relative_to(into).as_posix()
    return Archive(host, seat.student, place, digest, receipt, one_line(why, limit=200))


def _verified(raw: bytes, seat: Seat, lab: str, known: str | None) -> tuple[str, str]:
    """Return the receipt of an archive, and why it is not verified, or nothing."""
    try:
        content = read_packed(raw, None)
    except ArchiveRefused as bad:
        return "", f"it cannot be read: {bad}"
    if why := signature.unverified(content, lab):
        return "", why
    said = manifest.parse(content[MANIFEST_FILE])
    assert isinstance(said, Manifest)  # noqa: S101 (it was verified one line above)
    receipt = manifest.receipt_code(content[MANIFEST_FILE])
    if said.student != seat.student:
        return receipt, f"it is of {said.student}, and this is the place of {seat.student}"
    if known and said.key.split()[:2] != known.split()[:2]:
        return receipt, "signed by another key than the machine had when the lab was deployed"
    try:
        own = identity.parse(content[WORKSPACE_FILE])
    except InputError as bad:
        return receipt, str(bad)
    return receipt, "" if own.nonce == seat.nonce else "made in another workspace than was deployed"
