"""The emulated lab host as data: machine, seed, saved state, and what keeps it from being made."""

from __future__ import annotations

import io
import tarfile
from collections import namedtuple
from pathlib import Path

import pytest
from lxml import etree

from domains import ownership, process, validate
from domains.capabilities import emulated
from domains.emulated import image, registry, saved, seed
from domains.emulated.plan import Files, HostPlan, check_name
from domains.emulated.registry import Record
from domains.emulated.saved import SavedState
from domains.errors import CapabilityMissing, UsageError

PLAN = HostPlan("lab", "r1", "10.225.3", memory=2 << 30, vcpus=3)
FILES = Files("/usr/bin/qemu", "/k", "/i", "/disk.qcow2", "/seed", "/console.log")
OWNER = ownership.this_process("r1")


def xml(plan: HostPlan = PLAN) -> str:
    return plan.xml(FILES, OWNER)


def test_the_machine_is_what_kvm_vfio_and_sriov_need() -> None:
    validate.validate(xml())
    domain = etree.fromstring(xml().encode())
    assert domain.get("type") == "qemu"
    features = {one.get("name"): one.get("policy") for one in domain.iterfind("cpu/feature")}
    assert features == {"svm": "require", "npt": "require"}
    iommu = domain.find("devices/iommu/driver")
    assert iommu is not None
    assert dict(iommu.attrib) == {"intremap": "on", "caching_mode": "on"}
    assert [one.get("type") for one in domain.iterfind("devices/interface/model")] == ["virtio", "igb", "igb"]
    buses = [one.get("bus") for one in domain.iterfind("devices/interface/address")]
    assert len(buses) == len(set(buses)) == 2, "each igb has a root port, and an IOMMU group, to itself"
    assert (domain.findtext("memory"), domain.findtext("vcpu")) == (str(2 << 30), "3")
    assert "intel_iommu=on iommu=pt" in (domain.findtext("os/cmdline") or "")


def test_without_interrupt_remapping_it_is_written_off() -> None:
    plan = HostPlan("lab", "r1", "10.225.3", interrupt_remapping=False)
    assert 'intremap="off"' in xml(plan)


def test_hosts_of_other_names_share_nothing() -> None:
    other = HostPlan("lab2", "r1", "10.225.4")
    assert PLAN.uuid != other.uuid
    assert not set(PLAN.networks) & set(other.networks)
    assert not set(PLAN.bridges) & set(other.bridges)
    assert all(len(bridge) <= 15 for bridge in PLAN.bridges)
    assert {PLAN.mac(number) for number in range(3)}.isdisjoint({other.mac(number) for number in range(3)})


@pytest.mark.parametrize("name", ["", "Lab", "1lab", "a b", "../x", "x" * 32, "lab\n"])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        check_name(name)


def test_the_seed_is_an_archive_of_whole_sectors_with_secret_keys() -> None:
    identity = seed.Identity(
        "lab", "52:54:00:00:00:01", "10.1.2.2/24", "10.1.2.1", "ssh-ed25519 A", "KEY", "PUB"
    )
    whole = seed.archive(identity)
    assert len(whole) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        modes = {entry.name: entry.mode for entry in tar.getmembers()}
        network = tar.extractfile("etc/systemd/network/10-tdlab.network")
        assert network is not None
        assert b"MACAddress=52:54:00:00:00:01" in network.read()
    assert modes["etc/ssh/ssh_host_ed25519_key"] == modes["root/.ssh/authorized_keys"] == 0o600


def test_a_restored_machine_has_its_own_overlay_and_owner() -> None:
    state = SavedState("key", PLAN, ("m", "d", "s"), "/m", "/disk.qcow2", "/seed")
    later = ownership.this_process("r2")
    change = saved.as_restored(state, "/new.qcow2", later)
    domain = etree.fromstring(change(xml()).encode())
    assert [one.get("file") for one in domain.iterfind("devices/disk/source")] == ["/new.qcow2", "/seed"]
    assert ownership.owner_of(change(xml())) == later


def test_a_state_is_good_for_what_it_was_made_of_only(tmp_path: Path) -> None:
    emulator = tmp_path / "qemu"
    emulator.write_text("1")
    made = image.HostImage(tmp_path, "digest", "6.12")
    key = saved.key(made, PLAN, emulator)
    assert key == saved.key(made, HostPlan("lab", "r9", "10.230.1", memory=2 << 30, vcpus=3), emulator)
    assert key != saved.key(made, HostPlan("lab", "r1", "10.225.3", memory=4 << 30, vcpus=3), emulator)
    assert key != saved.key(image.HostImage(tmp_path, "other", "6.12"), PLAN, emulator)
    emulator.write_text("22")
    assert key != saved.key(made, PLAN, emulator)


def test_what_is_remembered_of_a_host_comes_back(own_state: Path) -> None:
    record = Record(PLAN, "/usr/bin/qemu", "why", "key")
    registry.write(record)
    assert registry.read("lab") == record
    assert [one.name for one in registry.all_hosts()] == ["lab"]
    assert registry.read("other") is None
    with pytest.raises(UsageError, match="no lab host called other"):
        registry.require("other")


def test_ssh_is_told_where_the_host_is_and_what_its_key_is(own_state: Path) -> None:
    registry.write_ssh(PLAN, "ssh-ed25519 AAAA comment")
    folder = registry.folder("lab")
    assert (folder / "known_hosts").read_text() == "lab ssh-ed25519 AAAA\n"
    config = (folder / "ssh_config").read_text()
    assert "HostName 10.225.3.2" in config
    assert "StrictHostKeyChecking yes" in config
    host = registry.host_of(PLAN)
    assert host.ssh == ("ssh", "-F", str(folder / "ssh_config"), "lab")
    assert host.uri == f"qemu+ssh://root@lab/system?command={folder / 'ssh'}"


def test_a_missing_program_is_told_by_doctor_with_what_helps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(
        process, "found", lambda program: None if program == "mmdebstrap" else Path("/usr/bin") / program
    )
    row = emulated.image_row()
    assert row.status == "no"
    assert "needs mmdebstrap, not installed here" in (row.cause or "")
    assert "apt-get install mmdebstrap" in (row.remedy or "")
    with pytest.raises(CapabilityMissing, match="mmdebstrap"):
        image.build()


def test_a_full_disk_is_told_by_doctor_with_what_helps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(process, "found", lambda program: Path("/usr/bin") / program)
    usage = namedtuple("usage", "total used free")(8 << 30, 7 << 30, 1 << 30)
    monkeypatch.setattr(image.shutil, "disk_usage", lambda _path: usage)
    row = emulated.image_row()
    assert row.status == "no"
    assert "has 1.0 GiB left; a host image needs 4 GiB" in (row.cause or "")
    assert "make room" in (row.remedy or "")


def test_the_image_has_the_packages_of_the_role() -> None:
    assert {"qemu-system-x86", "libvirt-daemon-system", "iperf3", "openssh-server"} <= set(image.packages())
