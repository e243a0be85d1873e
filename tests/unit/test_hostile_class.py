"""What students of a class hand in beside, around and instead of what they were asked for."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domains.paths import LABS
from grader.classroom import intake
from grader.classroom.markbook import Markbook
from grader.classroom.policy import Policy
from grader.classroom.roster import Roster
from grader.grading.judging import all_judged
from grader.lab import lab as labs
from grader.results.result import CheckResult, Outcome
from grader.submission import submission
from grader.submission.samples import samples
from grader.submission.translation import translate

LAB = labs.load(LABS / "first-vm")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def work(folder: Path, name: str = "Zoé Émilie") -> Path:
    return translate(LAB, samples(LAB)[0], name, folder)


def judged(folder: Path) -> dict[str, CheckResult]:
    given = submission.load(LAB, folder, "zoé", handed_in=True)
    return {one.id: one for one in all_judged(LAB, given, "en")}


def taken(tmp_path: Path) -> Roster:
    return intake.take_in(tmp_path / "class", LAB, tmp_path / "book", Policy())


def right(tmp_path: Path, roster: Roster) -> set[Outcome]:
    """Return the outcomes of what counts of the only student."""
    (student,) = roster.students
    attempt = student.attempts[intake.last(student.attempts)].model_copy(update={"chosen": True})
    chosen = roster.model_copy(update={"students": (student.model_copy(update={"attempts": (attempt,)}),)})
    given = Markbook(tmp_path / "book", LAB, chosen, Policy()).submission(student.key)
    return {one.outcome for one in all_judged(LAB, given, "en")}


@pytest.mark.parametrize("raw", [b"answers: [", b"lab: first-vm\nanswers:\n  1.1: a: b\n", b"\xff\xfe", None])
def test_a_slip_in_the_answers_takes_no_file_with_it(tmp_path: Path, raw: bytes | None) -> None:
    folder = work(tmp_path / "zoé")
    if raw is None:
        (folder / "answers.yaml").unlink()
    else:
        (folder / "answers.yaml").write_bytes(raw)
    found = judged(folder)
    assert found.pop("2.2").outcome is Outcome.PASS
    assert {one.outcome for one in found.values()} == {Outcome.FAIL}
    assert "answers.yaml" in found["1.1"].hint


def test_a_file_of_nobody_is_not_judged_by_the_variant_of_somebody(tmp_path: Path) -> None:
    folder = work(tmp_path / "zoé")
    (folder / "answers.yaml").write_bytes(b"answers: [")
    (folder / "workspace.yaml").unlink()
    assert judged(folder)["2.2"].outcome is Outcome.FAIL


def test_a_film_beside_the_answers_does_not_take_their_place(tmp_path: Path) -> None:
    folder = work(tmp_path / "class/Zoé Émilie")
    for name in ("A-film.mp4", "B-film.mp4"):
        (folder / name).write_bytes(bytes(20 * 2**20))
    roster = taken(tmp_path)
    assert roster.students[0].attempts[0].problem is None
    assert right(tmp_path, roster) == {Outcome.PASS}


def test_loose_answers_in_two_folders_are_two_attempts_and_both_are_named(tmp_path: Path) -> None:
    top = tmp_path / "class/Zoé Émilie"
    work(top / "td")
    work(top / "td-old")
    (student,) = taken(tmp_path).students
    assert sorted(one.place for one in student.attempts) == ["Zoé Émilie/td", "Zoé Émilie/td-old"]


def test_an_attempt_without_answers_does_not_take_the_place_of_one_with_them(tmp_path: Path) -> None:
    folder = work(tmp_path / "zoé")
    top = tmp_path / "class/Zoé Émilie"
    top.mkdir(parents=True)
    for number, left_out in ((1, ""), (2, "answers.yaml")):
        with zipfile.ZipFile(top / f"first-vm-zoe-{number}.zip", "w") as archive:
            for file in sorted(folder.rglob("*")):
                if file.is_file() and file.name != left_out:
                    archive.write(file, file.relative_to(folder))
    roster = taken(tmp_path)
    assert [one.problem for one in roster.students[0].attempts] == [
        None,
        "first-vm-zoe-2.zip: answers.yaml is missing",
    ]
    assert right(tmp_path, roster) == {Outcome.PASS}
