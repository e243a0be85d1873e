"""The same matrix on two machines with an sshd and a libvirt each, on one without, and on one that is off."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks._room import room, using
from benchmarks._room.room import Machine, Room
from domains import lease, process, reach, wait

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_state")]

MATRIX = """\
workload: {seconds: 1, warmup: 1, repeats: 3, pings: 10}
cells:
  - {id: virtio, memory: 192 MiB, accelerator: tcg, nic: {model: virtio, vhost: off}}
"""


@pytest.fixture(scope="module")
def machines() -> Iterator[Room]:
    """Three machines, of which the last has no libvirt."""
    with room.opened(3) as made:
        for one in made.machines[:2]:
            using.start_libvirt(one, made.key)
        yield made


def asked(machines: Room, folder: Path) -> list[str]:
    """Return the words that measure them, and a fourth that is off."""
    (folder / "matrix.yaml").write_text(MATRIX)
    first = machines.machines[0]
    off = Machine("pc09", first.address.rpartition(".")[0] + ".99", 0, "", 0)
    file = using.inventory([*machines.machines, off], machines.key, folder / "room.yml")
    return using.argv("bench", folder / "matrix.yaml", "--hosts", "b12", "-i", file, "--out", folder / "out")


def rounds(folder: Path) -> list[int]:
    """Return the rounds that a run's journal holds."""
    journal = folder / "journal.jsonl"
    lines = journal.read_text().splitlines() if journal.exists() else []
    return [one["round"] for one in map(json.loads, lines) if one["kind"] == "round"]


def shown(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what was told of each host."""
    return {one["name"]: one for one in json.loads((folder / "hosts.json").read_text())["hosts"]}


def test_hosts_are_measured_side_by_side_killed_and_gone_on_with(machines: Room, tmp_path: Path) -> None:
    words, out, both = asked(machines, tmp_path), tmp_path / "out", machines.machines[:2]
    with (
        (tmp_path / "log").open("wb") as log,
        process.started([*words, "--side-by-side"], log=log) as child,
    ):
        begun = [out / one.name for one in both]
        wait.until(lambda: all(map(rounds, begun)), waiting_for="a round of each", deadline=240)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    for one in both:
        wait.until(lambda at=one: not guests(at), waiting_for=f"the guest of {one.name}", deadline=60)

    done = process.run(using.argv("bench", "--resume", out), timeout=400, check=False)
    assert done.status == 4, done.stderr
    found = shown(out)
    assert [(one["state"], one["cause_id"]) for one in found.values()] == [
        ("measured", None),
        ("measured", None),
        ("failed", "no-libvirt"),
        ("failed", "off"),
    ]
    assert "pc09: NOT measured" in done.stdout
    assert f"tdlab bench --resume {out}".split()[-1] in done.stdout.replace("\n", "")
    for one in both:
        assert rounds(out / one.name) == [0, 1, 2], "none was lost, none was measured twice"
        assert found[one.name]["environment"]["kernel"] == one.run("uname", "-r").strip()
        assert found[one.name]["environment"]["accelerator"] == "tcg"
        assert guests(one) == []
    # Both are one machine in truth: nothing that is read of them differs, but what else was going on.
    assert set(json.loads((out / "hosts.json").read_text())["differing"]) <= {"load"}
    assert (out / "hosts.html").exists()


def test_a_host_that_somebody_else_measures_is_named_with_them(machines: Room, tmp_path: Path) -> None:
    words, (one, two, _) = asked(machines, tmp_path), machines.machines
    way = reach.Way(one.address, "root", key=str(machines.key))
    with lease.on(reach.host(way, tmp_path / "known_hosts")):
        done = process.run([*words, "--json"], timeout=400, check=False)
    assert done.status == 4, done.stderr
    found = {host["name"]: host for host in json.loads(done.stdout)["hosts"]}
    assert (found[one.name]["state"], found[one.name]["cause_id"]) == ("failed", "held")
    assert f"measures on root@{one.address} (" in found[one.name]["cause"]
    assert ", since 20" in found[one.name]["cause"]
    assert found[two.name]["state"] == "measured"


def guests(machine: Machine) -> list[str]:
    """Return the guests that run on a machine."""
    return machine.run("virsh", "--connect", "qemu:///system", "list", "--name").split()
