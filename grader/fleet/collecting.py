"""What came back from a room: whose it is, whether its signature holds, and whether it is whom it says."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from domains import files
from domains.errors import InputError
from grader.fleet import running, students
from grader.fleet.plan import Plan, Seat
from grader.language.inert import one_line
from grader.submission import identity, manifest, signature
from grader.submission.archives import MAX_ARCHIVE, ArchiveRefused, read_packed
from grader.submission.identity import WORKSPACE_FILE
from grader.submission.manifest import MANIFEST_FILE, Manifest

# Hidden, so that reading the folder as a class passes over it.
RECORD = ".tdlab-collected.json"
# How the name of an archive ends that is another one than was collected before under its number.
_BESIDE = re.compile(r"(?:\.[0-9a-f]{8})?\.zip")


@dataclass(frozen=True)
class Archive:
    """One archive; ``why`` says why it is not verified, and is empty when it is."""

    host: str
    student: str
    file: str
    sha256: str
    receipt: str
    why: str
    # The file of another archive under the same number that had been collected before, if there is one.
    before: str


@contextlib.contextmanager
def arriving(plan: Plan, into: Path) -> Iterator[Path]:
    """Have a folder for what machines bring; what came is put into the class's when the block ends, however.

    Below the class, which passes over it: what a machine sends can fill a disk, or be cut in the middle.
    """
    place = into / f".tdlab-arriving-{plan.lab.slug}"
    with running.alone(plan.home):
        # Of a run that was killed: the machines still have all of it.
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        try:
            yield place
        finally:
            for one in plan.assigned:
                for seat in one.seats:
                    _take(place, into, seat, plan.lab.slug)
            shutil.rmtree(place, ignore_errors=True)


def _take(place: Path, into: Path, seat: Seat, lab: str) -> None:
    """Put a student's archives into the class; what lies there already is never written over."""
    for file in _archives(place, seat, lab):
        if file.stat().st_size > MAX_ARCHIVE:
            continue
        raw = file.read_bytes()
        target = into / file.relative_to(place)
        if target.exists() and target.read_bytes() != raw:
            target = target.with_suffix(f".{hashlib.sha256(raw).hexdigest()[:8]}.zip")
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            files.write_whole(target, raw)


def examined(plan: Plan, into: Path) -> list[Archive]:
    """Look at all archives of a plan's students below a folder, and note what was found beside them."""
    known = students.keys(plan.home)
    found = [
        _examined(one.machine.name, seat, file, into, plan.lab.slug, known.get(seat.slug, frozenset()))
        for one in plan.assigned
        for seat in one.seats
        for file in _archives(into, seat, plan.lab.slug)
    ]
    told = {"schema": "tdlab.collected/1", "lab": plan.lab.slug, "archives": [asdict(one) for one in found]}
    into.mkdir(parents=True, exist_ok=True)
    files.write_whole(into / RECORD, json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    return found


def _archives(into: Path, seat: Seat, lab: str) -> Iterator[Path]:
    # Another's name may begin as this one's does.
    own = re.compile(rf"{re.escape(f'{lab}-{seat.slug}')}-[0-9]+{_BESIDE.pattern}")
    found = (into / students.collected(seat.student)).glob("*.zip")
    yield from sorted(one for one in found if own.fullmatch(one.name) and one.is_file())


def _examined(host: str, seat: Seat, file: Path, into: Path, lab: str, known: Collection[str]) -> Archive:
    raw = file.read_bytes()
    receipt, why = _verified(raw, seat, lab, known)
    digest = hashlib.sha256(raw).hexdigest()
    place = file.relative_to(into).as_posix()
    before = _BESIDE.sub(".zip", place)
    return Archive(
        host,
        seat.student,
        place,
        digest,
        receipt,
        one_line(why, limit=200),
        before if before != place else "",
    )


def _verified(raw: bytes, seat: Seat, lab: str, known: Collection[str]) -> tuple[str, str]:
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
    if not known:
        return receipt, "the machine showed no key that it could be held against"
    if said.key.split()[:2] not in [one.split()[:2] for one in known]:
        return receipt, "signed by another key than the machine had when the lab was deployed"
    try:
        own = identity.parse(content[WORKSPACE_FILE])
    except InputError as bad:
        return receipt, str(bad)
    return receipt, "" if own.nonce == seat.nonce else "made in another workspace than was deployed"
