"""What all tests share: a folder of their own for all that tdlab keeps, and a libvirt daemon that answers."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from domains import daemon, process

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

    from grader.grading.class_items import Row
    from grader.lab.lab import Lab
    from grader.language import Lang

# No deadline for an example: how long it takes tells of the machine, and machines that run guests are busy.
settings.register_profile("tdlab", deadline=None)
settings.load_profile("tdlab")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell each worker of the tests who started it."""
    if node.gateway.spec.popen and not node.gateway.spec.python:
        node.workerinput["tests_parent"] = os.getpid()


def pytest_configure(config: pytest.Config) -> None:
    """Let the workers of tests that are killed end too, though a test never came back."""
    if parent := getattr(config, "workerinput", {}).get("tests_parent"):
        process.end_with(parent)


@pytest.fixture(scope="session", autouse=True)
def no_language_of_the_environment() -> Iterator[None]:
    """Let tests say the language that they mean, whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            patch.delenv(name, raising=False)
        patch.setenv("LC_CTYPE", "C.UTF-8")
        yield


@pytest.fixture(scope="session")
def libvirt_daemon() -> Iterator[None]:
    """Have a libvirt daemon; one that the tests had to start is stopped after them."""
    started = daemon.ensure_running()
    yield
    if started:
        daemon.stop_started()


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep this test's notes of past runs away from the user's; the cache stays shared, for it is content."""
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@contextlib.contextmanager
def without_workers() -> Iterator[None]:
    """Judge classes in this process: for what comes before and after; workers have tests of their own."""
    from grader.grading import class_items, grading
    from grader.lab import lab as labs

    @contextlib.contextmanager
    def here(
        lab: Lab, rows: Sequence[Row], *, jobs: int = 0, lang: Lang | None = None, host: str | None = None
    ) -> Iterator[Iterator[bytes]]:
        # A worker sees the lab as it is on disk, and once.
        fresh = labs.load(lab.folder)
        yield (
            class_items.graded_row(fresh, one, lang, host).model_dump_json(by_alias=True).encode()
            for one in rows
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "class_graded", here)
        yield


@pytest.fixture
def judged_here() -> Iterator[None]:
    """Judge the classes of a test in its own process."""
    with without_workers():
        yield


@pytest.fixture(scope="session")
def graded_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grade the small class once; each test takes a copy."""
    from datetime import UTC, datetime

    from grader.classroom import marking
    from grader.classroom.policy import Policy

    place = tmp_path_factory.mktemp("graded") / "teacher"
    shutil.copytree(Path(__file__).parent / "data/review", place)
    now = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)
    with without_workers():
        marking.mark(
            place / "small", place / "class", place / "markbook", Policy(), jobs=1, lang=None, now=now
        )
    return place


@pytest.fixture
def small_class(graded_class: Path, tmp_path: Path) -> Path:
    """A folder with a small lab (``small``), what six students handed in (``class``), and their markbook."""
    from grader.classroom import markbook
    from grader.classroom.policy import Policy
    from grader.lab import lab as labs

    place = tmp_path / "teacher"
    shutil.copytree(graded_class, place)
    markbook.begin(place / "markbook", labs.load(place / "small"), Policy())
    return place
