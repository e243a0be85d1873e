from __future__ import annotations

from pathlib import Path

import pytest

from domains import document
from domains.errors import InputError, UsageError
from domains.paths import LABS
from grader.lab import lab as labs
from grader.lab.questions import TextQuestion

HEAD = """\
schema: tdlab.lab/1
title: {fr: Essai, en: Trial}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
"""
CHOICE = """\
      - id: "1.1"
        kind: choice
        points: 2
        ask: {fr: Quoi, en: What}
        hint: {fr: Lisez, en: Read}
        options: {a: {fr: A, en: A}, b: {fr: B, en: B}}
        right: a
"""


def parsed(text: str) -> labs.Lab:
    return labs.parse(document.parse(text.encode(), Path("trial/lab.yaml")))


def refused(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parsed(text)
    return caught.value


def test_a_lab_is_its_questions_in_order() -> None:
    lab = parsed(HEAD + CHOICE + CHOICE.replace('"1.1"', '"1.2"'))
    assert [question.id for question in lab] == ["1.1", "1.2"]
    assert lab.slug == "trial"
    question = lab.question("1.2")
    assert question is not None
    assert question.ask.say("fr") == "Quoi"
    assert lab.question("9.9") is None


@pytest.mark.parametrize(
    ("old", "new", "problem", "remedy", "line"),
    [
        ("right: a", "right: c", "'c' is none of the options a, b", None, 13),
        ("points: 2", "point: 2", "unknown key 'point'", "did you mean 'points'?", 9),
        ("kind: choice", "kind: choise", "unknown kind 'choise'", "did you mean 'choice'?", 8),
        ('id: "1.1"', "id: 1.1", "1.1 is read as a number, not as an id", 'write it in quotes: "1.1"', 7),
        ("ask: {fr: Quoi, en: What}", "ask: {fr: Quoi}", "en: is missing", None, 10),
        ("points: 2", "points: 0", "points: must be more than 0", None, 9),
        ("schema: tdlab.lab/1", "schema: tdlab.lab/2", "is not one of", None, 1),
    ],
)
def test_a_mistake_is_refused_where_it_stands(
    old: str, new: str, problem: str, remedy: str | None, line: int
) -> None:
    error = refused((HEAD + CHOICE).replace(old, new))
    assert problem in error.problem
    assert error.where.line == line
    if remedy:
        assert error.remedy == remedy


def test_two_questions_cannot_share_an_id() -> None:
    error = refused(HEAD + CHOICE + CHOICE)
    assert error.problem == "question 1.1 is asked twice"
    assert error.where.line == 14


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        ("{value: 2, measure: {metric: rtt}}", "exactly one of value, measure and ratio"),
        ("{measure: {metric: tcp_to_gest}}", "unknown metric 'tcp_to_gest'"),
        ("{measure: {metric: rtt, nic: e100}}", "'e100' is not one of"),
    ],
)
def test_an_expectation_names_known_measures(expect: str, problem: str) -> None:
    number = CHOICE.replace("kind: choice", "kind: number").split("        options:")[0]
    error = refused(f"{HEAD}{number}        unit: times\n        tolerance: 5 %\n        expect: {expect}\n")
    assert problem in error.problem


def test_a_tolerance_is_a_percentage_or_a_number() -> None:
    number = CHOICE.replace("kind: choice", "kind: number").split("        options:")[0]
    error = refused(f"{HEAD}{number}        unit: s\n        tolerance: some\n        expect: {{value: 2}}\n")
    assert "'some' is not a tolerance" in error.problem
    assert error.remedy is not None


def test_a_file_of_a_domain_question_stays_inside_the_submission() -> None:
    domain = CHOICE.replace("kind: choice", "kind: domain").split("        options:")[0]
    for name in ("/etc/passwd", "../x.xml", "a/../../x", ".ssh/rc"):
        refused(f"{HEAD}{domain}        file: {name}\n        wants: {{nic: virtio}}\n")


