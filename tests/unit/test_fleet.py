"""What Ansible's messages mean, and what a room is told of it; without any machine."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest

from grader.fleet import (
    board,
    causes,
    inventory,
    notes,
    objects,
    page,
    plan,
    showing,
    students,
    telling,
)
from grader.fleet.board import Board
from grader.fleet.inventory import Machine
from grader.lab import lab as labs
from grader.language import Lang

LAB = labs.load(labs.find("first-vm"))


def written(tmp_path: Path, text: str, name: str = "room.csv") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


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
    ("old-python", {"msg": "ansible-core requires a minimum of Python version 3.8. Current version: 3.5.3"}),
    ("old-python", {"msg": "", "module_stderr": "error while loading shared libraries: libpython3.5.so"}),
    ("no-sshpass", {"msg": "to use the 'ssh' connection type, you must install the sshpass program"}),
    ("no-sudo", {"msg": "Missing sudo password"}),
    ("no-sudo", {"msg": "Incorrect sudo password"}),
    ("no-sudo", {"msg": "", "module_stderr": "sudo: a password is required"}),
    ("apt-locked", {"msg": "Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 77 (apt)"}),
    ("apt-locked", {"stderr": "dpkg: error: dpkg frontend lock was locked by another process with pid 0"}),
    ("apt", {"msg": "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"}),
    ("clock", {"msg": "clock wrong by -86400 s"}),
    ("clock", {"msg": "apt failed", "stderr": "E: Release file for http://x is not valid yet"}),
    ("flood", {"msg": "it printed something else than was asked"}),
    ("no-account", {"msg": "no account eleve"}),
    ("in-the-way", {"msg": "another workspace is in the place of that of bo"}),
    ("not-what-was-sent", {"stderr": "what came is not what was sent: lab-first-vm-00.tar.gz"}),
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
    result: dict[str, Any] = {
        "msg": "One or more items failed",
        "results": [{"failed": True, "stderr": "No space left on device"}],
    }
    assert causes.classify("Unpack what came", result).kind is causes.DISK_FULL
    result["results"] = [{"failed": True, "msg": "non-zero return code", "stderr": "tar: it says why"}]
    assert causes.classify("Unpack", result).detail == "Unpack: tar: it says why"
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


def test_a_machine_is_done_when_it_has_been_looked_at_once_more(tmp_path: Path) -> None:
    seen = Board(board.fresh([("pc1", ())]))
    seen.take(event("runner_on_start", task=board.LOOKING, role="fleet_look"))
    seen.take(event("runner_on_ok", task=board.LOOKING, role="fleet_look", stdout_lines=["end"]))
    seen.take(event("runner_on_ok", changed=True))
    seen.take(event("runner_on_start", task=board.LOOKING, role="fleet_look"))
    assert seen.rows["pc1"].phase == "check"
    seen.take(event("runner_on_ok", task=board.LAST))
    ended = seen.rows["pc1"].ended
    seen.take({"event": "playbook_on_stats", "event_data": {"ok": {"pc1": 4}}})
    assert (seen.rows["pc1"].state, seen.rows["pc1"].ended) == ("done", ended)


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 24), (40, 10)])
def test_the_table_fits_the_terminal_and_shows_who_failed(width: int, height: int, lang: Lang) -> None:
    from rich.console import Console

    seen = Board(board.fresh((f"pc-b12-{number:03}", (f"Élève {number}",)) for number in range(200)))
    for number, row in enumerate(seen.rows.values()):
        row.state, row.began, row.ended = "running" if number < 40 else "waiting", 0.0, None
    seen.rows["pc-b12-150"].state = "failed"
    seen.rows["pc-b12-150"].cause = causes.classify("x", {"msg": "No route to host " + "x" * 300})
    console = Console(width=width, height=height, record=True, file=io.StringIO())
    console.print(showing.table(seen, lang, width, height, now=7.0, began=0.0))
    lines = console.export_text().splitlines()
    assert len(lines) < height
    assert max(map(len, lines)) <= width
    assert lines[0].startswith(
        "1 NOT done, 40 at work, 159 waiting"[:width] if lang == "en" else "1 PAS fait"
    )
    (failed,) = (line for line in lines if "pc-b12-150" in line)
    assert failed.rstrip().endswith("…")
    assert "+" in lines[-1]


def test_what_ansible_left_open_is_not_done() -> None:
    seen = Board(board.fresh([("pc1", ())]))
    seen.take(event("runner_on_ok", changed=True))
    seen.close()
    assert seen.rows["pc1"].state == "failed"


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
    # What leads to it comes when all of it is there.
    assert names[-2].endswith("/.complete")
    assert names[-1] == "labs/first-vm"
    raw = (tmp_path / sent.file).read_bytes()
    (tmp_path / sent.file).unlink()
    assert objects.lab(tmp_path, LAB.folder, LAB.slug) == sent
    assert (tmp_path / sent.file).read_bytes() == raw


def test_what_a_student_is_called_in_files_stays_whoever_is_left_out_or_comes_later(tmp_path: Path) -> None:
    def placed(*machines: tuple[str, ...]) -> dict[str, tuple[str, str]]:
        every = [Machine(f"pc{number}", sitting) for number, sitting in enumerate(machines)]
        return {name: (at.slug, at.folder) for name, at in students.placed(tmp_path, "lab", every).items()}

    alone = placed(("Bo Li",))
    assert alone == {"Bo Li": ("bo-li", "lab-workspace")}
    # "Bo-Li" would be called the same in files, and sits beside somebody whose folder is the plain one.
    both = placed(("Bo Li", "Cy"), ("Bo-Li",))
    assert both["Bo Li"] == alone["Bo Li"]
    assert both["Cy"] == ("cy", "lab-workspace-cy")
    other = both["Bo-Li"]
    assert other[0].startswith("bo-li-")
    assert placed(("Bo-Li",))["Bo-Li"] == other
    moved = placed(("Bo Li", "Bo-Li"))
    assert moved["Bo-Li"] == (other[0], f"lab-workspace-{other[0]}")


def test_what_is_newer_on_machines_is_said_by_its_files(tmp_path: Path, planned: plan.Plan) -> None:
    from dataclasses import replace

    folder = Path(shutil.copytree(LAB.folder, tmp_path / "newer"))
    (folder / "sheet.fr.md").write_text("neuf")
    newer = objects.lab(planned.store, folder, LAB.slug)
    had = tuple(line for sent in planned.assigned[0].objects for line in sent.wants)
    rows = board.fresh((one.machine.name, ()) for one in planned.assigned)
    for row in rows.values():
        row.had, row.said = had, newer.wants
    later = replace(planned, assigned=tuple(replace(one, objects=(newer,)) for one in planned.assigned))
    said = list(notes.updates(Board(rows), later, "fr"))
    assert said == ["plus récents dans lab-first-vm : first-vm/sheet.fr.md (pc1, pc2)"]
    (old,) = (one.file for one in planned.assigned[0].objects if one.name == "lab-first-vm")
    (planned.store / old).unlink()
    assert "all of it" in next(notes.updates(Board(rows), later, "en"))
    assert list(notes.updates(Board(rows), planned, "en")) == []
    for row in rows.values():
        row.said = had
    # What was only looked at, or removed, has nothing newer on it.
    assert list(notes.updates(Board(rows), later, "en")) == []


@pytest.mark.parametrize(
    ("said", "expected"), [(("end",), "no-kvm"), (("virtualisation", "end"), "kvm-off"), ((), None)]
)
def test_what_a_machine_cannot_do_is_a_note_that_the_next_plan_has_too(
    tmp_path: Path, said: tuple[str, ...], expected: str | None
) -> None:
    row = board.Row("pc1", said=said)
    found = notes.of(row)
    assert (found.id if found else None) == expected
    notes.noted(tmp_path, [row])
    assert [note.id for note in notes.known(tmp_path).values()] == ([expected] if expected else [])
    row.said = ("virtualisation", "kvm", "end")
    notes.noted(tmp_path, [row])
    assert (notes.of(row), notes.known(tmp_path)) == (None, {})
    assert not list(notes.lines({}, "fr"))


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
    assert students.collected("../../etc") == "-..-etc"
    assert students.collected("a/b\x1b") == "a-b-"
    assert students.collected("...") == "student"
