"""A lab on a room of real machines: namespaces, each with its own sshd and its own disk."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks._room import room
from benchmarks._room.room import Machine, Room
from domains import process

pytestmark = pytest.mark.integration


@pytest.fixture
def two() -> Iterator[Room]:
    with room.opened(2) as made:
        yield made


@pytest.fixture
def inventory(two: Room, tmp_path: Path) -> Path:
    return written(two.machines, two.key, tmp_path / "room.yml")


def written(machines: tuple[Machine, ...], key: Path, file: Path) -> Path:
    """Write an inventory of Ansible's own: a student at each machine."""
    hosts = {
        one.name: {"ansible_host": one.address, "tdlab_students": [f"Élève {one.name}"]} for one in machines
    }
    common = {"ansible_user": "root", "ansible_ssh_private_key_file": str(key), "tdlab_account": "student"}
    file.write_text(json.dumps({"all": {"children": {"b12": {"hosts": hosts, "vars": common}}}}))
    return file


def tdlab(*words: object) -> process.Completed:
    argv = [sys.executable, "-m", "grader", *map(str, words)]
    return process.run(argv, timeout=400, check=False)


def deploy(inventory: Path, *words: str) -> process.Completed:
    chosen = ["--no-lab-host", "--no-image", "--python", sys.executable, *words]
    return tdlab("deploy", "first-vm", "-i", inventory, *chosen)


def test_a_lab_is_deployed_and_a_second_time_there_is_nothing_to_do(
    two: Room, inventory: Path, own_state: Path
) -> None:
    predicted = deploy(inventory, "--check", "--json")
    assert [row["changed"] > 0 for row in hosts(predicted)] == [True, True], predicted.stderr
    one = two.machines[0]
    assert one.run("ls", "-A", "/opt", "/home/student") == one.run("ls", "-A", "/opt", "/home/student")
    assert "tdlab" not in one.run("ls", "/opt")

    first = deploy(inventory)
    assert (first.status, first.stderr.count("done")) == (0, 2), first.stdout + first.stderr
    said = json.loads(one.run("su", "-", "student", "-c", "cd first-vm-workspace && tdlab status --json"))
    assert (said["lab"], said["student"]) == ("first-vm", "Élève pc01")
    assert "solution" not in one.run("ls", "/opt/tdlab/labs/first-vm/")

    again = deploy(inventory, "--json")
    assert [(row["state"], row["changed"]) for row in hosts(again)] == [("unchanged", 0)] * 2, again.stderr


def hosts(done: process.Completed) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(done.stdout.splitlines()[-1])["hosts"]
    return found
