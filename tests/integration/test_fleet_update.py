"""A newer version of a lab, on machines where students have begun; and machines that have no VT-x."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks._room import room, using
from benchmarks._room.room import Machine, Room
from benchmarks._room.using import hosts, tdlab
from domains import process
from domains.paths import LABS

pytestmark = pytest.mark.integration

CHOSEN = ("--no-lab-host", "--no-image", "--python", sys.executable)
WORKSPACE = "/home/student/first-vm-workspace"


@pytest.fixture
def two() -> Iterator[Room]:
    with room.opened(2) as made:
        yield made


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Return a copy of the lab, which gets a new version later."""
    return Path(shutil.copytree(LABS / using.LAB, tmp_path / "labs" / using.LAB))


def deploy(lab: Path, inventory: Path, *words: str) -> process.Completed:
    return tdlab("deploy", lab, "-i", inventory, *CHOSEN, *words)


def newer(lab: Path, words: str) -> None:
    sheet = lab / "sheet.fr.md"
    sheet.write_text(sheet.read_text() + f"\n{words}\n")


def begun(machine: Machine) -> str:
    """Have a student begin, and return all that is in their workspace."""
    machine.shell(f"echo '# mine' >> {WORKSPACE}/answers.yaml")
    return contents(machine)


def contents(machine: Machine) -> str:
    return machine.shell(f"cd {WORKSPACE} && find . -type f -exec sha256sum {{}} + | sort")


def test_a_newer_version_goes_where_students_have_begun_and_leaves_their_work(
    two: Room, lab: Path, own_state: Path, tmp_path: Path
) -> None:
    one, other = two.machines
    inventory = using.inventory(two.machines, two.key, tmp_path / "room.yml")
    assert deploy(lab, inventory, "--limit", one.name).status == 0
    before = begun(one)

    # Whoever comes later, and a role that has changed, are no matter of an update.
    came = {one.name: {"tdlab_students": [f"Élève {one.name}", "Nouveau"]}}
    inventory = using.inventory(two.machines, two.key, tmp_path / "room.yml", came)
    newer(lab, "Une phrase de plus.")
    done = deploy(lab, inventory, "--update", "--json", "--lab-host")
    told = {row["host"]: (row["state"], row["updated"]) for row in hosts(done)}
    assert told == {
        one.name: ("done", {"lab-first-vm": ["first-vm/sheet.fr.md"]}),
        other.name: ("unchanged", {}),
    }, done.stdout + done.stderr
    assert "Une phrase de plus." in one.run("cat", "/opt/tdlab/labs/first-vm/sheet.fr.md")
    assert contents(one) == before
    assert "tdlab" not in other.run("ls", "/opt")
    again = deploy(lab, inventory, "--update", "--json")
    assert [(row["state"], row["changed"]) for row in hosts(again)] == [("unchanged", 0)] * 2, again.stdout

    newer(lab, "Et encore une.")
    said = deploy(lab, inventory, "--update").stdout
    assert "newer in lab-first-vm: first-vm/sheet.fr.md (pc01)" in said
    assert contents(one) == before


def test_the_playbook_update_alone_does_the_same(
    two: Room, lab: Path, own_state: Path, tmp_path: Path
) -> None:
    known = f"-o UserKnownHostsFile={tmp_path}/known_hosts"
    inventory = using.inventory(two.machines, two.key, tmp_path / "room.yml", ansible_ssh_common_args=known)
    for playbook in ("deploy", "update"):
        newer(lab, f"Avant {playbook}.")
        assert deploy(lab, inventory, "--stage", str(tmp_path / playbook)).status == 0
    given = {one: ("-i", tmp_path / one / "inventory.json", "-i", inventory) for one in ("deploy", "update")}
    assert set(using.play("deploy.yml", *given["deploy"], home=tmp_path)["failed"]) == {0}
    before = [begun(one) for one in two.machines]

    assert set(using.play("update.yml", *given["update"], "--check", home=tmp_path)["failed"]) == {0}
    updated = using.play("update.yml", *given["update"], home=tmp_path)
    assert (set(updated["failed"]), min(updated["changed"]) > 0) == ({0}, True)
    assert using.play("update.yml", *given["update"], home=tmp_path)["changed"] == [0, 0]
    for one, work in zip(two.machines, before, strict=True):
        assert "Avant update." in one.run("cat", "/opt/tdlab/labs/first-vm/sheet.fr.md")
        assert contents(one) == work


def test_a_machine_without_vt_x_is_deployed_to_and_the_emulated_host_is_offered(
    two: Room, own_state: Path, tmp_path: Path
) -> None:
    weak, strong = two.machines
    inventory = using.inventory(two.machines, two.key, tmp_path / "room.yml")
    for one, flags in ((weak, "fpu"), (strong, "fpu vmx")):
        one.shell(f"echo 'flags : {flags}' > /run/cpuinfo; mount --bind /run/cpuinfo /proc/cpuinfo")
    done = using.deploy(inventory, "--json")
    assert done.status == 0
    notes = [row["notes"] for row in hosts(done)]
    assert notes == [["no-kvm"], [] if Path("/dev/kvm").is_char_device() else ["kvm-off"]]
    for words, lang in (("--dry-run",), "fr"), ((), "en"):
        said = using.deploy(inventory, "--lang", lang, *words).stdout
        assert f"VT-x {'ni' if lang == 'fr' else 'or'} SVM" in said
        assert f": {weak.name}\n" in said
        assert "tdlab host up --emulated lab1" in said
    planned = json.loads(using.deploy(inventory, "--dry-run", "--json").stdout)
    assert [row["notes"] for row in planned["hosts"]] == notes
