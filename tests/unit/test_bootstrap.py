"""Set-up's decisions, on a cache and a machine that exist only in temporary folders."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from domains import privilege, process
from domains.errors import EXIT_INFRASTRUCTURE, InfrastructureError
from domains.setup import bootstrap, environments
from domains.setup.phases import Phases, Step

DEFAULTS = bootstrap.PLAYBOOKS / "roles/lab_host/defaults/main.yml"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the titles of the steps instead of running them; the role's step leaves an empty log."""
    titles: list[str] = []

    def record(self: Phases, *steps: Step) -> dict[str, Path]:
        titles.extend(step.title for step in steps)
        self.succeeded |= set(titles)
        self.logs.mkdir(parents=True, exist_ok=True)
        logs = {step.title: self.logs / str(number) for number, step in enumerate(steps)}
        for log in logs.values():
            log.touch()
        return logs

    monkeypatch.setattr(Phases, "side_by_side", record)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return titles


@pytest.fixture
def lab_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose stamp says that this very role has been run; return the stamp."""
    stamp = tmp_path / "lab_host.json"
    stamp.write_text(json.dumps({"role": bootstrap.role_digest(), "controller": True}))
    monkeypatch.setattr(bootstrap, "STAMP", stamp)
    monkeypatch.setattr(bootstrap, "PROGRAMS", ("sh",))
    return stamp


def a_complete_environment(cache: Path) -> Path:
    environment = cache / "venv" / f"{environments.lock_digest(environments.LOCK)}-made"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin/python").symlink_to(sys.executable)
    (environment / "complete").touch()
    return environment


def test_a_second_clone_uses_the_environment_of_the_first(
    tmp_path: Path, ran: list[str], lab_host: Path
) -> None:
    environment = a_complete_environment(tmp_path)
    assert bootstrap.set_up(tmp_path, "a-key", ["demo"]) == environment
    assert ran == ["Building the small Linux guest"]
    assert (tmp_path / "setup/a-key").read_text() == f"{environment}\n"


def test_what_another_tdlab_did_meanwhile_is_not_done_again(
    tmp_path: Path, ran: list[str], lab_host: Path
) -> None:
    environment = a_complete_environment(tmp_path)
    environments.publish(environment, tmp_path / "setup/a-key")
    assert bootstrap.set_up(tmp_path, "a-key", ["demo"]) == environment
    assert ran == []


def test_a_key_that_names_a_removed_environment_is_put_right(
    tmp_path: Path, ran: list[str], lab_host: Path
) -> None:
    environment = a_complete_environment(tmp_path)
    environments.publish(tmp_path / "venv/removed", tmp_path / "setup/a-key")
    assert bootstrap.set_up(tmp_path, "a-key", ["demo"]) == environment
    assert environments.published(tmp_path / "setup/a-key") == environment


def test_a_guest_that_cannot_be_built_costs_no_second_environment(
    tmp_path: Path, lab_host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_fails(self: Phases, *steps: Step) -> dict[str, Path]:
        guest = [step for step in steps if "guest" in step.title]
        self.succeeded |= {step.title for step in steps if step not in guest}
        if guest:
            raise InfrastructureError("the guest image cannot be made")
        return {step.title: tmp_path for step in steps}

    monkeypatch.setattr(Phases, "side_by_side", build_fails)
    with pytest.raises(InfrastructureError, match="guest image"):
        bootstrap.set_up(tmp_path, "a-key", ["demo"])
    assert environments.find_complete(tmp_path) is None  # it has no bin/python: nothing was really run
    assert len(list((tmp_path / "venv").glob("*/complete"))) == 1
    assert environments.published(tmp_path / "setup/a-key") is None


def test_an_environment_without_its_last_mark_is_not_believed_and_is_removed(
    tmp_path: Path, ran: list[str], lab_host: Path
) -> None:
    killed = a_complete_environment(tmp_path)
    (killed / "complete").unlink()
    made = bootstrap.set_up(tmp_path, "a-key", ["demo"])
    assert made != killed
    assert not killed.exists()
    assert ran == [
        "Making a virtual environment",
        "Installing Ansible",
        "Installing the other Python packages",
        "Building the small Linux guest",
        "Compiling libvirt-python",
    ]


def test_a_python_that_keeps_no_bytecode_gets_it_from_set_up(
    tmp_path: Path, ran: list[str], lab_host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    bootstrap.set_up(tmp_path, "a-key", ["demo"])
    assert ran[-2:] == ["Compiling libvirt-python", "Compiling the Python packages"]


def test_what_is_installed_is_compiled_where_python_looks_for_it(tmp_path: Path) -> None:
    packages = tmp_path / "lib/python3.11/site-packages"
    for name in ("used.py", "pip/unused.py"):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text("x = 1\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    process.run(environments.bytecode(tmp_path).argv, timeout=60, env={"PYTHONDONTWRITEBYTECODE": "1"})
    cached = importlib.util.cache_from_source(str(packages / "used.py"))
    assert [str(one) for one in packages.rglob("*.pyc")] == [cached]


def test_an_environment_whose_python_is_gone_is_not_used(
    tmp_path: Path, ran: list[str], lab_host: Path
) -> None:
    environment = a_complete_environment(tmp_path)
    (environment / "bin/python").unlink()
    (environment / "bin/python").symlink_to(tmp_path / "removed")
    assert environments.find_complete(tmp_path) is None


def test_the_tests_requirements_come_only_with_the_test_command(
    tmp_path: Path, ran: list[str], lab_host: Path
) -> None:
    environment = a_complete_environment(tmp_path)
    bootstrap.set_up(tmp_path, "a-key", ["test"])
    assert "Installing what only the tests need" in ran
    assert environments.dev_marker(environment).exists()
    ran.clear()
    bootstrap.set_up(tmp_path, "another-key", ["test"])
    assert ran == ["Building the small Linux guest"]


@pytest.mark.parametrize("text", ["", "{}", '{"role": "of another version", "controller": true}'])
def test_a_host_with_no_or_another_stamp_gets_the_role(lab_host: Path, text: str, tmp_path: Path) -> None:
    lab_host.write_text(text)
    assert bootstrap.look(tmp_path).role is True


def test_a_lab_host_that_is_no_controller_gets_the_role(lab_host: Path, tmp_path: Path) -> None:
    lab_host.write_text(json.dumps({"role": bootstrap.role_digest(), "controller": False}))
    assert bootstrap.look(tmp_path).role is True
    lab_host.write_text(json.dumps({"role": bootstrap.role_digest(), "controller": True}))
    assert bootstrap.look(tmp_path).role is False


def test_a_lab_host_that_has_lost_its_programs_gets_the_role(
    lab_host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bootstrap.look(tmp_path).role is False
    monkeypatch.setattr(bootstrap, "PROGRAMS", ("sh", "tdlab-no-such-program"))
    assert bootstrap.look(tmp_path).role is True


def test_without_root_the_remedy_is_what_an_administrator_runs(
    tmp_path: Path, ran: list[str], lab_host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab_host.unlink()
    a_complete_environment(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(privilege, "user_name", lambda: "eve")
    monkeypatch.setattr(privilege, "as_root", lambda: None)
    with pytest.raises(InfrastructureError, match="set up once by root") as caught:
        bootstrap.set_up(tmp_path, "a-key", ["demo"])
    assert "usermod --append --groups libvirt,kvm eve" in str(caught.value.remedy)
    assert ran == []
    assert not (tmp_path / "setup/a-key").exists()


def test_without_root_a_lab_host_needs_none(
    tmp_path: Path, ran: list[str], lab_host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = a_complete_environment(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(privilege, "as_root", lambda: None)
    assert bootstrap.set_up(tmp_path, "a-key", ["demo"]) == environment


def test_what_is_installed_is_said_before(
    tmp_path: Path, ran: list[str], lab_host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need = bootstrap.Need(packages=("qemu-utils", "cpio"), role=True, ensurepip=False, environment=None)
    bootstrap.announce(need, tmp_path)
    told = capsys.readouterr()
    assert told.out == ""
    assert "qemu-utils, cpio" in told.err
    assert str(tmp_path / "venv") in told.err
    assert ran == []


def test_a_cache_that_cannot_be_written_is_one_clear_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert bootstrap.main([str(tmp_path / "file" / "tdlab"), "a-key", "demo"]) == EXIT_INFRASTRUCTURE
    assert "XDG_CACHE_HOME" in capsys.readouterr().err


def test_the_list_read_without_a_yaml_parser_is_the_roles() -> None:
    text = DEFAULTS.read_text()
    roles = yaml.safe_load(text)
    assert bootstrap.role_packages(text) == roles["lab_host_packages"] + roles["lab_host_controller_packages"]


def test_only_what_dpkg_calls_installed_counts_as_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def query(argv: Sequence[str], **_: object) -> process.Completed:
        said = "qemu-utils install ok installed\ncpio deinstall ok config-files\n"
        return process.Completed(tuple(argv), 1, said, "no packages found matching zstd", 0.0)

    monkeypatch.setattr(process, "run", query)
    missing = bootstrap.missing_packages()
    assert "qemu-utils" not in missing
    assert {"cpio", "zstd"} <= set(missing)


def test_the_parts_of_the_lock_are_the_whole_lock() -> None:
    pins = environments.requirements(environments.LOCK.read_text())
    assert pins.keys() >= environments.ANSIBLE | environments.COMPILED
    assert sum(text.count("==") for text in pins.values()) == environments.LOCK.read_text().count("==")
    assert all("--hash=sha256:" in text for text in pins.values())
    assert len(environments.requirements("a==1 ; x \\\n  --hash=1\n# c\na==2 ; y \\\n  --hash=2\n")) == 1


def test_ansible_comes_with_all_that_it_needs() -> None:
    def needs(name: str) -> set[str]:
        lines = metadata.requires(name) or []
        wanted = [
            r for line in lines if not (r := Requirement(line)).marker or r.marker.evaluate({"extra": ""})
        ]
        return {canonicalize_name(requirement.name) for requirement in wanted}

    first = environments.ANSIBLE - {"setuptools"}
    assert set().union(*(needs(name) for name in first)) <= environments.ANSIBLE


@pytest.mark.parametrize("lock", [environments.LOCK, environments.DEV_LOCK], ids=lambda path: path.name)
def test_no_lock_names_an_index_or_a_host(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_a_name_is_pinned_in_one_lock_only() -> None:
    both = [
        environments.requirements(lock.read_text()) for lock in (environments.LOCK, environments.DEV_LOCK)
    ]
    assert not both[0].keys() & both[1].keys()


def test_an_environment_of_somebody_else_is_left_alone(
    tmp_path: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    bootstrap.ensure_dev()
    assert ran == []
    (tmp_path / "complete").touch()
    bootstrap.ensure_dev()
    assert ran == ["Installing what only the tests need"]
    assert environments.dev_marker(tmp_path).exists()
