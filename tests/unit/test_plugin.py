"""The plugin in a pytest of its own: collecting, outcomes, letters, and the grade that it writes."""

from __future__ import annotations

import json
import shutil
import subprocess  # noqa: TID251 - a fresh interpreter shows what importing the plugin costs
import sys

import pytest

import grader.checks.text
import grader.grading.items
from domains.paths import LABS, SHIPPED
from grader.results.result import Grade, Outcome

pytest_plugins = ["pytester"]

LAB = """\
schema: tdlab.lab/1
title: {en: Trial, fr: Essai}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
      - id: "1"
        kind: choice
        points: 2
        ask: {fr: Quoi, en: What}
        hint: {fr: Lisez, en: Read}
        options: {a: {fr: A, en: A}, b: {fr: B, en: B}}
        right: a
      - id: "2"
        kind: choices
        points: 2
        ask: {fr: Quoi, en: What}
        hint: {fr: Lisez, en: Read}
        options: {a: {fr: A, en: A}, b: {fr: B, en: B}, c: {fr: C, en: C}}
        right: [a, b]
      - id: "3"
        kind: text
        points: 2
        ask: {fr: Pourquoi, en: Why}
        hint: {fr: Pensez, en: Think}
        ideas: [{id: exits, means: {fr: sorties, en: exits}, wordings: ["many exits"]}]
      - id: "4"
        kind: number
        points: 2
        unit: 1/MB
        tolerance: 5 %
        ask: {fr: Combien, en: How many}
        hint: {fr: Comptez, en: Count}
        expect: {measure: {metric: exits_per_mb, nic: e1000}}
"""
SOLUTION = LABS / "r202" / "solution"


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    # An installed tdlab would register the plugin a second time, under its entry point's name.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (pytester.path / "trial").mkdir()
    (pytester.path / "trial" / "lab.yaml").write_text(LAB)
    return pytester


def hand_in(session: pytest.Pytester, name: str, answers: str) -> str:
    folder = session.path / name
    folder.mkdir()
    (folder / "answers.yaml").write_text(answers)
    shutil.copytree(SOLUTION / "evidence", folder / "evidence")
    return f"--submission={folder}"


def run(session: pytest.Pytester, *arguments: str) -> tuple[pytest.RunResult, Grade | None]:
    target = session.path / "grade.json"
    result = session.runpytest_inprocess(
        "-p", "grader.plugin", "-v", f"--tdlab-json={target}", "trial/lab.yaml", *arguments
    )
    return result, Grade.model_validate_json(target.read_bytes()) if target.exists() else None


MIXED = "answers:\n  1: b\n  2: [a]\n  3: either exits or not\n  4: 12\n"
GOOD = "answers:\n  1: a\n  2: [a, b]\n  3: There are many exits.\n"


