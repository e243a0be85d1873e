"""An instance of the kernel's tracing lives as long as its block, or until the next command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domains import ownership
from domains.devices import changes, put_back, tracing
from domains.devices.steps import Step, carry_out
from domains.errors import InfrastructureError, UsageError
from domains.host import Host

HOST = Host("lab1", ssh=("ssh", "lab1"))
GUEST = "tdlab-r1-e1000"
OWNER = ownership.this_process("r1")


@pytest.fixture
def traced(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The instances that the kernel has."""
    found: set[str] = set()
    monkeypatch.setattr(kernel, "_trace", found.add, raising=False)
    monkeypatch.setattr(kernel, "_untrace", found.discard, raising=False)
    return found


def test_the_instance_is_the_blocks(kernel: Any, traced: set[str]) -> None:
    with tracing.exits(HOST, GUEST, owner=OWNER):
        assert traced == {GUEST}
        assert set(kernel.records) == {f"tracing-{GUEST}"}
        with pytest.raises(UsageError), tracing.exits(HOST, GUEST, owner=OWNER):
            pass
        assert traced == {GUEST}
    assert not traced
    assert not kernel.records


def test_a_refusal_leaves_nothing(kernel: Any, traced: set[str]) -> None:
    kernel.refuses = lambda step: step[0] == "trace"
    with pytest.raises(InfrastructureError, match="count the exits"), tracing.exits(HOST, GUEST, owner=OWNER):
        pass
    assert not kernel.records


@pytest.mark.parametrize("word", ["trace", "untrace", "drop"])
def test_what_a_killed_process_left_is_removed_by_the_next(
    kernel: Any, traced: set[str], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.kills = lambda step: step[0] == word
    with tracing.exits(HOST, GUEST, owner=replace(OWNER, started=1)):
        pass
    assert kernel.records
    kernel.dead, kernel.kills = False, lambda _: False
    assert [one.name for one in put_back(HOST)] == [f"tracing of {GUEST}"]
    assert not traced
    assert not kernel.records


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with a guest of two vCPUs, whose number a program that says "root" may trace."""
    tasks = {"4711": "qemu-system-x86", "4713": "CPU 0/KVM", "4714": "CPU 1/KVM", "4715": "IO mon_iothread"}
    for thread, name in tasks.items():
        folder = tmp_path / "proc/4711/task" / thread
        folder.mkdir(parents=True)
        (folder / "comm").write_text(f"{name}\n")
    (tmp_path / "run/libvirt/qemu").mkdir(parents=True)
    (tmp_path / f"run/libvirt/qemu/{GUEST}.pid").write_text("4711\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "id").write_text("#!/bin/sh\necho 0\n")
    (programs / "id").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return tmp_path


def do(root: Path, *steps: Step) -> None:
    carry_out(Host(), steps, what="trace it", root=str(root))


def test_only_the_guests_own_vcpus_are_counted(root: Path) -> None:
    instance = root / "sys/kernel/tracing/instances" / GUEST
    (instance / "events/kvm/kvm_exit").mkdir(parents=True)  # the kernel fills an instance by itself
    do(root, ("trace", GUEST))
    trigger = (instance / "events/kvm/kvm_exit/trigger").read_text()
    assert trigger == "hist:keys=isa,exit_reason if common_pid==4713||common_pid==4714\n"


def test_a_guest_that_does_not_run_under_kvm_is_named(root: Path) -> None:
    with pytest.raises(InfrastructureError, match="libvirt runs no guest tdlab-x"):
        do(root, ("trace", "tdlab-x"))
    for thread in ("4713", "4714"):
        (root / f"proc/4711/task/{thread}/comm").write_text("CPU 0/TCG\n")
    with pytest.raises(InfrastructureError, match=f"{GUEST} has no vCPU under KVM"):
        do(root, ("trace", GUEST))


def test_an_instance_is_removed_and_one_that_is_gone_is_no_error(root: Path) -> None:
    instance = root / "sys/kernel/tracing/instances" / GUEST
    instance.mkdir(parents=True)
    do(root, ("untrace", GUEST), ("untrace", GUEST))
    assert not instance.exists()


def test_a_record_is_undone_by_the_step_that_removes_it() -> None:
    record = changes.Record("tracing", GUEST, OWNER)
    assert record.undo() == (("untrace", GUEST), ("drop", f"tracing-{GUEST}"))
