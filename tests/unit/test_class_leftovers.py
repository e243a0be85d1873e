"""What is in a class and nobody's work is left out by name; what only looks so is graded."""

from __future__ import annotations

import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domains.paths import LABS
from grader.classroom import intake
from grader.classroom.policy import Policy
from grader.classroom.roster import Attempt, Roster
from grader.lab import lab as labs

LAB = labs.load(LABS / "first-vm")
SOLUTION = LAB.folder / "solution"


def students(folder: Path, *names: str) -> Path:
    for name in names:
        shutil.copytree(SOLUTION, folder / name)
    return folder


def zipped(folder: Path) -> Path:
    made = folder.with_suffix(".zip")
    with zipfile.ZipFile(made, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder).as_posix())
    return made


def taken(source: Path) -> Roster:
    return intake.take_in(source, LAB, source.parent / f"book-of-{source.name}", Policy())


def lay(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


@pytest.mark.parametrize("is_zip", [False, True])
def test_a_student_whose_folder_begins_with_a_dot_is_graded(tmp_path: Path, is_zip: bool) -> None:
    folder = students(tmp_path / "class", "ann", ".zoe", ".deep/work", "bob/.mine")
    roster = taken(zipped(folder) if is_zip else folder)
    assert {one.key for one in roster.students} == {"ann", ".zoe", ".deep", "bob"}
    assert [one.attempts[0].problem for one in roster.students] == [None] * 4
    assert roster.left_out == ()


@pytest.mark.parametrize("is_zip", [False, True])
def test_an_archive_or_a_moodle_folder_that_begins_with_a_dot_is_work(tmp_path: Path, is_zip: bool) -> None:
    folder = students(tmp_path / "class", "ann", ".Zoé L_17_assignsubmission_file")
    inside = folder / ".ids" / "first-vm-ida-1.zip"
    inside.parent.mkdir()
    shutil.move(zipped(students(tmp_path, "copied") / "copied"), inside)
    shutil.copy(inside, folder / ".eve.zip")
    roster = taken(zipped(folder) if is_zip else folder)
    assert {one.name for one in roster.students} == {"ann", ".Zoé L", ".ids", ".eve"}
    assert roster.left_out == ()


@pytest.mark.parametrize("is_zip", [False, True])
def test_what_programs_leave_behind_is_left_out_and_named_with_why(tmp_path: Path, is_zip: bool) -> None:
    folder = students(tmp_path / "class", "ann", "bob")
    lay(folder, ".git/objects/ab/cd", "__MACOSX/ann/._answers.yaml", ".config/x", "Thumbs.db")
    lay(folder, ".DS_Store", "ann/.DS_Store", "bob/.DS_Store", "notes.txt")
    roster = taken(zipped(folder) if is_zip else folder)
    assert [one.key for one in roster.students] == ["ann", "bob"]
    assert set(roster.left_out) == {
        ".git (left behind by version control)",
        "__MACOSX (left behind by macOS)",
        ".DS_Store (3 times; left behind by macOS)",
        "Thumbs.db (left behind by Windows)",
        ".config (its name begins with a dot, and no answers.yaml was found in it)",
        "notes.txt is no submission",
    }


def test_a_folder_of_version_control_that_holds_answers_is_still_named(tmp_path: Path) -> None:
    roster = taken(students(tmp_path / "class", "ann", ".git"))
    assert [one.key for one in roster.students] == ["ann"]
    assert roster.left_out == (".git (left behind by version control)",)


def test_where_counting_began_anew_the_time_says_which_attempt_is_the_last() -> None:
    def handed_in(number: int, hour: int, sha256: str) -> Attempt:
        time = datetime(2026, 11, 20, hour, tzinfo=UTC)
        return Attempt(place=f"{sha256}.zip", number=number, time=time, sha256=sha256)

    before = [handed_in(1, 10, "a"), handed_in(2, 11, "b")]
    after = handed_in(1, 14, "c")
    assert intake.ordered([after, *before]) == [*before, after]
    # A clock that was set right in between says less than numbers that go on.
    assert [one.number for one in intake.ordered([handed_in(2, 9, "d"), before[0]])] == [1, 2]
