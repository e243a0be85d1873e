from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from domains.errors import InputError, UsageError
from domains.paths import LABS
from grader.grading.grading import grade
from grader.lab import lab as labs
from grader.measure import run as runs
from grader.measure.run import Measurement, Run
from grader.results.result import Outcome
from grader.results.score import lost
from grader.submission.samples import materialise, record, samples


@pytest.fixture
def lab() -> labs.Lab:
    return labs.load(LABS / "r202")


@pytest.fixture
def recorded(lab: labs.Lab) -> Run:
    return runs.read(lab.folder / "solution" / "evidence" / "report.json")


def scaled(run: Run, factors: dict[str, float]) -> Run:
    """Return a run of another time and another machine, with throughputs that are different for each cell."""
    cells = []
    for cell in run.cells:
        by = factors.get(cell.id, 1.0)
        measurements = {
            name: Measurement(
                unit=one.unit, samples=tuple(by * value for value in one.samples), median=by * one.median
            )
            for name, one in cell.measurements.items()
        }
        cells.append(cell.model_copy(update={"measurements": measurements}))
    return run.model_copy(update={"id": "now", "started": "2031-01-02T03:04:05+00:00", "cells": tuple(cells)})


@pytest.mark.parametrize(
    "factors",
    [{"virtio": 3.7}, {"virtio": 0.2, "e1000": 1.9}, {}],
    ids=["quicker", "slower", "the same"],
)
def test_with_new_measures_samples_still_score_what_they_say(
    lab: labs.Lab, recorded: Run, tmp_path: Path, factors: dict[str, float]
) -> None:
    made = materialise(lab, scaled(recorded, factors), tmp_path)
    assert made[0] == tmp_path / "solution"
    result = grade(lab.folder, made, samples=True)
    for proof, submission in zip(samples(lab), result.submissions, strict=True):
        assert lost(submission.questions) == list(proof.loses), submission.student
        skipped = {one.id for one in submission.questions if one.outcome is Outcome.SKIPPED}
        assert skipped == {"3.1-exits", "3.2-booted"} - set(proof.loses)


def test_comments_and_other_answers_stay_as_they_were(lab: labs.Lab, recorded: Run, tmp_path: Path) -> None:
    materialise(lab, scaled(recorded, {"virtio": 2.0}), tmp_path)
    before = (lab.folder / "solution" / "answers.yaml").read_text().splitlines()
    after = (tmp_path / "solution" / "answers.yaml").read_text().splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    old, new = (float(re.sub(r".*: ", "", line)) for line in changed[0])
    assert new == pytest.approx(2 * old, rel=1e-3)


def test_the_samples_that_ship_are_left_alone(lab: labs.Lab, recorded: Run, tmp_path: Path) -> None:
    before = labs.lab_hash(lab.folder)
    materialise(lab, scaled(recorded, {"virtio": 2.0}), tmp_path)
    assert labs.lab_hash(lab.folder) == before


def test_an_author_can_record_the_samples_anew(lab: labs.Lab, recorded: Run, tmp_path: Path) -> None:
    folder = tmp_path / lab.slug
    shutil.copytree(lab.folder, folder)
    other = labs.load(folder)
    record(other, scaled(recorded, {"virtio": 2.0}))
    assert runs.read(folder / "wrong-host-card" / "evidence" / "report.json").id == "now"
    result = grade(folder, [proof.folder for proof in samples(other)])
    for proof, submission in zip(samples(other), result.submissions, strict=True):
        assert lost(submission.questions) == list(proof.loses)


def test_a_lab_without_a_solution_or_with_a_vague_wrong_is_refused(lab: labs.Lab, tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    shutil.copytree(lab.folder, folder)
    wrong = folder / "wrong-emulated-nic" / "wrong.yaml"
    wrong.write_text(wrong.read_text().replace("3.2-domain", "3.2-domains"))
    with pytest.raises(InputError, match=r"unknown question '3\.2-domains'") as caught:
        samples(labs.load(folder))
    assert caught.value.remedy == "did you mean '3.2-domain'?"
    shutil.rmtree(folder / "solution")
    with pytest.raises(UsageError, match="has no solution"):
        samples(labs.load(folder))
