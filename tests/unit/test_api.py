"""A lab's own checks: what they may ask for, what becomes of what they say, and in every mode the same."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from domains.paths import LABS
from grader.api.parts import Part, merged
from grader.grading import grading, judging
from grader.grading.class_items import Row
from grader.lab import lab as labs
from grader.lab import variants
from grader.lab.questions import CodeQuestion
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade
from grader.submission import submission as submissions

pytest_plugins = ["pytester"]

SOLUTION = LABS / "r202" / "solution"
LAB = """\
schema: tdlab.lab/1
title: {en: Trial, fr: Essai}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
"""
QUESTION = "      - {id: '%s', kind: code, points: %s, ask: {fr: Q, en: Q}, hint: {fr: Lisez, en: Read}%s}\n"
HEAD = "import pytest\nfrom grader.api import Measure, Ratio, both, question\n"


class Trial:
    """A lab of one's own in a folder, with submissions beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lab = folder / "trial"
        (self.lab / "checks").mkdir(parents=True)
        self.ask(("1", 2, ""))

    def ask(self, *questions: tuple[str, float, str]) -> None:
        (self.lab / "lab.yaml").write_text(LAB + "".join(QUESTION % one for one in questions))

    def checks(self, body: str, name: str = "test_it.py") -> None:
        (self.lab / "checks" / name).write_text(HEAD + body)

    def hand_in(self, name: str, answers: str = "answers: {1: 'yes'}", **files: str) -> Path:
        place = self.folder / name
        (place / "domains").mkdir(parents=True)
        (place / "answers.yaml").write_text(answers)
        shutil.copytree(SOLUTION / "evidence", place / "evidence")
        for file, text in files.items():
            (place / "domains" / f"{file}.xml").write_text(text)
        return place

    def results(self, answers: str = "answers: {1: 'yes'}", **files: str) -> list[CheckResult]:
        if not (place := self.folder / "ann").exists():
            self.hand_in("ann", answers, **files)
        lab = labs.load(self.lab)
        return judging.all_judged(lab, submissions.load(lab, place, "ann"), None)

    def result(self, answers: str = "answers: {1: 'yes'}", **files: str) -> CheckResult:
        return self.results(answers, **files)[0]


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


PASSING = "@question('1')\ndef test_it(answer):\n    assert answer.text() == 'yes'\n"
WEB = (SOLUTION / "domains" / "web.xml").read_text()


def test_a_check_that_passes_earns_all_points(trial: Trial) -> None:
    trial.checks(PASSING)
    found = trial.result()
    assert (found.outcome, found.points, found.max, found.actual) == ("pass", 2, 2, "yes")


def test_an_assertion_that_fails_is_the_students_and_its_message_the_hint(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_it(answer, say):\n"
        "    assert answer.text() == 'oui', say(en='Yes.', fr='Oui.')\n"
    )
    found = trial.result("lang: fr\nanswers: {1: 'no'}")
    assert (found.outcome, found.points, found.hint) == ("fail", 0, "Oui.")


def test_a_message_in_two_languages_is_said_in_the_students_own(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_it(answer):\n    assert answer.value == 3, both('Three.', 'Trois.')\n"
    )
    assert trial.result("lang: fr\nanswers: {1: 'no'}").hint == "Trois."


def test_an_assertion_without_a_message_gives_the_questions_own_hint(trial: Trial) -> None:
    trial.checks("@question('1')\ndef test_it(answer):\n    assert answer.value == 3\n")
    assert trial.result("lang: fr\nanswers: {1: 'no'}").hint == "Lisez"


def test_pytests_fail_is_a_verdict_too(trial: Trial) -> None:
    trial.checks("@question('1')\ndef test_it(answer):\n    pytest.fail('not so')\n")
    found = trial.result()
    assert (found.outcome, found.hint) == ("fail", "not so")


BROKEN = {
    "raise ValueError('x\\x1b[2J')": "ValueError: x⟨U+001B⟩[2J",
    "raise SystemExit(0)": "SystemExit: 0",
    "pytest.xfail('known')": "known",
    "int('a')": "invalid literal",
    "answer.number('furlong')": "furlong",
}


