"""A class on real workers of Dask's: the same bytes as here, whoever is killed in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from domains import process, wait
from domains.paths import LABS, SHIPPED
from grader.classroom.markbook import open_markbook
from grader.results import ledger
from grader.results.result import SubmissionGrade

SOLUTION = LABS / "r202" / "solution"
LAB = """\
schema: tdlab.lab/1
title: {fr: Essai, en: Trial}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
      - {id: "1", kind: code, points: 2, ask: {fr: Q, en: Q}, hint: {fr: Lisez, en: Read}}
      - id: "2"
        kind: choice
        points: 1
        ask: {fr: Q, en: Q}
        options: {right: {fr: Oui, en: "Yes"}, wrong: {fr: Non, en: "No"}}
        right: right
        hint: {fr: Lisez, en: Read}
"""
# What an answer asks for is done by the process that judges it; its parent is then Dask's worker.
CHECKS = """\
import os, signal
from pathlib import Path
from grader.api import question

PLACE = Path({place!r})

@question("1")
def test_it(answer):
    (PLACE / "parents").open("a").write(f"{{os.getppid()}}\\n")
    match answer.text():
        case "exits":
            os._exit(0)
        case "kills the worker":
            os.kill(os.getppid(), signal.SIGKILL)
        case "kills a worker, once" if not (PLACE / "killed").exists():
            (PLACE / "killed").touch()
            os.kill(os.getppid(), signal.SIGKILL)
        case "waits":
            # Opening a FIFO lasts until somebody writes to it.
            (PLACE / "gate").read_bytes()
        case "no":
            assert False, "no"
"""


class Trial:
    """A lab of two questions, a class, and the commands that grade it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "trial" / "checks").mkdir(parents=True)
        (folder / "trial" / "lab.yaml").write_text(LAB)
        (folder / "trial" / "checks" / "test_it.py").write_text(CHECKS.format(place=str(folder)))
        (folder / "class").mkdir()

    def hand_in(self, *answers: str) -> None:
        """Hand in for a student an answer, after whose place in the class they are named."""
        for number, answer in enumerate(answers):
            place = self.folder / "class" / f"s{number:02}"
            place.mkdir()
            text = f"lab: trial\nanswers: {{'1': {answer!r}, '2': a}}\n"
            (place / "answers.yaml").write_text(text)

    def words(self, into: str, *options: str) -> list[str]:
        """Return the command that grades the class into a markbook."""
        words = [sys.executable, "-m", "grader", "grade", str(self.folder / "trial")]
        return [*words, str(self.folder / "class"), "--into", str(self.folder / into), *options]

    def grade(self, into: str, *options: str) -> process.Completed:
        """Grade the class into a markbook."""
        return process.run(
            self.words(into, *options),
            timeout=300,
            check=False,
            env={"PYTHONPATH": str(SHIPPED)},
            cwd=self.folder,
        )

    def marks(self, into: str) -> bytes:
        """Return the bytes of what the checks said."""
        return (self.folder / into / "checked.json").read_bytes()

    def found(self, into: str) -> dict[str, SubmissionGrade]:
        """Return the grades by student."""
        return {one.student: one for one in open_markbook(self.folder / into).grade().submissions}

    def arrived(self, into: str) -> int:
        """Return how many grades have arrived while a class is being graded."""
        file = self.folder / into / "arrived.sqlite"
        if not file.exists():
            return 0
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            try:
                return int(database.execute("SELECT count(*) FROM arrived").fetchone()[0])
            except sqlite3.OperationalError:
                return 0


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def test_workers_give_the_same_bytes_as_a_session_here(trial: Trial) -> None:
    trial.hand_in("yes", "no", "exits", *["yes"] * 20)
    (trial.folder / "class" / "t1.zip").write_bytes(b"no archive")
    (trial.folder / "class" / "t2").mkdir()
    shutil.copytree(SOLUTION, trial.folder / "class" / "t3")
    here = trial.grade("here", "-j1")
    there = trial.grade("there", "--cluster", "local:2")
    assert trial.marks("here") == trial.marks("there")
    assert (here.status, there.status) == (3, 3)
    assert here.stdout.replace("/here", "/there") == there.stdout
    assert "grading on 2 workers" in there.stderr
    assert "s02: whatever grades it ends, every time" in there.stderr
    assert len(trial.found("there")) == 26


def test_a_worker_that_is_killed_loses_nothing(trial: Trial) -> None:
    trial.hand_in(*["yes"] * 9, "kills a worker, once", *["yes"] * 9, "no")
    there = trial.grade("there", "--cluster", "local:2")
    assert (trial.folder / "killed").exists()
    assert there.status == 1, there.stderr
    assert {one.max for one in trial.found("there").values()} == {3}
    trial.grade("here", "-j1")
    assert trial.marks("here") == trial.marks("there")
    assert len(ledger.read(trial.folder / "there" / "ledger.jsonl")) == 20


def test_a_submission_that_kills_its_worker_every_time_is_an_error_and_stops_no_other(trial: Trial) -> None:
    trial.hand_in(*["yes"] * 4, "kills the worker", *["yes"] * 20)
    there = trial.grade("there", "--cluster", "local:2")
    found = trial.found("there")
    poisoned = found.pop("s04")
    assert {one.outcome for one in poisoned.questions} == {"error"}
    assert (poisoned.score, poisoned.max) == (0, 0)
    assert len(found) == 24
    assert {(one.max, one.questions[0].outcome) for one in found.values()} == {(3, "pass")}
    assert there.status == 3
    assert there.stderr.count("ends, every time") == 1
    assert "s04: whatever grades it ends, every time" in there.stderr


def test_a_grading_that_is_killed_goes_on_from_where_it_was(trial: Trial) -> None:
    trial.hand_in(*["yes"] * 30, "waits", "no")
    os.mkfifo(trial.folder / "gate")
    words = trial.words("there", "--cluster", "local:2")
    with process.started(words, env={"PYTHONPATH": str(SHIPPED)}, cwd=trial.folder) as killed:
        wait.until(
            lambda: trial.arrived("there") >= 16, waiting_for="half of the grades", deadline=120, interval=0.1
        )
        family = psutil.Process(killed.pid).children(recursive=True)
        # Two workers, and a judge of each; multiprocessing has helpers of its own.
        assert len(family) >= 4
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        _, alive = psutil.wait_procs(family, timeout=30)
        assert alive == []
    kept = trial.arrived("there")
    assert 16 <= kept < 32
    assert not (trial.folder / "there" / "checked.json").exists()
    (trial.folder / "gate").unlink()
    (trial.folder / "gate").touch()
    again = trial.grade("there", "--cluster", "local:2")
    assert f"{kept} had been graded" in again.stderr
    trial.grade("here", "-j1")
    assert trial.marks("here") == trial.marks("there")
    entries = ledger.read(trial.folder / "there" / "ledger.jsonl")
    assert sorted(one.submission.student for one in entries) == [f"s{number:02}" for number in range(32)]
    assert not (trial.folder / "there" / "arrived.sqlite").exists()
