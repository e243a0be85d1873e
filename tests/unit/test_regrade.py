"""Grading again from what is kept: who moves and why, with decisions that stay and a ledger that is whole."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from domains.errors import InputError, UsageError
from grader.classroom import marking
from grader.classroom.markbook import open_markbook
from grader.classroom.policy import Policy
from grader.commands.regrade import command
from grader.desk import regrading
from grader.desk.desk import Desk
from grader.language import Lang
from grader.results import ledger, store
from grader.results.result import Outcome
from grader.results.score import submission_grade

# What a worker makes of a submission is tested with the workers.
pytestmark = pytest.mark.usefixtures("judged_here")
NOW = datetime(2025, 3, 12, 12, 0, tzinfo=UTC)


def regrade(place: Path, *words: str, catch: bool = True) -> Result:
    arguments = [str(place / "markbook"), *words]
    return CliRunner().invoke(command, arguments, standalone_mode=False, catch_exceptions=catch)


def change_lab(place: Path, old: str, new: str) -> None:
    file = place / "small/lab.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def scores(place: Path) -> dict[str, tuple[float, float]]:
    grade = open_markbook(place / "markbook").grade()
    return {one.student: (one.score, one.max) for one in grade.submissions}


def files(place: Path) -> dict[str, bytes]:
    markbook = place / "markbook"
    return {
        file.relative_to(markbook).as_posix(): file.read_bytes()
        for file in markbook.rglob("*")
        if file.is_file() and file.suffix != ".lock"
    }


def test_with_nothing_changed_nobody_moves_and_nothing_is_written(small_class: Path) -> None:
    before = files(small_class)
    found = regrading.regrade(small_class / "markbook", NOW)
    assert (found.causes, found.moved, found.questions, found.graded) == ((), (), {}, 6)
    assert files(small_class) == before


@pytest.mark.parametrize(
    ("lang", "said", "other"), [("fr", "Comptez.", "Count."), ("en", "Count.", "Comptez.")]
)
def test_a_class_that_was_graded_in_one_language_is_graded_again_in_it(
    small_class: Path, lang: Lang, said: str, other: str
) -> None:
    small, book = small_class / "small", small_class / "markbook"
    marking.mark(small, small_class / "class", book, Policy(), jobs=1, lang=lang, now=NOW)
    before = files(small_class)
    assert said.encode() in before["checked.json"]
    assert other.encode() not in before["checked.json"]
    assert regrading.regrade(book, NOW).questions == {}
    assert files(small_class) == before


def test_a_changed_lab_moves_exactly_those_whom_it_concerns(small_class: Path) -> None:
    before = scores(small_class)
    change_lab(small_class, "right: b", "right: a")
    shutil.rmtree(small_class / "class")
    found = regrading.regrade(small_class / "markbook", NOW)
    assert found.causes == ("lab",)
    assert found.before.grader == found.after.grader
    assert found.questions == {"2": ("expected", "rules")}
    assert {one.student for one in found.moved} == {"ann", "bob", "cid", "dan", "eve"}
    cid = next(one for one in found.moved if one.student == "cid")
    assert [
        (one.id, one.before and one.before.points, one.after and one.after.points) for one in cid.questions
    ] == [("2", 0, 1)]
    after = scores(small_class)
    assert after["cid"][0] == before["cid"][0] + 1
    assert after["fay"] == before["fay"]


def test_decisions_stay_and_are_no_cause_of_a_move(small_class: Path) -> None:
    book = open_markbook(small_class / "markbook")
    desk = Desk(book, lambda: NOW)
    desk.decide(desk.waiting()[0], 1)
    change_lab(small_class, '{fr: "Comptez.", en: "Count."}', '{fr: "Regardez.", en: "Look."}')
    found = regrading.regrade(book.folder, NOW)
    assert found.causes == ("lab",)
    assert (found.moved, found.decisions_lost) == ((), 0)
    assert scores(small_class)["ann"] == (3, 4)


def test_a_decision_about_a_question_that_is_asked_no_more_is_counted(small_class: Path) -> None:
    book = open_markbook(small_class / "markbook")
    desk = Desk(book, lambda: NOW)
    desk.decide(desk.waiting()[0], 1)
    change_lab(small_class, 'id: "1"\n', 'id: "1-bis"\n')
    found = regrading.regrade(book.folder, NOW)
    assert found.decisions_lost == 1
    assert found.questions == {"1": ("dropped",), "1-bis": ("asked",)}


def test_a_dry_run_says_the_same_and_writes_nothing(small_class: Path) -> None:
    change_lab(small_class, "right: b", "right: a")
    before = files(small_class)
    tried = regrading.regrade(small_class / "markbook", NOW, dry_run=True)
    assert files(small_class) == before
    done = regrading.regrade(small_class / "markbook", NOW)
    assert tried == done.model_copy(update={"dry_run": True})
    assert files(small_class) != before


def test_the_ledger_pins_what_graded_again_and_says_so(small_class: Path) -> None:
    change_lab(small_class, "right: b", "right: a")
    found = regrading.regrade(small_class / "markbook", NOW)
    entries = ledger.read(small_class / "markbook/ledger.jsonl")
    assert [one.cause for one in entries] == ["graded"] * 6 + ["regraded"] * 6
    assert {one.lab_hash for one in entries[:6]} == {found.before.lab}
    assert {one.lab_hash for one in entries[6:]} == {found.after.lab}


def test_a_ledger_that_was_tampered_with_is_refused_with_its_line_before_anything_is_graded(
    small_class: Path,
) -> None:
    file = small_class / "markbook/ledger.jsonl"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace('"student":"bob","score":1.0', '"student":"bob","score":2.0'), encoding="utf-8"
    )
    before = files(small_class)
    for words in ((), ("--dry-run",), ("--history", "ann")):
        with pytest.raises(InputError, match=r"ledger\.jsonl:3:1: a line before this one was changed"):
            regrade(small_class, *words, catch=False)
    assert files(small_class) == before


def test_the_command_tells_who_moved_and_why(small_class: Path) -> None:
    change_lab(small_class, "right: b", "right: a")
    said = regrade(small_class, "--dry-run").stdout.splitlines()
    assert said[0].startswith("the lab has changed (")
    assert said[1].startswith("tdlab is the same (")
    assert "question 2 has changed: what is expected, its rules" in said
    at = said.index("ann  1/2 → 0/2")
    assert said[at + 1] == "  2  right 1/1 → wrong 0/1"
    assert said[-2:] == ["5 of 6 students moved", "nothing was written (--dry-run)"]
    french = regrade(small_class, "--lang", "fr").stdout
    assert "  2  juste 1/1 → faux 0/1" in french
    assert "5 étudiants sur 6 ont bougé" in french


def test_the_difference_as_json(small_class: Path) -> None:
    change_lab(small_class, "right: b", "right: a")
    found: Any = json.loads(regrade(small_class, "--json").stdout)
    assert (found["schema"], found["lab"], found["causes"]) == ("tdlab.regrade/1", "small", ["lab"])
    assert found["moved"][0]["questions"][0]["after"] == {"outcome": "fail", "points": 0, "max": 1}


def test_the_history_of_a_student_tells_each_step(small_class: Path) -> None:
    desk = Desk(open_markbook(small_class / "markbook"), lambda: NOW)
    desk.decide(desk.waiting()[0], 0.5)
    desk.settle()
    change_lab(small_class, "right: b", "right: a")
    regrading.regrade(small_class / "markbook", NOW)
    said = regrade(small_class, "--history", "ann").stdout.splitlines()
    steps = [line for line in said if not line.startswith("  lab ")]
    assert [line.split("  ")[-2:] for line in steps if not line.startswith("  ")] == [
        ["1/2", "graded"],
        ["2/4", "decided by the teacher"],
        ["1/4", "graded again"],
    ]
    assert "  1  waits 0/2 → right in part 1/2" in steps
    assert "  2  right 1/1 → wrong 0/1" in steps
    entries = json.loads(regrade(small_class, "--history", "ann", "--json").stdout)["entries"]
    assert [one["cause"] for one in entries] == ["graded", "decided", "regraded"]


def test_a_student_who_is_not_there_is_guessed(small_class: Path) -> None:
    with pytest.raises(UsageError, match=r"no student 'anne'\n.*did you mean 'ann'"):
        regrade(small_class, "--history", "anne", catch=False)


def test_what_an_author_changed_is_told_by_question(small_class: Path) -> None:
    change_lab(small_class, "What does an emulated NIC cost?", "What does an emulated NIC cost you?")
    change_lab(small_class, "tolerance: 5 %", "tolerance: 6 %")
    found = regrading.regrade(small_class / "markbook", NOW)
    assert (found.questions, found.moved) == ({"1": ("text",), "1-exits": ("rules",)}, ())
    again = regrading.regrade(small_class / "markbook", NOW)
    assert (again.questions, again.causes) == ({}, ())


CODE = """
      - id: "3"
        kind: code
        points: 2
        ask: {fr: "Démarrez-le.", en: "Boot it."}
        hint: {fr: "Relisez.", en: "Read it again."}
