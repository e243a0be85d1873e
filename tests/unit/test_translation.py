"""Samples in a student's variant: for every student, what was right is right and what was wrong is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.paths import LABS
from grader.grading.grading import grade
from grader.lab import lab as labs
from grader.lab import variants
from grader.results.score import lost
from grader.submission.samples import samples
from grader.submission.translation import translate

ALL = sorted(file.parent for file in LABS.glob("*/lab.yaml"))
STUDENTS = ("alice", "Zoé L’Étudiant", "bob 2", "=1+1", "Ωmega")


@pytest.mark.parametrize("folder", ALL, ids=lambda folder: folder.name)
def test_a_translated_sample_scores_what_the_sample_scores(folder: Path, tmp_path: Path) -> None:
    lab = labs.load(folder)
    proofs = samples(lab)
    for number, student in enumerate(STUDENTS):
        made = [translate(lab, one, student, tmp_path / str(number) / one.folder.name) for one in proofs]
        result = grade(folder, made)
        for proof, submission in zip(proofs, result.submissions, strict=True):
            assert sorted(lost(submission.questions)) == sorted(proof.loses), (student, submission.student)
        assert result.submissions[0].score == result.submissions[0].max > 0


def test_a_number_keeps_its_ratio_to_the_right_one(tmp_path: Path) -> None:
    lab = labs.load(LABS / "r202")
    models = {variants.values(lab, name)["nic"]: name for name in map(str, range(40))}
    assert set(models) == {"e1000", "e1000e", "rtl8139", "i82557b"}
    (wrong,) = [one for one in samples(lab) if one.folder.name == "wrong-inverted-ratio"]
    hints = []
    for name in models.values():
        (submission,) = grade(lab.folder, [translate(lab, wrong, name, tmp_path / name)]).submissions
        hints += [one.hint for one in submission.questions if one.id == "3.2-ratio"]
    assert len(set(hints)) == 1
    assert "inverse" in hints[0]
