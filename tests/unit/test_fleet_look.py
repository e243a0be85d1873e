"""What look.sh says of a machine, where students wrote what it reads."""

from __future__ import annotations

import json
import os
import sys
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


def removing(tmp_path: Path, lines: list[str], seats: list[dict[str, str]]) -> dict[str, Any]:
    """Return the students whose workspaces, and whose keys, the role fleet_remove takes away."""
    given = {
        "fleet_look_lines": lines,
        "fleet_remove_work": False,
        "tdlab_lab": "first-vm",
        "tdlab_login": "root",
        "tdlab_seats": seats,
    }
    (tmp_path / "given.json").write_text(json.dumps(given))
    told = "{{ {'seats': fleet_remove_seats, 'keys': fleet_remove_keys} }}"
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
    found: dict[str, list[dict[str, str]]] = json.loads(said[said.index("{") :])["msg"]
    return {name: [one["slug"] for one in every] for name, every in found.items()}


def test_a_key_stays_while_another_workspace_or_another_lab_may_sign_by_it(tmp_path: Path) -> None:
    seats = [{"slug": one, "account": account} for one, account in (("al", "a"), ("bo", "a"), ("cy", "c"))]
    there = [f"seat {one['slug']} first-vm 0" for one in seats] + ["untouched al", "untouched cy"]
    assert removing(tmp_path, there, seats) == {"seats": ["al", "cy"], "keys": ["cy"]}
    other = "holds objects/record-r202-0123456789abcdef.json"
    assert removing(tmp_path, [*there, other], seats) == {"seats": ["al", "cy"], "keys": []}