def test_each_outcome_has_its_own_word(session: pytest.Pytester) -> None:
    result, grade = run(session, hand_in(session, "ann", MIXED), "--tdlab-samples")
    result.stdout.fnmatch_lines(
        [
            "trial/lab.yaml::ann::1 FAILED*",
            "trial/lab.yaml::ann::2 PARTIAL*",
            "trial/lab.yaml::ann::3 INCONCLUSIVE*",
            "trial/lab.yaml::ann::4 SKIPPED*",
            "*question 1: fail, 0 of 2 points*",
            "*expected: a: A*",
            "*hint: Read*",
        ]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert grade
    (ann,) = grade.submissions
    assert [one.outcome for one in ann.questions] == ["fail", "partial", "inconclusive", "skipped"]
    assert (ann.student, ann.score, ann.max) == ("ann", 1, 4)
    assert grade.lab == "trial"


def test_a_right_submission_passes_and_several_are_graded_in_order(session: pytest.Pytester) -> None:
    result, grade = run(session, hand_in(session, "zoe", GOOD), hand_in(session, "bob", GOOD))
    result.assert_outcomes(passed=6, skipped=2)
    assert result.ret == pytest.ExitCode.OK
    assert grade
    assert [(one.student, one.score, one.max) for one in grade.submissions] == [("zoe", 6, 6), ("bob", 6, 6)]


def test_a_broken_file_fails_its_own_student_and_no_other(session: pytest.Pytester) -> None:
    _, grade = run(session, hand_in(session, "eve", "answers: {1: [a\n"), hand_in(session, "bob", GOOD))
    assert grade
    eve, bob = grade.submissions
    assert {one.outcome for one in eve.questions} == {Outcome.FAIL}
    assert "answers.yaml:2:1: here or just before, a bracket is not closed" in eve.questions[0].hint
    assert bob.score == 6


def test_a_check_that_breaks_is_an_error_and_costs_nothing(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(grader.checks.text, "check_text", broken)
    result, grade = run(session, hand_in(session, "bob", GOOD))
    result.assert_outcomes(passed=2, skipped=1, errors=1)
    assert grade
    (bob,) = grade.submissions
    assert bob.questions[2].outcome is Outcome.ERROR
    assert bob.questions[2].hint == "no result: RuntimeError: a fault of ours"
    assert (bob.score, bob.max) == (4, 4)


def test_a_counter_that_got_lost_is_an_error(session: pytest.Pytester) -> None:
    option = hand_in(session, "bob", GOOD)
    report = session.path / "bob" / "evidence" / "report.json"
    run_ = json.loads(report.read_text())
    for cell in run_["cells"]:
        cell["not_measurable"] = {}
    report.write_text(json.dumps(run_))
    result, grade = run(session, option)
    result.assert_outcomes(passed=3, errors=1)
    assert grade
    assert grade.submissions[0].questions[3].outcome is Outcome.ERROR


def test_a_question_that_did_not_run_is_an_error(session: pytest.Pytester) -> None:
    _, grade = run(session, hand_in(session, "bob", GOOD), "--deselect=trial/lab.yaml::bob::1")
    assert grade
    first = grade.submissions[0].questions[0]
    assert (first.outcome, first.max) == (Outcome.ERROR, 2)
    assert first.hint == "no result: the session ended before this question"


def test_workers_give_the_same_grade(session: pytest.Pytester) -> None:
    options = [hand_in(session, "ann", MIXED), hand_in(session, "bob", GOOD)]
    _, alone = run(session, *options)
    _, shared = run(session, *options, "-p", "xdist.plugin", "-n2")
    assert alone is not None
    assert shared == alone


def test_hints_are_in_the_language_that_was_asked_for(session: pytest.Pytester) -> None:
    option = hand_in(session, "bob", "lang: fr\nanswers:\n  1: b\n")
    _, french = run(session, option)
    _, english = run(session, option, "--tdlab-lang=en")
    assert french
    assert english
    assert french.submissions[0].questions[0].hint == "Lisez"
    assert english.submissions[0].questions[0].hint == "Read"


def test_a_lab_that_is_wrong_is_said_with_its_place(session: pytest.Pytester) -> None:
    lab = session.path / "trial" / "lab.yaml"
    lab.write_text(LAB.replace("right: a\n", "right: z\n"))
    result, grade = run(session, hand_in(session, "bob", GOOD))
    result.stdout.fnmatch_lines(["*lab.yaml:13:16: 'z' is none of the options a, b*"])
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert grade is None


def test_a_lab_without_a_submission_says_what_is_missing(session: pytest.Pytester) -> None:
    result, _ = run(session)
    result.stdout.fnmatch_lines(["*add --submission DIR*"])


def test_an_ordinary_session_is_left_alone(session: pytest.Pytester) -> None:
    session.makepyfile("def test_one(): pass")
    result = session.runpytest_inprocess("-p", "grader.plugin")
    result.assert_outcomes(passed=1)


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    code = "import sys, pytest; import grader.plugin; print(*sys.modules)"
    argv = [sys.executable, "-c", code]
    loaded = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=SHIPPED).stdout.split()
    assert "grader.plugin" in loaded
    assert not {"pydantic", "yaml", "lxml", "scipy", "libvirt", "jinja2", "grader.lab.lab"} & set(loaded)