@pytest.mark.parametrize("line", BROKEN)
def test_any_other_exception_is_ours_and_costs_nothing(trial: Trial, line: str) -> None:
    trial.ask(("1", 2, ""), ("2", 1, ""))
    trial.checks(
        f"@question('1')\ndef test_it(answer):\n    {line}\n"
        "@question('2')\ndef test_2(answer):\n    answer.text()\n"
    )
    broken, other = trial.results("answers: {1: 7, 2: b}")
    assert (broken.outcome, broken.points, broken.max) == ("error", 0, 2)
    assert BROKEN[line] in broken.hint
    assert other.outcome == "pass"


def test_an_assertion_in_a_library_is_ours(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_it(answer):\n"
        "    exec(compile('assert False, 1', '/elsewhere/lib.py', 'exec'))\n"
    )
    assert trial.result().outcome == "error"


def test_a_fixture_of_the_author_that_breaks_is_ours(trial: Trial) -> None:
    trial.checks(
        "@pytest.fixture\ndef mine(case):\n    assert False, 'mine'\n\n"
        "@question('1')\ndef test_it(answer, mine):\n    pass\n"
    )
    found = trial.result()
    assert found.outcome == "error"
    assert "mine" in found.hint


def test_a_teardown_that_breaks_has_the_last_word(trial: Trial) -> None:
    trial.checks(
        "@pytest.fixture\ndef mine(case):\n    yield\n    raise OSError('left behind')\n\n"
        "@question('1')\ndef test_it(answer, mine):\n    pass\n"
    )
    found = trial.result()
    assert (found.outcome, "left behind" in found.hint) == ("error", True)


def test_a_skip_never_passes_and_takes_its_share_out_of_the_maximum(trial: Trial) -> None:
    trial.checks(
        "@question('1', points=0.5)\ndef test_a(answer):\n    pass\n"
        "@question('1', points=1.5)\ndef test_b(answer):\n    pytest.skip('no such machine')\n"
    )
    found = trial.result()
    assert (found.outcome, found.points, found.max, found.hint) == ("pass", 0.5, 0.5, "no such machine")


def test_a_question_of_which_all_is_skipped_is_skipped(trial: Trial) -> None:
    trial.checks("@question('1')\ndef test_a(answer):\n    pytest.skip('no such machine')\n")
    assert trial.result().outcome == "skipped"


def test_points_that_are_awarded_make_partial_credit(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_a(answer, award):\n"
        "    award(0.5, 'the first half')\n    award(0.75, 'a part')\n"
    )
    found = trial.result()
    assert (found.outcome, found.points, found.max) == ("partial", 1.25, 2)
    assert found.hint == "the first half\na part"


def test_points_stand_when_an_assertion_fails_after_them(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_a(answer, award):\n"
        "    award(0.5)\n    assert answer.value == 3, 'the rest'\n"
    )
    found = trial.result()
    assert (found.outcome, found.points, found.hint) == ("partial", 0.5, "the rest")


@pytest.mark.parametrize(("awarded", "outcome", "points"), [("0", "fail", 0), ("9", "pass", 2)])
def test_awards_stay_between_nothing_and_the_share(
    trial: Trial, awarded: str, outcome: str, points: float
) -> None:
    trial.checks(f"@question('1')\ndef test_a(answer, award):\n    award({awarded})\n")
    found = trial.result()
    assert (found.outcome, found.points) == (outcome, points)


def test_points_are_never_taken(trial: Trial) -> None:
    trial.checks("@question('1')\ndef test_a(answer, award):\n    award(-1)\n")
    assert trial.result().outcome == "error"


def test_several_tests_of_a_question_add_up(trial: Trial) -> None:
    trial.checks("@question('1', points=0.5)\ndef test_a(answer):\n    assert answer.value == 'no', 'A'\n")
    trial.checks("@question('1')\ndef test_b(answer):\n    pass\n", "test_other.py")
    found = trial.result()
    assert (found.outcome, found.points, found.max, found.hint) == ("partial", 1.5, 2, "A")


