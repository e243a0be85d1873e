"""Signatures of submissions: ours and ssh-keygen's must agree, on good ones and on bad ones."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from domains import process
from domains.paths import LABS
from grader.classroom import comparing, intake
from grader.classroom.policy import Policy
from grader.classroom.roster import Roster
from grader.lab import lab as labs
from grader.submission import signature
from grader.submission.manifest import MANIFEST_FILE, SIGNATURE_FILE, receipt_code
from grader.workspace import hand_in, keys, workspace

LAB = labs.load(LABS / "r202")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def handed(tmp_path: Path) -> Path:
    """Return an archive as ``tdlab submit`` makes it."""
    place = workspace.start(LAB, "Zoé L", "fr", tmp_path / "work")[0]
    shutil.copytree(LABS / "r202" / "solution" / "domains", place.folder / "domains", dirs_exist_ok=True)
    return hand_in.submit(place).archive


def content(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return made.getvalue()


def ssh_keygen_agrees(folder: Path, manifest: bytes, signed: bytes, key: str) -> bool:
    allowed, sig = folder / "allowed", folder / "sig"
    allowed.write_text(f'zoe namespaces="{signature.NAMESPACE}" {key}\n')
    sig.write_bytes(signed)
    words = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "zoe", "-n", signature.NAMESPACE, "-s", sig]
    return process.run(words, timeout=30, check=False, stdin=manifest.decode()).status == 0


def test_what_ssh_keygen_verifies_is_verified_and_what_it_does_not_is_not(
    handed: Path, tmp_path: Path
) -> None:
    files = content(handed)
    manifest, signed = files[MANIFEST_FILE], files[SIGNATURE_FILE]
    key = json.loads(manifest)["key"]
    other = keys.sign(keys.mine(), b"something else", tmp_path).encode()
    cases = [(manifest, signed), (manifest + b" ", signed), (manifest, other)]
    ours = [signature.mismatch(*case, key) == "" for case in cases]
    theirs = [ssh_keygen_agrees(tmp_path, *case, key) for case in cases]
    assert ours == theirs == [True, False, False]
    assert signature.unverified(files, "r202") == ""
    shown = process.run(["ssh-keygen", "-l", "-f", f"{keys.mine()}.pub"], timeout=30).stdout
    assert signature.fingerprint(key) in shown


def test_a_signature_for_another_purpose_is_not_ours(
    handed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = content(handed)[MANIFEST_FILE]
    monkeypatch.setattr(keys, "NAMESPACE", "git")
    signed = keys.sign(keys.mine(), manifest, tmp_path).encode()
    said = signature.mismatch(manifest, signed, keys.public(keys.mine()))
    assert said == "the signature was made for another purpose than tdlab-submission"


def test_another_students_key_is_named_as_such(handed: Path, tmp_path: Path) -> None:
    manifest, signed = (content(handed)[name] for name in (MANIFEST_FILE, SIGNATURE_FILE))
    process.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "eve"], timeout=30)
    said = signature.mismatch(manifest, signed, keys.public(tmp_path / "eve"))
    assert said == "the signature is by another key than the manifest names"


CHANGES: list[tuple[Callable[[dict[str, bytes]], object], str]] = [
    (lambda files: files.pop(MANIFEST_FILE), "not signed"),
    (lambda files: files.pop(SIGNATURE_FILE), "manifest.json.sig is missing"),
    (
        lambda files: files.update({"answers.yaml": b"lab: r202\n"}),
        "answers.yaml was changed after it was signed",
    ),
    (lambda files: files.update({"evidence/new.json": b"{}"}), "evidence/new.json is not in the manifest"),
    (lambda files: files.pop("answers.yaml"), "answers.yaml is in the manifest, and not in the archive"),
    (lambda files: files.update({MANIFEST_FILE: b"{"}), "manifest.json: Invalid JSON"),
    (lambda files: files.update({SIGNATURE_FILE: b"\xff"}), "the signature cannot be read: no SSH signature"),
]


@pytest.mark.parametrize(("change", "why"), CHANGES, ids=[why for _, why in CHANGES])
def test_what_was_changed_after_signing_is_unverified(
    handed: Path, change: Callable[[dict[str, bytes]], object], why: str
) -> None:
    files = content(handed)
    change(files)
    assert signature.unverified(files, "r202").startswith(why)


@pytest.mark.parametrize("cut", [1, 40, 120, 200])
def test_a_torn_envelope_is_a_reason_and_no_crash(handed: Path, cut: int) -> None:
    files = content(handed)
    lines = files[SIGNATURE_FILE].decode().splitlines()
    torn = "".join(lines[1:-1])[:-cut]
    torn = torn[: len(torn) // 4 * 4]
    armoured = "\n".join([lines[0], torn, lines[-1]]).encode()
    said = signature.mismatch(files[MANIFEST_FILE], armoured, json.loads(files[MANIFEST_FILE])["key"])
    assert said.startswith("the signature cannot be read")


def roster(tmp_path: Path, **archives: bytes) -> Roster:
    place = tmp_path / "class"
    place.mkdir()
    for name, raw in archives.items():
        (place / f"{name}.zip").write_bytes(raw)
    return intake.take_in(place, LAB, tmp_path / "book", Policy())


def test_an_untouched_archive_is_verified_and_its_receipt_is_what_the_student_has(
    handed: Path, tmp_path: Path
) -> None:
    (student,) = roster(tmp_path, zoe=handed.read_bytes()).students
    (attempt,) = student.attempts
    assert (attempt.verified, attempt.why, attempt.signed_by) == (True, "", "Zoé L")
    assert attempt.receipt == receipt_code(content(handed)[MANIFEST_FILE])
    assert attempt.signer == signature.fingerprint(keys.public(keys.mine()))


def test_one_archive_by_two_students_is_seen_at_both_also_when_it_was_packed_anew(
    handed: Path, tmp_path: Path
) -> None:
    files = content(handed)
    found = roster(tmp_path, ada=handed.read_bytes(), eve=packed(files)).students
    assert len({one.attempts[0].sha256 for one in found}) == 2
    for one in found:
        assert not one.attempts[0].verified
        assert comparing.SAME_ARCHIVE in one.attempts[0].why


def test_a_name_and_a_key_that_are_another_students_are_reasons(handed: Path, tmp_path: Path) -> None:
    place = tmp_path / "class"
    moodle = place / "Jean Martin_12_assignsubmission_file_"
    moodle.mkdir(parents=True)
    shutil.copy(handed, moodle / "r202-zoe-1.zip")
    work = workspace.find(handed.parent.parent)
    keys.mine().unlink()
    shutil.copy(hand_in.submit(work).archive, moodle / "r202-zoe-2.zip")
    (student,) = intake.take_in(place, LAB, tmp_path / "book", Policy()).students
    first, second = student.attempts
    assert first.why == comparing.OTHER_NAME
    assert second.why == f"{comparing.OTHER_KEY}; {comparing.OTHER_NAME}"