"""
CHECK = """
import pytest


@pytest.mark.question("3")
def test_it_boots(lab_host):
    pass
"""


def test_what_a_guest_told_stays_for_none_is_booted(small_class: Path) -> None:
    file = small_class / "small/lab.yaml"
    file.write_text(file.read_text(encoding="utf-8") + CODE.lstrip("\n"), encoding="utf-8")
    (small_class / "small/checks").mkdir()
    (small_class / "small/checks/test_boot.py").write_text(CHECK)
    book = open_markbook(small_class / "markbook")
    first = regrading.regrade(book.folder, NOW)
    assert first.carried == {}
    # As if it had been graded on a lab host.
    checked = book.checked()
    one = checked.submissions[0]
    assert one.questions[-1].outcome is Outcome.SKIPPED
    told = one.questions[-1].model_copy(update={"outcome": Outcome.PASS, "points": 2.0})
    changed = submission_grade(one.student, [*one.questions[:-1], told])
    store.write(book.folder / "checked.json", checked, [changed, *checked.submissions[1:]])
    found = regrading.regrade(book.folder, NOW)
    assert (found.carried, found.moved) == ({"3": 1}, ())
    assert book.checked().submissions[0].questions[-1] == told
    assert "question 3: 1 result kept that a guest gave" in regrade(small_class).stdout
