from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import psutil
import pytest

from domains.errors import InfrastructureError
from domains.paths import LABS
from grader.classroom import examining, intake
from grader.classroom.policy import Policy
from grader.classroom.roster import Roster
from grader.lab import lab as labs

LAB = labs.load(LABS / "first-vm")


@pytest.fixture(autouse=True)
def paying(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class of a few pays already."""
    monkeypatch.setattr(examining, "_PAYING", 1)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "class"
    folder.mkdir()
    for number in range(40):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("answers.yaml", f"student: s{number}\nanswers: {{}}\n")
        (folder / f"s{number:02}.zip").write_bytes(b"no archive" if number == 7 else made.getvalue())
    return folder


def taken(source: Path, jobs: int) -> Roster:
    return intake.take_in(source, LAB, source.parent / f"book{jobs}", Policy(), jobs=jobs)


def test_two_processes_see_what_one_sees_in_the_same_order(source: Path) -> None:
    alone = taken(source, 1)
    assert taken(source, 2) == alone
    assert [one.key for one in alone.students] == [f"s{number:02}" for number in range(40)]
    unread = [one.key for one in alone.students if one.attempts[0].problem]
    assert unread == ["s07"]
    assert psutil.Process().children(recursive=True) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_breaks_over_one_archive_stops_no_other(
    source: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = examining._seen

    def broken(one: examining.Asked, raw: bytes, lab: str) -> examining.Examined:
        if one.place == "s03.zip":
            raise RuntimeError("broken \x1b[2J")
        return seen(one, raw, lab)

    monkeypatch.setattr(examining, "_seen", broken)
    attempts = {one.key: one.attempts[0] for one in taken(source, jobs).students}
    assert attempts["s03"].why == "it could not be looked at: RuntimeError: broken ⟨U+001B⟩[2J"
    assert {one.problem for one in attempts.values()} == {None, attempts["s07"].problem}
    assert attempts["s03"].problem is None, "it is graded, and breaks there again if it must"
    assert attempts["s04"].why == "not signed"


def test_a_process_that_is_ended_from_outside_is_ours(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()

    def killed(*_asked: object) -> examining.Examined:
        assert os.getpid() != here
        os._exit(9)

    monkeypatch.setattr(examining, "_seen", killed)
    with pytest.raises(InfrastructureError, match="ended from outside"):
        taken(source, 2)
