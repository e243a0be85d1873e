"""What waits for a teacher: equal answers once, most common first, and what the check found of the rubric."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domains.errors import UsageError
from grader.checks import Context, check
from grader.lab import lab as labs
from grader.lab.lab import Lab
from grader.results.result import CheckResult, Outcome, SubmissionGrade
from grader.results.score import submission_grade
from grader.review.decisions import Decision, answer_key
from grader.review.queue import Waiting, open_ones, queue
from grader.submission.answers import Answer
from grader.submission.evidence import Bundle

NOW = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)
# One idea of 3.1, and more words: neither right nor wrong for sure.
HALF = "Each access to the card's registers causes an exit, then some magic machinery of the host runs along"


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(labs.find("r202"))


def judged(lab: Lab, text: str, question: str = "3.1") -> CheckResult:
    asked = lab.question(question)
    assert asked is not None
    return check(asked, Answer(text), Context("r202", "en", Bundle()))


def left(question: str, actual: str) -> CheckResult:
    return CheckResult(id=question, outcome=Outcome.INCONCLUSIVE, max=2, actual=actual, hint="why")


def graded(*rows: tuple[str, CheckResult]) -> list[SubmissionGrade]:
    return [submission_grade(student, [result]) for student, result in rows]


def names(waiting: list[Waiting]) -> list[tuple[str, ...]]:
    return [one.students for one in waiting]


def test_equal_answers_are_one_and_the_most_common_comes_first_within_the_labs_order(lab: Lab) -> None:
    checked = graded(
        ("ann", left("3.2", "ring")),
        ("bob", left("3.1", "rare")),
        ("cid", left("3.1", "Often  said")),
        ("dan", left("3.1", "often said\n")),
    )
    waiting = queue(lab, checked, [])
    assert names(waiting) == [("cid", "dan"), ("bob",), ("ann",)]
    assert [one.question.id for one in waiting] == ["3.1", "3.1", "3.2"]
    assert len({one.id for one in waiting}) == 3


def test_only_what_the_checks_left_open_waits(lab: Lab) -> None:
    others = set(Outcome) - {Outcome.INCONCLUSIVE}
    checked = graded(*((one, left("3.1", one).model_copy(update={"outcome": one})) for one in others))
    assert queue(lab, checked, []) == []


def test_what_is_no_whole_text_is_decided_for_each_student_apart(lab: Lab) -> None:
    checked = graded(
        ("ann", left("3.1-exits", "2.4")),
        ("bob", left("3.1-exits", "2.4")),
        ("cid", left("3.1", "")),
        ("dan", left("3.1", "")),
    )
    waiting = queue(lab, checked, [])
    assert sorted((one.student, one.students) for one in waiting) == [
        (name, (name,)) for name in ("ann", "bob", "cid", "dan")
    ]


def test_what_the_check_found_of_the_rubric_stands_beside_the_answer(lab: Lab) -> None:
    result = judged(lab, HALF)
    assert result.outcome is Outcome.INCONCLUSIVE
    (one,) = queue(lab, graded(("ann", result)), [])
    assert {idea.id: idea.state for idea in one.ideas} == {"register-exit": "said", "imitated": "missing"}
    assert "registers" in one.ideas[0].words
    assert one.found == 0.5
    assert one.evidence == ()


def test_a_wrong_idea_that_was_found_is_shown_with_its_words(lab: Lab) -> None:
    result = judged(
        lab,
        "Each access to the registers causes an exit, and the packet directly uses the physical card",
    )
    assert result.outcome is Outcome.INCONCLUSIVE
    (one,) = queue(lab, graded(("ann", result)), [])
    assert [(idea.id, idea.state) for idea in one.wrong_ideas] == [("host-nic", "said")]


def test_what_is_decided_stays_in_its_place_and_no_longer_waits(lab: Lab) -> None:
    checked = graded(("ann", left("3.1", "a")), ("bob", left("3.2", "b")))
    made = Decision(question="3.1", key=answer_key("3.1", "a"), fraction=1, time=NOW)
    waiting = queue(lab, checked, [made])
    assert [one.decision for one in waiting] == [made, None]
    assert names(open_ones(waiting)) == [("bob",)]
    assert open_ones(queue(lab, checked, [made, made.model_copy(update={"fraction": None})])) == queue(
        lab, checked, []
    )


def test_who_was_decided_about_apart_stays_apart(lab: Lab) -> None:
    checked = graded(("ann", left("3.1", "a")), ("bob", left("3.1", "a")))
    made = Decision(question="3.1", key=answer_key("3.1", "a"), fraction=1, time=NOW, student="bob")
    waiting = queue(lab, checked, [made])
    assert [(one.student, one.students) for one in open_ones(waiting)] == [("", ("ann",))]
    assert [(one.student, one.students) for one in waiting if one.decision] == [("bob", ("bob",))]


def test_a_question_that_the_lab_no_longer_asks_is_named(lab: Lab) -> None:
    with pytest.raises(UsageError, match=r"question 9\.9 was graded.*\n.*tdlab regrade"):
        queue(lab, graded(("ann", left("9.9", "a"))), [])
