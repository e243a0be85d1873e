"""The whole chain on real QEMU: a matrix becomes a report, is resumed after a kill, and leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from domains import hypervisor, process, store, wait

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("libvirt_daemon", "own_state")]

MATRIX = """\
workload: {seconds: 1, warmup: 1, repeats: 3, pings: 20}
base: {memory: 192 MiB, accelerator: tcg}
cells:
  - {id: rtl8139, nic: {model: rtl8139}}
  - {id: virtio, nic: {model: virtio, vhost: off}}
  - {id: vf, nic: {model: vf, address: "0000:ff:1f.7"}}
"""


def tdlab(*words: str) -> list[str]:
    return [sys.executable, "-m", "grader", *words]


def matrix(folder: Path) -> Path:
    file = folder / "matrix.yaml"
    file.write_text(MATRIX)
    return file


def left_on_the_host(out: Path) -> set[str]:
    """Return what the runs that worked in a folder have on the host: guests, networks, volumes, bridges."""
    lines = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    owners = {line["owner"] for line in lines if line["kind"] == "environment"}
    assert owners
    with hypervisor.connected() as connection:
        names = {machine.name for machine, _ in connection.machines()} | set(connection.networks())
        names |= set(store.pool(connection).volumes())
    names |= {interface.name for interface in Path("/sys/class/net").iterdir()}
    return {name for name in names if any(owner in name for owner in owners)}


def check_report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    cells = {cell["id"]: cell for cell in report["cells"]}
    for name, driver in (("rtl8139", "8139cp"), ("virtio", "virtio_net")):
        cell = cells[name]
        assert cell["status"] == "measured", cell["cause"]
        assert cell["ran"]["accelerator"] == "tcg"
        assert cell["ran"]["driver"] == driver
        for way in ("tcp_to_guest", "tcp_from_guest"):
            found = cell["measurements"][way]
            assert len(found["samples"]) == 3
            low, high = found["ci95"]
            assert low <= found["median"] <= high
            assert min(found["samples"]) > 1
        assert "exits_per_mb" not in cell["measurements"]
        assert "TCG" in cell["not_measurable"]["exits_per_mb"]
    assert cells["vf"]["status"] == "skipped"
    assert cells["vf"]["cause"]
    assert cells["vf"]["remedy"]
    return report


def has_round(out: Path) -> bool:
    journal = out / "journal.jsonl"
    return journal.exists() and '"kind":"round"' in journal.read_text()


def test_killed_in_the_middle_then_resumed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    file = matrix(tmp_path)
    with process.started(tdlab("bench", str(file), "--out", str(out))) as child:
        wait.until(lambda: has_round(out), waiting_for="the first round", deadline=180)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert left_on_the_host(out)
    done = process.run(tdlab("bench", str(file), "--resume", str(out), "--json"), timeout=240)
    report = check_report(out)
    assert json.loads(done.stdout) == report
    assert left_on_the_host(out) == set()
    lines = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    rounds = [(line["cell"], line["round"]) for line in lines if line["kind"] == "round"]
    assert len(set(rounds)) == len(rounds) == 6


def test_interrupted_it_cleans_up_and_says_so(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with process.started(tdlab("bench", str(matrix(tmp_path)), "--out", str(out))) as child:
        wait.until(lambda: has_round(out), waiting_for="the first round", deadline=180)
        os.kill(child.pid, signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "what was measured is kept" in said
    assert "Traceback" not in said
    assert left_on_the_host(out) == set()


def test_nics_plugged_into_one_guest_are_measured_as_what_they_are(tmp_path: Path) -> None:
    out = tmp_path / "out"
    process.run(tdlab("bench", str(matrix(tmp_path)), "--out", str(out), "--one-guest"), timeout=300)
    cells = {cell["id"]: cell for cell in check_report(out)["cells"]}
    ports = {cells[name]["ran"]["port"] for name in ("rtl8139", "virtio")}
    assert len(ports) == 2
    lines = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    guests = {line["xml"].partition("<name>")[2].partition("</name>")[0] for line in lines if "xml" in line}
    assert len(guests) == 1, "both NICs were in the same guest"
    assert "boot_to_ready" not in cells["virtio"]["measurements"], "it did not boot for this cell"
    assert left_on_the_host(out) == set()
