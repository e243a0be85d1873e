"""The fixtures of a lab's own checks, and what makes one item a student of each; loaded where checks are."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

import pytest

from grader.api import domain as domains_of_students
from grader.api import reporting
from grader.api.case import Case, Student, StudentAnswer, Workspace
from grader.api.domain import StudentsDomain
from grader.api.lab_host import LabHost
from grader.api.marking import LabFault, mark_of
from grader.api.parts import Ended, ended
from grader.api.tools import Award, Measures, Note, Say
from grader.checks import words
from grader.checks.verdict import of_nobody, unreadable
from grader.lab import lab as labs
from grader.lab.parameters import Value
from grader.lab.questions import CodeQuestion
from grader.results.result import Outcome
from grader.submission import submission
from grader.submission.answers import ANSWERS_FILE
from grader.submission.evidence import Bundle
from grader.submission.identity import WORKSPACE_FILE

# Whose turn it is, where one session judges many students by the same tests.
TURN = pytest.StashKey[Student]()


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    """The student and the question; all other fixtures come from it, and checks need not ask for it."""
    node = request.node
    # The same test judges one student after another: nothing of the one before may be left.
    if reporting.CASE in node.stash:
        del node.stash[reporting.CASE]
    mark = mark_of(node)
    if mark is None:
        raise LabFault(f"{node.name} names no question: write @question('…') above it")
    named: tuple[str, str] | None = getattr(request, "param", None)
    student = request.config.stash.get(TURN, None)
    if named:
        student = _student(node.path, request.config, *named)
    if student is None:
        pytest.skip("a lab is graded together with submissions: add --submission DIR")
    question = student.given.questions.get(mark.id)
    if not isinstance(question, CodeQuestion):
        raise LabFault(f"{node.name}: {mark.id} is no question of kind code in {student.lab.slug}")
    found = node.stash[reporting.CASE] = Case(student, question, mark)
    given = student.given
    value = given.answer(question).value
    if given.is_unreadable(question):
        raise ended(unreadable(question, found.context, ANSWERS_FILE, given.answers.problem or ""))
    if given.whose is not None:
        raise ended(of_nobody(question, found.context, WORKSPACE_FILE, given.whose, value))
    return found


@pytest.fixture
def answer(case: Case) -> StudentAnswer:
    """The answer to the question: ``.text()``, ``.number(unit)``, ``.numbers(unit)``, ``.value``."""
    return StudentAnswer(case)


@pytest.fixture
def workspace(case: Case) -> Workspace:
    """The files that the lab names, read-only: ``workspace[name]``, or ``workspace.text(name)``."""
    return Workspace(case)


@pytest.fixture
def domain(case: Case, workspace: Workspace) -> StudentsDomain:
    """The student's domain: ``.values`` taken by allow-list, ``.spec`` what they mean, ``.xml`` rebuilt."""
    file = case.mark.file or case.question.file
    if file is None:
        raise LabFault(f"which file holds the domain? write @question('{case.mark.id}', file='…')")
    return domains_of_students.students(file, workspace[file], case.lang)


@pytest.fixture
def evidence(case: Case) -> Bundle:
    """What the student measured, whole: a :class:`grader.submission.evidence.Bundle`."""
    return case.student.given.evidence


@pytest.fixture
def measure(case: Case) -> Measures:
    """Values of the student's own run: ``measure(metric="exits_per_mb", nic="e1000").value``, or a Ratio."""
    return Measures(case)


@pytest.fixture
def award(case: Case) -> Award:
    """Partial credit: ``award(points, reason)``."""
    return Award(case)


@pytest.fixture
def note(case: Case) -> Note:
    """What the result says: ``note(expected=…, actual=…)``, and evidence: ``note(source=…, seen=…)``."""
    return Note(case)


@pytest.fixture
def say(case: Case) -> Say:
    """A text in the student's language: ``say(en="…", fr="…")``."""
    return Say(case)


@pytest.fixture
def variant(case: Case) -> Mapping[str, Value]:
    """The student's own values of what lab.yaml declares under ``variants:``, by name."""
    return case.student.given.own


@pytest.fixture
def review(case: Case) -> Callable[[str], NoReturn]:
    """Leave it to the teacher: ``review(why)`` ends the test as INCONCLUSIVE."""

    def leave(why: str) -> NoReturn:
        raise Ended(Outcome.INCONCLUSIVE, words.FOR_REVIEW.say(case.lang, why=why))

    return leave


@pytest.fixture
def lab_host(case: Case) -> LabHost:
    """The lab host given by ``--lab-host``: ``.look(spec)`` boots a guest there.

    Without one it ends the test as SKIPPED: not gradable here. What is asserted before, fails without it.
    """
    case.told.unseen = case.student.host is None
    return LabHost(case.student.host, case.lang)


@lru_cache(maxsize=64)
def _loaded(lab: Path, place: str, student: str, is_copy: bool) -> tuple[labs.Lab, submission.Submission]:
    read, folder = labs.load(lab), Path(place)
    handed_in = not (is_copy or submission.is_sample(read, folder))
    return read, submission.load(read, folder, student, handed_in=handed_in)


def _student(check: Path, config: pytest.Config, name: str, place: str) -> Student:
    lab, given = _loaded(check.parents[1], place, name, config.option.tdlab_samples)
    lang = config.option.tdlab_lang or given.lang
    return Student(lab, given, lang, config.option.tdlab_host)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item a submission where submissions are named on the command line."""
    places = metafunc.config.option.tdlab_submissions
    if "case" not in metafunc.fixturenames or not places:
        return
    named = [(name, str(place)) for name, place in submission.students([Path(one) for one in places])]
    metafunc.parametrize("case", named, ids=[name for name, _ in named], indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Judge a question once: by its tests where they were collected, else by its item of lab.yaml."""
    judged = {
        mark.id for item in items if "case" in getattr(item, "fixturenames", ()) and (mark := mark_of(item))
    }
    left = [one for one in items if getattr(getattr(one, "question", None), "id", None) in judged]
    if left:
        items[:] = [one for one in items if one not in left]
        config.hook.pytest_deselected(items=left)


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Give PARTIAL and INCONCLUSIVE words of their own, and let FAIL and ERROR differ."""
    return reporting.status(report)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the report of a check say what it found."""
    report = yield
    if "case" in getattr(item, "fixturenames", ()):
        try:
            mark = mark_of(item)
        except LabFault:
            mark = None
        reporting.attach(item, mark, call, report)
    return report