FAULTS = {
    "@question('1', points=3)\ndef test_a(answer):\n    pass\n": "declare 3 points",
    "@question('1', points=2)\ndef test_a(answer):\n    pass\n"
    "@question('1')\ndef test_b(answer):\n    pass\n": "declare 2 points",
    "@question('9')\ndef test_a(answer):\n    pass\n": "no test for it",
    "@question(1)\ndef test_a(answer):\n    pass\n": "write it in quotes",
    "def test_a(answer):\n    pass\n": "names no question",
    "@question('1')\ndef test_a():\n    pass\n": "asks for no fixture",
    "@question('1')\ndef test_a(answr):\n    pass\n": "asks for no fixture",
    "@question('1')\ndef test_a(answer, awrd):\n    pass\n": "there is no fixture 'awrd'",
    "@question('1')\ndef test_a(domain):\n    pass\n": "which file holds the domain",
    "@question('1')\ndef test_a(workspace):\n    workspace['a.xml']\n": "names the file a.xml",
    "def test_a(:\n": "SyntaxError",
    "import no_such_module\n": "no_such_module",
    "": "no test for it",
}


@pytest.mark.parametrize("body", FAULTS)
def test_what_the_author_did_wrong_costs_no_student_a_point(trial: Trial, body: str) -> None:
    trial.checks(body)
    found = trial.result()
    assert (found.outcome, found.points) == ("error", 0)
    assert FAULTS[body] in found.hint


def test_a_lab_without_tests_has_no_result(trial: Trial) -> None:
    found = trial.result()
    assert (found.outcome, found.hint) == ("error", "no result: trial has no checks/test_*.py")


@pytest.mark.parametrize("answers", ["answers: {}", "answers: {1: ''}", "answers: {1: null}"])
def test_nothing_answered_is_wrong_whatever_was_awarded_before(trial: Trial, answers: str) -> None:
    trial.checks("@question('1')\ndef test_a(award, answer):\n    award(1)\n    answer.text()\n")
    found = trial.result(answers)
    assert (found.outcome, found.points, found.hint) == ("fail", 0, "no answer given")


def test_answers_are_read_as_what_is_asked_for(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_a(answer):\n    assert answer.numbers('times') == [1.424, 1424]\n"
        "    assert answer.number('times') == 1.424\n    assert answer.text() == '1,424 x'\n"
    )
    assert trial.result("answers: {1: '1,424 x'}").outcome == "pass"


@pytest.mark.parametrize(("given", "hint"), [("many", "write a number"), ("3 s", "the unit s does not fit")])
def test_an_answer_that_is_no_number_is_the_students(trial: Trial, given: str, hint: str) -> None:
    trial.checks("@question('1')\ndef test_a(answer):\n    answer.number('times')\n")
    found = trial.result(f"answers: {{1: '{given}'}}")
    assert (found.outcome, hint in found.hint) == ("fail", True)


DOMAIN = (
    "@question('1')\ndef test_a(domain):\n    assert domain.nic.model == 'e1000', domain.spec.nic.model\n"
    "    assert 'tdlab' in domain.xml\n"
)


def test_a_domain_is_read_by_allow_list(trial: Trial) -> None:
    trial.ask(("1", 2, ", file: domains/a.xml"))
    trial.checks(DOMAIN)
    found = trial.result(a=WEB)
    assert (found.outcome, found.hint) == ("fail", "virtio")


HOSTILE = {
    "<emulator>/bin/sh</emulator>": "domains/a.xml:1: <emulator>",
    "<memballoon model='x'/>": "domains/a.xml:1: <memballoon>",
}


@pytest.mark.parametrize("inside", HOSTILE)
def test_a_domain_that_is_refused_names_element_and_line(trial: Trial, inside: str) -> None:
    trial.ask(("1", 2, ", file: domains/a.xml"))
    trial.checks(DOMAIN)
    found = trial.result(a=f"<domain type='kvm'><devices>{inside}</devices></domain>")
    assert found.outcome == "fail"
    assert found.hint.startswith(HOSTILE[inside])


