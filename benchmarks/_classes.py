"""Classes for the benchmarks of grading: archives as ``tdlab submit`` makes them, each signed by its own."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from grader.lab.lab import Lab
from grader.lab.questions import (
    ChoiceQuestion,
    ChoicesQuestion,
    NumberQuestion,
    PredictionQuestion,
    Question,
    TextQuestion,
)
from grader.submission.manifest import MANIFEST_FILE, SIGNATURE_FILE
from grader.submission.signature import NAMESPACE

STARTED = datetime(2026, 11, 20, 8, tzinfo=UTC)
_DATA = Path(__file__).parent / "data" / "short_answers"


def own_key(name: str) -> Ed25519PrivateKey:
    """Return a student's key, always the same."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def workspace_file(lab: str, student: str) -> bytes:
    """Return ``workspace.yaml`` as ``tdlab start`` writes it."""
    shown = json.dumps(student, ensure_ascii=False)
    text = (
        f"schema: tdlab.workspace/1\nlab: {lab}\nstudent: {shown}\nlang: fr\nstarted: {STARTED.isoformat()}\n"
    )
    return text.encode()


def answers_file(lab: str, answers: Mapping[str, Any], student: str | None = None) -> bytes:
    """Return ``answers.yaml``; JSON's values are YAML's too."""
    lines = [f"lab: {lab}", "lang: fr", *([f"student: {json.dumps(student)}"] if student else []), "answers:"]
    lines += [f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in answers.items()]
    return ("\n".join(lines) + "\n").encode()


def signed(
    lab: str,
    student: str,
    files: Mapping[str, bytes],
    *,
    number: int = 1,
    time: datetime = STARTED,
    key: Ed25519PrivateKey | None = None,
) -> dict[str, bytes]:
    """Return files with a manifest and its signature."""
    key = key or own_key(student)
    wire = _string(b"ssh-ed25519") + _string(key.public_key().public_bytes_raw())
    manifest = {
        "schema": "tdlab.submission/1",
        "lab": lab,
        "lab_hash": "0" * 64,
        "student": student,
        "number": number,
        "time": time.isoformat(),
        "previous": None,
        "key": f"ssh-ed25519 {base64.b64encode(wire).decode()} tdlab",
        "files": {name: hashlib.sha256(raw).hexdigest() for name, raw in sorted(files.items())},
    }
    raw = (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode()
    return {**files, MANIFEST_FILE: raw, SIGNATURE_FILE: _signature(key, wire, raw)}


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(zipfile.ZipInfo(name), raw, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def written(place: Path, members: Sequence[tuple[str, datetime, bytes]]) -> Path:
    """Write the ZIP of a class: a member's name, when it was handed in, and its bytes."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
        for name, time, raw in members:
            at = time.astimezone()
            stamp = (at.year, at.month, at.day, at.hour, at.minute, at.second)
            archive.writestr(zipfile.ZipInfo(name, stamp), raw)
    return place


def synthetic(lab: Lab, count: int, place: Path) -> Path:
    """Write Moodle's download of so many students; a third of their texts are like no other."""
    solution = folder_files(lab.folder / "solution")
    report = json.loads(solution["evidence/report.json"])
    texts = _texts(lab)
    members = []
    for number in range(count):
        chance = random.Random(number)  # noqa: S311 - nothing here is secret
        name = f"Student {number:05}"
        given = {one.id: _answer(one, texts, chance) for one in lab}
        answers = {key: value for key, value in given.items() if value is not None}
        files = {
            **solution,
            "workspace.yaml": workspace_file(lab.slug, name),
            "answers.yaml": answers_file(lab.slug, answers),
            "evidence/report.json": json.dumps({**report, "id": f"run-{number}"}).encode(),
        }
        inside = f"{name}_{number}_assignsubmission_file_/{lab.slug}-student-{number:05}-1.zip"
        time = STARTED + timedelta(minutes=number)
        members.append((inside, time, packed(signed(lab.slug, name, files, time=time))))
    return written(place, members)


def _answer(question: Question, texts: Mapping[str, list[str]], chance: random.Random) -> Any:
    """Return an answer that may be right, wrong or missing."""
    if chance.random() < 0.05:
        return None
    match question:
        case ChoiceQuestion():
            return chance.choice([question.right, *question.options])
        case ChoicesQuestion():
            return [one for one in question.options if chance.random() < 0.5]
        case TextQuestion():
            text = chance.choice(texts[question.id])
            own = f"{text} ({chance.randrange(10**6)} fois)"
            return own if chance.random() < 1 / 3 else text
        case NumberQuestion():
            return chance.choice([round(chance.uniform(1, 10), 2), f"{chance.uniform(1, 10):.3f}"])
        case PredictionQuestion():
            return list(question.items) or 3
    return None


def _texts(lab: Lab) -> dict[str, list[str]]:
    """Return answers that people wrote to each text question, and what the author means."""
    rows = [json.loads(line) for line in (_DATA / "tune.jsonl").read_text(encoding="utf-8").splitlines()]
    found: dict[str, list[str]] = {
        one.id: ["; ".join(idea.means.say("fr") for idea in one.ideas)]
        for one in lab
        if isinstance(one, TextQuestion)
    }
    for row in rows:
        for asked, texts in found.items():
            # One question may be asked again under an id that begins with its own.
            if asked == row["question"] or asked.startswith(f"{row['question']}-again-"):
                texts.append(row["answer"])
    return found


def folder_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by their paths in it."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def _signature(key: Ed25519PrivateKey, wire: bytes, message: bytes) -> bytes:
    """Sign as ``ssh-keygen -Y sign`` does, without a process."""
    digest = hashlib.sha512(message).digest()
    parts = [NAMESPACE.encode(), b"", b"sha512"]
    made = key.sign(b"SSHSIG" + b"".join(map(_string, [*parts, digest])))
    blob = b"SSHSIG\0\0\0\1" + b"".join(map(_string, [wire, *parts, _string(b"ssh-ed25519") + _string(made)]))
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""]).encode()


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content
