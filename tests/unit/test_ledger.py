from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domains.errors import InputError
from grader.results import ledger
from grader.results.result import Grade, SubmissionGrade

NOW = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)


def grade(*students: str, score: float = 1) -> Grade:
    given = tuple(SubmissionGrade(student=name, score=score, max=2, questions=()) for name in students)
    return Grade(lab="r202", lab_hash="l", grader_hash="g", submissions=given)


def append(file: Path, given: Grade) -> int:
    return ledger.append_changed(
        file, given, (one.model_dump_json().encode() for one in given.submissions), NOW, "graded"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "class" / "ledger.jsonl"
    append(path, grade("ann", "bob"))
    append(path, grade("ann", score=1.5))
    return path


def test_results_are_added_and_never_replaced(file: Path) -> None:
    entries = ledger.read(file)
    assert [entry.submission.student for entry in entries] == ["ann", "bob", "ann"]
    assert {(entry.lab_hash, entry.grader_hash) for entry in entries} == {("l", "g")}
    assert len({entry.previous for entry in entries}) == 3


@pytest.mark.parametrize("damage", ["edited", "dropped", "moved", "no json"])
def test_damage_is_found_where_it_shows(file: Path, damage: str) -> None:
    one, two, three = file.read_text().splitlines()
    lines = {
        "edited": [one.replace('"score":1.0', '"score":2.0'), two, three],
        "dropped": [one, three],
        "moved": [two, one, three],
        "no json": [one, "{", three],
    }[damage]
    assert lines != [one, two, three]
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        ledger.read(file)
    assert caught.value.where.line == (1 if damage == "moved" else 2)
    with pytest.raises(InputError):
        append(file, grade("cid"))


def test_a_line_that_a_killed_writer_left_unfinished_is_dropped(file: Path) -> None:
    with file.open("a") as stream:
        stream.write('{"schema":"tdlab.ledger/1","prev')
    assert len(ledger.read(file)) == 3
    append(file, grade("cid"))
    assert [entry.submission.student for entry in ledger.read(file)] == ["ann", "bob", "ann", "cid"]


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert ledger.read(tmp_path / "none.jsonl") == []


def test_only_what_changed_is_added_and_what_another_grader_gave(file: Path) -> None:
    assert append(file, grade("ann", "bob", score=1.5)) == 1
    assert append(file, grade("ann", "bob", score=1.5)) == 0
    assert append(file, grade("ann", score=1.5).model_copy(update={"grader_hash": "other"})) == 1
    seen = [(entry.submission.student, entry.grader_hash, entry.cause) for entry in ledger.read(file)]
    assert seen[3:] == [("bob", "g", "graded"), ("ann", "other", "graded")]


def test_a_line_is_the_entry_that_it_stands_for(file: Path) -> None:
    lines = file.read_bytes().splitlines()
    assert [one.model_dump_json(by_alias=True).encode() for one in ledger.read(file)] == lines
