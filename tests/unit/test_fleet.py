"""Who sits where, what Ansible's messages mean, and what a room is told of it; without any machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domains.errors import InputError, UsageError
from grader.fleet import board, causes, collecting, inventory, objects, page, plan, secrets, students, telling
from grader.fleet.board import Board
from grader.lab import lab as labs

LAB = labs.load(labs.find("first-vm"))


def written(tmp_path: Path, text: str, name: str = "room.csv") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def refused(tmp_path: Path, text: str, name: str = "room.csv") -> str:
    with pytest.raises(InputError) as bad:
        inventory.read(written(tmp_path, text, name))
    return str(bad.value).removeprefix(f"{tmp_path}/")


def test_a_csv_names_students_and_machines_two_to_one_as_well(tmp_path: Path) -> None:
    text = (
        "student;host;user;port;room\nÉlodie Martin;pc1;root;2222;b12\nBo;pc1;root;2222;b12\nCy;10.0.0.2;;;\n"
    )
    one, other = inventory.read(written(tmp_path, text)).machines
    assert (one.students, one.rooms) == (("Élodie Martin", "Bo"), ("b12",))
    assert one.variables == {
        "ansible_host": "pc1",
        "ansible_user": "root",
        "ansible_become": False,
        "ansible_port": 2222,
    }
    assert (other.name, other.variables) == ("10.0.0.2", {"ansible_host": "10.0.0.2"})


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("student,hots\n", "1:9", "there is no column 'hots'"),
        ("student,user\n", "1:1", "names no column host"),
        ("student,host,port\nBo,pc1,22\nCy,pc2,99999\n", "3:8", "'99999' is no port"),
        ("student,host\nBo,-oProxyCommand=x\n", "2:4", "no name or address"),
        ("student,host\n,pc1\n", "2:1", "no name of a student"),
        ("student,host\nBo,pc1\nBo,pc1\n", "3:1", "sits at pc1 twice"),
        ("student,host,user\nBo,pc1,a\nCy,pc1,b\n", "3:8", "reached in two ways"),
        ("student,host\nBo,pc1,x\n", "2:8", "3 cells, and 2 columns"),
        ("student,host\nBo,pc1\nBo,pc2\n", "3:4", "Bo sits at pc1 and at pc2"),
        ("student,host\n", "1:1", "names no machine"),
    ],
)
def test_what_is_wrong_in_a_csv_is_said_with_its_place(
    tmp_path: Path, text: str, where: str, says: str
) -> None:
    said = refused(tmp_path, text)
    assert said.startswith(f"room.csv:{where}: ")
    assert says in said


def test_what_is_wrong_in_an_inventory_of_ansibles_is_said_with_its_place(tmp_path: Path) -> None:
    assert refused(tmp_path, "all:\n  hosts: {a: 1\n", "room.yml").startswith("room.yml:3:1: not valid YAML")
    assert refused(tmp_path, "[b12]\npc1\n[b12:bogus]\n", "room.ini").startswith("room.ini:3:")
    said = refused(tmp_path, "all: {hosts: {pc1: {tdlab_students: [3]}}}\n", "room.yml")
    assert said.startswith("room.yml:1:15: 3 is no name of a student, at pc1")


def test_an_inventory_of_ansibles_gives_rooms_accounts_and_students(tmp_path: Path) -> None:
    text = "[b12]\npc1 tdlab_student='Bo Li'\npc2\n[b12:vars]\ntdlab_account=eleve\n"
    one, other = inventory.read(written(tmp_path, text, "room.ini")).machines
    assert (one.students, one.rooms, one.account) == (("Bo Li",), ("b12",), "eleve")
    assert other.students == ()


def test_an_inventory_that_is_a_program_is_not_run(tmp_path: Path) -> None:
    program = written(tmp_path, f"#!/bin/sh\ntouch {tmp_path}/ran\necho '{{}}'\n", "room.sh")
    program.chmod(0o755)
    with pytest.raises(InputError):
        inventory.read(program)
    assert not (tmp_path / "ran").exists()


def test_a_limit_names_hosts_rooms_and_students(tmp_path: Path) -> None:
    text = "student,host,room\nAl,pc1,a\nBo,pc2,a\nCy,pc3,b\n"
    read = inventory.read(written(tmp_path, text))

    def names(limit: str) -> list[str]:
        return [one.name for one in read.limited(limit).machines]

    assert (names("a"), names("pc*,!Bo"), names("!b")) == (["pc1", "pc2"], ["pc1", "pc3"], ["pc1", "pc2"])
    with pytest.raises(UsageError, match="no machine, room or student 'pc9'"):
        read.limited("pc9")
    with pytest.raises(UsageError, match="leaves no machine"):
        read.limited("pc1,!a")


MESSAGES = [
    ("off", {"msg": "Failed to connect to the host via ssh: connect to host h: No route to host"}),
    ("off", {"msg": "Task failed: ssh: connect to host h port 22: Connection timed out"}),
    ("no-sshd", {"msg": "ssh: connect to host h port 22: Connection refused"}),
    ("no-name", {"msg": "ssh: Could not resolve hostname pc77: Name or service not known"}),
    ("wrong-key", {"msg": "root@h: Permission denied (publickey)."}),
    ("changed-host-key", {"msg": "@ REMOTE HOST IDENTIFICATION HAS CHANGED! @\nPermission denied (x)"}),
    ("hung", {"msg": "Connection timed out during banner exchange\nConnection to h timed out"}),
    ("hung", {"msg": "Timed out after 60 second(s)."}),
    ("dropped", {"msg": "Timeout, server 10.0.0.9 not responding."}),
    ("dropped", {"msg": "failed", "rc": 12, "stderr": "rsync: connection unexpectedly closed"}),
    ("disk-full", {"msg": "disk full: 12 KiB free, 90000 KiB needed"}),
    ("disk-full", {"msg": "non-zero return code", "stderr": "tar: x: Cannot write: No space left on device"}),
    ("disk", {"msg": "[Errno 30] Read-only file system: '/opt/tdlab'"}),
    ("no-python", {"msg": "MODULE FAILURE", "module_stdout": "sh: 1: /usr/bin/python3: not found"}),
    ("no-sudo", {"msg": "Missing sudo password"}),
    ("no-sudo", {"msg": "", "module_stderr": "sudo: a password is required"}),
    ("apt-locked", {"msg": "Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 77 (apt)"}),
    ("apt", {"msg": "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"}),
    ("clock", {"msg": "clock wrong by -86400 s"}),
    ("clock", {"msg": "apt failed", "stderr": "E: Release file for http://x is not valid yet"}),
    ("flood", {"msg": "it printed something else than was asked"}),
    ("no-account", {"msg": "no account eleve"}),
    ("in-the-way", {"msg": "another workspace is in the place of that of bo"}),
    ("other", {"msg": "something nobody has seen"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "result"), MESSAGES)
def test_what_ansible_says_is_one_cause_in_one_line(kind: str, result: dict[str, Any]) -> None:
    found = causes.classify("a task", result)
    assert found.kind.id == kind
    for lang in ("en", "fr"):
        told = found.told(lang)
        assert "\n" not in told
        assert len(told) < 260


def test_a_host_cannot_write_to_the_terminal_by_its_messages() -> None:
    told = causes.classify("a task", {"msg": "\x1b[2Jno space\u202eleft"}).told("en")
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_the_item_that_failed_tells_the_cause() -> None:
    result = {
        "msg": "One or more items failed",
        "results": [{"failed": True, "stderr": "No space left on device"}],
    }
    assert causes.classify("Unpack what came", result).kind is causes.DISK_FULL
    assert causes.classify(causes.SENDING, {"rc": 124, "msg": "non-zero return code"}).kind is causes.SLOW


def event(
    kind: str, host: str = "pc1", task: str = "a task", role: str = "", **result: object
) -> dict[str, Any]:
    return {"event": kind, "event_data": {"host": host, "task": task, "role": role, "res": result}}


def test_the_board_follows_each_machine_to_its_end() -> None:
    seen = Board(board.fresh([("pc1", ()), ("pc2", ()), ("pc3", ()), ("pc4", ())]), {"pc1": ("tree x",)})
    seen.take(event("runner_on_start", role="fleet_look"))
    assert (seen.rows["pc1"].state, seen.rows["pc1"].phase) == ("running", "look")
    seen.take(event("runner_on_ok", task=board.LOOKING, stdout_lines=["tree x\r", "end"]))
    seen.take(event("runner_on_ok", "pc2", changed=True))
    seen.take(event("runner_on_unreachable", "pc3", msg="No route to host"))
    seen.take({"event": "playbook_on_stats", "event_data": {"ok": {"pc1": 2, "pc2": 3}}})
    assert {name: row.state for name, row in seen.rows.items()} == {
        "pc1": "unchanged", "pc2": "done", "pc3": "failed", "pc4": "failed",
    }  # fmt: skip
    assert seen.rows["pc4"].cause is not None
    assert seen.rows["pc4"].cause.kind is causes.NOT_STARTED


def test_what_ansible_left_open_is_not_done() -> None:
    seen = Board(board.fresh([("pc1", ())]))
    seen.take(event("runner_on_ok", changed=True))
    seen.close()
    assert seen.rows["pc1"].state == "failed"


def test_secrets_of_an_inventory_are_in_no_log() -> None:
    hidden = secrets.of(
        [{"ansible_become_password": "hunter22", "api": {"token": ["abcdef"]}, "ansible_user": "root"}]
    )
    assert secrets.without("hunter22 abcdef root", hidden) == "[hidden] [hidden] root"
    assert len(secrets.without("x" * 10**6, hidden)) < 5000


@pytest.fixture
def planned(tmp_path: Path, own_state: Path, monkeypatch: pytest.MonkeyPatch) -> plan.Plan:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = "student,host,user,account\nAl,pc1,root,a\nÉl,pc1,root,a\nBo,pc2,root,b\n"
    return plan.make(LAB, inventory.read(written(tmp_path, text)), plan.Wish(lab_host=False))


def test_a_plan_says_who_gets_what_and_is_the_same_the_next_time(planned: plan.Plan) -> None:
    again = plan.make(LAB, planned.inventory, planned.wish)
    assert again.as_inventory() == planned.as_inventory()
    one, other = planned.assigned
    assert [seat.folder for seat in one.seats] == ["first-vm-workspace-al", "first-vm-workspace-l"]
    assert [seat.folder for seat in other.seats] == ["first-vm-workspace"]
    assert len({seat.nonce for each in planned.assigned for seat in each.seats}) == 3
    said = list(telling.plan_lines(planned, 20, "fr"))
    assert said[0].startswith("first-vm\N{NO-BREAK SPACE}: 2 machines, 3 étudiants")
    assert len(said) == 4
    assert said[2].startswith("  pc1  ")


def test_what_is_sent_holds_no_solution_and_is_named_by_its_content(tmp_path: Path) -> None:
    import tarfile

    sent = objects.lab(tmp_path, LAB.folder, LAB.slug)
    with tarfile.open(tmp_path / sent.file) as archive:
        names = archive.getnames()
    assert not [name for name in names if "solution" in name or "wrong-" in name]
    assert names[-1].endswith("/.complete")
    raw = (tmp_path / sent.file).read_bytes()
    (tmp_path / sent.file).unlink()
    assert objects.lab(tmp_path, LAB.folder, LAB.slug) == sent
    assert (tmp_path / sent.file).read_bytes() == raw


def test_a_key_that_was_seen_is_never_replaced(tmp_path: Path) -> None:
    row = board.Row("pc1", said=("key al ssh-ed25519 AAAA tdlab", "end"))
    students.note_keys(tmp_path, [row])
    row.said = ("key al ssh-ed25519 BBBB tdlab", "key bo ssh-ed25519 CCCC tdlab")
    students.note_keys(tmp_path, [row])
    assert students.keys(tmp_path) == {"al": "ssh-ed25519 AAAA tdlab", "bo": "ssh-ed25519 CCCC tdlab"}


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


def test_the_page_of_a_room_shows_what_machines_say_and_acts_on_none_of_it(
    planned: plan.Plan, tmp_path: Path
) -> None:
    seen = Board(board.fresh((one.machine.name, one.machine.students) for one in planned.assigned))
    al, el = (seat.slug for seat in planned.assigned[0].seats)
    seen.rows["pc1"].said = (
        "folder",
        f"seat {al} first-vm 0",
        f"archive {al} x-1.zip",
        f"seat {el} first-vm 0",
    )
    seen.rows["pc2"].cause = causes.classify(
        "x", {"msg": "<script>alert(1)</script> No space left on device"}
    )
    page.write(tmp_path / "room.html", seen, planned, 30, "fr")
    text = (tmp_path / "room.html").read_text()
    assert '<meta http-equiv="refresh" content="30">' in text
    assert "<script" not in text
    assert ("rendu (1)" in text, "commencé" in text, "disque plein" in text) == (True, True, True)
    said = page.document(seen, planned)["hosts"]
    assert [seat["handed_in"] for seat in said[0]["seats"]] == [1, 0]
    assert (said[1]["cause"], said[1]["mend"]) == ("disk-full", "ssh root@pc2 -p 22 df -h")


def test_a_student_cannot_name_the_folder_that_work_is_collected_in() -> None:
    assert plan.collected("../../etc") == "-..-etc"
    assert plan.collected("a/b\x1b") == "a-b-"
    assert plan.collected("...") == "student"
