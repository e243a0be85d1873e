"""A lab proves itself: what holds is said to hold, and each thing made wrong on purpose is found."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from domains import process
from domains.paths import LABS
from grader.api.lab_host import Inside
from grader.grading.grading import grade
from grader.lab import lab as labs
from grader.proof import papers
from grader.proof.mutants import KINDS, saying
from grader.proof.record import Proof
from grader.proof.terminal import lines
from grader.proof.verify import prove

LAB = """\
schema: tdlab.lab/1
title: {fr: Essai, en: Trial}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
      - id: "1.1"
        kind: choice
        points: 2
        ask: {fr: Lequel, en: Which}
        hint: {fr: Lisez, en: Read}
        options: {a: {fr: rouge, en: red}, b: {fr: vert, en: green}, c: {fr: bleu, en: blue}}
        right: a
      - id: "1.2"
        kind: text
        points: 2
        ask: {fr: "Pourquoi est-ce cher ?", en: Why is it expensive?}
        hint: {fr: Comptez, en: Count}
        ideas:
          - id: exits
            means: {fr: des sorties, en: exits}
            wordings: ["exit*|sortie* hypervisor|hyperviseur"]
        wrong_ideas:
          - id: memory
            feedback: {fr: "Non, la place compte peu.", en: "No, space matters little."}
            wordings: ["memory|memoire"]
"""
NUMBER = """\
      - id: "1.3"
        kind: number
        points: 1
        unit: count
        ask: {fr: Combien, en: How many}
        hint: {fr: Comptez, en: Count}
        expect: {value: 8}
        tolerance: 95 %
"""
ANSWERS = 'lab: trial\nlang: en\nanswers:\n  "1.1": a\n  "1.2": Each access is an exit to the hypervisor.\n'
WRONG = 'about: {fr: vert, en: green}\nloses: ["1.1"]\n'


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """Return a small lab that holds."""
    folder = tmp_path / "trial"
    for name, text in (
        ("lab.yaml", LAB),
        ("solution/answers.yaml", ANSWERS),
        ("wrong-colour/answers.yaml", ANSWERS.replace('"1.1": a', '"1.1": b')),
        ("wrong-colour/wrong.yaml", WRONG),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def edited(folder: Path, name: str, old: str, new: str) -> Path:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def survivors(proof: Proof) -> set[tuple[str, str]]:
    return {(one.operator, one.question) for one in proof.mutants.list_ if not one.killed}


def test_a_lab_that_holds_is_said_to_hold(trial: Path) -> None:
    proof = prove(trial, seeds=5)
    assert proof.holds, list(lines(proof))
    assert proof.solution.fraction == 1
    assert proof.untouched.fraction == 0
    assert [(one.name, one.lost) for one in proof.wrong] == [("wrong-colour", ("1.1",))]
    assert proof.mutants.generated == proof.mutants.killed > 8
    assert all(one.students == 5 and one.killed_by for one in proof.mutants.list_)


def test_an_operator_without_a_question_is_named_and_never_counted_as_killed(trial: Path) -> None:
    mutants = prove(trial, seeds=1).mutants
    idle = {one.operator for one in mutants.not_applicable}
    assert {"wrong-nic", "prediction-late", "swapped-numbers", "one-missing"} <= idle
    assert idle | {one.operator for one in mutants.list_} == {kind.name for kind in KINDS}
    assert not idle & {one.operator for one in mutants.list_}


def test_a_solution_that_is_wrong_is_named(trial: Path) -> None:
    proof = prove(edited(trial, "solution/answers.yaml", '"1.1": a', '"1.1": c'), seeds=2)
    assert not proof.holds
    assert proof.solution.fraction == 0.5
    assert any(one.startswith("solution: 1.1 is fail") for one in proof.problems)


def test_a_wrong_sample_that_loses_something_else_is_named(trial: Path) -> None:
    proof = prove(edited(trial, "wrong-colour/wrong.yaml", "1.1", "1.2"), seeds=2)
    assert not proof.holds
    assert "wrong-colour loses 1.1 for student 0, and is to lose 1.2" in proof.problems


def test_a_tolerance_that_takes_anything_lets_mutants_survive(trial: Path) -> None:
    edited(trial, "solution/answers.yaml", '  "1.1"', '  "1.3": 8\n  "1.1"')
    edited(trial, "wrong-colour/answers.yaml", '  "1.1"', '  "1.3": 8\n  "1.1"')
    with (trial / "lab.yaml").open("a", encoding="utf-8") as file:
        file.write(NUMBER)
    proof = prove(trial, seeds=1)
    assert not proof.problems
    assert not proof.holds
    assert survivors(proof) == {("off-by-ten", "1.3")}
    told = "\n".join(lines(proof))
    assert "Mutants that nobody noticed:" in told
    assert "1.3  off-by-ten: ten times too little: 0.8" in told
    assert "make the tolerance smaller" in told
    assert "trial does not hold yet." in told


def test_letters_are_the_students_own_in_every_variant(trial: Path, tmp_path: Path) -> None:
    lab = labs.load(trial)
    (solution, _), _ = papers.masters(lab, [], tmp_path / "masters")
    given = set()
    for number in range(20):
        paper = papers.handed_in(lab, solution, f"student {number}", tmp_path / str(number))
        question = paper.lab.question("1.1")
        assert question is not None
        assert paper.submission.answer(question).value == question.right  # type: ignore[union-attr]
        given.add(question.right)  # type: ignore[union-attr]
    assert given == {"a", "b", "c"}


def test_what_a_wording_says_can_be_read(trial: Path) -> None:
    question = labs.load(LABS / "r202").question("1.7")
    assert question is not None
    assert saying.said("intel = svm", question).lower() == "intel : svm."  # type: ignore[arg-type]


def test_what_the_recorded_run_lacks_is_filled_in_and_named(tmp_path: Path) -> None:
    lab = labs.load(LABS / "r202")
    (solution, *_), filled = papers.masters(lab, ["zoe"], tmp_path)
    assert (solution.folder / "evidence" / "report.json").is_file()
    assert all(" of " in one for one in filled)


def test_the_command_prints_its_schema_and_exits_with_1_for_a_survivor(trial: Path) -> None:
    words = [sys.executable, "-m", "grader", "verify", str(trial), "--seeds", "2", "--json"]
    done = process.run(words, timeout=60, check=False)
    assert done.status == 0
    said = json.loads(done.stdout)
    assert said["schema"] == "tdlab.verify/1"
    assert said["seeds"] == 2
    assert said["mutants"]["survived"] == 0
    assert {"operator", "question", "change", "killed_by"} <= set(said["mutants"]["list"][0])
    shutil.rmtree(trial / "wrong-colour")
    edited(trial, "solution/answers.yaml", '"1.1": a', '"1.1": b')
    assert process.run(words, timeout=60, check=False).status == 1


CODE = """\
      - {id: "1.3", kind: code, points: 1, file: domains/a.xml, ask: {fr: Q, en: Q}, hint: {fr: L, en: R}}
