"""What look.sh says of a machine, where students wrote what it reads."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from domains import process
from domains.paths import PLAYBOOKS

ROLES = PLAYBOOKS / "roles"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the home of an account that getent knows in this test alone."""
    made = tmp_path / "home"
    (made / "work/submissions").mkdir(parents=True)
    (made / ".local/state/tdlab/keys").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name, script in {"getent": f"echo a:x:0:0::{made}:/bin/sh", "id": "echo"}.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return made


def looked(home: Path) -> list[str]:
    script = (ROLES / "fleet_look/files/look.sh").read_text()
    words = ["sh", "-c", script, "look", "first-vm", "a:al:work"]
    path = {"PATH": f"{home.parent}/bin:{os.environ['PATH']}"}
    said = process.run(words, timeout=60, env=path).stdout.splitlines()
    return said[said.index(f"home a {home}") + 1 :]


def test_what_students_write_says_nothing_in_the_name_of_others(home: Path) -> None:
    text = 'lab: first-vm\nlab: key bo ssh-ed25519 EVIL\nnonce: "77"\nnonce: "key bo ssh-ed25519 EVIL"\n'
    (home / "work/workspace.yaml").write_text(text)
    (home / "work/submissions/first-vm-al-1.zip").write_text("")
    (home / "work/submissions/x\nkey bo ssh-ed25519 EVIL\n-2.zip").write_text("")
    (home / ".local/state/tdlab/keys/student.pub").write_text("ssh-ed25519 AAAA tdlab\nkey bo EVIL\n")
    assert looked(home) == [
        "seat al first-vm 77",
        "archive al first-vm-al-1.zip",
        "evidence al 0",
        "written al 0",
        "has-key al",
        "key al ssh-ed25519 AAAA tdlab",
        "end",
    ]


def test_an_empty_key_is_none(home: Path) -> None:
    keys = home / ".local/state/tdlab/keys"
    (keys / "student").touch()
    (keys / "student.pub").write_text("ssh-ed25519 AAAA tdlab\n")
    assert looked(home) == ["in-the-way al", "empty-key al", "end"]


def test_a_pipe_in_the_place_of_a_key_is_not_waited_for(home: Path) -> None:
    os.mkfifo(home / ".local/state/tdlab/keys/student.pub")
    assert looked(home) == ["in-the-way al", "end"]


def test_a_workspace_whose_removal_is_cut_is_still_one_and_an_emptied_one_is_in_nobodys_way(
    home: Path, tmp_path: Path
) -> None:
    shutil.rmtree(home / ".local")
    (home / "work/workspace.yaml").write_text('lab: first-vm\nnonce: "77"\n')
    (home / "work/answers.yaml").touch()
    for file in ("workspace.yaml", "answers.yaml"):
        os.utime(home / "work" / file, (0, 0))
    unpacked = looked(home)
    cutting = tmp_path / "bin/rm"
    cutting.write_text("#!/bin/sh\nexit 9\n")
    cutting.chmod(0o755)
    words = ["sh", "-c", (ROLES / "fleet_remove/files/workspace.sh").read_text(), "workspace", "work"]
    path = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    assert process.run(words, timeout=60, cwd=home, env=path, check=False).status == 9
    assert [one.name for one in (home / "work").iterdir()] == ["workspace.yaml"]
    assert looked(home) == unpacked == ["seat al first-vm 77", "untouched al", *unpacked[2:]]

    (home / "work/workspace.yaml").unlink()
    assert looked(home) == ["empty-seat al", "end"]
    with tarfile.open(tmp_path / "seat.tar.gz", "w:gz") as archive:
        archive.add(ROLES / "fleet_look/meta/main.yml", "work/answers.yaml")
    seat = (ROLES / "fleet_seat/files/unpack.sh").read_text()
    process.run(["sh", "-c", seat, "unpack", tmp_path / "seat.tar.gz", "work"], timeout=60, cwd=home)
    assert [one.name for one in (home / "work").iterdir()] == ["answers.yaml"]

    cutting.unlink()
    process.run(words, timeout=60, cwd=home)
    assert list(home.iterdir()) == []


