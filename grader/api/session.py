"""Run a lab's checks for one student after another, in a pytest session that is held open for them.

Grading a class, `tdlab check` and `tdlab verify` judge questions where no pytest session of their own could
collect the checks, or where an item a student and test would cost too much. The tests are collected once, by
pytest itself, and each turn runs them through pytest's own protocol, with its fixtures and its outcomes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook
from _pytest.config import _prepareconfig

# What pytest-rerunfailures and others run items by; pytest has no public name for it.
from _pytest.runner import runtestprotocol

from grader.api import reporting
from grader.api.case import Student
from grader.api.fixtures import TURN
from grader.api.marking import LabFault, mark_of
from grader.api.parts import Part, broken, merged
from grader.checks.settling import charged
from grader.checks.verdict import Context
from grader.lab.lab import Lab
from grader.lab.questions import CodeQuestion
from grader.results.result import CheckResult, Outcome

CHECKS = "checks"
_LAB_HOST = "lab_host"
_OPTIONS = (
    *("-p", "grader.plugin"),
    *("-p", "no:cacheprovider"),
    *("-p", "no:terminal"),
    *("-p", "no:logging"),
    *("-p", "no:faulthandler"),
    *("-p", "no:doctest"),
    *("-p", "no:unraisableexception"),
    *("-p", "no:threadexception"),
    *("-c", os.devnull),
    "--noconftest",
    "--assert=plain",
    "--import-mode=importlib",
    "--capture=no",
)
_REFUSED = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG")


def judged(question: CodeQuestion, student: Student) -> CheckResult:
    """Return the result of a question by the lab's own tests; whatever breaks in them is its ERROR."""
    folder = student.lab.folder
    # Without an argument, pytest would look for tests where it was started.
    if not (stamp := _stamp(folder)):
        return broken(question, f"{student.lab.slug} has no {CHECKS}/test_*.py")
    return _held(folder, stamp).judged(question, student)


def waits_for_host(question: CodeQuestion, student: Student) -> bool:
    """Say whether all that its tests skip, they skip because nobody named a lab host."""
    stamp = _stamp(student.lab.folder)
    parts = _held(student.lab.folder, stamp).parts(question, student) if stamp else []
    skipped = [one for one in parts if one.outcome is Outcome.SKIPPED]
    return bool(skipped) and all(one.waits for one in skipped)


def booting(lab: Lab) -> tuple[str, ...]:
    """Return the questions of which a test asks for a lab host, in the order of the lab."""
    if not (stamp := _stamp(lab.folder)):
        return ()
    asking = _held(lab.folder, stamp).asking_for(_LAB_HOST)
    return tuple(question.id for question in lab if question.id in asking)


class Checks:
    """The collected tests of a lab, by the question that each judges."""

    def __init__(self, folder: Path) -> None:
        self._faults: list[str] = []
        self._tests: dict[str, list[pytest.Item]] = defaultdict(list)
        self._config = _configured(folder)
        self._session = pytest.Session.from_config(self._config)
        self._config.hook.pytest_sessionstart(session=self._session)
        self._config.pluginmanager.register(_Seen(self._faults))
        with _modules_of_their_own(folder):
            items = self._session.perform_collect()
        for item in items:
            try:
                mark = mark_of(item)
            except LabFault as bad:
                self._faults.append(str(bad))
                continue
            if mark is None or "case" not in getattr(item, "fixturenames", ()):
                lacks = "names no question" if mark is None else "asks for no fixture of the submission"
                self._faults.append(f"{item.nodeid} {lacks}")
            else:
                self._tests[mark.id].append(item)

    def asking_for(self, fixture: str) -> set[str]:
        """Return the questions of which a test asks for a fixture."""
        return {
            question
            for question, tests in self._tests.items()
            if any(fixture in getattr(one, "fixturenames", ()) for one in tests)
        }

    def judged(self, question: CodeQuestion, student: Student) -> CheckResult:
        """Run the tests of a question for a student."""
        if self._faults:
            return broken(question, self._faults[0])
        context = Context(student.lab.slug, student.lang, student.given.evidence)
        return charged(merged(question, self.parts(question, student), student.lang), question, context)

    def parts(self, question: CodeQuestion, student: Student) -> list[Part]:
        """Return what each test of a question says of a student."""
        tests = self._tests.get(question.id, [])
        self._config.stash[TURN] = student
        parts: list[Part] = []
        # Results go to stdout, and a test that prints must not be among them.
        with contextlib.redirect_stdout(sys.stderr):
            for test, following in itertools.zip_longest(tests, tests[1:]):
                reports = runtestprotocol(test, log=False, nextitem=following)
                # A teardown that breaks has the last word.
                said = [one for report in reports if (one := reporting.said_in(report))]
                parts.append(said[-1].part)
        return parts


class _Seen:
    """Remembers what could not be collected; reports without a traceback, which nobody would see."""

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        outcome: Literal["passed", "failed"] = "failed" if call.excinfo else "passed"
        when: Any = call.when
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, when)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            said = str(report.longrepr).strip().splitlines()
            self._faults.append(f"{report.nodeid}: {said[-1] if said else 'it cannot be collected'}")


@contextlib.contextmanager
def _modules_of_their_own(folder: Path) -> Iterator[None]:
    """Let no lab get another's modules: pytest calls all of them ``checks.test_…``, and keeps them.

    A session around this one may rewrite assertions, and would make text of their messages.
    """
    names = {CHECKS, *(f"{CHECKS}.{file.stem}" for file in (folder / CHECKS).glob("*.py"))}
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    finders = list(sys.meta_path)
    sys.meta_path[:] = [one for one in finders if not isinstance(one, AssertionRewritingHook)]
    try:
        yield
    finally:
        sys.meta_path[:] = finders
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def _configured(folder: Path) -> pytest.Config:
    arguments = [*_OPTIONS, f"--rootdir={folder}", str(folder / CHECKS)]
    with pytest.MonkeyPatch.context() as patch:
        for name in _REFUSED:
            patch.delenv(name, raising=False)
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        config = _prepareconfig(arguments)
        config._do_configure()
    return config


@lru_cache(maxsize=4)
def _held(folder: Path, _: tuple[tuple[str, int, int], ...]) -> Checks:
    return Checks(folder)


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when an author changes a check: tests are collected anew then."""
    files = sorted((folder / CHECKS).glob("*.py"))
    return tuple((file.name, (seen := file.stat()).st_mtime_ns, seen.st_size) for file in files)
