from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from domains.errors import UsageError
from domains.paths import LABS
from grader.lab import lab as labs
from grader.lab.questions import DomainQuestion
from grader.submission import submission


@pytest.fixture(scope="module")
def lab() -> labs.Lab:
    return labs.load(LABS / "r202")


def test_a_submission_is_read_whole(lab: labs.Lab) -> None:
    given = submission.load(lab, lab.folder / "solution", "solution")
    domain = next(one for one in lab if isinstance(one, DomainQuestion))
    assert given.answers.problem is None
    assert given.evidence.run is not None
    assert given.answer(domain).value.startswith(b"<domain")


def test_an_empty_folder_is_a_submission_without_anything(lab: labs.Lab, tmp_path: Path) -> None:
    given = submission.load(lab, tmp_path, "x")
    assert given.answers.problem == "answers.yaml is missing"
    assert given.evidence.run is None
    assert given.evidence.problem is None


def test_links_are_not_followed(lab: labs.Lab, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("answers:\n  1.1: c\n")
    folder = tmp_path / "student"
    folder.mkdir()
    (folder / "answers.yaml").symlink_to(secret)
    (folder / "evidence").symlink_to(lab.folder / "solution" / "evidence")
    given = submission.load(lab, folder, "x")
    assert given.answers.values == {}
    assert "links are not followed" in str(given.answers.problem)
    assert given.evidence.run is None
    assert "links are not followed" in str(given.evidence.problem)


def test_a_fifo_does_not_hang_and_a_folder_is_no_file(lab: labs.Lab, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "answers.yaml")
    (tmp_path / "domains" / "web.xml").mkdir(parents=True)
    given = submission.load(lab, tmp_path, "x")
    assert given.answers.problem == "answers.yaml is not a regular file"
    assert given.files["domains/web.xml"].value is None
    assert given.files["domains/web.xml"].note == "domains/web.xml is not a regular file"


def test_large_files_are_not_read_to_their_end(lab: labs.Lab, tmp_path: Path) -> None:
    for name in ("answers.yaml", "domains/web.xml", "evidence/report.json"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as stream:
            stream.truncate(10 * 2**30)
    given = submission.load(lab, tmp_path, "x")
    assert given.answers.problem == "answers.yaml is larger than 65,536 bytes"
    assert "larger than" in given.files["domains/web.xml"].note
    assert "larger than" in str(given.evidence.problem)


def test_students_are_named_after_their_folders(tmp_path: Path) -> None:
    folders = [tmp_path / "a" / "td", tmp_path / "b" / "td", tmp_path / "zoe"]
    for folder in folders:
        folder.mkdir(parents=True)
    named = [name for name, _ in submission.students([*folders, folders[0]])]
    assert named == ["a/td", "b/td", "zoe"]


def test_names_are_made_inert_and_stay_apart(tmp_path: Path) -> None:
    folders = [tmp_path / "x\x1b[31m", tmp_path / "x⟨U+001B⟩[31m"]
    for folder in folders:
        folder.mkdir()
    names = [name for name, _ in submission.students(folders)]
    assert names == ["x⟨U+001B⟩[31m", "x⟨U+001B⟩[31m (2)"]


def test_no_folder_can_take_the_name_of_another_student(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("x⟨U+001B⟩ (2)", "x\x1b", "x\x07", "x⟨U+001B⟩")]
    for folder in folders:
        folder.mkdir()
    names = [name for name, _ in submission.students(folders)]
    assert len(set(names)) == len(folders)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a submission"):
        list(submission.students([tmp_path / "nobody"]))


@pytest.mark.parametrize(
    ("inside", "is_own"), [("solution", True), ("wrong-host-card", True), ("rendus/wrong-ada", False)]
)
def test_only_the_samples_of_a_lab_are_nobodys(tmp_path: Path, inside: str, is_own: bool) -> None:
    shutil.copytree(LABS / "first-vm", tmp_path / "first-vm")
    place = tmp_path / "first-vm" / inside
    place.mkdir(parents=True, exist_ok=True)
    assert submission.is_sample(labs.load(tmp_path / "first-vm"), place) is is_own
