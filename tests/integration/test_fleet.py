"""A lab on a room of real machines: namespaces, each with its own sshd and its own disk."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra

from benchmarks._room import room, using
from benchmarks._room.room import Machine, Room
from benchmarks._room.using import deploy, hosts, tdlab
from domains.paths import LABS
from grader.lab import lab as labs
from grader.submission import translation
from grader.submission.samples import samples

pytestmark = pytest.mark.integration
KEY = "/home/student/.local/state/tdlab/keys/student"
WORKSPACE = "/home/student/first-vm-workspace"
# A program rm that takes away one thing of ours, and fails as if it had been killed then.
CUT = """#!/bin/sh
case "$*" in *" /opt/tdlab"* | *" /usr/local/bin/tdlab"*) ;; *) exec /usr/bin/rm "$@" ;; esac
for one in "$@"; do
    if [ -e "$one" ] || [ -L "$one" ]; then
        first=$(find "$one" -mindepth 1 -maxdepth 1 | head -n 1)
        /usr/bin/rm -rf "${first:-$one}"
        echo "cut after ${first:-$one}" >&2
        exit 9
    fi
done
"""


@pytest.fixture
def two() -> Iterator[Room]:
    with room.opened(2) as made:
        yield made


@pytest.fixture
def inventory(two: Room, tmp_path: Path) -> Path:
    return using.inventory(two.machines, two.key, tmp_path / "room.yml")


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

    # What a disk that was full leaves of a key is no key.
    one.run("sh", "-c", f"rm {KEY}.pub; : >{KEY}")
    mended = deploy(inventory, "--json")
    assert [row["state"] for row in hosts(mended)] == ["done", "unchanged"], mended.stderr
    assert one.run("ssh-keygen", "-y", "-f", KEY).split()[0] == "ssh-ed25519"


def test_the_playbook_alone_predicts_deploys_and_then_changes_nothing(
    two: Room, tmp_path: Path, own_state: Path
) -> None:
    known = f"-o UserKnownHostsFile={tmp_path}/known_hosts"
    inventory = using.inventory(two.machines, two.key, tmp_path / "room.yml", ansible_ssh_common_args=known)
    staged = deploy(inventory, "--stage", str(tmp_path / "stage"))
    assert staged.status == 0, staged.stderr
    one = two.machines[0]
    before = everything(one)

    given = ("deploy.yml", "-i", tmp_path / "stage/inventory.json", "-i", inventory)
    fine = {"failed": [0, 0], "unreachable": [0, 0]}
    assert fine.items() <= using.play(*given, "--check", "--diff", home=tmp_path).items()
    assert everything(one) == before
    assert fine.items() <= using.play(*given, home=tmp_path).items()
    assert using.play(*given, home=tmp_path) == {"changed": [0, 0], **fine}
    assert using.play(*given, "--check", home=tmp_path) == {"changed": [0, 0], **fine}

    machine = testinfra.get_host(
        f"ssh://root@{one.address}", ssh_identity_file=str(two.key), ssh_extra_args=known
    )
    tool = machine.file("/opt/tdlab/tool")
    assert (tool.is_symlink, tool.user) == (True, "root")
    workspace = machine.file("/home/student/first-vm-workspace/answers.yaml")
    assert (workspace.user, workspace.mode) == ("student", 0o600)
    assert machine.file(KEY).mode == 0o600
    assert machine.check_output("su - student -c 'tdlab --version'").startswith("tdlab ")


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


def test_one_machine_passes_on_what_was_sent_to_it(two: Room, inventory: Path, own_state: Path) -> None:
    passing, taking = two.machines
    done = deploy(inventory, "--relay", passing.name, "--json")
    assert [row["state"] for row in hosts(done)] == ["done", "done"], done.stderr
    log = Path(json.loads(done.stdout.splitlines()[-1])["log"]).read_text()
    told = [part.partition("TASK")[0] for part in log.split("[fleet_files : Take what is missing")[1:]]
    assert any(f"changed: [{taking.name}]" in part for part in told), log
    assert "relay" not in passing.run("ls", "/opt/tdlab")
    assert ":8730" not in passing.run("ss", "-Htln")
    assert tdlab("deploy", "first-vm", "-i", inventory, "--no-image", "--relay", "pc9").status == 2


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


def test_a_removal_that_is_cut_anywhere_is_finished_by_those_that_repeat_it(
    two: Room, inventory: Path, own_state: Path
) -> None:
    before = [everything(one) for one in two.machines]
    assert deploy(inventory).status == 0
    one, other = two.machines
    # The one's workspace is cut before its last file, the other's before the folder itself.
    one.shell(f"find {WORKSPACE} -mindepth 1 ! -name workspace.yaml -delete")
    other.shell(f"find {WORKSPACE} -mindepth 1 -delete")
    deployed = [everything(each) for each in two.machines]
    predicted = hosts(tdlab("remove", "first-vm", "-i", inventory, "--check", "--json"))
    assert [row["state"] for row in predicted] == ["done"] * 2, predicted
    assert [everything(each) for each in two.machines] == deployed

    for each in two.machines:
        each.run("sh", "-c", 'printf %s "$0" >/usr/local/sbin/rm && chmod 755 /usr/local/sbin/rm', CUT)
    runs = map(removed, [inventory] * 40)
    cut = list(itertools.takewhile(lambda rows: states(rows) != {"unchanged"}, runs))
    said = [str(rows[0]["detail"]).rpartition("cut after ")[2] for rows in cut]
    assert said[0] == "/usr/local/bin/tdlab", said
    assert {"/opt/tdlab/trees", "/opt/tdlab/tool"} < set(said), said
    assert said[-2:] == ["/opt/tdlab/objects", "/opt/tdlab"], said
    for each in two.machines:
        each.run("/usr/bin/rm", "/usr/local/sbin/rm")
    assert [everything(each) for each in two.machines] == before


def removed(inventory: Path) -> list[dict[str, Any]]:
    return hosts(tdlab("remove", "first-vm", "-i", inventory, "--json"))


def states(rows: list[dict[str, Any]]) -> set[str]:
    return {row["state"] for row in rows}


def everything(machine: Machine) -> set[str]:
    found = "find /opt /usr/local /home /root /var/lib /var/tmp /etc -xdev | grep -v /.cache"
    return set(machine.shell(found).splitlines())


def solve(machine: Machine, student: str, folder: Path) -> None:
    """Write the answers of the lab's solution into a student's workspace, in their own variant."""
    lab = labs.load(LABS / "first-vm")
    text = (translation.translate(lab, samples(lab)[0], student, folder) / "answers.yaml").read_text()
    place = "/home/student/first-vm-workspace/answers.yaml"
    machine.run("sh", "-c", f'printf %s "$0" > {place}', text)
