"""A small lab, whose checks do to their processes what an answer asks for, and a class of it."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from domains import process
from domains.paths import SHIPPED
from grader.classroom.markbook import open_markbook
from grader.results.result import SubmissionGrade

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
        case "asks who":
            raise AssertionError(f"judged in a child of {{os.getppid()}}")
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
        # Who may only read cannot undo what a killed writer had half written, and would count nothing.
        with closing(sqlite3.connect(f"file:{file}?mode=rw", uri=True)) as database:
            known = database.execute("SELECT name FROM sqlite_master WHERE name = 'arrived'").fetchone()
            return int(database.execute("SELECT count(*) FROM arrived").fetchone()[0]) if known else 0


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """A lab and an empty class."""
    return Trial(tmp_path)