@pytest.mark.parametrize("size", ["<memory unit='GiB'>64</memory>", "<vcpu>64</vcpu>"])
def test_a_domain_that_is_too_large_to_be_booted_is_refused(trial: Trial, size: str) -> None:
    trial.ask(("1", 2, ", file: domains/a.xml"))
    trial.checks(DOMAIN)
    nic = "<devices><interface type='user'><model type='e1000'/></interface></devices>"
    found = trial.result(a=f"<domain type='kvm'>{size}{nic}</domain>")
    assert (found.outcome, "at most 2 GiB and 4 vCPUs" in found.hint) == ("fail", True)


def test_a_file_that_was_not_handed_in_is_the_students(trial: Trial) -> None:
    trial.ask(("1", 2, ", file: domains/a.xml"))
    trial.checks("@question('1')\ndef test_a(workspace):\n    workspace.text('domains/a.xml')\n")
    found = trial.result()
    assert (found.outcome, found.hint) == ("fail", "domains/a.xml was not handed in")


def test_the_workspace_is_bytes_in_memory_and_holds_what_the_lab_names(trial: Trial) -> None:
    trial.ask(("1", 2, ", file: domains/a.xml"))
    trial.checks(
        "@question('1')\ndef test_a(workspace):\n    assert list(workspace) == ['domains/a.xml']\n"
        "    assert workspace['domains/a.xml'].startswith(b'<domain')\n"
        "    assert 'answers.yaml' not in workspace\n"
        "    with pytest.raises(TypeError):\n        workspace['x'] = b''\n"
    )
    assert trial.result(a=WEB, b=WEB).outcome == "pass"


@pytest.mark.parametrize(
    "line",
    [
        "lab_host.look(domain.spec)",
        "assert lab_host.name == 'lab1'",
        "award(1)\n    lab_host.look(domain.spec)",
        "pass",
        "award(1)",
        "with contextlib.suppress(Exception):\n        lab_host.look(domain.spec)",
    ],
)
def test_without_a_lab_host_nothing_is_earned_and_the_remedy_is_named(trial: Trial, line: str) -> None:
    trial.ask(("1", 2, ", file: domains/a.xml"))
    trial.checks(f"import contextlib\n@question('1')\ndef test_a(domain, lab_host, award):\n    {line}\n")
    found = trial.result(a=WEB)
    assert (found.outcome, found.points) == ("skipped", 0)
    assert "--lab-host NAME" in found.hint


def test_what_is_asserted_before_a_guest_is_booted_fails_without_a_lab_host(trial: Trial) -> None:
    trial.ask(("1", 2, ", file: domains/a.xml"))
    trial.checks(
        "@question('1')\ndef test_a(domain, lab_host):\n"
        "    assert domain.nic.model == 'igb', 'not an igb'\n    lab_host.look(domain.spec)\n"
    )
    found = trial.result(a=WEB)
    assert (found.outcome, found.points, found.max, found.hint) == ("fail", 0, 2, "not an igb")


def test_measures_are_the_students_own_and_are_kept_as_evidence(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_a(measure):\n    one = measure(metric='tcp_to_guest', nic='e1000').value\n"
        "    two = measure(Measure(metric='tcp_to_guest', nic='virtio', vhost='off')).value\n"
        "    ratio = measure(Ratio(of=Measure(metric='tcp_to_guest', nic='virtio', vhost='off'),"
        " to=Measure(metric='tcp_to_guest', nic='e1000')))\n    assert ratio.value == two / one\n"
    )
    found = trial.result()
    assert found.outcome == "pass"
    assert len(found.evidence) == 3
    assert found.evidence[0].seen.startswith("tcp_to_guest[e1000] = ")


def test_measures_that_cannot_be_had_end_the_check_by_whose_fault_it_is(trial: Trial) -> None:
    trial.checks("@question('1')\ndef test_a(measure):\n    measure(metric='tcp_to_guest', nic='e1000')\n")
    place = trial.hand_in("ann")
    report = place / "evidence" / "report.json"
    run = json.loads(report.read_text())
    run["cells"] = [one for one in run["cells"] if one["spec"]["nic"]["model"] == "e1000"]
    seen = []
    for change in ("skip", "contradict", "lose", "remove"):
        edited = json.loads(json.dumps(run))
        for cell in edited["cells"]:
            if change == "skip":
                cell.update(status="skipped", cause="no such NIC", measurements={})
            elif change == "contradict":
                cell["measurements"]["tcp_to_guest"]["median"] *= 2
            elif change == "lose":
                del cell["measurements"]["tcp_to_guest"]
        report.write_text(json.dumps(edited))
        if change == "remove":
            report.unlink()
        seen.append(trial.result().outcome)
    assert seen == ["skipped", "inconclusive", "error", "fail"]


