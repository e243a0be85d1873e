"""Experiments on this host, by the command that students use: what it cannot do is skipped, and says why."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from domains import process

pytestmark = pytest.mark.integration


def measure(name: str, out: Path) -> tuple[int, dict[str, Any]]:
    words = [sys.executable, "-m", "grader", "measure", "r202", name, "--json", "--out", str(out)]
    done = process.run(words, timeout=300, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    assert json.loads((out / "experiment.json").read_text()) == found
    assert all((out / file).is_file() for file in found["evidence"])
    return done.status, found


def opens_kvm() -> bool:
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
    except OSError:
        return False
    return True


def test_every_out_is_one_exit(own_state: Path, tmp_path: Path) -> None:
    status, found = measure("exit-meter", tmp_path / "out")
    if not opens_kvm():
        assert (status, found["status"]) == (4, "skipped")
        assert "/dev/kvm" in found["cause"]
        return
    assert (status, found["status"]) == (0, "measured")
    assert set(found["measurements"]["exits"]["samples"]) == {2001.0}
    assert found["asked"] == found["ran"] == {"exits": 2001}


def test_a_vm_is_one_process_with_a_thread_for_each_vcpu(
    libvirt_daemon: None, own_state: Path, tmp_path: Path
) -> None:
    status, found = measure("ps", tmp_path / "out")
    assert (status, found["status"], found["cause"]) == (0, "measured", None)
    assert found["asked"] == found["ran"]
    rows = [
        dict(zip(found["tables"]["threads"]["columns"], row, strict=True))
        for row in found["tables"]["threads"]["rows"]
    ]
    of_vcpus = {row["vcpu"]: row for row in rows if row["vcpu"] is not None}
    assert sorted(of_vcpus) == [0, 1]
    assert all(row["name"].endswith(found["ran"]["accelerator"].upper()) for row in of_vcpus.values())
    # The guest computed on vCPU 1 for two seconds.
    assert of_vcpus[1]["seconds"] > of_vcpus[0]["seconds"]


def test_a_guest_without_the_flag_cannot_load_the_module(
    libvirt_daemon: None, own_state: Path, tmp_path: Path
) -> None:
    status, found = measure("firmware", tmp_path / "out")
    assert (status, found["status"], found["cause"]) == (0, "measured", None)
    assert found["asked"] == found["ran"] == {"shown": "on", "hidden": "off"}
    columns = list(found["tables"]["guests"]["columns"])
    guests = {row[0]: dict(zip(columns, row, strict=True)) for row in found["tables"]["guests"]["rows"]}
    assert [guests["shown"][one] for one in ("flag", "loads", "device")] == [True, True, True]
    assert [guests["hidden"][one] for one in ("flag", "loads", "device")] == [False, False, False]