def removing(tmp_path: Path, lines: list[str], seats: list[dict[str, str]]) -> dict[str, Any]:
    """Return the students whose workspaces and whose keys the role fleet_remove takes away, and its paths."""
    given = {
        "fleet_look_lines": lines,
        "fleet_remove_work": False,
        "tdlab_lab": "first-vm",
        "tdlab_login": "root",
        "tdlab_seats": seats,
    }
    (tmp_path / "given.json").write_text(json.dumps(given))
    told = "{{ {'seats': fleet_remove_seats | map(attribute='slug'), "
    told += "'keys': fleet_remove_keys | map(attribute='slug'), 'paths': fleet_remove_paths} }}"
    words: list[str | Path] = [
        Path(sys.executable).parent / "ansible",
        "localhost",
        "-c",
        "local",
        "-m",
        "debug",
        "-a",
    ]
    words += [f"msg={told}", "-e", f"@{ROLES}/fleet_remove/vars/main.yml", "-e", f"@{tmp_path}/given.json"]
    env = {"ANSIBLE_HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}
    said = process.run(words, timeout=120, env=env).stdout
    found: dict[str, list[str]] = json.loads(said[said.index("{") :])["msg"]
    return found


def test_a_key_stays_while_another_workspace_or_another_lab_may_sign_by_it(tmp_path: Path) -> None:
    seats = [{"slug": one, "account": account} for one, account in (("al", "a"), ("bo", "a"), ("cy", "c"))]
    there = [f"seat {one['slug']} first-vm 0" for one in seats] + ["untouched al", "untouched cy"]
    assert removing(tmp_path, there, seats) == {"seats": ["al", "cy"], "keys": ["cy"], "paths": []}
    other = "holds objects/record-r202-0123456789abcdef.json"
    assert removing(tmp_path, [*there, other], seats) == {"seats": ["al", "cy"], "keys": [], "paths": []}


COMMAND = "command /opt/tdlab/tool/command"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["folder", COMMAND], ["/usr/local/bin/tdlab", "/opt/tdlab"]),
        (["folder", "holds trees/tool-0123456789abcdef"], ["/opt/tdlab"]),
        (["empty-folder"], ["/opt/tdlab"]),
        # What a removal of an older tdlab left when it was cut.
        ([COMMAND, "holds trees/tool-0123456789abcdef"], ["/usr/local/bin/tdlab", "/opt/tdlab"]),
        # A folder of that name that nothing says to be ours.
        (["command /opt/tdlab/tdlab"], []),
    ],
)
def test_a_removal_that_was_cut_is_known_by_what_goes_last(
    tmp_path: Path, lines: list[str], expected: list[str]
) -> None:
    seats = [{"slug": "al", "account": "a"}]
    found = removing(tmp_path, [*lines, "empty-seat al"], seats)
    assert found == {"seats": ["al"], "keys": ["al"], "paths": expected}


def test_beside_another_lab_only_what_is_this_labs_goes_and_its_record_last(tmp_path: Path) -> None:
    digest = "0123456789abcdef"
    own = [f"objects/lab-first-vm-{digest}.tar.gz", f"objects/record-first-vm-{digest}.json"]
    own += [f"trees/lab-first-vm-{digest}", "labs/first-vm"]
    others = [
        f"objects/record-r202-{digest}.json",
        f"trees/lab-r202-{digest}",
        f"trees/tool-{digest}",
        "tool",
    ]
    lines = ["folder", COMMAND, *(f"holds {one}" for one in sorted([*own, *others]))]
    paths = removing(tmp_path, lines, [])["paths"]
    assert sorted(paths) == sorted(f"/opt/tdlab/{one}" for one in own)
    assert paths[-1] == f"/opt/tdlab/objects/record-first-vm-{digest}.json"
