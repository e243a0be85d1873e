"""Which device "auto" means, and from where it is reached: pure, on inventories made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domains.devices import VFIO, Inventory, PciDevice, choose, facing
from domains.errors import CapabilityMissing

PF0, PF1, MANAGEMENT = "0000:01:00.0", "0000:02:00.0", "0000:00:03.0"
VF0, VF1 = (
    PciDevice(f"0000:01:10.{n}", "8086", "10ca", 0x020000, iommu_group=50 + n, pf=PF0, modules=("igbvf",))
    for n in (0, 2)
)


def changed(inventory: Inventory, address: str, **fields: object) -> Inventory:
    devices = [replace(one, **fields) if one.address == address else one for one in inventory]
    return replace(inventory, devices=tuple(devices))


def with_vfs(inventory: Inventory, *vfs: PciDevice) -> Inventory:
    found = changed(inventory, PF0, vfs=tuple(vf.address for vf in vfs))
    return replace(found, devices=(*found.devices, *vfs))


def test_two_equal_cards_serve_both_kinds(inventory: Inventory) -> None:
    assert choose(inventory, "vf").address == PF0
    assert choose(inventory, "hostdev").address == PF1


def test_a_vf_that_is_there_is_taken_before_one_is_made(inventory: Inventory) -> None:
    assert choose(with_vfs(inventory, VF0, VF1), "vf") == VF0
    assert choose(with_vfs(inventory, replace(VF0, driver=VFIO), VF1), "vf") == VF1
    assert choose(with_vfs(inventory, replace(VF0, is_held=True), VF1), "vf") == VF1
    # None of them is free: the other card can still make some.
    assert choose(with_vfs(inventory, replace(VF0, driver=VFIO)), "vf").address == PF1


def test_a_card_with_vfs_is_not_handed_over_whole(inventory: Inventory) -> None:
    without_second = changed(inventory, PF1, class_=0x040300)
    assert choose(without_second, "hostdev").address == PF0
    with pytest.raises(CapabilityMissing, match=rf"{PF0} igb0 \(igb\) has 1 VFs"):
        choose(with_vfs(without_second, VF0), "hostdev")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"iommu_group": None}, "is in no IOMMU group"),
        ({"iommu_group": 3}, "carries enp0s3"),
        ({"is_held": True}, "is in a guest's hands"),
        ({"driver": VFIO}, "is in a guest's hands"),
        ({"driver": "tg3", "modules": ("tg3",)}, r"needs a driver that the guest does not have \(tg3\)"),
    ],
)
def test_a_nic_that_cannot_be_spared_or_used_is_not_chosen(
    inventory: Inventory, fields: dict[str, object], reason: str
) -> None:
    assert choose(changed(inventory, PF1, **fields), "hostdev").address == PF0
    with pytest.raises(CapabilityMissing, match=f"{PF1} .*{reason}"):
        choose(changed(changed(inventory, PF1, **fields), PF0, **fields), "hostdev")


def test_a_nic_that_no_driver_has_is_judged_by_the_kernels_modules(inventory: Inventory) -> None:
    assert choose(changed(inventory, PF1, driver=None), "hostdev").address == PF1
    odd = changed(inventory, PF1, driver=None, modules=("tg3",))
    assert choose(odd, "hostdev").address == PF0
    assert choose(changed(odd, PF1, modules=()), "hostdev").address == PF1  # nobody knows: it may work


def test_a_guest_with_all_drivers_takes_any_nic(inventory: Inventory) -> None:
    odd = changed(inventory, PF1, driver="tg3", modules=("tg3",))
    assert choose(odd, "hostdev", drivers=None).address == PF1


@pytest.mark.parametrize("fields", [{"addresses": ("192.0.2.9/24",)}, {"master": "br0"}])
def test_a_nic_that_the_host_uses_is_not_taken_unasked(
    inventory: Inventory, fields: dict[str, object]
) -> None:
    interfaces = [replace(one, **fields) if one.name == "igb1" else one for one in inventory.interfaces]
    used = replace(inventory, interfaces=tuple(interfaces))
    assert choose(used, "hostdev").address == PF0


def test_a_whole_nic_is_alone_in_its_group(inventory: Inventory) -> None:
    audio = PciDevice("0000:02:00.1", class_=0x040300, driver="snd", iommu_group=13)
    assert choose(replace(inventory, devices=(*inventory.devices, audio)), "hostdev").address == PF0


def test_a_host_without_nics_says_so() -> None:
    with pytest.raises(CapabilityMissing, match="lab2 has no VF to hand over: no NIC"):
        choose(Inventory("lab2"), "vf")


def test_a_vf_is_reached_through_its_pf(inventory: Inventory) -> None:
    assert facing(with_vfs(inventory, VF0), VF0).name == "igb0"
    with pytest.raises(CapabilityMissing, match=f"its PF {PF0} has no interface"):
        facing(with_vfs(changed(inventory, PF0, interfaces=()), VF0), VF0)


def test_a_whole_nic_is_reached_from_the_other_one_of_its_kind(inventory: Inventory) -> None:
    assert facing(inventory, inventory.device(PF1)).name == "igb0"
    assert facing(inventory, inventory.device(PF0)).name == "igb1"


def test_else_from_the_nic_that_is_left_and_through_its_bridge(inventory: Inventory) -> None:
    alone = changed(inventory, PF0, interfaces=())
    assert facing(alone, inventory.device(PF1)).name == "enp0s3"
    bridged = [replace(one, master="br0") if one.name == "enp0s3" else one for one in alone.interfaces]
    bridge = replace(alone.interfaces[0], name="br0", pci=None)
    found = facing(replace(alone, interfaces=(*bridged, bridge)), inventory.device(PF1))
    assert found.name == "br0"
