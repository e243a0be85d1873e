"""A class, a submission or a markbook that is another one than was meant: one message, with the remedy."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from domains.errors import UsageError
from domains.paths import LABS
from grader.classroom.markbook import MARKBOOK_FILE, ROSTER_FILE
from grader.cli import tdlab

SOLUTION = LABS / "first-vm" / "solution"


@pytest.fixture
def school(tmp_path: Path) -> Path:
    for name in ("ann", "bob", "zoe"):
        shutil.copytree(SOLUTION, tmp_path / "class" / name)
    return tmp_path / "class"


def zipped(folder: Path) -> Path:
    made = folder.with_suffix(".zip")
    with zipfile.ZipFile(made, "w") as archive:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            archive.write(file, file.relative_to(folder).as_posix())
    return made


def refused(*words: str | Path) -> str:
    """Return the one message with its remedy."""
    with pytest.raises(UsageError) as caught:
        CliRunner().invoke(tdlab, [*map(str, words)], standalone_mode=False, catch_exceptions=False)
    assert caught.value.remedy
    return f"{caught.value}\n{caught.value.remedy}"


@pytest.mark.parametrize("is_zip", [False, True])
def test_the_work_of_one_student_is_no_class(school: Path, tmp_path: Path, is_zip: bool) -> None:
    given = school / "ann"
    (given / "submissions").mkdir()
    shutil.copy(zipped(school / "bob"), given / "submissions" / "first-vm-ann-1.zip")
    said = refused("grade", "first-vm", zipped(given) if is_zip else given, "--into", tmp_path / "book")
    assert "the work of one student" in said
    assert "leave --into out" in said


@pytest.mark.parametrize("is_zip", [False, True])
def test_a_class_is_no_submission(school: Path, is_zip: bool) -> None:
    given = zipped(school) if is_zip else school
    said = refused("grade", "first-vm", given)
    assert "holds the work of 3 students" in said
    assert f"`tdlab grade first-vm {given} --into FOLDER`" in said


def test_a_zip_in_a_zip_is_to_be_unpacked_once(school: Path, tmp_path: Path) -> None:
    outer = tmp_path / "download.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(zipped(school), "class.zip")
    said = refused("grade", "first-vm", outer, "--into", tmp_path / "book")
    assert "one level down: class.zip, with the work of 3 students" in said
    assert "unpack it once" in said


def test_files_and_empty_folders_are_neither(tmp_path: Path) -> None:
    file, empty, book = tmp_path / "notes.txt", tmp_path / "empty", tmp_path / "book"
    file.write_text("x")
    empty.mkdir()
    assert "is no ZIP of a class" in refused("grade", "first-vm", file, "--into", book)
    assert "holds no submissions" in refused("grade", "first-vm", empty, "--into", book)
    assert "is not a submission" in refused("grade", "first-vm", file)
    assert "is an empty folder" in refused("grade", "first-vm", empty)


@pytest.mark.parametrize(
    "command",
    [("review",), ("report",), ("regrade",), ("export", "--format", "csv"), ("feedback", "--into", "x")],
)
def test_what_is_no_markbook_says_what_it_is(command: tuple[str, ...], school: Path, tmp_path: Path) -> None:
    name, *options = command
    book = tmp_path / "books" / "book"
    assert "does not exist" in refused(name, tmp_path / "none", *options)
    assert "make one with `tdlab grade LAB CLASS --into FOLDER`" in refused(name, school, *options)
    assert "is no markbook" in refused(name, zipped(school), *options)
    (book / "kept").mkdir(parents=True)
    (book / MARKBOOK_FILE).write_text(
        '{"schema": "tdlab.markbook/1", "lab": "first-vm", "lab_folder": "", "policy": {}}'
    )
    assert "did not come to its end" in refused(name, book, *options)
    assert f"did you mean {book}?" in refused(name, book / "kept", *options)
    assert f"did you mean {book}?" in refused(name, book.parent, *options)
    (book / ROSTER_FILE).write_text("{")
    assert "is damaged" in refused(name, book, *options)


def test_one_submission_is_graded_as_before_however_it_is_given(school: Path) -> None:
    for given in (school / "ann", zipped(school / "bob")):
        done = CliRunner().invoke(tdlab, ["grade", "first-vm", str(given)], standalone_mode=False)
        assert done.exception is None
        assert done.stdout.startswith(given.name.removesuffix(".zip"))