"""
CHECK = """\
import pytest
from grader.api import question

@question("1.3")
def test_the_guest_drives_it(domain, lab_host):
    assert domain.nic.model == "virtio"
    assert lab_host.look(domain.spec).driver == "virtio_net"
"""
WEB = "<domain type='kvm'><name>a</name><devices>{}</devices></domain>"
NIC = "<interface type='network'><source network='default'/><model type='{}'/></interface>"


@pytest.fixture
def booting(trial: Path) -> Path:
    """Return a lab that holds, one question of which only a lab host can answer."""
    with (trial / "lab.yaml").open("a", encoding="utf-8") as file:
        file.write(CODE)
    (trial / "checks").mkdir()
    (trial / "checks" / "test_guest.py").write_text(CHECK)
    for name, model in (("solution", "virtio"), ("wrong-colour", "virtio"), ("wrong-nic", "igb")):
        (trial / name / "domains").mkdir(parents=True)
        (trial / name / "domains" / "a.xml").write_text(WEB.format(NIC.format(model)))
    (trial / "wrong-nic" / "answers.yaml").write_text(ANSWERS)
    (trial / "wrong-nic" / "wrong.yaml").write_text(WRONG.replace("1.1", "1.3"))
    return trial


def guests(monkeypatch: pytest.MonkeyPatch, found: object) -> list[str]:
    """Let hosts show this instead of booting a guest; return the names of those that were asked."""
    asked: list[str] = []

    def looked(name: str, _: object) -> object:
        asked.append(name)
        return found

    monkeypatch.setattr("grader.api.lab_host._looked", looked)
    return asked


def test_what_only_a_lab_host_can_answer_is_named_and_no_problem(booting: Path) -> None:
    proof = prove(booting, seeds=2)
    assert proof.holds, list(lines(proof))
    assert proof.needs_lab_host == ("1.3",)
    assert (proof.solution.fraction, proof.untouched.fraction) == (1, 0)
    told = "\n".join(lines(proof))
    assert "Not proved without a lab host: 1.3 (tdlab verify trial --lab-host NAME)" in told


def test_with_a_lab_host_guests_of_the_first_student_prove_it(
    booting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = guests(monkeypatch, Inside("virtio_net", ()))
    proof = prove(booting, seeds=3, host="lab1")
    assert proof.holds, list(lines(proof))
    # The solution's and that of wrong-colour: the text of wrong-nic says enough.
    assert asked == ["lab1", "lab1"]
    assert proof.needs_lab_host == ()
    guests(monkeypatch, Inside("e1000", ()))
    assert prove(booting, seeds=1, host="lab1").solution.fraction == 0.8


def test_with_a_lab_host_that_cannot_boot_it_the_skip_is_a_problem(
    booting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guests(monkeypatch, ("no such NIC there", "take another"))
    proof = prove(booting, seeds=1, host="lab1")
    assert not proof.holds
    assert any("solution: 1.3 is skipped" in one and "no such NIC" in one for one in proof.problems)


@pytest.mark.parametrize(
    "instead",
    [
        "pytest.skip('not here')",
        "__import__('grader.api.lab_host').api.lab_host.LabHost(None).look(None)",
    ],
)
def test_a_check_that_skips_by_itself_is_a_problem(booting: Path, instead: str) -> None:
    edited(
        booting,
        "checks/test_guest.py",
        '    assert lab_host.look(domain.spec).driver == "virtio_net"',
        f"    {instead}",
    )
    edited(booting, "checks/test_guest.py", "domain, lab_host", "domain")
    proof = prove(booting, seeds=1)
    assert not proof.holds
    assert proof.needs_lab_host == ()
    assert any(one.startswith("solution: 1.3 is skipped") for one in proof.problems)


def test_a_part_that_skips_by_itself_is_a_problem_beside_one_that_waits_for_a_lab_host(booting: Path) -> None:
    skipping = CHECK + '\n@question("1.3")\ndef test_b(domain):\n    pytest.skip("not here")\n'
    (booting / "checks" / "test_guest.py").write_text(skipping)
    proof = prove(booting, seeds=1)
    assert proof.needs_lab_host == ()
    assert any(one.startswith("solution: 1.3 is skipped") for one in proof.problems)
    passing = '@question("1.3")\ndef test_c(domain):\n    assert domain.nic.model == "virtio"\n'
    (booting / "checks" / "test_guest.py").write_text(
        skipping.replace(CHECK, "import pytest\nfrom grader.api import question\n") + passing
    )
    proof = prove(booting, seeds=1)
    assert any(one.startswith("solution: a part of 1.3 is skipped") for one in proof.problems)


def test_an_untouched_workspace_may_not_wait_for_a_lab_host(booting: Path) -> None:
    edited(booting, "checks/test_guest.py", "domain, lab_host):", "lab_host):")
    edited(booting, "checks/test_guest.py", '    assert domain.nic.model == "virtio"\n', "")
    edited(booting, "checks/test_guest.py", "domain.spec", "None")
    proof = prove(booting, seeds=1)
    assert any(one.startswith("untouched workspace: 1.3 is skipped") for one in proof.problems)


def test_what_a_wrong_sample_loses_only_in_a_guest_is_named_as_not_proved(booting: Path) -> None:
    edited(booting, "checks/test_guest.py", '    assert domain.nic.model == "virtio"\n', "")
    proof = prove(booting, seeds=1)
    assert proof.holds, list(lines(proof))
    (wrong,) = [one for one in proof.wrong if one.name == "wrong-nic"]
    assert (wrong.lost, wrong.expected, wrong.needs_lab_host) == ((), (), ("1.3",))
    assert "wrong-nic loses nothing (1.3: not proved)" in "\n".join(lines(proof))


@pytest.mark.parametrize("model", ["e1000", "vmxnet3", "vhost"])
def test_r202_boots_no_domain_that_says_itself_that_it_is_another(model: str, tmp_path: Path) -> None:
    lab = labs.load(LABS / "r202")
    shutil.copytree(lab.folder / "solution", tmp_path / "ann")
    old, new = ("name='qemu'", "name='vhost'") if model == "vhost" else ("type='virtio'", f"type='{model}'")
    edited(tmp_path, "ann/domains/web.xml", old, new)
    if model != "vhost":
        edited(tmp_path, "ann/domains/web.xml", "<driver name='qemu'/>", "")
    (graded,) = grade(lab.folder, [tmp_path / "ann"]).submissions
    (found,) = [one for one in graded.questions if one.id == "3.2-booted"]
    assert (found.outcome, found.points) == ("fail", 0)
    assert "domains/web.xml" in found.hint


@pytest.mark.parametrize(
    "folder", sorted(file.parent for file in LABS.glob("*/lab.yaml")), ids=lambda one: one.name
)
def test_a_lab_that_ships_holds_for_a_few_students(folder: Path) -> None:
    proof = prove(folder, seeds=3)
    assert not proof.problems
    assert proof.solution.fraction == 1
    assert proof.untouched.fraction == 0
    # Short texts are the hardest to judge; of everything else no mutant may survive.
    assert not {one for one in survivors(proof) if one[0] not in {"other-answer", "verb-denied"}}
