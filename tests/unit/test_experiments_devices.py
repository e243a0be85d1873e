"""The experiments on devices: what each makes of what it is told. Nothing is started."""

from __future__ import annotations

import importlib.util
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from domains import paths
from domains.devices import VFIO, Inventory, Mount, PciDevice
from domains.errors import InfrastructureError
from domains.spec import DomainSpec
from grader.experiments import description
from grader.experiments.handover import Function
from grader.measure.counters import NOT_UNDER_TCG

FOLDER = paths.LABS / "r202" / "experiments"
NAMES = ("gpu", "iommu", "lock", "vmware")


def loaded(file: Path) -> ModuleType:
    name = f"under_test_{file.parent.name}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def code() -> Iterator[dict[str, Any]]:
    """Each experiment's ``measure.py``, and the program of iommu."""
    files = {name: FOLDER / name / "measure.py" for name in NAMES}
    files["confinement"] = FOLDER / "iommu" / "confinement.py"
    yield {name: loaded(file) for name, file in files.items()}
    for name in [one for one in sys.modules if one.startswith("under_test_")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", NAMES)
def test_that_each_is_described_as_one_on_devices(name: str) -> None:
    found = description.load(FOLDER / name / description.FILE, "r202").description
    assert found.chapter == "devices"
    assert found.figure.measures or found.figure.table


# iommu


def nic(address: str, group: int | None, **more: Any) -> PciDevice:
    more.setdefault("driver", "igb")
    return PciDevice(address, "8086", "10c9", 0x020000, iommu_group=group, **more)


def test_that_a_spare_nic_whose_registers_are_known_is_chosen(code: dict[str, Any]) -> None:
    known, other = nic("0000:01:00.0", 1), nic("0000:02:00.0", 2, driver="e1000e")
    assert code["iommu"].chosen(Inventory("h", (known, other))) == known
    assert code["iommu"].chosen(Inventory("h", (other,))) == other


def test_that_no_nic_is_chosen_that_is_in_use_shared_or_outside(code: dict[str, Any]) -> None:
    shared, beside = nic("0000:01:00.0", 1), PciDevice("0000:01:00.1", class_=0x040300, iommu_group=1)
    busy = (
        nic("0000:02:00.0", None),
        nic("0000:03:00.0", 3, is_held=True),
        nic("0000:04:00.0", 4, vfs=("0000:04:10.0",)),
        nic("0000:04:10.0", 5, pf="0000:04:00.0"),
        shared,
        beside,
    )
    assert code["iommu"].chosen(Inventory("h", busy)) is None


def test_that_groups_say_what_goes_along_and_what_must_stay(code: dict[str, Any]) -> None:
    disk = PciDevice("0000:00:1f.2", class_=0x010601, driver="ahci", iommu_group=7)
    bus = PciDevice("0000:00:1f.3", class_=0x0C0500, iommu_group=7)
    seen = Inventory(
        "h",
        (disk, bus, nic("0000:0b:00.0", 8)),
        mounts=(Mount("/", "8:1", "/dev/sda1", "ext4"),),
        group_types={7: "DMA", 8: "identity"},
    )
    rows = code["iommu"].group_rows(seen)
    assert [(one["group"], one["kind"], one["along"], one["spare"]) for one in rows] == [
        (7, "DMA", "0000:00:1f.3", False),
        (7, "DMA", "0000:00:1f.2", False),
        (8, "identity", None, True),
    ]


def test_that_an_isa_bridge_goes_along_and_a_pci_bridge_stays(code: dict[str, Any]) -> None:
    port, isa = PciDevice("0000:00:1c.0", class_=0x060400, iommu_group=7), "0000:00:1f.0"
    bus = PciDevice("0000:00:1f.3", class_=0x0C0500, iommu_group=7)
    seen = Inventory("h", (port, PciDevice(isa, class_=0x060100, driver="lpc_ich", iommu_group=7), bus))
    assert [one.address for one in code["iommu"].along(seen, bus)] == [isa]
    assert [one["spare"] for one in code["iommu"].group_rows(seen)] == [False, False, False]


def test_that_reserved_regions_are_explained(code: dict[str, Any]) -> None:
    text = "0x00000000fee00000 0x00000000feefffff msi\n0x0000000000000000 0x0000000000ffffff unheard-of\n"
    msi, other = code["iommu"].reserved_rows(text)
    assert (msi["first"], msi["last"]) == ("0xfee00000", "0xfeefffff")
    assert "interrupt messages" in msi["meaning"].en
    assert other["meaning"] == "unheard-of"


FAULTED = "DMAR: [DMA Read NO_PASID] Request device [0b:00.0] fault addr 0x200000 [fault reason 0x06] PTE"


def tried(iova: int, given: bool, *log: str) -> dict[str, Any]:
    return {"iova": iova, "given": given, "went_on": True, "log": list(log)}


@pytest.mark.parametrize(
    ("tries", "confined"),
    [
        ((tried(0x100000, True), tried(0x200000, False, "DMAR: DRHD: handling", FAULTED)), True),
        ((tried(0x100000, True), tried(0x200000, False, "something else")), False),
        ((tried(0x100000, True, FAULTED), tried(0x200000, False, FAULTED)), False),
    ],
)
def test_that_confined_means_that_only_what_was_given_is_read(
    code: dict[str, Any], tries: tuple[dict[str, Any], ...], confined: bool
) -> None:
    rows = [code["iommu"].dma_row(one) for one in tries]
    assert code["iommu"].is_confined(rows) is confined


def test_that_amds_words_for_a_fault_are_known(code: dict[str, Any]) -> None:
    said = "vfio-pci 0000:0b:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0011 address=0x200000]"
    assert code["iommu"].dma_row(tried(0x200000, False, said)) == {
        "address": "0x200000",
        "given": False,
        "faulted": True,
        "log": said,
    }


def test_that_a_refusal_is_told_in_vfios_words(code: dict[str, Any]) -> None:
    told = {"refused": {"step": "VFIO_SET_IOMMU", "why": "Operation not permitted"}, "log": ["a", "b"]}
    asked = code["iommu"].Asked("lab", False, "N", told)
    row = code["iommu"].remapping_row(asked)
    assert row["answer"] == "VFIO_SET_IOMMU: Operation not permitted"
    assert (row["remapped"], row["unsafe"], row["log"]) == (False, "N", "a; b")
    granted = code["iommu"].Asked("lab", True, "N", {"refused": None, "log": []})
    assert code["iommu"].remapping_row(granted)["answer"].en == "accepted"


def test_that_the_program_reads_the_windows_of_vfio(code: dict[str, Any]) -> None:
    # struct vfio_iommu_type1_info, then another capability, then the ranges.
    head = struct.pack("<IIQII", 24, 3, 4096, 24, 0)
    other = struct.pack("<HHIQ", 3, 1, 40, 0)
    ranges = struct.pack("<HHIII", 1, 1, 0, 2, 0) + struct.pack("<QQQQ", 0, 0xFEDFFFFF, 0xFEF00000, 2**48 - 1)
    info = head + other + ranges
    assert code["confinement"].parse_windows(info) == [[0, 0xFEDFFFFF], [0xFEF00000, 2**48 - 1]]
    assert code["confinement"].parse_windows(struct.pack("<IIQII", 24, 1, 4096, 0, 0)) == []


def test_that_the_program_takes_the_text_out_of_a_log_record(code: dict[str, Any]) -> None:
    record = "4,1203,5140900,-;DMAR: [DMA Read] a; b\n SUBSYSTEM=pci\n DEVICE=+pci:0000:0b:00.0\n"
    assert code["confinement"].message(record) == "DMAR: [DMA Read] a; b"


def test_that_a_refusal_carries_the_step_and_the_kernels_word(code: dict[str, Any]) -> None:
    no = code["confinement"].Refused("VFIO_SET_IOMMU", PermissionError(1, "Operation not permitted"))
    assert (no.step, no.why) == ("VFIO_SET_IOMMU", "Operation not permitted")


# lock


def test_that_each_vf_gets_a_guest_of_its_own(code: dict[str, Any]) -> None:
    vfs = {"first": nic("0000:0b:10.0", 26, pf="0000:0b:00.0"), "second": nic("0000:0b:10.2", 27)}
    made = code["lock"].specs(vfs)
    assert [(one.name, one.nic.model, one.nic.address) for one in made.values()] == [
        ("first", "vf", "0000:0b:10.0"),
        ("second", "vf", "0000:0b:10.2"),
    ]
    assert set(code["lock"].MEASURES) == set(code["lock"].VMS)


def test_that_a_step_shows_what_the_host_has_left(code: dict[str, Any]) -> None:
    lock = code["lock"]
    before = lock.row(lock.STEPS["before"], nic("0000:0b:00.0", 24, interfaces=("enp11s0",)))
    assert (before["driver"], before["interface"], before["answer"]) == ("igb", "enp11s0", None)
    given = lock.row(lock.STEPS["given"], nic("0000:0b:00.0", 24, driver=VFIO), "busy")
    assert (given["driver"], given["interface"], given["answer"]) == (VFIO, lock.NO_INTERFACE, "busy")


def test_that_a_text_is_filled_in_in_both_languages(code: dict[str, Any]) -> None:
    text = code["lock"].filled(code["lock"].STEPS["opened"], file="/dev/vfio/24")
    assert (text.fr, text.en) == ("l’hôte ouvre /dev/vfio/24", "the host opens /dev/vfio/24")


# gpu


def display(address: str = "0000:0c:00.0", **more: Any) -> PciDevice:
    more.setdefault("iommu_group", 25)
    return PciDevice(address, "1234", "1111", 0x038000, **more)


def test_that_the_only_display_stays_unless_the_host_is_ours(code: dict[str, Any]) -> None:
    only = display()
    seen = Inventory("h", (only,))
    assert "only display" in code["gpu"].verdict(seen, only, ours=False).reason
    assert code["gpu"].verdict(seen, only, ours=True).reason is None


def test_that_a_second_display_can_be_handed_over(code: dict[str, Any]) -> None:
    first, second = display("0000:01:00.0", boot_vga=True, iommu_group=3), display()
    seen = Inventory("h", (first, second))
    assert code["gpu"].verdict(seen, first, ours=False).reason is not None
    assert code["gpu"].verdict(seen, second, ours=False).reason is None


@pytest.mark.parametrize(
    ("device", "word"),
    [
        (display(iommu_group=None), "IOMMU group"),
        (display(is_held=True), "guest's hands"),
        (display(driver=VFIO), "guest's hands"),
    ],
)
def test_that_a_display_that_cannot_be_had_says_why(
    code: dict[str, Any], device: PciDevice, word: str
) -> None:
    assert word in code["gpu"].verdict(Inventory("h", (device,)), device, ours=True).reason


def test_that_the_guest_must_see_the_same_device(code: dict[str, Any]) -> None:
    bridge = Function("0000:00:00.0", "8086", "29c0", 0x060000)
    same = Function("0000:02:00.0", "1234", "1111", 0x038000)
    assert code["gpu"].seen_as((bridge, same), display()) == same
    with pytest.raises(InfrastructureError, match="does not see"):
        code["gpu"].seen_as((bridge,), display())


# vmware


def test_that_the_families_differ_in_their_devices_alone(code: dict[str, Any]) -> None:
    specs: list[DomainSpec] = [one.spec for one in code["vmware"].FAMILIES]
    assert {one.machine for one in specs} == {"i440fx"}
    assert len({(one.memory, one.vcpus) for one in specs}) == 1
    assert [(one.nic.model, one.disk.bus) for one in specs if one.disk] == [
        ("vmxnet3", "pvscsi"),
        ("virtio", "virtio"),
        ("e1000", "ide"),
    ]


def test_that_every_family_has_its_measures_described(code: dict[str, Any]) -> None:
    found = description.load(FOLDER / "vmware" / description.FILE, "r202").description
    names = {name for one in code["vmware"].FAMILIES for name in (f"net-{one.nic}", f"disk-{one.bus}")}
    assert names == set(found.measures)


def test_that_dd_is_timed_by_the_guests_clock(code: dict[str, Any]) -> None:
    copy = code["vmware"].Copy("if=/dev/sda of=/dev/null iflag=direct", 64, 1 << 20)
    said = "3000000000\n64+0 records in\n64+0 records out\n3500000000\n"
    assert copy.command == "dd if=/dev/sda of=/dev/null iflag=direct bs=1048576 count=64"
    assert copy.seconds(said) == 0.5
    assert copy.megabytes == pytest.approx(67.1, abs=0.1)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "3000000000\ndd: can't open '/dev/sda': No such file or directory\n3500000000\n",
        "3000000000\n12+0 records in\n12+0 records out\n3500000000\n",
        "64+0 records in\n64+0 records out\n3500000000\n",
    ],
)
def test_that_a_copy_that_was_not_whole_is_an_error(code: dict[str, Any], said: str) -> None:
    copy = code["vmware"].Copy("if=/dev/sda of=/dev/null", 64, 1 << 20)
    with pytest.raises(InfrastructureError, match="dd if=/dev/sda"):
        copy.seconds(said)


