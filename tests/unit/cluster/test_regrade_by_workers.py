"""Grading again by workers: the same difference and the same marks as here."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

from domains import process
from domains.paths import SHIPPED

if TYPE_CHECKING:
    from tests.unit.cluster.conftest import Trial


def regrade(trial: Trial, book: str, *options: str) -> process.Completed:
    words = [sys.executable, "-m", "grader", "regrade", str(trial.folder / book), "--json", *options]
    return process.run(words, timeout=300, check=False, env={"PYTHONPATH": str(SHIPPED)}, cwd=trial.folder)


def test_workers_grade_again_to_the_same_marks(trial: Trial) -> None:
    trial.hand_in("yes", "no", "yes")
    trial.grade("here", "-j1")
    shutil.copytree(trial.folder / "here", trial.folder / "there")
    lab = trial.folder / "trial/lab.yaml"
    lab.write_text(lab.read_text().replace("points: 2,", "points: 4,"))
    tried = regrade(trial, "there", "--cluster", "local:1", "--dry-run")
    assert trial.marks("there") == trial.marks("here")
    by_workers, here = regrade(trial, "there", "--cluster", "local:1"), regrade(trial, "here")
    assert by_workers.stdout == here.stdout
    assert json.loads(tried.stdout)["moved"] == json.loads(here.stdout)["moved"] != []
    assert trial.marks("there") == trial.marks("here")
    assert not (trial.folder / "there/arrived.sqlite").exists()


def test_workers_of_this_machine_and_a_cluster_do_not_go_together(trial: Trial) -> None:
    trial.hand_in("yes")
    trial.grade("here", "-j1")
    refused = regrade(trial, "here", "--cluster", "local", "-j", "2")
    assert refused.status == 2
    assert "--cluster local:2" in refused.stderr
