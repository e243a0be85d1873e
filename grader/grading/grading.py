"""Grade submissions in one pytest session that nothing in a submission, or around it, can change."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from domains.errors import InfrastructureError
from grader.grading.gradebook import GRADE
from grader.lab import lab as labs
from grader.language import Lang
from grader.results.result import Grade
from grader.submission.submission import students

# Only what runs items: no cache, no configuration, no conftest, no plugin of this environment, no output.
_OPTIONS = (
    *("-p", "grader.plugin"),
    *("-p", "no:cacheprovider"),
    *("-p", "no:terminal"),
    *("-p", "no:logging"),
    *("-p", "no:faulthandler"),
    *("-p", "no:doctest"),
    *("-c", os.devnull),
    "--noconftest",
    "--assert=plain",
    "--import-mode=importlib",
    "--capture=no",
)
_REFUSED = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG", "PYTHONPATH", "PYTHONSTARTUP")


def grade(lab: Path, submissions: Sequence[Path], *, lang: Lang | None = None) -> Grade:
    """Grade submissions (folders) by a lab (its folder or ``lab.yaml``).

    Raises :class:`domains.errors.UsageError` when the lab is wrong or a folder is not there, and
    :class:`InfrastructureError` when pytest itself ended without a grade.
    """
    folder = labs.load(lab).folder
    arguments = [*_OPTIONS, f"--rootdir={folder}"]
    arguments += [f"--submission={place}" for _, place in students(submissions)]
    if lang:
        arguments.append(f"--tdlab-lang={lang}")
    keeper = _Keeper()
    with _neutral_environment():
        status = pytest.main([*arguments, str(folder / labs.LAB_FILE)], plugins=[keeper])
    if status == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if keeper.grade is None:
        raise InfrastructureError(
            f"the grading session ended with status {int(status)} and no grade",
            remedy="run it again with --debug and report it",
        )
    return keeper.grade


class _Keeper:
    """Keeps the grade of a session when its configuration goes away."""

    grade: Grade | None = None

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        self.grade = config.stash.get(GRADE, None)


@contextmanager
def _neutral_environment() -> Iterator[None]:
    """Take away what could bring options or plugins into the session, and put it back afterwards."""
    before = {name: os.environ.pop(name) for name in _REFUSED if name in os.environ}
    autoload = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        os.environ.update(before)
        if autoload is None:
            del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        else:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = autoload