def test_that_what_cannot_be_counted_stays_empty(code: dict[str, Any]) -> None:
    vmware = code["vmware"]
    family = vmware.FAMILIES[0]
    rounds = [{"tcp_to_guest": 10.0, "tcp_from_guest": 20.0, "rtt": 1.0}, {"tcp_to_guest": 30.0}]
    row = vmware.nic_row(family, "vmxnet3", rounds)
    assert (row["to_guest"], row["from_guest"], row["exits"]) == (20.0, None, None)
    disk = vmware.Disk(read=[1.0, 3.0, 2.0], write=[5.0], request=[7.0])
    assert vmware.disk_row(family, "vmw_pvscsi", disk)["exits"] is None
    assert vmware.disk_row(family, "vmw_pvscsi", disk)["read"] == 2.0


def test_that_exits_are_not_counted_where_there_are_none(code: dict[str, Any]) -> None:
    assert code["vmware"].uncounted("tcg", None) == NOT_UNDER_TCG
    assert code["vmware"].uncounted("kvm", None) is None
    assert code["vmware"].uncounted("kvm", "they lie") == "they lie"


def test_that_exits_are_told_of_all_devices_or_of_none(code: dict[str, Any]) -> None:
    nics = [{"model": "virtio", "exits": 7.2}, {"model": "e1000", "exits": 99.6}]
    disks = [{"model": "virtio", "exits": 1.0}, {"model": "ide", "exits": 32.8}]
    told = code["vmware"].exits_by_device(nics, disks)
    assert told == {"virtio": "7", "e1000": "100", "block": "1", "ide": "33"}
    assert code["vmware"].exits_by_device(nics, [*disks, {"model": "pvscsi", "exits": None}]) is None
