"""What a machine whose students have root can say of itself, and what it must not reach by it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grader.fleet import board, collecting, inventory, notes, page, plan, students
from grader.fleet.board import Board
from grader.lab import lab as labs

LAB = labs.load(labs.find("first-vm"))
SEATS = {"pc1": ["al"], "pc2": ["bo"], "pc3": ["al"]}


def said(name: str, *lines: str) -> board.Row:
    return board.Row(name, said=(*lines, "end"))


def test_a_key_that_was_seen_is_never_replaced(tmp_path: Path) -> None:
    students.note_keys(tmp_path, SEATS, [said("pc1", "key al ssh-ed25519 AAAA tdlab")])
    later = said("pc1", "key al ssh-ed25519 BBBB tdlab")
    students.note_keys(tmp_path, SEATS, [later, said("pc2", "key bo ssh-ed25519 CCCC tdlab")])
    assert students.keys(tmp_path) == {"al": {"ssh-ed25519 AAAA tdlab"}, "bo": {"ssh-ed25519 CCCC tdlab"}}


def test_a_machine_cannot_say_what_key_a_student_of_another_one_has(tmp_path: Path) -> None:
    forged = said("pc1", "key bo ssh-ed25519 EVIL tdlab")
    students.note_keys(tmp_path, SEATS, [forged, said("pc2", "key bo ssh-ed25519 CCCC tdlab")])
    assert students.keys(tmp_path) == {"bo": {"ssh-ed25519 CCCC tdlab"}}


def test_a_student_who_moved_or_whose_machine_was_cleared_has_more_than_one_key(tmp_path: Path) -> None:
    first, moved = said("pc1", "key al ssh-ed25519 AAAA tdlab"), said("pc3", "key al ssh-ed25519 BBBB tdlab")
    students.note_keys(tmp_path, SEATS, [first, moved])
    # What cannot be reached has said nothing of what it has.
    students.forget_keys(tmp_path, SEATS, [board.Row("pc3"), said("pc1")])
    after = [
        said("pc1", "key al ssh-ed25519 CCCC tdlab"),
        said("pc3", "key al ssh-ed25519 DDDD tdlab"),
    ]
    for _ in range(2):
        students.note_keys(tmp_path, SEATS, after)
    assert students.keys(tmp_path) == {"al": {f"ssh-ed25519 {key} tdlab" for key in ("AAAA", "BBBB", "CCCC")}}


def test_a_key_that_an_older_tdlab_noted_is_of_any_machine(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"al": "ssh-ed25519 AAAA tdlab"}))
    students.note_keys(tmp_path, SEATS, [said("pc1", "key al ssh-ed25519 BBBB tdlab")])
    assert students.keys(tmp_path) == {"al": {"ssh-ed25519 AAAA tdlab"}}


@pytest.fixture
def planned(tmp_path: Path, own_state: Path, monkeypatch: pytest.MonkeyPatch) -> plan.Plan:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "room.csv"
    file.write_text("student,host,user,account\nAl,pc1,root,a\nCy,pc1,root,a\nBo,pc2,root,b\n")
    return plan.make(LAB, inventory.read(file), plan.Wish(lab_host=False))


def test_what_a_hostile_machine_hands_in_is_not_verified_and_says_why(
    planned: plan.Plan, tmp_path: Path
) -> None:
    place = tmp_path / "class/Bo"
    place.mkdir(parents=True)
    (place / "first-vm-bo-1.zip").write_bytes(b"PK\x03\x04 no archive at all")
    (found,) = collecting.examined(planned, tmp_path / "class")
    assert (found.student, found.why.startswith("it cannot be read")) == ("Bo", True)
    noted = json.loads((tmp_path / "class" / collecting.RECORD).read_text())
    assert noted["schema"] == "tdlab.collected/1"


def handed_in(planned: plan.Plan, into: Path) -> tuple[plan.Seat, str]:
    """Hand in what was deployed for Bo, signed by a key of their own; return their seat and that key."""
    from grader.workspace import hand_in, keys, workspace

    seat = planned.assigned[1].seats[0]
    made = Path(shutil.copytree(planned.home / "seats" / seat.slug, into.parent / "workspace"))
    archive = hand_in.submit(workspace.find(made)).archive
    place = into / "Bo"
    place.mkdir(parents=True)
    shutil.copy(archive, place / "first-vm-bo-1.zip")
    return seat, keys.public(keys.mine())


def test_an_archive_is_verified_by_the_key_that_its_own_machine_showed(
    planned: plan.Plan, tmp_path: Path
) -> None:
    seat, key = handed_in(planned, tmp_path / "class")
    seats = {"pc1": ["al", "cy"], "pc2": [seat.slug]}

    def why() -> str:
        (found,) = collecting.examined(planned, tmp_path / "class")
        return found.why

    assert why() == "the machine showed no key that it could be held against"
    students.note_keys(planned.home, seats, [said("pc1", f"key bo {key}")])
    assert why(), "another's machine has nothing to say of it"
    students.note_keys(planned.home, seats, [said("pc2", f"key bo {key}")])
    assert why() == ""
    # Cleared by us, and deployed to again: what comes then has another key, and this one stays as it was.
    students.forget_keys(planned.home, seats, [said("pc2")])
    students.note_keys(planned.home, seats, [said("pc2", "key bo ssh-ed25519 AAAA tdlab")])
    assert why() == ""


def test_a_machine_whose_clock_says_nonsense_has_its_line_on_the_page(
    planned: plan.Plan, tmp_path: Path
) -> None:
    seen = Board(board.fresh((one.machine.name, one.machine.students) for one in planned.assigned))
    seen.rows["pc2"].said = ("folder", "seat bo first-vm 0", "written bo 999999999999999", "end")
    page.write(tmp_path / "room.html", seen, planned, None, "en")
    assert "begun" in (tmp_path / "room.html").read_text()


def test_what_a_machine_says_that_it_had_need_not_be_a_tree(planned: plan.Plan) -> None:
    one = planned.assigned[0]
    lab = next(sent for sent in one.objects if sent.name == "lab-first-vm")
    other = one.seats[0].sent.file.removesuffix(".tar.gz")
    had = (f"link {lab.links[0]} ../trees/{other}/first-vm",)
    row = board.Row(one.machine.name, had=had, said=lab.wants)
    assert notes.updated(row, one, planned.store) == {"lab-first-vm": None}
