"""The teacher's decisions: which answers they hold for, which one wins, and what is on disk after a crash."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.errors import InputError
from grader.checks.verdict import result as made
from grader.lab import lab as labs
from grader.language.inert import inert
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade
from grader.results.score import submission_grade
from grader.review import decisions
from grader.review.decisions import Decision, answer_key, applied

NOW = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)


def left(actual: str, *, question: str = "1.1", outcome: Outcome = Outcome.INCONCLUSIVE) -> CheckResult:
    return CheckResult(id=question, outcome=outcome, max=2, actual=actual, hint="left to the teacher")


def grade(**answers: CheckResult) -> Grade:
    submissions = tuple(submission_grade(name, [result]) for name, result in answers.items())
    return Grade(lab="r202", lab_hash="l", grader_hash="g", submissions=submissions)


def decision(
    fraction: float | None, *, of: str = "It exits", student: str = "", comment: str = ""
) -> Decision:
    return Decision(
        question="1.1",
        key=answer_key("1.1", of),
        fraction=fraction,
        comment=comment,
        time=NOW,
        student=student,
    )


def first(found: Grade, student: int = 0) -> CheckResult:
    return found.submissions[student].questions[0]


def test_a_decision_holds_for_all_who_gave_the_same_answer() -> None:
    found = applied(
        grade(ann=left("It exits"), bob=left("it  EXITS\n"), cid=left("It does not exit")),
        [decision(0.5, comment="and why?")],
    )
    assert [(one.score, one.max) for one in found.submissions] == [(1, 2), (1, 2), (0, 0)]
    assert (first(found).outcome, first(found).points, first(found).hint) == (Outcome.PARTIAL, 1, "and why?")
    assert first(found, 2).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("fraction", "outcome"), [(1, Outcome.PASS), (0.25, Outcome.PARTIAL), (0, Outcome.FAIL)]
)
def test_the_part_given_makes_the_outcome(fraction: float, outcome: Outcome) -> None:
    found = first(applied(grade(ann=left("It exits")), [decision(fraction)]))
    assert (found.outcome, found.points) == (outcome, 2 * fraction)


def test_a_later_decision_wins_and_one_taken_back_leaves_the_question_open() -> None:
    given = grade(ann=left("It exits"))
    assert first(applied(given, [decision(0), decision(1)])).points == 2
    assert applied(given, [decision(0), decision(1), decision(None)]) == given


def test_a_decision_for_one_student_holds_for_that_one_until_it_is_taken_back() -> None:
    given = grade(ann=left("It exits"), bob=left("It exits"))
    rows = [decision(0), decision(1, student="bob")]
    assert [one.score for one in applied(given, rows).submissions] == [0, 2]
    rows.append(decision(None, student="bob"))
    assert [one.score for one in applied(given, rows).submissions] == [0, 0]


def test_what_is_ours_or_not_gradable_never_costs_a_point_whatever_was_decided() -> None:
    for outcome in (Outcome.ERROR, Outcome.SKIPPED):
        given = grade(ann=left("It exits", outcome=outcome))
        assert applied(given, [decision(0)]) == given


def test_a_decision_also_corrects_what_the_checks_marked_alone() -> None:
    given = grade(ann=left("It exits", outcome=Outcome.FAIL))
    assert first(applied(given, [decision(1)])).outcome is Outcome.PASS


def test_answers_that_are_empty_or_cut_are_equal_to_no_other() -> None:
    cut = inert("x" * 5000, limit=2000)
    for actual in ("", "  ", cut):
        given = grade(ann=left(actual))
        assert applied(given, [decision(0, of=actual)]) == given
        assert first(applied(given, [decision(1, of=actual, student="ann")])).points == 2


def test_a_cut_answer_is_known_by_what_the_checks_write() -> None:
    question = next(iter(labs.load(labs.find("r202"))))
    assert not decisions.is_whole(made(question, Outcome.INCONCLUSIVE, actual="a b " * 1000).actual)
    assert decisions.is_whole(made(question, Outcome.INCONCLUSIVE, actual="a b " * 100).actual)


def test_lateness_and_what_else_is_known_of_a_submission_stay() -> None:
    known = SubmissionGrade.model_validate(grade(ann=left("It exits")).submissions[0].model_dump())
    found = applied(grade(ann=left("It exits")), [decision(1)]).submissions[0]
    other = set(SubmissionGrade.model_fields) - {"score", "max", "questions"}
    assert {name: getattr(known, name) for name in other} == {name: getattr(found, name) for name in other}


def test_one_key_for_equal_answers_to_one_question_only() -> None:
    assert answer_key("1.1", "É t\u00e9") == answer_key("1.1", " e\u0301 TE\u0301\n")
    assert answer_key("1.1", "a") != answer_key("1.2", "a")
    assert answer_key("1.1", "1 a") != answer_key("1.11", "a")


@given(st.text(max_size=40))
def test_any_text_has_a_key(text: str) -> None:
    assert answer_key("1.1", inert(text)) == answer_key("1.1", f"  {inert(text)} ")


def test_decisions_are_read_as_they_were_added(tmp_path: Path) -> None:
    file = tmp_path / "class" / "decisions.jsonl"
    rows = [decision(1, comment="« é »\n\u2028 second line"), decision(0.5, student="bob"), decision(None)]
    decisions.add(file, rows[0])
    decisions.add(file, *rows[1:])
    assert decisions.read(file) == rows
    assert decisions.read(tmp_path / "none.jsonl") == []


def test_a_line_that_a_killed_writer_left_unfinished_swallows_no_other(tmp_path: Path) -> None:
    file = tmp_path / "decisions.jsonl"
    decisions.add(file, decision(1))
    with file.open("a") as stream:
        stream.write('{"schema":"tdlab.decision/1","quest')
    assert decisions.read(file) == [decision(1)]
    decisions.add(file, decision(0))
    assert decisions.read(file) == [decision(1), decision(0)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "no decision"),
        ('{"question":"1.1","key":"00","fraction":1,"time":"2025-03-10T12:00:00Z"}', "key"),
        (decision(1).model_dump_json(by_alias=True).replace('"fraction":1.0', '"fraction":1.5'), "fraction"),
        (decision(1).model_dump_json(by_alias=True).replace("T12:00:00Z", ""), "time"),
    ],
)
def test_a_damaged_line_is_refused_with_its_number(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "decisions.jsonl"
    decisions.add(file, decision(1))
    file.write_text(file.read_text() + line + "\n" + file.read_text())
    with pytest.raises(InputError, match=says) as caught:
        decisions.read(file)
    assert (caught.value.where.line, caught.value.where.column) == (2, 1)
