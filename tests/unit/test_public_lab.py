"""The students' edition of a lab: it asks, measures and checks as the lab does, and holds no right answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from domains.errors import UsageError
from domains.paths import LABS
from grader.checks import Context, check
from grader.grading import grading
from grader.lab import lab as labs
from grader.lab import public, variants
from grader.lab.lab import Lab
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion, TextQuestion
from grader.language import LANGUAGES
from grader.results.result import Outcome
from grader.sheet import source
from grader.sheet.page import html_text
from grader.submission import submission
from grader.submission.answers import Answer
from grader.submission.evidence import Bundle
from grader.submission.samples import samples
from grader.submission.translation import translate
from grader.workspace import answer_file, feedback

SLUGS = sorted(one.name for one in LABS.iterdir() if (one / "lab.yaml").is_file())
STUDENTS = ("Zoé L", "Bo", "Élodie Martin")


def edition(slug: str, folder: Path) -> Lab:
    public.write(LABS / slug, folder / slug)
    return labs.load(folder / slug)


@pytest.fixture(params=SLUGS)
def both(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Lab, Lab]:
    return labs.load(LABS / request.param), edition(request.param, tmp_path)


def test_nothing_of_it_tells_a_right_answer(both: tuple[Lab, Lab]) -> None:
    whole, shown = both
    assert (whole.is_public, shown.is_public) == (False, True)
    names = {one.relative_to(shown.folder).parts[0] for one in shown.folder.rglob("*") if one.is_file()}
    known = {"lab.yaml", "parts", "sheet.fr.md", "sheet.en.md", "matrix.yaml", "experiments", "checks"}
    assert names <= known
    text = "\n".join(
        one.read_text("utf-8") for one in shown.folder.rglob("*.yaml") if "experiments" not in one.parts
    )
    questions = [one for file in shown.folder.rglob("*.yaml") for one in listed(file)]
    assert {one["id"] for one in questions} == {one.id for one in whole}
    for one in questions:
        if one["kind"] in {"choice", "choices", "text"}:
            assert not one.keys() & {"right", "feedback", "ideas", "wrong_ideas", "hint"}
    rubrics = [
        idea for one in whole if isinstance(one, TextQuestion) for idea in (*one.ideas, *one.wrong_ideas)
    ]
    wordings = {wording for idea in rubrics for wording in idea.wordings if len(wording) > 12}
    assert wordings
    assert [one for one in wordings if one in text] == []
    assert all(one.right in {"", ()} for one in shown if isinstance(one, ChoiceQuestion | ChoicesQuestion))


def listed(file: Path) -> list[dict[str, object]]:
    """Return the questions that stand in a file of a lab."""
    data = yaml.safe_load(file.read_text("utf-8"))
    if not str(data.get("schema")).startswith(("tdlab.lab/", "tdlab.part/")):
        return []
    parts = data.get("parts", [data])
    return [one for part in parts if isinstance(part["questions"], list) for one in part["questions"]]


@pytest.mark.parametrize("student", STUDENTS)
def test_a_student_is_asked_the_same_in_the_same_letters(both: tuple[Lab, Lab], student: str) -> None:
    whole, shown = (variants.drawn(one, student) for one in both)
    for lang in LANGUAGES:
        assert answer_file.text(whole, student, lang) == answer_file.text(shown, student, lang)
        pages = [html_text(source.read(one, lang), one, lang) for one in (whole, shown)]
        assert pages[0] == pages[1]
    assert [variants.letters(whole, one, student) for one in whole] == [
        variants.letters(shown, one, student) for one in shown
    ]
    assert [one.hints for one in whole] == [one.hints for one in shown]


def test_check_says_the_same_by_it(both: tuple[Lab, Lab], tmp_path: Path) -> None:
    whole, shown = both
    for number, sample in enumerate(samples(whole)):
        place = tmp_path / "work" / str(number)
        translate(whole, sample, "Zoé L", place)
        told = [
            [
                (one.question.id, one.state, one.seen, one.next, one.asked, one.hints)
                for one in feedback.look(submission.load(lab, place, "Zoé L"), lab.slug, "fr")
            ]
            for lab in (whole, shown)
        ]
        assert told[0] == told[1]
        assert len({state for _, state, *_ in told[0]}) > 1


def test_nobody_can_grade_by_it(tmp_path: Path) -> None:
    shown = edition("first-vm", tmp_path)
    with pytest.raises(UsageError, match="students' edition"):
        grading.grade(shown.folder, [LABS / "first-vm/solution"])
    (choice, *_) = (one for one in shown if isinstance(one, ChoiceQuestion))
    found = check(choice, Answer("a"), Context(shown.slug, "fr", Bundle()))
    assert (found.outcome, found.points) == (Outcome.ERROR, 0)
    assert "ne contient pas les bonnes réponses" in found.hint


def test_only_tests_whose_verdict_is_shown_travel(tmp_path: Path) -> None:
    lab = tmp_path / "trial"
    shutil.copytree(LABS / "r202", lab)
    (lab / "checks/test_hidden.py").write_text(
        'from grader.api import question\n\n@question("secret")\ndef test_it(answer):\n    assert answer\n'
    )
    (lab / "checks/shared.py").write_text("LIMIT = 3\n")
    (lab / "notes.md").write_text("next year's exam\n")
    public.write(lab, tmp_path / "edition/trial")
    there = {one.name for one in (tmp_path / "edition/trial").rglob("*") if one.is_file()}
    assert {"test_cards.py", "shared.py"} <= there
    assert not {"test_hidden.py", "notes.md", "words.yaml", "wrong.yaml"} & there
