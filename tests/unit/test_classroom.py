"""A class as it is downloaded: who handed in what, and what becomes of it."""

from __future__ import annotations

import io
import json
import shutil
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domains.errors import UsageError
from domains.paths import LABS
from grader.classroom import intake, marking
from grader.classroom.markbook import Markbook, open_markbook
from grader.classroom.policy import Policy
from grader.classroom.roster import Roster
from grader.lab import lab as labs
from grader.results import ledger
from grader.submission.samples import samples
from grader.submission.translation import translate

R202 = LABS / "r202"
SOLUTION = R202 / "solution"
# Workers have tests of their own; one of these compares what comes out of one and of two.
HERE = pytest.mark.usefixtures("judged_here")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANSWERS = (SOLUTION / "answers.yaml").read_bytes()
METADATA = """\
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: '1815'
    :email: ada@example.org
  - :name: Émilie du Châtelet
    :sid: '1706'
    :email: emilie@example.org
  :created_at: 2026-11-20 10:00:00.123456789 Z
submission_102:
  :submitters:
  - :name: Jean Martin
    :sid: '7'
    :email: jean@example.org
  :created_at: 2026-11-21 10:00:00 +0100
"""


def packed(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members:
            archive.writestr(name, raw)
    return made.getvalue()


def folder(name: str, sample: Path = SOLUTION) -> list[tuple[str | zipfile.ZipInfo, bytes]]:
    files = sorted(file for file in sample.rglob("*") if file.is_file())
    return [(name + file.relative_to(sample).as_posix(), file.read_bytes()) for file in files]


def solution() -> bytes:
    return packed(*folder(""))


def own(tmp_path: Path, name: str) -> bytes:
    """The solution as this student would hand it in."""
    made = translate(labs.load(R202), samples(labs.load(R202))[0], name, tmp_path / "work" / name)
    files = sorted(file for file in made.rglob("*") if file.is_file())
    return packed(*((file.relative_to(made).as_posix(), file.read_bytes()) for file in files))


def zipped(tmp_path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    place = tmp_path / "class.zip"
    place.write_bytes(packed(*members))
    return place


def taken(tmp_path: Path, source: Path, policy: Policy | None = None) -> Roster:
    return intake.take_in(source, labs.load(R202), tmp_path / "book", policy or Policy())


def graded(
    tmp_path: Path, source: Path, policy: Policy | None = None, jobs: int = 1, lab: Path = R202
) -> Markbook:
    into = tmp_path / "book"
    return marking.mark(lab, source, into, policy or Policy(), jobs=jobs, lang=None, now=NOW)


def scores(book: Markbook) -> dict[str, tuple[float, float]]:
    return {one.student: (one.score, one.max) for one in book.grade().submissions}


@HERE
def test_a_folder_a_student_and_an_archive_a_student_are_graded(tmp_path: Path) -> None:
    shutil.copytree(SOLUTION, tmp_path / "class" / "ada")
    shutil.copytree(R202 / "wrong-emulated-nic", tmp_path / "class" / "bob")
    (tmp_path / "class" / "zoe.zip").write_bytes(solution())
    (tmp_path / "class" / "nobody").mkdir()
    book = graded(tmp_path, tmp_path / "class")
    found = scores(book)
    assert list(found) == ["ada", "bob", "nobody", "zoe"]
    assert found["ada"] == found["zoe"]
    assert found["ada"][0] == found["ada"][1] > found["bob"][0] > found["nobody"][0] == 0
    assert book.roster.students[2].attempts[0].problem == "nobody: nothing was handed in"
    assert [key for key, place in book.places() if place.is_file()] == list(found)
    assert book.submission("ada").answers.values == book.submission("zoe").answers.values


def test_a_moodle_download_names_students_with_their_numbers(tmp_path: Path) -> None:
    source = zipped(
        tmp_path,
        ("Jean Martin_12_assignsubmission_file_/work.zip", solution()),
        ("Jean Martin_345_assignsubmission_file_/r202-jean-1.zip", b"no zip"),
        ("Ada Lovelace_7_assignsubmission_file_work.zip", solution()),
        ("Ada Lovelace_7_assignsubmission_onlinetext_onlinetext.html", b"<p>see file</p>"),
    )
    roster = taken(tmp_path, source)
    assert [(one.key, one.id) for one in roster.students] == [
        ("Ada Lovelace", "7"),
        ("Jean Martin (12)", "12"),
        ("Jean Martin (345)", "345"),
    ]
    assert [one.attempts[-1].problem is None for one in roster.students] == [True, True, False]


def test_a_gradescope_export_names_everybody_of_a_group_and_the_time(tmp_path: Path) -> None:
    around = "assignment_9_export/"
    source = zipped(
        tmp_path,
        (f"{around}submission_metadata.yml", METADATA.encode()),
        *folder(f"{around}submission_101/"),
        *folder(f"{around}submission_102/"),
    )
    policy = Policy(deadline=datetime(2026, 11, 21, 8, tzinfo=UTC))
    ada, emilie, jean = taken(tmp_path, source, policy).students
    assert (ada.key, ada.id, ada.email) == ("Ada Lovelace", "1815", "ada@example.org")
    assert ada.attempts == emilie.attempts
    (attempt,) = jean.attempts
    assert (attempt.clock, attempt.late, ada.attempts[0].late) == ("gradescope", 3600, 0)


def test_a_gradescope_export_with_unreadable_names_is_refused(tmp_path: Path) -> None:
    source = zipped(tmp_path, ("submission_metadata.yml", b"submission_1: [\n"), *folder("submission_1/"))
    with pytest.raises(UsageError, match="names of the Gradescope export cannot be read"):
        taken(tmp_path, source)


@HERE
def test_own_archives_of_one_student_are_attempts_and_the_last_counts(tmp_path: Path) -> None:
    place = tmp_path / "class"
    place.mkdir()
    for number in (10, 2, 1):
        manifest = {
            "schema": "tdlab.submission/1",
            "lab": "r202",
            "student": "Ada",
            "number": number,
            "time": "2026-11-20T10:00:00+00:00",
            "key": "",
            "files": {},
        }
        raw = packed(*folder(""), ("manifest.json", json.dumps(manifest).encode()))
        (place / f"r202-ada-{number}.zip").write_bytes(raw)
    (place / "r202-ada-11.zip").write_bytes(b"PK torn")
    book = graded(tmp_path, place)
    (ada,) = book.roster.students
    assert ada.key == "ada"
    assert [one.number for one in ada.attempts] == [1, 2, 10, 11]
    assert [one.place for one in ada.attempts if one.chosen] == ["r202-ada-10.zip"]


def link(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@HERE
def test_what_is_hostile_in_a_class_stops_only_its_own_student(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        source = zipped(
            tmp_path,
            *folder("ada/"),
            (link("link/answers.yaml"), b"/etc/passwd"),
            ("climb/../../../escaped.yaml", ANSWERS),
            ("../escaped.yaml", ANSWERS),
            ("/absolute/answers.yaml", ANSWERS),
            ("twice/answers.yaml", ANSWERS),
            ("twice/answers.yaml", ANSWERS),
            ("case/answers.yaml", ANSWERS),
            ("case/Answers.yaml", b"lab: r202\n"),
            ("bomb/answers.yaml", bytes(2**22)),
            ("archive/work.zip", packed(("answers.yaml", ANSWERS), (link("x"), b"/etc/passwd"))),
        )
    book = graded(tmp_path, source, jobs=1)
    found = scores(book)
    assert found["ada"][0] == found["ada"][1] > 0
    hostile = {key: value for key, value in found.items() if key != "ada"}
    assert set(hostile) == {"link", "climb", "twice", "case", "bomb", "archive"}
    assert {score for score, _ in hostile.values()} == {0}
    hints = {one.student: one.questions[0].hint for one in book.grade().submissions}
    assert "est un lien ou un périphérique" in hints["link"]
    assert "y est deux fois" in hints["twice"]
    assert "y est deux fois" in hints["case"]
    assert "trop grand" in hints["bomb"]
    assert "work.zip\u00a0: x est un lien" in hints["archive"]
    assert len(book.roster.left_out) == 2
    assert not list(tmp_path.rglob("*escaped*"))


def test_a_markbook_of_another_lab_keeps_its_marks(tmp_path: Path) -> None:
    source = zipped(tmp_path, *folder("ada/", LABS / "first-vm" / "solution"))
    marks = graded(tmp_path, source, jobs=1, lab=LABS / "first-vm").folder / "grade.json"
    before = marks.read_bytes()
    with pytest.raises(UsageError, match="is a markbook of first-vm, not of r202"):
        graded(tmp_path, source, jobs=1)
    assert marks.read_bytes() == before


def test_the_same_bytes_come_out_with_any_number_of_workers_and_in_any_order(tmp_path: Path) -> None:
    small = LABS / "first-vm"
    work = packed(*folder("", small / "solution"))
    names = [f"student-{number}.zip" for number in range(6)]
    one = zipped(tmp_path, *((name, work) for name in names))
    first = graded(tmp_path, one, jobs=1, lab=small).folder / "grade.json"
    (tmp_path / "other").mkdir()
    other = zipped(tmp_path / "other", *((name, work) for name in reversed(names)))
    second = graded(tmp_path / "other", other, jobs=2, lab=small).folder / "grade.json"
    assert first.read_bytes() == second.read_bytes()


@HERE
def test_a_file_that_the_disk_does_not_give_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(SOLUTION, tmp_path / "class" / "ada")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("grader.submission.sources.Folder.read", denied)
    (student,) = graded(tmp_path, tmp_path / "class").grade().submissions
    assert {one.outcome for one in student.questions} == {"error"}
    assert "it could not be read: Permission denied" in student.questions[0].hint


@HERE
def test_lateness_costs_what_the_policy_says_and_the_ledger_holds_what_changed(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("ada.zip", (2026, 11, 20, 12, 0, 0))
    early = zipfile.ZipInfo("bob.zip", (2026, 11, 1, 12, 0, 0))
    source = zipped(tmp_path, (member, own(tmp_path, "ada")), (early, own(tmp_path, "bob")))
    policy = Policy.model_validate(
        {"deadline": datetime(2026, 11, 19, 11).astimezone(), "late": {"percent": 10, "every": 86400}}
    )
    ada, bob = graded(tmp_path, source, policy).grade().submissions
    assert (ada.late, ada.score, ada.penalty) == (90000, ada.max * 0.8, ada.max * 0.2)
    assert (bob.late, bob.score, bob.penalty) == (0, bob.max, 0)
    book = tmp_path / "book"
    assert len(ledger.read(book / "ledger.jsonl")) == 2
    graded(tmp_path, source, policy)
    assert len(ledger.read(book / "ledger.jsonl")) == 2
    graded(tmp_path, source)
    assert [one.submission.student for one in ledger.read(book / "ledger.jsonl")[2:]] == ["ada"]


@HERE
def test_a_markbook_is_opened_again_and_nothing_else_is(tmp_path: Path) -> None:
    shutil.copytree(SOLUTION, tmp_path / "class" / "ada")
    book = graded(tmp_path, tmp_path / "class")
    assert open_markbook(tmp_path / "book").roster == book.roster
    with pytest.raises(UsageError, match="is no markbook"):
        open_markbook(tmp_path / "class")
    with pytest.raises(UsageError, match="inside of what is graded"):
        marking.mark(R202, tmp_path, tmp_path / "book2", Policy(), jobs=1, lang=None, now=NOW)


def test_a_class_that_is_refused_leaves_the_marks_and_the_policy_that_are_there(tmp_path: Path) -> None:
    shutil.copytree(SOLUTION, tmp_path / "class" / "ada")
    before = graded(tmp_path, tmp_path / "class")
    (tmp_path / "empty").mkdir()
    strict = Policy.model_validate({"deadline": "2020-01-01T00:00Z", "late": {"percent": 100}})
    with pytest.raises(UsageError, match="holds no submissions"):
        graded(tmp_path, tmp_path / "empty", strict)
    after = open_markbook(before.folder)
    assert (after.policy, after.grade()) == (before.policy, before.grade())
