"""Collecting from machines that are not what they seem: an ssh that answers as such a machine would."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from grader.fleet import causes, collecting, inventory, plan, running
from grader.fleet.board import Board
from grader.lab import lab as labs
from grader.submission.archives import MAX_ARCHIVE

LAB = labs.load(labs.find("first-vm"))

# Runs what it is asked to, but says of the machine what the test wrote down; su needs no password.
SSH = """#!/bin/bash
while [[ $1 == -* ]]; do case $1 in -[oplibFES]) shift 2 ;; *) shift ;; esac; done
shift
case "$*" in
    *'echo "look 1"'*) exec cat "{machine}/looks" ;;
esac
PATH={machine}/bin:$PATH exec sh -c "$*"
"""
SU = """#!/bin/sh
while [ "$1" != -c ]; do shift; done
exec sh -c "$2"
"""


class Machine:
    """What stands for the machines of a room; ``home`` is that of their students."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        (folder / "bin").mkdir(parents=True)
        self.program("su", SU)

    def program(self, name: str, script: str) -> None:
        """Put a program there."""
        file = self.folder / "bin" / name
        file.write_text(script)
        file.chmod(0o755)

    def looks(self, *lines: str) -> None:
        """Have it say this of itself."""
        said = ["look 1", "program python3", f"home a {self.home}", *lines, "end"]
        (self.folder / "looks").write_text("".join(f"{line}\n" for line in said))

    def hand_in(self, name: str, raw: bytes) -> Path:
        """Lay an archive where students hand in."""
        file = self.home / "first-vm-workspace-bo/submissions" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
        return file


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path / "machine")
    ssh = tmp_path / "here/ssh"
    ssh.parent.mkdir()
    ssh.write_text(SSH.format(machine=made.folder))
    ssh.chmod(0o755)
    sftp = ssh.with_name("sftp")
    sftp.write_text('#!/bin/bash\nread -r _ from into\nexec cp "$from" "$into"\n')
    sftp.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
    return made


@pytest.fixture
def planned(tmp_path: Path, own_state: Path, monkeypatch: pytest.MonkeyPatch) -> plan.Plan:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "room.csv"
    file.write_text("student,host,user,account\nBo,pc2,root,a\nCy,pc2,root,a\n")
    return plan.make(LAB, inventory.read(file), plan.Wish(lab_host=False))


def collected(planned: plan.Plan, into: Path, *, submits: bool = False) -> Board:
    with collecting.arriving(planned, into) as come:
        more = {"tdlab_into": str(come), "fleet_collect_submits": submits}
        board, _ = running.run(planned, "collect.yml", forks=1, more=more)
    return board


def held(into: Path) -> dict[str, bytes]:
    return {one.relative_to(into).as_posix(): one.read_bytes() for one in into.rglob("*.zip")}


def test_what_was_collected_is_never_written_over_by_what_a_machine_sends_later(
    planned: plan.Plan, tmp_path: Path
) -> None:
    into = tmp_path / "class"
    (into / ".tdlab-arriving-first-vm/Bo").mkdir(parents=True)
    (into / ".tdlab-arriving-first-vm/Bo/first-vm-bo-9.zip").write_bytes(b"half of it: the run was killed")
    for raw in (b"as it was at the deadline", b"another", b"as it was at the deadline", b"another"):
        with collecting.arriving(planned, into) as come:
            (come / "Bo").mkdir()
            (come / "Bo/first-vm-bo-1.zip").write_bytes(raw)
            (come / "Bo/first-vm-bo-2.zip").write_bytes(bytes(MAX_ARCHIVE + 1))
            (come / "Bo/first-vm-bo-li-1.zip").write_bytes(b"of another student, whose name begins so")
    other = "Bo/first-vm-bo-1.{}.zip".format(hashlib.sha256(b"another").hexdigest()[:8])
    assert held(into) == {"Bo/first-vm-bo-1.zip": b"as it was at the deadline", other: b"another"}
    told = {one.file: one.before for one in collecting.examined(planned, into)}
    assert told == {"Bo/first-vm-bo-1.zip": "", other: "Bo/first-vm-bo-1.zip"}
    assert sorted(one.name for one in into.iterdir()) == [collecting.RECORD, "Bo"]


def test_a_machine_cannot_send_without_end(planned: plan.Plan, machine: Machine, tmp_path: Path) -> None:
    sftp = tmp_path / "here/sftp"
    sftp.write_text(f"#!/bin/bash\nread -r _ _ into\necho >> {tmp_path}/asked\nexec yes > $into\n")
    sftp.chmod(0o755)
    machine.looks("seat bo first-vm", "archive bo x-0.zip", "archive bo x-1.zip", "archive bo x-2.zip")
    machine.hand_in("x-1.zip", b"small when it is looked at")
    machine.hand_in("x-2.zip", b"small when it is looked at")
    row = collected(planned, tmp_path / "class").rows["pc2"]
    assert row.cause is not None
    assert row.cause.kind is causes.FLOOD
    assert (tmp_path / "asked").read_text() == "\n"
    assert held(tmp_path / "class") == {}


def test_a_machine_that_names_archives_without_end_is_not_believed(
    planned: plan.Plan, machine: Machine, tmp_path: Path
) -> None:
    machine.looks("seat bo first-vm", *(f"archive bo x-{number}.zip" for number in range(10_000)))
    row = collected(planned, tmp_path / "class").rows["pc2"]
    assert row.cause is not None
    assert row.cause.kind is causes.FLOOD


def test_who_cannot_hand_in_holds_up_nobody_else_on_the_machine(
    planned: plan.Plan, machine: Machine, tmp_path: Path
) -> None:
    machine.looks("seat bo first-vm", "archive bo x-1.zip", "seat cy first-vm")
    machine.hand_in("x-1.zip", b"handed in")
    row = collected(planned, tmp_path / "class", submits=True).rows["pc2"]
    assert held(tmp_path / "class") == {"Bo/first-vm-bo-1.zip": b"handed in"}
    assert row.cause is not None
    assert "cy: " in row.cause.detail
