"""What the probe's console says, and what is remembered of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from domains import paths
from domains.errors import InfrastructureError
from domains.qemu import behaviour, probe_image
from domains.qemu.behaviour import BEHAVIOURS, SHADOW_PAGING, VF_BARS, Observed, Verdict

CONSOLE = (
    "[    0.1] TSC deadline timer\r\n"
    "tdlab-probe shadow-paging no with npt=0 a guest whose CR3 is 0x2000 reads 0x1fee2000\r\n"
    "tdlab-probe vf-bars yes the STATUS register of an igb VF reads 0x800c4481\r\n"
    "[    7.9] reboot: Power down\r\n"
)


def test_the_lines_of_the_probe_are_verdicts() -> None:
    found = behaviour.judge(CONSOLE, "switched itself off", has_igb=True)
    assert found[SHADOW_PAGING] == Verdict("no", "with npt=0 a guest whose CR3 is 0x2000 reads 0x1fee2000")
    assert found[VF_BARS].status == "yes"


@pytest.mark.parametrize("console", ["", "Kernel panic - not syncing: timer doesn't work\n"])
def test_what_was_not_said_is_unknown_with_a_cause(console: str) -> None:
    found = behaviour.judge(console, "was still running after 90 s", has_igb=True)
    assert {verdict.status for verdict in found.values()} == {"unknown"}
    assert "was still running after 90 s" in found[VF_BARS].evidence
    assert ("timer doesn't work" in found[VF_BARS].evidence) == bool(console)


@pytest.mark.parametrize(
    "line", ["tdlab-probe vf-bars maybe so", "x tdlab-probe vf-bars yes so", "tdlab-probe"]
)
def test_half_a_line_is_no_verdict(line: str) -> None:
    assert behaviour.judge(line, "ended", has_igb=True)[VF_BARS].status == "unknown"


def test_a_qemu_without_igb_has_no_vfs() -> None:
    found = behaviour.judge(CONSOLE.replace("vf-bars yes", "vf-bars unknown"), "ended", has_igb=False)
    assert found[VF_BARS] == Verdict("no", "this QEMU has no device igb")
    words = behaviour.argv(Path("/q"), probe_image.ProbeImage(Path("/k"), Path("/i"), "d"), has_igb=False)
    assert not any("igb" in word for word in words)


def test_the_probed_machine_runs_under_tcg_with_svm_and_its_nic_above_4_gib() -> None:
    image = probe_image.ProbeImage(Path("/k"), Path("/i"), "d")
    words = " ".join(behaviour.argv(Path("/q"), image, has_igb=True))
    for expected in ("-accel tcg", "-cpu EPYC-Milan,svm=on,npt=on", "pref64-reserve=8G", "-device igb"):
        assert expected in words


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    program = tmp_path / "qemu-system-x86_64"
    program.write_text("#!/bin/sh\necho QEMU emulator version 9.9.9\n")
    program.chmod(0o755)
    return program


def given(status: behaviour.Status) -> Observed:
    return Observed("9.9.9", dict.fromkeys(BEHAVIOURS, Verdict(status, "seen")))


def test_a_verdict_is_remembered_until_the_file_changes(
    emulator: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def observe(path: Path, _: object) -> Observed:
        asked.append(path)
        return given("yes")

    monkeypatch.setattr(behaviour, "observe", observe)
    assert behaviour.recall(emulator) is None
    assert (
        behaviour.probe(emulator) == behaviour.probe(emulator) == behaviour.recall(emulator) == given("yes")
    )
    assert len(asked) == 1
    os.utime(emulator, (1, 1))
    assert behaviour.recall(emulator) is None
    behaviour.probe(emulator)
    assert len(asked) == 2


def test_unknown_is_not_remembered(emulator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviour, "observe", lambda *_: given("unknown"))
    assert behaviour.probe(emulator) == given("unknown")
    assert behaviour.recall(emulator) is None


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"schema": "other"}), "null"])
def test_a_broken_memory_is_none(emulator: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setattr(behaviour, "observe", lambda *_: given("no"))
    behaviour.probe(emulator)
    (kept,) = (paths.cache() / "qemu").glob("behaviour-*.json")
    kept.write_text(content)
    assert behaviour.recall(emulator) is None


def test_another_probe_makes_a_verdict_worthless(emulator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviour, "observe", lambda *_: given("yes"))
    behaviour.probe(emulator)
    monkeypatch.setattr(probe_image, "recipe", lambda: "another")
    assert behaviour.recall(emulator) is None


def test_what_is_no_qemu_is_an_error(emulator: Path, tmp_path: Path) -> None:
    assert behaviour.version_of(emulator) == "9.9.9"
    with pytest.raises(InfrastructureError, match="does not tell its version"):
        behaviour.version_of(Path("/bin/true"))
    with pytest.raises(InfrastructureError, match="does not start"):
        behaviour.version_of(tmp_path)
    with pytest.raises(InfrastructureError):
        behaviour.version_of(tmp_path / "missing")
