"""Grade submissions in one pytest session that nothing in a submission, or around it, can change."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from domains import scratch
from domains.errors import InfrastructureError
from grader.grading.class_items import Row, write_rows
from grader.grading.gradebook import GRADE
from grader.grading.spool import Spool
from grader.lab import lab as labs
from grader.lab.lab import Lab
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
# A worker that a check killed is replaced, as often as it takes; each takes one submission with it at most.
_WORKERS = ("-p", "xdist.plugin", "--dist=load")
# As many submissions are graded in the time that a worker takes to start.
_A_WORKERS_START = 50
_REFUSED = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG", "PYTHONPATH", "PYTHONSTARTUP")


def grade(
    lab: Path,
    submissions: Sequence[Path],
    *,
    lang: Lang | None = None,
    host: str | None = None,
    samples: bool = False,
) -> Grade:
    """Grade submissions (folders) by a lab (its folder or ``lab.yaml``).

    What lies in the lab's own folder is its sample, and nobody's; ``samples`` says so of copies elsewhere.
    All else is somebody's, and evidence of somebody who is not named is not verified.

    Raises :class:`domains.errors.UsageError` when the lab is wrong or a folder is not there, and
    :class:`InfrastructureError` when pytest itself ended without a grade.
    """
    folder = labs.load_whole(lab).folder
    arguments = [*_OPTIONS, f"--rootdir={folder}"]
    arguments += [f"--submission={place}" for _, place in students(submissions)]
    arguments += [*_given(lang, host), *(["--tdlab-samples"] if samples else [])]
    keeper = _Keeper()
    with neutral_environment():
        status = pytest.main([*arguments, str(folder / labs.LAB_FILE)], plugins=[keeper])
    if status == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if keeper.grade is None:
        raise InfrastructureError(
            f"the grading session ended with status {int(status)} and no grade",
            remedy="run it again with --debug and report it",
        )
    return keeper.grade


@contextmanager
def class_graded(
    lab: Lab, rows: Sequence[Row], *, jobs: int = 0, lang: Lang | None = None, host: str | None = None
) -> Iterator[Iterator[bytes]]:
    """Grade a class in one session of ``jobs`` workers (0: as many as pay); give each row's grade as JSON.

    A worker that dies takes one submission with it, which becomes ERROR; the others go on. Raises
    :class:`InfrastructureError` when the session could not run at all.
    """
    with scratch.folder("class") as place:
        listed = place / "rows.json"
        write_rows(listed, list(rows))
        arguments = [
            *_OPTIONS,
            *_WORKERS,
            f"--numprocesses={jobs or _paying(len(rows))}",
            f"--max-worker-restart={len(rows) + 1}",
            f"--rootdir={lab.folder}",
        ]
        arguments += [f"--basetemp={place / 'base'}"]
        arguments += [f"--tdlab-class={listed}", *_given(lang, host)]
        spool = Spool(place / "grades", lab, rows)
        try:
            with neutral_environment():
                status = pytest.main([*arguments, str(lab.folder / labs.LAB_FILE)], plugins=[spool])
            if status == pytest.ExitCode.INTERRUPTED:
                raise KeyboardInterrupt
            if status == pytest.ExitCode.USAGE_ERROR:
                raise InfrastructureError("the grading session did not start", remedy="report it")
            yield spool.grades()
        finally:
            spool.close()


def _given(lang: Lang | None, host: str | None) -> list[str]:
    """Return the options that are only written when they are given; ``host`` names a lab host."""
    given = {"--tdlab-lang": lang, "--lab-host": host}
    return [f"{name}={value}" for name, value in given.items() if value]


def _paying(submissions: int) -> int:
    """Return how many workers are worth their start for so many submissions."""
    cores = len(os.sched_getaffinity(0))
    return max(1, min(cores, submissions // _A_WORKERS_START))


class _Keeper:
    """Keeps the grade of a session when its configuration goes away."""

    grade: Grade | None = None

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        self.grade = config.stash.get(GRADE, None)


@contextmanager
def neutral_environment() -> Iterator[None]:
    """Take away what could bring options or plugins into the session, and put it back afterwards."""
    before = {name: os.environ.pop(name) for name in _REFUSED if name in os.environ}
    autoload = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # Workers are Pythons of their own: they must not look for modules in the folder they are started in.
    safe_path = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        os.environ.update(before)
        for name, value in (("PYTEST_DISABLE_PLUGIN_AUTOLOAD", autoload), ("PYTHONSAFEPATH", safe_path)):
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