def test_a_folder_without_a_lab_is_a_question_asked_wrongly(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no lab\.yaml"):
        labs.load(tmp_path)


def test_a_lab_that_ships_is_found_by_its_slug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert labs.find("r202") == LABS / "r202"
    (tmp_path / "r202").mkdir()
    assert labs.find("r202") == Path("r202")


def test_the_hash_of_a_lab_follows_contents_and_names(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text("one")
    first = labs.lab_hash(tmp_path)
    cache = tmp_path / "checks" / "__pycache__"
    cache.mkdir(parents=True)
    (cache / "x.pyc").write_text("left behind")
    assert labs.lab_hash(tmp_path) == first
    (tmp_path / "lab.yaml").write_text("two")
    second = labs.lab_hash(tmp_path)
    (tmp_path / "lab.yaml").rename(tmp_path / "other.yaml")
    assert len({first, second, labs.lab_hash(tmp_path)}) == 3


# ---------------------------------------------------------------- a lab in several files

TEXT = """\
schema: tdlab.part/1
questions:
  - id: "1.1"
    kind: text
    points: 2
    ask: {fr: Quoi, en: What}
    hint: {fr: Lisez, en: Read}
    ideas:
      - id: exits
        means: {fr: sorties, en: exits}
        wordings: ["{exit} each"]
"""
WORDS = "schema: tdlab.words/1\nwords:\n  exit: exit* sortie\n"
FRONT = HEAD.replace("    questions:\n", "    questions: parts/one.yaml\n").replace(
    "parts:\n", "words: words.yaml\nparts:\n"
)


def in_files(folder: Path, *, front: str = FRONT, part: str = TEXT, words: str = WORDS) -> Path:
    (folder / "parts").mkdir()
    (folder / "lab.yaml").write_text(front)
    (folder / "parts" / "one.yaml").write_text(part)
    (folder / "words.yaml").write_text(words)
    return folder


def test_parts_and_vocabulary_may_live_in_files_of_their_own(tmp_path: Path) -> None:
    (question,) = labs.load(in_files(tmp_path))
    assert question.id == "1.1"
    assert isinstance(question, TextQuestion)
    assert dict(question.vocabulary) == {"exit": "exit* sortie"}


@pytest.mark.parametrize(
    ("change", "problem", "where"),
    [
        ({"part": TEXT.replace("points: 2", "point: 2")}, "unknown key 'point'", "one.yaml:5:5"),
        ({"part": TEXT.replace("{exit}", "{exits}")}, "unknown name 'exits'", "one.yaml:11:20"),
        ({"part": TEXT.replace("{exit} each", "a = b")}, "unknown name 'a'", "one.yaml:11:20"),
        ({"words": WORDS + "  trap: '{exot}'\n"}, "unknown name 'exot'", "words.yaml:4:9"),
        ({"words": WORDS.replace("words/1", "words/2")}, "is not one of", "words.yaml:1:9"),
        (
            {"front": FRONT.replace("one.yaml", "two.yaml")},
            "there is no file parts/two.yaml",
            "lab.yaml:7:16",
        ),
        ({"front": FRONT.replace("parts/one.yaml", "../one.yaml")}, "is no file of the lab", "lab.yaml:7:16"),
        (
            {"part": TEXT.replace("    ideas:", "    vocabulary: []\n    ideas:").replace("[]", "[[a, b]]")},
            "has no vocabulary of its own",
            "one.yaml:8:17",
        ),
    ],
)
def test_a_mistake_in_a_file_of_a_lab_is_refused_where_it_stands(
    tmp_path: Path, change: dict[str, str], problem: str, where: str
) -> None:
    with pytest.raises(InputError) as caught:
        labs.load(in_files(tmp_path, **change))
    assert problem in str(caught.value)
    assert f"{where}:" in str(caught.value)


def test_a_file_of_a_lab_does_not_lead_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    folder = in_files(tmp_path / "lab")
    outside = tmp_path / "outside.yaml"
    outside.write_text(TEXT)
    (folder / "parts" / "one.yaml").unlink()
    (folder / "parts" / "one.yaml").symlink_to(outside)
    with pytest.raises(InputError, match="leads out of the lab's folder"):
        labs.load(folder)
