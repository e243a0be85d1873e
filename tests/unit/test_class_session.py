"""One session for a class: what breaks in it takes one submission with it, and never a point."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from domains import ownership, process, wait
from domains.paths import LABS, SHIPPED
from grader.classroom.markbook import open_markbook
from grader.results.result import Grade

R202 = LABS / "r202"
KILLER = """\
import os, signal
from grader.grading import class_items, judging, limits

_judge, _one = class_items.all_judged, judging.judged

def all_judged(lab, given, *how):
    if given.student == "exits":
        os._exit(0)
    if given.student == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return _judge(lab, given, *how)

def judged(lab, question, given, *how):
    if given.student == "raises" and question.id == "1.2":
        raise RuntimeError("broken \\x1b[2J")
    if given.student == "sleeps" and question.id == "1.2":
        with limits.for_a_question(0.2):
            while True:
                pass
    return _one(lab, question, given, *how)

class_items.all_judged, judging.judged = all_judged, judged
"""
# Inside of it no other thread of the process runs: not the one that would notice that nobody listens.
HANGER = """\
import os, re
from pathlib import Path
from grader.grading import class_items

def all_judged(lab, given, *how):
    if given.student == "ada":
        Path(__file__).with_name("hangs").write_text(str(os.getpid()))
        re.fullmatch("(a+)+b", "a" * 60)

class_items.all_judged = all_judged
"""
NO_START = """\
import os

def pytest_configure(config):
    if hasattr(config, "workerinput"):
        os._exit(1)
"""
NAMES = ("ada", "bob", "exits", "killed", "raises", "sleeps", "zoe")


SESSION = """\
import sys
from datetime import UTC, datetime
from pathlib import Path
from grader.classroom import marking
from grader.classroom.policy import Policy
from grader.grading import grading

lab, source, into, jobs = sys.argv[1:]
grading._WORKERS = (*grading._WORKERS, "-p", "tdlab_killer")
now = datetime(2026, 11, 23, tzinfo=UTC)
marking.mark(Path(lab), Path(source), Path(into), Policy(), jobs=int(jobs), lang=None, now=now)
"""


@pytest.fixture
def grade(tmp_path: Path) -> Callable[[int], Grade]:
    """Return what grades a class, in a Python of its own, in whose workers checks of some students break."""
    program = tmp_path / "program"
    program.mkdir()
    (program / "tdlab_killer.py").write_text(KILLER)
    (program / "session.py").write_text(SESSION)
    for name in NAMES:
        shutil.copytree(R202 / "solution", tmp_path / "class" / name)

    def graded(jobs: int) -> Grade:
        into = tmp_path / f"book-{jobs}"
        words = [sys.executable, program / "session.py", R202, tmp_path / "class", into, str(jobs)]
        process.run(words, timeout=300, env={"PYTHONPATH": str(SHIPPED)})
        return open_markbook(into).grade()

    return graded


def test_workers_that_never_start_end_the_session_and_cost_nothing(
    grade: Callable[[int], Grade], tmp_path: Path
) -> None:
    (tmp_path / "program" / "tdlab_killer.py").write_text(NO_START)
    found = grade(2)
    assert {one.outcome for student in found.submissions for one in student.questions} == {"error"}
    assert "workers end before they grade anything" in found.submissions[0].questions[0].hint


def test_a_worker_that_dies_loses_only_its_submission_which_is_ours(grade: Callable[[int], Grade]) -> None:
    one, two = grade(1), grade(2)
    assert [one.student for one in one.submissions] == list(NAMES)
    found = {one.student: one for one in one.submissions}
    for name in ("ada", "bob", "zoe"):
        assert found[name].score == found[name].max > 0
    for name in ("exits", "killed"):
        assert {one.outcome for one in found[name].questions} == {"error"}
        assert (found[name].score, found[name].max) == (0, 0)
        assert "the worker" in found[name].questions[0].hint
    assert one == two


def test_a_killed_session_takes_its_workers_with_it_whatever_they_are_doing(
    grade: Callable[[int], Grade], tmp_path: Path
) -> None:
    program = tmp_path / "program"
    (program / "tdlab_killer.py").write_text(HANGER)
    words = [sys.executable, program / "session.py", R202, tmp_path / "class", tmp_path / "book", "2"]
    note = program / "hangs"
    with process.started(words, env={"PYTHONPATH": str(SHIPPED)}) as session:
        wait.until(lambda: note.exists() and note.read_text(), waiting_for="the worker", deadline=120)
        worker = int(note.read_text())
        assert ownership._started(worker)
        session.kill()
        session.wait()
        try:
            wait.until(
                lambda: ownership._started(worker) is None, waiting_for="the worker's end", deadline=20
            )
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


def test_a_question_that_breaks_or_hangs_is_only_that_questions_error(grade: Callable[[int], Grade]) -> None:
    found = {one.student: one for one in grade(2).submissions}
    for name, said in (
        ("raises", "RuntimeError: broken ⟨U+001B⟩[2J"),
        ("sleeps", "TimeUp: it took more than 0.2 s"),
    ):
        broken = [one for one in found[name].questions if one.outcome == "error"]
        assert [(one.id, one.hint) for one in broken] == [("1.2", f"no result: {said}")]
        assert found[name].score == found[name].max == found["ada"].max - broken[0].max
