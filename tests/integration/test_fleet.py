"""A lab on a room of real machines: namespaces, each with its own sshd and its own disk."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks._room import room
from benchmarks._room.room import Machine, Room
from domains import process
from domains.paths import LABS
from grader.lab import lab as labs
from grader.submission import translation
from grader.submission.samples import samples

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


def test_what_students_hand_in_is_collected_verified_and_graded_and_the_rest_removed(
    two: Room, inventory: Path, own_state: Path, tmp_path: Path
) -> None:
    before = [everything(one) for one in two.machines]
    assert deploy(inventory).status == 0
    one = two.machines[0]
    solve(one, "Élève pc01", tmp_path / "solved")
    one.run("su", "-", "student", "-c", "cd first-vm-workspace && tdlab submit")

    done = tdlab("collect", "first-vm", "-i", inventory, "--into", tmp_path / "class", "--submit", "--json")
    archives = json.loads(done.stdout.splitlines()[-1])["archives"]
    assert [(row["student"], row["verified"]) for row in archives] == [
        ("Élève pc01", True),
        ("Élève pc02", True),
    ]
    graded = tdlab("grade", "first-vm", tmp_path / "class", "--into", tmp_path / "marks", "--json", "-j1")
    marks = {one["student"]: one["score"] for one in json.loads(graded.stdout)["submissions"]}
    assert (marks["Élève pc01"] > 0, marks["Élève pc02"]) == (True, 0), graded.stderr

    kept = tdlab("remove", "first-vm", "-i", inventory, "--json")
    assert {row["state"] for row in hosts(kept)} == {"done"}, kept.stderr
    assert "answers.yaml" in one.run("ls", "/home/student/first-vm-workspace")
    assert tdlab("remove", "first-vm", "-i", inventory, "--work").status == 0
    assert [everything(one) ^ files for one, files in zip(two.machines, before, strict=True)] == [
        set(),
        set(),
    ]


def test_work_that_is_begun_is_never_written_over_and_a_reset_puts_it_aside(
    two: Room, inventory: Path, own_state: Path
) -> None:
    assert deploy(inventory).status == 0
    one = two.machines[0]
    one.shell("echo '# mine' >> /home/student/first-vm-workspace/answers.yaml")
    one.shell("rm /opt/tdlab/tool")
    again = deploy(inventory, "--json")
    assert [(row["state"], row["cause"]) for row in hosts(again)] == [("done", None), ("unchanged", None)]
    assert "# mine" in one.run("cat", "/home/student/first-vm-workspace/answers.yaml")

    assert deploy(inventory, "--reset").status == 0
    assert "# mine" not in one.run("cat", "/home/student/first-vm-workspace/answers.yaml")
    assert one.shell("grep -l '# mine' /home/student/first-vm-workspace.*/answers.yaml")


def test_of_eight_machines_five_broken_ones_are_named_and_a_rerun_finishes_them_alone(
    own_state: Path, tmp_path: Path
) -> None:
    with room.opened(8, megabytes=96) as made:
        inventory = written(made.machines, made.key, tmp_path / "room.yml")
        dropping, hung, full, locked, slow = made.machines[3:]
        dropping.drop()
        hung.signal_sshd(signal.SIGSTOP)
        full.shell("fallocate -l $(($(df -Pk /opt | awk 'NR == 2 { print $4 }') - 2000))K /var/tmp/filled")
        locked.shell("mv /root/.ssh/authorized_keys /root/.ssh/kept")
        slow.slow("150kbit")
        began = time.monotonic()
        broken = deploy(inventory, "--json", "--transfer-seconds", "15")
        assert time.monotonic() - began < 240
        assert broken.status == 4, broken.stderr
        causes = {row["host"]: row["cause"] for row in hosts(broken)}
        assert causes == {
            **{one.name: None for one in made.machines[:3]},
            dropping.name: "off",
            hung.name: "hung",
            full.name: "disk-full",
            locked.name: "wrong-key",
            slow.name: "slow",
        }
        assert all(row["mend"] for row in hosts(broken) if row["cause"])

        dropping.mend_link()
        hung.signal_sshd(signal.SIGCONT)
        full.run("rm", "/var/tmp/filled")
        locked.shell("mv /root/.ssh/kept /root/.ssh/authorized_keys")
        slow.mend_link()
        mended = deploy(inventory, "--json")
        states = [row["state"] for row in hosts(mended)]
        assert states == ["unchanged"] * 3 + ["done"] * 5, mended.stdout


# All files of a machine where anything of ours could be; what tdlab caches when a student runs it is theirs.
def everything(machine: Machine) -> set[str]:
    found = "find /opt /usr/local /home /root /var/lib /var/tmp /etc -xdev | grep -v /.cache"
    return set(machine.shell(found).splitlines())


def solve(machine: Machine, student: str, folder: Path) -> None:
    """Write the answers of the lab's solution into a student's workspace, in their own variant."""
    lab = labs.load(LABS / "first-vm")
    text = (translation.translate(lab, samples(lab)[0], student, folder) / "answers.yaml").read_text()
    place = "/home/student/first-vm-workspace/answers.yaml"
    machine.run("sh", "-c", f'printf %s "$0" > {place}', text)


def hosts(done: process.Completed) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(done.stdout.splitlines()[-1])["hosts"]
    return found
