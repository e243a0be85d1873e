"""What a room needs that is no internet and no host name: packages that travel, and tdlab's own hosts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from domains import paths, process
from domains.emulated import registry
from domains.emulated.plan import HostPlan
from domains.emulated.registry import Record
from domains.provision import PLAYBOOKS, role_digest
from domains.setup import environments, wheels
from grader.commands import deploy
from grader.fleet import causes, inventory, plan, telling
from grader.fleet.board import Row
from grader.lab import lab as labs

LAB = labs.load(labs.find("first-vm"))
LOOK = PLAYBOOKS / "roles/fleet_look/files/look.sh"


@pytest.fixture
def made(tmp_path: Path, own_state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Remember an emulated host called lab1, and keep what is packed apart."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    registry.write(Record(HostPlan("lab1", "run", "10.224.1"), "/usr/bin/qemu-system-x86_64", "", "key"))
    return tmp_path


def planned(folder: Path, text: str, wish: plan.Wish, name: str = "room.csv") -> plan.Plan:
    (folder / name).write_text(text, encoding="utf-8")
    return plan.make(LAB, inventory.read(folder / name), wish)


def machine(found: plan.Plan, name: str) -> dict[str, object]:
    hosts = found.as_inventory()["all"]["children"]["tdlab_room"]["hosts"]
    return dict(hosts[name])


def test_a_host_of_ours_is_reached_as_tdlab_reaches_it(made: Path) -> None:
    text = "student,host,account\nZoé,lab1,student\nBo,pc1,student\n"
    found = planned(made, text, plan.Wish())
    assert machine(found, "lab1")["ansible_ssh_args"] == f"-F {registry.folder('lab1')}/ssh_config"
    assert (found.assigned[0].login, machine(found, "lab1")["ansible_user"]) == ("root", "root")
    assert "ansible_ssh_args" not in machine(found, "pc1")


def test_an_inventory_of_ansibles_knows_our_hosts_too_unless_it_says_where_they_are(made: Path) -> None:
    text = "[b12]\nlab1 tdlab_student=Zoe\n"
    assert "ansible_ssh_args" in machine(planned(made, text, plan.Wish(), "room.ini"), "lab1")
    text = "[b12]\nlab1 tdlab_student=Zoe ansible_host=10.0.0.7\n"
    assert "ansible_ssh_args" not in machine(planned(made, text, plan.Wish(), "room.ini"), "lab1")


def test_what_mends_a_host_of_ours_is_a_command_of_tdlab(made: Path) -> None:
    found = planned(made, "student,host\nZoé,lab1\n", plan.Wish())
    down = Row("lab1", cause=causes.Cause(causes.OFF, ""))
    assert telling.mend(down, found.assigned[0], "en") == "tdlab host up --emulated lab1"
    full = Row("lab1", cause=causes.Cause(causes.DISK_FULL, ""))
    assert telling.mend(full, found.assigned[0], "en") == "tdlab host ssh lab1 -- df -h"


def test_students_are_let_in_to_libvirt_and_root_needs_no_letting_in(made: Path) -> None:
    text = "student,host,user,account\nZoé,pc1,root,zoe\nBo,pc2,root,root\n"
    one, other = planned(made, text, plan.Wish(python="/usr/bin/python3")).assigned
    assert f"lab-host {role_digest()}" in one.wants
    assert "lab-host-user zoe" in one.wants
    assert not [line for line in other.wants if line.startswith("lab-host-user")]
    found = planned(made, text, plan.Wish())
    assert (machine(found, "pc1")["lab_host_users"], machine(found, "pc2")["lab_host_users"]) == (["zoe"], [])


def test_a_machine_on_which_tdlab_sets_itself_up_gets_what_that_needs(made: Path) -> None:
    text = "student,host\nZoé,pc1\n"
    alone = planned(made, text, plan.Wish())
    sent = planned(made, text, plan.Wish(wheels={"3.13": packages(made)}))
    assert "lab-host-sets-up" in alone.assigned[0].wants
    assert "lab-host-sets-up" not in sent.assigned[0].wants
    wanted = [
        one.as_inventory()["all"]["children"]["tdlab_room"]["vars"]["lab_host_controller"]
        for one in (alone, sent)
    ]
    assert wanted == [True, False]


def packages(folder: Path) -> Path:
    place = folder / "packages/click"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("")
    return place.parent


def test_packages_travel_as_one_more_object_and_the_command_takes_those_of_its_python(made: Path) -> None:
    found = planned(made, "student,host\nZoé,pc1\n", plan.Wish(wheels={"3.13": packages(made)}))
    (sent,) = [one for one in found.assigned[0].objects if one.name == "python-3.13"]
    assert sent.wants[1].startswith("link python/3.13 ../trees/python-3.13-")
    script = plan._command(found.wish)
    assert 'readlink -e "/opt/tdlab/python/$version"' in script
    checked = process.run(["sh", "-n"], timeout=10, stdin=script, check=False)
    assert checked.status == 0, checked.stderr


@pytest.mark.parametrize("version", environments.PYTHONS)
def test_what_is_fetched_is_one_pin_of_each_package_with_its_hashes_and_without_conditions(
    version: str,
) -> None:
    found = environments.requirements(wheels._locked(version))
    every = environments.requirements(environments.LOCK.read_text())
    pins = {name: text.count(f"{name}==") for name, text in found.items()}
    assert set(pins.values()) == {1}
    assert not [name for name, text in found.items() if ";" in text or "--hash=sha256:" not in text]
    assert {"libvirt-python", "setuptools"} <= every.keys() - found.keys()
    assert ("importlib-metadata" in found) is (version == "3.11")
    assert "colorama" not in found


def test_what_a_fetch_that_was_killed_left_goes_with_the_next_one(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = paths.cache() / "wheels"
    for left in (home / ".new-killed/packages", home / "3.13-older"):
        left.mkdir(parents=True)
    monkeypatch.setattr(wheels, "_fetch", lambda _version, _lock, place: place.mkdir())
    place = wheels.folder("3.13", lambda _: None)
    assert {one.name for one in home.iterdir()} - {".lock"} == {place.name}


def test_a_python_that_has_the_packages_and_packages_that_travel_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "room.csv").write_text("student,host\nZoé,pc1\n")
    words = ["first-vm", "-i", str(tmp_path / "room.csv"), "--python", "/x", "--wheels", "3.13"]
    done = CliRunner().invoke(deploy.command, words)
    assert done.exit_code == 2
    assert "only one" in done.output


def test_a_machine_says_its_python_and_who_may_use_libvirt() -> None:
    words = ["sh", "-c", LOOK.read_text(), "look", "first-vm", "root:bo:first-vm-workspace"]
    said = process.run(words, timeout=30).stdout.splitlines()
    assert [line for line in said if line.startswith("python 3.")]
    assert said[-1] == "end"
    assert causes.classify("a task", {"msg": "no packages for its Python 3.11 (sent: 3.13)"}).kind.id == (
        "python-version"
    )