def test_a_check_sees_the_students_own_variant(trial: Trial) -> None:
    lab = trial.lab / "lab.yaml"
    lab.write_text(lab.read_text().replace("parts:", "variants: {nic: [e1000, rtl8139, pcnet, igb]}\nparts:"))
    trial.checks("@question('1')\ndef test_a(variant, answer):\n    assert answer.text() == variant['nic']\n")
    own = variants.values(labs.load(trial.lab), "Zoé")["nic"]
    assert trial.result(f"student: Zoé\nanswers: {{1: {own}}}").outcome == "pass"


def test_a_check_may_leave_an_answer_to_the_teacher(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_a(review, award):\n    award(1)\n    review('two ways to read it')\n"
    )
    found = trial.result()
    assert (found.outcome, found.points) == ("inconclusive", 0)
    assert found.hint == "left to the teacher: two ways to read it"


def test_what_a_check_notes_is_in_the_result_and_inert(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_a(answer, note):\n"
        "    note(expected='three', actual='four\\x1b', source='a.xml', seen='line 4')\n"
    )
    found = trial.result()
    assert (found.expected, found.actual) == ("three", "four⟨U+001B⟩")
    assert [(one.source, one.seen) for one in found.evidence] == [("a.xml", "line 4")]


def test_answers_that_cannot_be_read_reach_no_check(trial: Trial) -> None:
    trial.checks("@question('1')\ndef test_a(answer):\n    raise OSError('it was run')\n")
    found = trial.result("answers: {1: [")
    assert found.outcome == "fail"
    assert "answers.yaml:2:1" in found.hint


def test_a_check_that_was_changed_is_collected_anew(trial: Trial) -> None:
    trial.checks("@question('1')\ndef test_a(answer):\n    assert answer.value == 'no', 'first'\n")
    first = trial.result().hint
    trial.checks("@question('1')\ndef test_a(answer):\n    assert answer.value == 'no', 'the second'\n")
    assert (first, trial.result().hint) == ("first", "the second")


def test_one_student_sees_nothing_of_the_one_before(trial: Trial) -> None:
    trial.checks(
        "@question('1')\ndef test_a(answer, award, note):\n    note(actual=str(answer.value))\n"
        "    award(float(answer.value == 'yes'), 'half')\n"
    )
    places = [
        trial.hand_in("ann"),
        trial.hand_in("bob", "answers: {}"),
        trial.hand_in("zoe", "answers: {1: z}"),
    ]
    found = [one.questions[0] for one in grading.grade(trial.lab, places).submissions]
    assert [(one.outcome, one.points, one.actual) for one in found] == [
        ("partial", 1, "yes"),
        ("fail", 0, ""),
        ("fail", 0, "z"),
    ]


def test_what_a_check_prints_is_not_among_the_results(
    trial: Trial, capsys: pytest.CaptureFixture[str]
) -> None:
    trial.checks("@question('1')\ndef test_a(answer):\n    print('debris')\n")
    assert trial.result().outcome == "pass"
    assert "debris" not in capsys.readouterr().out


def test_a_class_on_two_workers_gets_the_same_results(trial: Trial) -> None:
    trial.ask(("1", 2, ""), ("2", 1, ", file: domains/a.xml"))
    trial.checks(
        PASSING
        + "@question('2', points=0.5)\ndef test_nic(domain):\n    assert domain.nic.model == 'virtio'\n"
        "@question('2', points=0.5)\ndef test_boot(domain, lab_host):\n    lab_host.look(domain.spec)\n"
    )
    places = [
        trial.hand_in("ann", a=WEB),
        trial.hand_in("bob", "answers: {1: 'no'}"),
        trial.hand_in("eve", "["),
    ]
    alone = grading.grade(trial.lab, places).submissions
    rows = [Row(place.name, str(place), place.name) for place in places]
    with grading.class_graded(labs.load(trial.lab), rows, jobs=2) as grades:
        together = tuple(SubmissionGrade.model_validate_json(one) for one in grades)
    # Who a submission is of, only a class is asked.
    assert [one.questions for one in together] == [one.questions for one in alone]
    assert [one.outcome for one in alone[0].questions] == [Outcome.PASS, Outcome.PASS]
    assert (alone[0].score, alone[0].max) == (2.5, 2.5)


