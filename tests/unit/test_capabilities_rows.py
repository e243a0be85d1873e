"""The rows that are pure functions of a survey: CPU, PCI, system and emulator, over five hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.capabilities import cpu, emulator, pci, survey, system
from domains.capabilities.model import Capability

HOSTS = Path(__file__).parent.parent / "data" / "hosts"
ALL = ("virtual-machine", "intel-workstation", "amd-server", "locked-laptop", "mute")


def rows(name: str, **replaced: str) -> dict[str, Capability]:
    seen = survey.parse((HOSTS / f"{name}.txt").read_text())
    sections = {**seen.sections, **{key.replace("_", "-"): text for key, text in replaced.items()}}
    seen = survey.Survey(sections)
    every = [*cpu.rows(seen), *pci.rows(seen), *system.rows(seen), *emulator.rows(seen)]
    return {row.id: row for row in every}


@pytest.mark.parametrize("name", ALL)
def test_every_host_gets_the_same_rows_and_every_shortcoming_a_remedy(name: str) -> None:
    found = rows(name)
    assert list(found) == list(rows("intel-workstation"))
    for row in found.values():
        assert row.status == "yes" or (row.cause and row.remedy), row
        assert row.status != "yes" or row.evidence, row


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("virtual-machine", "yes no unknown no no"),
        ("intel-workstation", "yes yes yes yes yes"),
        ("amd-server", "yes yes yes no no"),
        ("locked-laptop", "yes no no no no"),
        ("mute", "unknown unknown unknown unknown unknown"),
    ],
)
def test_the_cpu(name: str, expected: str) -> None:
    found = rows(name)
    ids = ("cpu-vendor", "cpu-extension", "firmware", "nested", "ept")
    assert " ".join(found[identity].status for identity in ids) == expected


def test_a_locked_register_is_the_evidence_and_then_the_kernel_log() -> None:
    assert rows("locked-laptop")["firmware"].evidence == "MSR 3Ah is 0x1: locked, VMX off"
    by_log = rows("locked-laptop", msr_3a="")["firmware"]
    assert by_log.evidence == "kernel log: x86/cpu: VMX (outside TXT) disabled by BIOS"
    assert rows("locked-laptop", msr_3a="", log="")["firmware"].status == "unknown"


@pytest.mark.parametrize(("value", "status"), [("0000000000000005", "yes"), ("0000000000000000", "yes")])
def test_an_open_register_does_not_accuse_the_firmware(value: str, status: str) -> None:
    assert rows("intel-workstation", msr_3a=value)["firmware"].status == status


def test_amds_register_has_a_bit_of_its_own() -> None:
    assert rows("amd-server", msr_c0010114="0000000000000010")["firmware"].status == "no"
    assert rows("amd-server", msr_c0010114="0000000000000008")["firmware"].status == "yes"


def test_page_tables_off_says_how_to_put_them_on() -> None:
    row = rows("amd-server")["ept"]
    assert row.evidence == "kvm_amd npt=N"
    assert row.remedy is not None
    assert "modprobe kvm_amd npt=1" in row.remedy
    assert "modprobe kvm_amd nested=1" in (rows("amd-server")["nested"].remedy or "")


def test_a_cpu_without_two_level_paging_is_not_told_to_switch_it_on() -> None:
    flags = "vendor_id : AuthenticAMD\nflags : svm\n"
    assert "modprobe" not in (rows("amd-server", cpuinfo=flags)["ept"].remedy or "")


def test_an_unloaded_module_leaves_its_parameters_unknown() -> None:
    row = rows("intel-workstation", modules="kvm\n")["ept"]
    assert (row.status, row.remedy) == ("unknown", "run: sudo modprobe kvm_intel")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("virtual-machine", "no no no no no"),
        ("intel-workstation", "yes yes yes yes yes"),
        ("amd-server", "no yes no no no"),
        ("locked-laptop", "no yes no no no"),
        ("mute", "unknown unknown unknown unknown unknown"),
    ],
)
def test_the_bus(name: str, expected: str) -> None:
    found = rows(name)
    assert " ".join(found[identity].status for identity in pci.IDS) == expected


@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [
        ("amd-server", "AMD-Vi", "amd_iommu=on"),
        ("locked-laptop", "no ACPI table DMAR or IVRS", "firmware set-up"),
        ("virtual-machine", "was given no IOMMU", "virtual IOMMU"),
    ],
)
def test_a_missing_iommu_is_traced_to_kernel_firmware_or_hypervisor(
    name: str, cause: str, remedy: str
) -> None:
    row = rows(name)["iommu"]
    assert cause in (row.cause or "")
    assert remedy in (row.remedy or "")


def test_an_iommu_that_does_not_remap_is_told_apart() -> None:
    row = rows("intel-workstation", interrupts="4 PCI-MSI")["interrupt-remapping"]
    assert row.status == "no"
    assert "VFIO refuses" in (row.cause or "")


def test_sriov_names_pf_and_vfs() -> None:
    evidence = rows("intel-workstation")["sriov"].evidence
    assert "PF 0000:01:00.0 enp1s0f0 (igb): 2 of 7 VFs enabled" in evidence
    assert "VF 0000:01:10.0" in evidence


def test_a_nic_is_handed_over_only_alone_and_never_the_one_in_use() -> None:
    seen = survey.parse((HOSTS / "intel-workstation.txt").read_text())
    reasons = {function.address: pci.why_not(function, seen) for function in seen.pci if function.is_nic}
    assert reasons["0000:00:1f.6"] == "this host is reached by it"
    assert reasons["0000:03:00.0"] == "its group 14 also holds 0000:03:00.1 (ahci)"
    assert reasons["0000:01:00.0"] is None  # only a bridge is with it, and bridges may stay
    evidence = rows("intel-workstation")["passthrough-nic"].evidence
    assert "0000:01:10.0" in evidence
    assert "0000:00:1f.6" not in evidence


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("virtual-machine", "no no yes yes yes yes yes"),
        ("intel-workstation", "yes yes yes yes no yes yes"),
        ("amd-server", "no no yes yes yes yes no"),
        ("locked-laptop", "no unknown no no no no unknown"),
        ("mute", "unknown unknown unknown unknown unknown unknown unknown"),
    ],
)
def test_the_system(name: str, expected: str) -> None:
    found = rows(name)
    ids = ("vhost-net", "hugepages", "tun", "bridge", "root", "groups", "disk-space")
    assert " ".join(found[identity].status for identity in ids) == expected


def test_a_module_that_only_has_to_be_loaded_is_told_from_one_that_is_not_there() -> None:
    assert rows("amd-server")["vhost-net"].remedy == "run: sudo modprobe vhost_net"
    assert "neither loaded nor among" in (rows("virtual-machine")["vhost-net"].cause or "")


def test_huge_pages_that_are_taken_are_not_free() -> None:
    row = rows("amd-server")["hugepages"]
    assert row.evidence == "2 MiB: 0 of 0 free, 1 GiB: 0 of 4 free"
    assert row.cause == "all are taken"


def test_the_missing_groups_are_named_in_the_remedy() -> None:
    row = rows("locked-laptop")["groups"]
    assert "usermod -aG libvirt,kvm paul" in (row.remedy or "")


@pytest.mark.parametrize(
    ("name", "status", "cause", "remedy"),
    [
        ("virtual-machine", "no", "tracefs is not mounted", "mount -t tracefs"),
        ("intel-workstation", "yes", "", ""),
        ("amd-server", "no", "histogram cannot be read", "host up --emulated"),
        ("locked-laptop", "no", "only root may read tracefs", "sudo"),
        ("mute", "unknown", "did not tell", "coreutils"),
    ],
)
def test_the_tracepoints(name: str, status: str, cause: str, remedy: str) -> None:
    row = rows(name)["tracepoints"]
    assert row.status == status
    assert cause in (row.cause or "")
    assert remedy in (row.remedy or "")


@pytest.mark.parametrize(
    ("missing", "cause", "remedy"),
    [
        ("folder", "built without tracing", "distribution's kernel"),
        ("event", "no event kvm:kvm_exit", "modprobe kvm_intel"),
        ("instances", "read-only", "mount it writable"),
    ],
)
def test_what_tracing_lacks_is_named(missing: str, cause: str, remedy: str) -> None:
    words = ("folder", "mounted", "root", "event", "hist", "instances")
    said = "\n".join(f"{word} {'no' if word == missing else 'yes'}" for word in words)
    row = rows("intel-workstation", tracepoints=said)["tracepoints"]
    assert cause in (row.cause or "")
    assert remedy in (row.remedy or "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("intel-workstation", {"yes"}),
        ("locked-laptop", {"unknown"}),
        ("mute", {"unknown"}),
    ],
)
def test_nic_models_are_those_of_the_qemu_that_is_there(name: str, expected: set[str]) -> None:
    assert {row.status for identity, row in rows(name).items() if identity.startswith("nic:")} == expected


def test_an_old_qemu_lacks_igb_and_microvm_alone() -> None:
    found = rows("amd-server")
    assert {
        identity for identity, row in found.items() if identity.startswith("nic:") and row.status == "no"
    } == {"nic:igb"}
    assert "QEMU 8.0" in (found["nic:igb"].remedy or "")
    assert found["microvm"].status == "no"


@pytest.mark.parametrize(
    ("version", "known"),
    [("7.2.22", 0), ("9.0.4", 0), ("9.1.0", 1), ("10.0.2", 3), ("10.0.13", 2), ("11.1.3", 2)],
)
def test_known_bugs_by_version(version: str, known: int) -> None:
    row = rows("intel-workstation", qemu_version=f"QEMU emulator version {version} (Debian)")["qemu-bugs"]
    assert row.status == ("no" if known else "yes")
    assert not known or f"{known} in tdlab's table" in row.evidence


def test_a_qemu_that_is_there_and_does_not_run_is_told_from_a_missing_one() -> None:
    assert rows("mute")["qemu"].cause == "QEMU is not installed"
    assert "does not run" in (rows("mute", qemu_file="1 2")["qemu"].cause or "")
