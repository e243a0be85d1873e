"""Killed with -9 before or after any write, a workspace goes on: nothing is lost, nothing is in the way."""

from __future__ import annotations

import json
import os
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from domains import process
from domains.paths import LABS
from grader.cli import tdlab
from grader.lab import lab as labs
from grader.lab.lab import Lab
from grader.measure import run as runs
from grader.submission import answers, history
from grader.workspace import measuring, workspace
from grader.workspace.workspace import Workspace

# The smallest lab: a command is killed at each of its writes, and begun again after each.
LAB = labs.load(LABS / "first-vm")
WITH_HINTS = labs.load(LABS / "r202")
IDS = [question.id for question in LAB]
RUN = runs.read(LAB.folder / "solution" / "evidence" / "report.json").to_json()
# More writes than any command makes; each test stops at the first run that nobody killed.
_MOST = 60


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do some work in a process of its own that is killed at its ``number``-th write; say whether it was."""
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        process.end_with(parent)
        _arm(number)
        try:
            work()
        except BaseException:  # noqa: BLE001 - the parent looks at what is on disk, and at nothing else
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work itself failed"
    return os.WIFSIGNALED(status)


def _arm(number: int) -> None:
    """Count each call that changes the disk twice, before and after, and die at the one with this number."""
    left = [number]

    def step() -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            step()
            done = call(*arguments, **named)
            step()
            return done

        return counted

    for name in ("fsync", "replace", "rename", "mkdir", "truncate", "unlink"):
        setattr(os, name, around(getattr(os, name)))


def every_kill(tmp_path: Path, make: Callable[[Path], Callable[[], object]]) -> Iterator[Path]:
    """Yield a folder for each place at which the work can be killed, after it was; at least four of them."""
    for number in range(_MOST):
        folder = tmp_path / str(number)
        folder.mkdir()
        was_killed = killed_at(number, make(folder))
        yield folder
        if not was_killed:
            assert number >= 4, "hardly anything was written"
            return
    raise AssertionError("it never came to an end")


def started(folder: Path, lab: Lab = LAB) -> Workspace:
    return workspace.start(lab, "Zoé", "fr", folder / "work")[0]


def does(*words: str | Path) -> Any:
    done = CliRunner().invoke(tdlab, [*map(str, words)], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done


def whole(place: Workspace) -> list[history.Event]:
    """Return the events of a history that holds."""
    file = place.folder / history.HISTORY_FILE
    chain = history.chain(file.read_bytes() if file.exists() else b"", place.identity.nonce)
    assert chain.problem is None
    return list(chain.events)


def test_start(tmp_path: Path) -> None:
    for folder in every_kill(tmp_path, lambda folder: lambda: started(folder)):
        place = started(folder)
        assert answers.parse((place.folder / "answers.yaml").read_bytes(), LAB.slug, IDS).student == "Zoé"
        assert (place.folder / "domains").is_dir()
        assert workspace.find(place.folder).identity == place.identity


def test_predict(tmp_path: Path) -> None:
    def make(folder: Path) -> Callable[[], object]:
        place = started(folder)
        return lambda: does("predict", "--workspace", place.folder, "3.1", "3")

    for folder in every_kill(tmp_path, make):
        place = started(folder)
        does("predict", "--workspace", place.folder, "3.1", "3")
        whole(place)
        assert not measuring.open_predictions(place)
        assert "evidence/predictions.jsonl" not in (place.submission().evidence.unverified or {})


def test_hint(tmp_path: Path) -> None:
    def make(folder: Path) -> Callable[[], object]:
        place = started(folder, WITH_HINTS)
        return lambda: does("hint", "--workspace", place.folder, "3.1", "--yes")

    for folder in every_kill(tmp_path, make):
        place = started(folder, WITH_HINTS)
        does("hint", "--workspace", place.folder, "3.1", "--yes")
        assert [one.about for one in whole(place)] in (["3.1#0"], ["3.1#0", "3.1#1"])


def test_check(tmp_path: Path) -> None:
    def make(folder: Path) -> Callable[[], object]:
        place = started(folder)
        return lambda: does("check", place.folder)

    for folder in every_kill(tmp_path, make):
        place = started(folder)
        does("check", place.folder)
        assert {one.what for one in whole(place)} == {"checked"}


def test_what_was_measured_is_the_old_or_the_new_and_verified_either_way(tmp_path: Path) -> None:
    def stamped(place: Workspace, name: str) -> str:
        run = runs.Run.model_validate_json(RUN)
        stamp = measuring.begin(place, [], without_predicting=False)
        began = history.now().isoformat()
        cells = tuple(one.model_copy(update={"status": "skipped"}) for one in run.cells)
        made = run.model_copy(update={"id": name, "stamp": stamp, "started": began, "cells": cells})
        return made.to_json()

    def make(folder: Path) -> Callable[[], object]:
        place = started(folder)
        measuring.keep(place, "report.json", stamped(place, "old"), [], is_measured=True)
        new = stamped(place, "new")
        return lambda: measuring.keep(place, "report.json", new, [], is_measured=True)

    seen = set()
    for folder in every_kill(tmp_path, make):
        place = started(folder)
        whole(place)
        given = place.submission()
        assert given.evidence.run is not None
        seen.add(given.evidence.run.id)
        assert given.evidence.unverified == {}
    assert seen == {"old", "new"}


@pytest.mark.parametrize("command", ["submit", "finish"])
def test_handing_in(tmp_path: Path, command: str) -> None:
    words = ["--yes"] if command == "finish" else []

    def make(folder: Path) -> Callable[[], object]:
        place = started(folder)
        file = place.folder / "answers.yaml"
        file.write_text(file.read_text().replace("  1.1:", "  1.1: a"))
        return lambda: does(command, place.folder, *words)

    for folder in every_kill(tmp_path, make):
        place = started(folder)
        done = does(command, place.folder, "--json", *words)
        receipt = json.loads(done.stdout)
        with zipfile.ZipFile(receipt["archive"]) as archive:
            assert b"1.1: a" in archive.read("answers.yaml")
            assert json.loads(archive.read("manifest.json"))["number"] == receipt["number"]
        whole(place)
        assert workspace.is_closed(place) is (command == "finish")
        for archive_file in (place.folder / "submissions").glob("*.zip"):
            assert zipfile.ZipFile(archive_file).testzip() is None


def test_putting_an_answer_back(tmp_path: Path) -> None:
    def make(folder: Path) -> Callable[[], object]:
        place = started(folder)
        file = place.folder / "answers.yaml"
        file.write_text(file.read_text().replace("  1.1:", "  1.1: a"))
        return lambda: does("reset", place.folder, "--question", "1.1")

    for folder in every_kill(tmp_path, make):
        place = started(folder)
        everything = [one.read_text() for one in place.folder.rglob("answers.yaml")]
        assert any("1.1: a" in text for text in everything), "what the student wrote is somewhere"
        does("reset", place.folder, "--question", "1.1")
        given = answers.parse((place.folder / "answers.yaml").read_bytes(), LAB.slug, IDS)
        assert given.to("1.1").value is None
        whole(place)


def test_moving_domains_away(tmp_path: Path) -> None:
    def make(folder: Path) -> Callable[[], object]:
        place = started(folder)
        for name in ("web", "shop"):
            (place.folder / "domains" / f"{name}.xml").write_text(f"<{name}/>")
        return lambda: does("reset", place.folder, "--domains")

    for folder in every_kill(tmp_path, make):
        place = started(folder)
        does("reset", place.folder, "--domains")
        assert {one.name for one in (place.folder / "backup").rglob("*.xml")} == {"web.xml", "shop.xml"}
        assert not list((place.folder / "domains").iterdir())
