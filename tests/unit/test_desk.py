"""A markbook on the teacher's desk: what a decision moves, undo, batches, and what the command says."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from click.testing import CliRunner, Result

from domains.errors import InputError, UsageError
from grader.classroom.markbook import open_markbook
from grader.commands.review import command
from grader.desk import batch, words
from grader.desk.desk import Desk
from grader.language.bilingual import Bilingual
from grader.results import ledger
from grader.results.result import Outcome
from grader.review import decisions
from grader.review.decisions import answer_key

NOW = datetime(2025, 3, 11, 12, 0, tzinfo=UTC)


@pytest.fixture
def desk(small_class: Path) -> Desk:
    return Desk(open_markbook(small_class / "markbook"), lambda: NOW)


def review(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [str(folder / "markbook"), *words], standalone_mode=False)


def listed(folder: Path, *words: str) -> Any:
    return json.loads(review(folder, "--json", *words).stdout)


def test_the_queue_holds_equal_answers_once_and_measures_for_each_student(desk: Desk) -> None:
    rows = [(one.question.id, one.students, one.student) for one in desk.waiting()]
    assert rows[0] == ("1", ("ann", "bob"), "")
    assert sorted(rows[1:3]) == [("1", ("cid",), ""), ("1", ("eve",), "")]
    assert sorted(rows[3:]) == [("1-exits", ("cid",), "cid"), ("1-exits", ("eve",), "eve")]
    progress = desk.progress()
    assert (progress.answers, progress.decided, progress.students, progress.students_decided) == (5, 0, 6, 0)


def test_a_decision_moves_the_marks_of_all_who_gave_the_answer(desk: Desk) -> None:
    before = {one.student: (one.score, one.max) for one in desk.settle().submissions}
    desk.decide(desk.waiting()[0], 0.5, "and who answers?")
    after = {one.student: (one.score, one.max) for one in desk.settle().submissions}
    moved = {name for name in before if before[name] != after[name]}
    assert moved == {"ann", "bob"}
    assert after["ann"] == (before["ann"][0] + 1, before["ann"][1] + 2)
    grade = desk.book.grade()
    assert grade.submissions[0].questions[0].outcome is Outcome.PARTIAL
    assert grade.submissions[0].questions[0].hint == "and who answers?"
    assert desk.book.checked().submissions[0].questions[0].outcome is Outcome.INCONCLUSIVE


def test_the_ledger_says_that_the_teacher_decided(desk: Desk) -> None:
    file = desk.book.folder / "ledger.jsonl"
    graded = len(ledger.read(file))
    desk.decide(desk.waiting()[0], 1)
    desk.settle()
    added = ledger.read(file)[graded:]
    assert [(one.submission.student, one.cause, one.time) for one in added] == [
        ("ann", "decided", NOW),
        ("bob", "decided", NOW),
    ]


def test_undo_goes_back_step_by_step_and_deletes_nothing(desk: Desk) -> None:
    first, second = desk.waiting()[:2]
    desk.decide(first, 0)
    desk.decide(second, 1)
    decided = desk.find(first.id)
    assert decided is not None
    desk.decide(decided, 1, "no: right")
    for fraction, decided_count in ((0, 2), (0, 1), (None, 0)):
        assert desk.undo() is not None
        held = desk.waiting()[0].decision
        assert (held.fraction if held else None) == fraction
        assert desk.progress().decided == decided_count
    assert desk.undo() is None
    assert len(decisions.read(desk.book.folder / "decisions.jsonl")) == 6


def test_what_another_process_writes_is_seen(desk: Desk) -> None:
    other = Desk(open_markbook(desk.book.folder), lambda: NOW)
    other.decide(other.waiting()[0], 1)
    assert desk.progress().decided == 1


def test_the_next_one_is_the_next_that_waits_and_the_start_follows_the_end(desk: Desk) -> None:
    waiting = desk.waiting()
    assert desk.after(waiting[0]) == waiting[1]
    assert desk.after(waiting[-1]) == waiting[0]
    for one in waiting[:-1]:
        desk.decide(one, 0)
    assert desk.after(waiting[0]) == waiting[-1]
    desk.decide(waiting[-1], 0)
    assert desk.after(waiting[0]) is None


def test_measures_stand_beside_an_answer_without_a_name(desk: Desk) -> None:
    first = desk.waiting()[0]
    copies = desk.beside(first)
    assert len(copies) == 2
    assert [one.id for one in copies[0].kin] == ["1-exits"]
    assert copies[0].unverified
    assert not any(name in repr(copies) for name in ("ann", "bob"))
    unread = next(one for one in desk.waiting() if one.students == ("eve",))
    assert "evidence/report.json" in desk.beside(unread)[0].problem


def test_a_batch_is_added_whole(small_class: Path, tmp_path: Path) -> None:
    rows = listed(small_class)["answers"]
    made = [
        {"question": one["question"], "key": one["key"], "student": one["student"], "fraction": 1}
        for one in rows
    ]
    file = tmp_path / "made.jsonl"
    file.write_text("\n".join(json.dumps(one) for one in made))
    done = review(small_class, "--decide", str(file))
    assert done.return_value == 0
    assert "5 of 5 answers decided" in done.stdout
    assert "réponses décidées : 5 sur 5" in review(small_class, "--decide", str(file), "--lang", "fr").stdout
    outcomes = {
        one.outcome for grade in open_markbook(small_class / "markbook").grade().submissions
        for one in grade.questions
    }  # fmt: skip
    assert Outcome.INCONCLUSIVE not in outcomes


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": "0" * 64}, "nobody gave this answer to question 1"),
        ({"question": "9"}, "nobody gave this answer to question 9"),
        ({"student": "dan"}, "dan did not give this answer"),
        ({"fraction": 2}, "no decision: fraction"),
        ({"question": "1-exits", "key": answer_key("1-exits", "2.0")}, "for each student apart"),
        ({"schema": "tdlab.decision/2"}, "no decision: schema"),
    ],
)
def test_a_batch_with_a_line_that_fits_nobody_is_refused_whole(
    desk: Desk, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    good = {"question": "1", "key": desk.waiting()[0].key, "fraction": 1}
    file = tmp_path / "made.jsonl"
    file.write_text(json.dumps(good) + "\n\n" + json.dumps(good | change) + "\n")
    with pytest.raises(InputError, match=says) as caught:
        batch.decide(desk, file)
    assert caught.value.where.line == 3
    assert desk.progress().decided == 0


def test_a_teacher_may_correct_what_was_marked_alone(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "made.jsonl"
    key = answer_key("2", "a: e1000")
    file.write_text(json.dumps({"question": "2", "key": key, "fraction": 0.5, "student": "cid"}))
    assert batch.decide(desk, file) == 1
    assert desk.settle().submissions[2].questions[2].points == 0.5


def test_the_queue_as_json_names_nobody_unless_asked(small_class: Path) -> None:
    found = listed(small_class)
    assert (found["schema"], found["lab"]) == ("tdlab.review/1", "small")
    assert found["progress"] == {"answers": 5, "decided": 0, "students": 6, "students_decided": 0}
    first = found["answers"][0]
    assert (first["count"], first["max"], first["found"], first["student"]) == (2, 2, 0.5, "")
    assert first["ideas"][0] == {"id": "exits", "state": "said", "words": "exit"}
    assert "ann" not in json.dumps(found)
    assert listed(small_class, "--names")["answers"][0]["students"] == ["ann", "bob"]


def test_no_markbook_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no markbook\n.*tdlab grade"):
        CliRunner().invoke(command, [str(tmp_path)], standalone_mode=False, catch_exceptions=False)


def test_a_port_that_is_taken_is_said_with_what_to_do(small_class: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        arguments = [str(small_class / "markbook"), "--port", port]
        with pytest.raises(UsageError, match=rf"port {port} cannot be had: .*\n.*leave --port out"):
            CliRunner().invoke(command, arguments, standalone_mode=False, catch_exceptions=False)


def all_texts() -> list[Bilingual]:
    found: list[Bilingual] = []
    for value in vars(words).values():
        rows = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
        found += [
            one
            for row in rows
            for one in (row if isinstance(row, tuple) else (row,))
            if isinstance(one, Bilingual)
        ]
    return found


def test_the_pages_words_are_whole_and_french_is_written_as_french() -> None:
    texts = all_texts()
    assert len(texts) > 80
    for one in texts:
        names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (one.fr, one.en)]
        assert names[0] == names[1], one
        assert "'" not in one.fr, one
        assert not any(f" {mark}" in one.fr for mark in ":;?!»"), one
        assert "« " not in one.fr, one
