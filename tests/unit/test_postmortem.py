"""What is kept of an emulated host that hangs, by a virsh that says what QEMU would."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from domains.emulated import postmortem, registry
from domains.emulated.plan import HostPlan
from domains.emulated.registry import Record

HUNG = Record(HostPlan("lab", "r1", "10.225.3"), "/usr/bin/qemu", "why", "key")


@pytest.fixture(autouse=True)
def virsh(own_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a virsh that is found first, and repeats what it was asked."""
    program = tmp_path / "bin/virsh"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "CPU $*"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return program


def kept() -> list[str]:
    return sorted(one.name for one in registry.folder("lab").glob("hang-*.txt"))


def test_what_the_processors_did_is_kept_twice_and_of_the_last_three_times() -> None:
    for old in "1234":
        (registry.folder("lab") / f"hang-2020010{old}-000000.txt").write_text("old")
    file = postmortem.keep(HUNG)
    assert file is not None
    text = file.read_text()
    assert text.count("### info registers -a\nCPU ") == text.count("### info cpus\nCPU ") == 2
    assert f"qemu-monitor-command {HUNG.plan.domain_name} --hmp info cpus" in text
    assert kept() == ["hang-20200103-000000.txt", "hang-20200104-000000.txt", file.name]


def test_a_qemu_that_says_nothing_leaves_nothing(virsh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postmortem, "_SECONDS", 0.3)
    virsh.write_text("#!/bin/sh\nexec sleep 60\n")
    assert postmortem.keep(HUNG) is None
    virsh.write_text("#!/bin/sh\nexit 1\n")
    assert postmortem.keep(HUNG) is None
    assert kept() == []


def test_a_full_disk_does_not_keep_a_host_from_being_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: Path, _text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(postmortem.files, "write_whole", full)
    assert postmortem.keep(HUNG) is None
