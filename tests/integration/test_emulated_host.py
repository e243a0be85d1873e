"""The emulated lab host, whole: made, measured on with real KVM, VFIO and SR-IOV, reset, killed, removed."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks._lab_host import COMMAND_SECONDS, LabHost, left_over
from domains import hosts, hypervisor, process, wait
from domains.emulated import registry, revival
from domains.errors import ProcessError

pytestmark = [pytest.mark.integration, pytest.mark.emulated, pytest.mark.usefixtures("libvirt_daemon")]

MATRIX = """\
workload: {seconds: 1, warmup: 1, repeats: 2, pings: 20}
base: {memory: 192 MiB}
cells:
  - {id: e1000, nic: {model: e1000}}
  - {id: virtio, nic: {model: virtio, vhost: off}}
  - {id: vhost, nic: {model: virtio, vhost: on}}
  - {id: vf, nic: {model: vf, address: auto}}
  - {id: hostdev, nic: {model: hostdev, address: auto}}
  - {id: ept-on, nic: {model: virtio, vhost: off}, cpu: {ept: on}}
  - {id: ept-off, nic: {model: virtio, vhost: off}, cpu: {ept: off}}
"""


@pytest.fixture(scope="module")
def run(lab: LabHost, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Measure the matrix on the host once, for all tests that look at it."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "matrix.yaml").write_text(MATRIX)
    words = ("bench", str(folder / "matrix.yaml"), "--host", lab.name, "--out", str(folder / "out"), "--json")
    found: dict[str, Any] = json.loads(lab.tdlab(*words).stdout)
    return found


def median(run: dict[str, Any], cell: str, metric: str) -> float:
    found = next(one for one in run["cells"] if one["id"] == cell)
    return float(found["measurements"][metric]["median"])


def test_what_is_up_is_told(lab: LabHost) -> None:
    assert lab.told["schema"] == "tdlab.host/1"
    assert (lab.told["name"], lab.told["state"]) == (lab.name, "up")
    assert lab.told["uri"].startswith("qemu+ssh://")
    assert lab.told["emulator_why"]


def test_real_kvm_vfio_and_sriov_are_there(lab: LabHost) -> None:
    rows = {
        row["id"]: row["status"]
        for row in json.loads(lab.tdlab("doctor", "--host", lab.name, "--json").stdout)["capabilities"]
    }
    wanted = ("kvm", "ept", "counters", "iommu", "interrupt-remapping", "sriov", "vhost-net")
    assert {name: rows[name] for name in wanted} == dict.fromkeys(wanted, "yes")


def test_the_same_role_has_nothing_left_to_do(lab: LabHost) -> None:
    report = json.loads(lab.tdlab("host", "provision", lab.name, "--json").stdout)
    assert (report["changed"], report["failed"]) == (0, 0)
    assert report["ok"] > 0


def test_every_cell_is_measured_and_is_what_was_asked_for(run: dict[str, Any]) -> None:
    cells = {cell["id"]: cell for cell in run["cells"]}
    assert {name: (cell["status"], cell["cause"]) for name, cell in cells.items()} == dict.fromkeys(
        cells, ("measured", None)
    )
    assert {cell["ran"]["accelerator"] for cell in cells.values()} == {"kvm"}
    drivers = {name: cell["ran"]["driver"] for name, cell in cells.items()}
    assert drivers == {
        **dict.fromkeys(("virtio", "vhost", "ept-on", "ept-off"), "virtio_net"),
        "e1000": "e1000",
        "vf": "igbvf",
        "hostdev": "igb",
    }
    assert {name: cells[name]["ran"]["vhost"] for name in ("virtio", "vhost")} == {
        "virtio": "off",
        "vhost": "on",
    }
    assert {name: cells[name]["ran"]["ept"] for name in ("ept-on", "ept-off")} == {
        "ept-on": "on",
        "ept-off": "off",
    }
    assert {cells[name]["ran"]["host_driver"] for name in ("vf", "hostdev")} == {"vfio-pci"}


def test_an_emulated_nic_exits_for_its_registers_and_the_others_do_not(run: dict[str, Any]) -> None:
    emulated = median(run, "e1000", "mmio_exits_per_mb")
    assert emulated > 20 * median(run, "virtio", "mmio_exits_per_mb")
    assert emulated > 20 * median(run, "vf", "mmio_exits_per_mb")


def test_shadow_page_tables_cost_page_faults(run: dict[str, Any]) -> None:
    assert median(run, "ept-off", "page_faults_per_mb") > median(run, "ept-on", "page_faults_per_mb")


def test_every_exit_has_its_hardware_reason(run: dict[str, Any]) -> None:
    names: dict[str, set[str]] = {}
    for cell in run["cells"]:
        found = cell["exit_reasons"]
        assert found["traced"] == sum(reason["count"] for reason in found["reasons"]) > 0
        assert found["agrees"], (cell["id"], found["traced"], found["counted"])
        names[cell["id"]] = {reason["name"] for reason in found["reasons"]}
    # Nested page faults with RVI, the guest's own page faults (exception 14) without.
    assert "NPF" in names["ept-on"] - names["ept-off"]
    assert "EXCP14" in names["ept-off"] - names["ept-on"]


def test_modules_and_devices_are_as_they_were(lab: LabHost, run: dict[str, Any]) -> None:
    assert run["cells"]
    assert lab.shell("cat /sys/module/kvm_amd/parameters/npt").strip() in {"Y", "1"}
    assert set(lab.shell("cat /sys/bus/pci/devices/*/sriov_numvfs").split()) == {"0"}
    assert lab.shell("ls /run/tdlab/devices").split() == []


def test_a_reset_brings_back_what_was_saved(lab: LabHost) -> None:
    lab.shell("touch /root/left-by-a-student")
    told = json.loads(lab.tdlab("host", "reset", lab.name, "--json").stdout)
    assert told["how"] == "warm"
    assert "left-by-a-student" not in lab.shell("ls /root")


def test_a_host_that_no_longer_answers_is_restored(lab: LabHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(lab.state))
    monkeypatch.setattr(revival, "_ANSWER_SECONDS", 5)
    said: list[str] = []
    assert not hosts.revive(hosts.find(lab.name), said.append)
    with hypervisor.connected() as connection:
        machine = connection.machine(registry.require(lab.name).plan.domain_name)
        assert machine is not None
        machine.pause()
    assert hosts.revive(hosts.find(lab.name), said.append)
    assert "no longer answers" in said[0]
    (seen,) = registry.folder(lab.name).glob("hang-*.txt")
    assert str(seen) in said[1]
    assert "RIP=" in seen.read_text()
    assert lab.shell("echo well").strip() == "well"


def test_a_run_that_is_killed_leaves_nothing_on_the_host(lab: LabHost, tmp_path: Path) -> None:
    (tmp_path / "matrix.yaml").write_text(MATRIX)
    words = [
        "bench",
        str(tmp_path / "matrix.yaml"),
        "--host",
        lab.name,
        "--cell",
        "vf",
        "--out",
        str(tmp_path / "o"),
    ]
    command = [sys.executable, "-m", "grader", *words]
    with process.started(command, env={"XDG_STATE_HOME": str(lab.state)}) as child:
        wait.until(
            lambda: "tdlab" in lab.shell("ls /run/tdlab/devices; virsh list --name"),
            waiting_for="a guest with a VF",
            deadline=COMMAND_SECONDS,
        )
        os.kill(child.pid, signal.SIGKILL)
    lab.tdlab("clean", "--host", lab.name)
    assert lab.shell("virsh list --name; ls /run/tdlab/devices").split() == []
    assert set(lab.shell("cat /sys/bus/pci/devices/*/sriov_numvfs").split()) == {"0"}


def test_tracing_that_is_killed_is_ended_by_the_next_command(lab: LabHost, tmp_path: Path) -> None:
    (tmp_path / "matrix.yaml").write_text(MATRIX)
    words = ("bench", str(tmp_path / "matrix.yaml"), "--host", lab.name, "--cell", "e1000", "--repeats", "1")
    command = [sys.executable, "-m", "grader", *words, "--out", str(tmp_path / "out")]
    instances = "ls /sys/kernel/tracing/instances"
    with process.started(command, env={"XDG_STATE_HOME": str(lab.state)}) as child:
        wait.until(
            lambda: "tdlab-" in lab.shell(instances),
            waiting_for="exits being traced",
            deadline=COMMAND_SECONDS,
        )
        os.kill(child.pid, signal.SIGKILL)
    lab.tdlab("clean", "--host", lab.name)
    assert lab.shell(instances).split() == []


def test_a_host_that_was_being_made_when_tdlab_was_killed_is_removed(lab: LabHost, tmp_path: Path) -> None:
    name = f"killed-{os.getpid()}"
    command = [sys.executable, "-m", "grader", "host", "up", "--emulated", name]
    with process.started(command, env={"XDG_STATE_HOME": str(tmp_path)}) as child:
        wait.until(lambda: left_over(name), waiting_for="the host's machine", deadline=COMMAND_SECONDS)
        os.kill(child.pid, signal.SIGKILL)
    lab.tdlab("clean")
    assert left_over(name) == set()
    assert lab.name in lab.tdlab("host", "list").stdout, "a host that is up is nobody's leftover"


def test_a_host_that_nobody_made_is_refused_with_what_there_is(lab: LabHost) -> None:
    with pytest.raises(ProcessError) as refused:
        lab.tdlab("bench", "--host", "nobody")
    assert refused.value.status == 2
    assert f"known: localhost, {lab.name}" in refused.value.stderr
