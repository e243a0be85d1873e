"""Every lab that ships proves itself: the solution scores full, each wrong sample loses what it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains import document
from domains.paths import LABS
from grader.checks import Context, check
from grader.checks.settling import rests_on
from grader.grading.grading import grade
from grader.lab import lab as labs
from grader.lab.questions import file_of
from grader.language import LANGUAGES
from grader.results.result import Outcome
from grader.results.score import lost
from grader.sheet import source
from grader.submission.answers import Answer
from grader.submission.evidence import Bundle
from grader.submission.samples import samples

ALL = sorted(file.parent for file in LABS.glob("*/lab.yaml"))


def test_there_are_labs() -> None:
    assert "r202" in {folder.name for folder in ALL}


@pytest.mark.parametrize("folder", ALL, ids=lambda folder: folder.name)
def test_samples_score_what_they_say(folder: Path) -> None:
    proofs = samples(labs.load(folder))
    result = grade(folder, [proof.folder for proof in proofs])
    for proof, submission in zip(proofs, result.submissions, strict=True):
        assert sorted(lost(submission.questions)) == sorted(proof.loses), submission.student
        undecided = {Outcome.ERROR, Outcome.INCONCLUSIVE}
        assert not [one for one in submission.questions if one.outcome in undecided], submission.student
    solution, *wrong = result.submissions
    assert solution.score == solution.max > 0
    assert len(wrong) >= 2


@pytest.mark.parametrize("folder", ALL, ids=lambda folder: folder.name)
def test_a_wrong_sample_differs_from_the_solution_only_where_it_is_wrong(folder: Path) -> None:
    lab = labs.load(folder)
    solution, *wrong = samples(lab)
    for sample in wrong:
        lost_ = [one for one in lab if one.id in sample.loses]
        about = {name for one in lost_ for name in (file_of(one), *rests_on(one)) if name}
        differing = {
            name
            for name in files(solution.folder) | files(sample.folder)
            if name not in {"wrong.yaml", "answers.yaml"}
            and raw(solution.folder / name) != raw(sample.folder / name)
        }
        assert differing <= about, sample.folder.name


def files(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def raw(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def test_the_model_answers_score_full_in_english_too() -> None:
    lab = labs.load(LABS / "r202")
    texts = document.read(Path(__file__).parents[1] / "data" / "labs" / "r202.en.yaml").data
    assert set(texts) == {one.id for one in lab if one.kind == "text"}
    for question_id, text in texts.items():
        question = lab.question(question_id)
        assert question is not None
        found = check(question, Answer(text, None), Context("r202", "en", Bundle()))
        assert found.outcome is Outcome.PASS, (question_id, found.hint, found.evidence)


@pytest.mark.parametrize("folder", ALL, ids=lambda folder: folder.name)
def test_an_untouched_workspace_scores_nothing(folder: Path, tmp_path: Path) -> None:
    (submission,) = grade(folder, [tmp_path]).submissions
    assert submission.score == 0
    assert submission.max > 0


@pytest.mark.parametrize("folder", ALL, ids=lambda folder: folder.name)
def test_both_sheets_ask_every_question_once_and_in_the_same_order(folder: Path) -> None:
    lab = labs.load(folder)
    french, english = (
        [one.question.id for one in source.read(lab, lang) if isinstance(one, source.Asked)]
        for lang in LANGUAGES
    )
    assert french == english
    assert sorted(french) == sorted(one.id for one in lab)