def test_parts_that_wait_for_the_teacher_make_a_question_that_waits() -> None:
    asked = CodeQuestion.model_validate(
        {
            "id": "1",
            "kind": "code",
            "points": 2,
            "ask": {"fr": "Q", "en": "Q"},
            "hint": {"fr": "L", "en": "R"},
        }
    )
    waits = Part(test="a", outcome=Outcome.INCONCLUSIVE, hint="unverified")
    wrong = Part(test="b", outcome=Outcome.FAIL, hint="wrong")
    assert merged(asked, [waits, wrong], "en").outcome is Outcome.INCONCLUSIVE
    broke = Part(test="c", outcome=Outcome.ERROR, hint="ours")
    assert (merged(asked, [waits, broke], "en").outcome, merged(asked, [], "en").outcome) == (
        "error",
        "error",
    )


# An ordinary call of pytest.


@pytest.fixture
def ordinary(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Trial:
    # An installed tdlab would register the plugin a second time, under its entry point's name.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Trial(pytester.path)


def run(pytester: pytest.Pytester, *arguments: str) -> tuple[pytest.RunResult, Grade | None]:
    target = pytester.path / "grade.json"
    target.unlink(missing_ok=True)
    result = pytester.runpytest_inprocess("-p", "grader.plugin", "-v", f"--tdlab-json={target}", *arguments)
    return result, Grade.model_validate_json(target.read_bytes()) if target.exists() else None


OUTCOMES = (
    PASSING + "@question('2')\ndef test_half(answer, award):\n    award(0.5, 'half')\n"
    "@question('3')\ndef test_host(answer, lab_host):\n    pass\n"
    "@question('4')\ndef test_broken(answer):\n    raise ValueError('ours')\n"
)


def test_an_ordinary_call_shows_each_test_of_each_student_by_its_outcome(
    pytester: pytest.Pytester, ordinary: Trial
) -> None:
    ordinary.ask(("1", 2, ""), ("2", 1, ""), ("3", 1, ""), ("4", 1, ""))
    ordinary.checks(OUTCOMES)
    ordinary.hand_in("ann", "answers: {1: 'no', 2: a, 3: a, 4: a}")
    ordinary.hand_in("bob", "answers: {1: 'yes', 2: a, 3: a, 4: a}")
    result, grade = run(pytester, "trial", "--submission=ann", "--submission=bob")
    result.stdout.fnmatch_lines(
        [
            "trial/checks/test_it.py::test_it?ann? FAILED*",
            "trial/checks/test_it.py::test_it?bob? PASSED*",
            "trial/checks/test_it.py::test_half?ann? PARTIAL*",
            "trial/checks/test_it.py::test_host?ann? SKIPPED*",
            "trial/checks/test_it.py::test_broken?ann? ERROR*",
        ]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert grade
    places = [pytester.path / "ann", pytester.path / "bob"]
    assert grade.submissions == grading.grade(ordinary.lab, places).submissions
    assert [one.outcome for one in grade.submissions[0].questions] == ["fail", "partial", "skipped", "error"]


def test_a_lab_named_by_its_file_alone_is_judged_by_its_tests_too(
    pytester: pytest.Pytester, ordinary: Trial
) -> None:
    ordinary.checks(PASSING)
    ordinary.hand_in("ann")
    result, grade = run(pytester, "trial/lab.yaml", "--submission=ann")
    result.stdout.fnmatch_lines(["trial/lab.yaml::ann::1 PASSED*"])
    assert grade
    assert grade.submissions[0].questions[0].outcome == "pass"


def test_one_test_can_be_run_by_its_name(pytester: pytest.Pytester, ordinary: Trial) -> None:
    ordinary.ask(("1", 2, ""), ("2", 1, ""))
    ordinary.checks(PASSING)
    ordinary.hand_in("ann")
    result, grade = run(pytester, "trial/checks/test_it.py::test_it", "--submission=ann")
    result.assert_outcomes(passed=1)
    assert grade
    first, second = grade.submissions[0].questions
    assert (first.outcome, second.outcome) == ("pass", "error")
    assert "the session ended before this question" in second.hint


def test_without_submissions_nothing_is_judged(pytester: pytest.Pytester, ordinary: Trial) -> None:
    ordinary.checks(PASSING)
    result, grade = run(pytester, "trial/checks")
    result.assert_outcomes(skipped=1)
    assert grade is None


def test_the_fixtures_are_documented_where_pytest_shows_them(
    pytester: pytest.Pytester, ordinary: Trial
) -> None:
    ordinary.checks(PASSING)
    result = pytester.runpytest_inprocess("-p", "grader.plugin", "--fixtures", "trial/checks")
    for name in ("answer", "workspace", "domain", "lab_host", "evidence", "measure", "award"):
        result.stdout.fnmatch_lines([f"{name} -- *grader/api/fixtures.py:*"])


EVIL = "import pathlib\npathlib.Path({!r}).write_text('it was run')\n"


def hostile(trial: Trial, mark: Path) -> Path:
    """Hand in what pytest and Python would run or read if they ever looked there."""
    place = trial.hand_in("eve", "answers: {1: 'no'}")
    code = EVIL.format(str(mark))
    for name in ("conftest.py", "sitecustomize.py", "usercustomize.py", "evil.py", "yaml.py", "test_evil.py"):
        (place / name).write_text(code)
    (place / "checks").mkdir()
    (place / "checks" / "test_it.py").write_text(code + "def test_evil(): pass\n")
    (place / "pytest.ini").write_text("[pytest]\naddopts = -p evil\npythonpath = .\n")
    (place / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '-p evil'\n")
    return place


def test_nothing_that_a_submission_holds_is_run_or_read(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.checks(PASSING)
    place = hostile(trial, tmp_path / "mark")
    monkeypatch.chdir(place)
    monkeypatch.setenv("PYTEST_ADDOPTS", f"-p evil --rootdir={place}")
    monkeypatch.setenv("PYTEST_PLUGINS", "evil")
    monkeypatch.setenv("PYTHONPATH", str(place) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    (student,) = grading.grade(trial.lab, [place]).submissions
    rows = [Row("eve", str(place), "eve")]
    with grading.class_graded(labs.load(trial.lab), rows, jobs=1) as grades:
        (raw,) = grades
    assert student.questions[0].outcome == "fail"
    assert SubmissionGrade.model_validate_json(raw).questions == student.questions
    assert not (tmp_path / "mark").exists()


def test_an_ordinary_call_reads_nothing_of_a_submission_either(
    pytester: pytest.Pytester, ordinary: Trial
) -> None:
    ordinary.checks(PASSING)
    hostile(ordinary, pytester.path / "mark")
    result, grade = run(pytester, "trial", "--submission=eve")
    result.assert_outcomes(failed=1, deselected=1)
    assert grade
    assert grade.submissions[0].score == 0
    assert not (pytester.path / "mark").exists()


@pytest.mark.parametrize("how", ["argument", "rootdir", "import path"])
def test_a_call_that_would_take_code_from_a_submission_is_refused(
    pytester: pytest.Pytester, ordinary: Trial, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    ordinary.checks(PASSING)
    place = hostile(ordinary, pytester.path / "mark")
    (place / "pytest.ini").unlink()
    (place / "pyproject.toml").unlink()
    if how == "import path":
        monkeypatch.setattr(sys, "path", [str(place), *sys.path])
    more = {"argument": ["eve"], "rootdir": [f"--rootdir={place}"], "import path": []}[how]
    result = pytester.runpytest_inprocess("-p", "grader.plugin", "trial", "--submission=eve", *more)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "is inside of the submission" in result.stderr.str()
    assert not (pytester.path / "mark").exists()
