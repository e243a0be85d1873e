"""What a host cannot spare: pure, on inventories made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domains.devices import Disk, Interface, Inventory, Mount, PciDevice, essential

PF0, PF1, MANAGEMENT, STORAGE = "0000:01:00.0", "0000:02:00.0", "0000:00:03.0", "0000:00:04.0"


def changed(inventory: Inventory, address: str, **fields: object) -> Inventory:
    devices = [replace(one, **fields) if one.address == address else one for one in inventory]
    return replace(inventory, devices=tuple(devices))


def why(inventory: Inventory, address: str) -> str | None:
    return essential.reason(inventory, inventory.device(address))


def test_the_boot_disk_and_the_network_of_the_login_stay(inventory: Inventory) -> None:
    assert why(inventory, STORAGE) == "holds / (vda1)"
    assert why(inventory, MANAGEMENT) == "carries enp0s3, by which lab1 is reached"
    assert why(inventory, PF0) is None
    assert why(inventory, PF1) is None


def test_what_shares_a_group_with_them_stays_too(inventory: Inventory) -> None:
    shared = changed(inventory, PF0, iommu_group=4)
    reason = why(shared, PF0)
    assert reason
    assert STORAGE in reason
    assert "holds /" in reason


def test_what_is_behind_a_bridge_of_the_group_counts(inventory: Inventory) -> None:
    moved = changed(changed(inventory, PF1, iommu_group=2), STORAGE, bridges=("0000:00:02.0",))
    reason = why(moved, PF1)
    assert reason
    assert "holds /" in reason


def test_a_bridge_itself_is_never_spared(inventory: Inventory) -> None:
    reason = why(inventory, "0000:00:02.0")
    assert reason
    assert reason.startswith("is a bridge")


@pytest.mark.parametrize(
    ("extra", "port"),
    [
        (Interface("br0", lowers=("igb0",), is_up=True), {}),  # a bridge, bond or VLAN on top of it
        (Interface("br0", is_up=True), {"master": "br0"}),
        (Interface("ovs0", is_up=True), {"master": "ovs-system"}),
    ],
)
def test_what_the_reached_interface_stands_on_stays(
    inventory: Inventory, extra: Interface, port: dict[str, str]
) -> None:
    interfaces = [replace(one, **port) if one.name == "igb0" else one for one in inventory.interfaces]
    stacked = replace(inventory, interfaces=(*interfaces, extra), reached_by=frozenset({extra.name}))
    assert why(stacked, PF0) == "carries igb0, by which lab1 is reached"
    assert why(stacked, PF1) is None


def test_a_pf_stays_when_the_host_is_reached_by_one_of_its_vfs(inventory: Inventory) -> None:
    vf = PciDevice("0000:01:10.0", class_=0x020000, driver="igbvf", iommu_group=50, pf=PF0)
    reached = replace(
        changed(inventory, PF0, vfs=(vf.address,)),
        interfaces=(*inventory.interfaces, Interface("vf0", vf.address)),
        reached_by=frozenset({"vf0"}),
    )
    reached = replace(reached, devices=(*reached.devices, vf))
    reason = why(reached, PF0)
    assert reason
    assert "carries vf0" in reason
    assert why(reached, PF1) is None


def test_a_disk_is_traced_through_what_it_is_part_of(inventory: Inventory) -> None:
    layered = replace(
        inventory,
        disks=(
            *inventory.disks,
            Disk("dm-0", "253:0", slaves=("md0",)),
            Disk("md0", "9:0", slaves=("vda1",)),
        ),
        mounts=(Mount("/", "253:0", "/dev/mapper/vg-root", "ext4"),),
    )
    assert why(layered, STORAGE) == "holds / (vda1)"


@pytest.mark.parametrize(
    "mount", [Mount("swap", "", "/dev/vda1"), Mount("/srv", "0:40", "/dev/vda", "btrfs")]
)
def test_swap_and_data_hold_their_disk_by_name_too(inventory: Inventory, mount: Mount) -> None:
    reason = why(replace(inventory, mounts=(mount,)), STORAGE)
    assert reason
    assert reason.startswith(f"holds {mount.point}")


def test_every_storage_controller_stays_when_the_root_cannot_be_traced(inventory: Inventory) -> None:
    reason = why(replace(inventory, mounts=(Mount("/", "0:33", "rpool/root", "zfs"),)), STORAGE)
    assert reason
    assert "rpool/root is cannot be told" in reason
    in_memory = replace(inventory, mounts=(Mount("/", "0:2", "rootfs", "rootfs"),))
    assert why(in_memory, STORAGE) is None


def test_the_display_is_spared_with_a_warning(inventory: Inventory) -> None:
    display = inventory.device("0000:00:01.0")
    assert essential.reason(inventory, display) is None
    assert "only display of lab1" in (essential.warning(inventory, display) or "")
    second = PciDevice("0000:05:00.0", class_=0x030000)
    two = replace(inventory, devices=(*inventory.devices, second))
    assert "boots with" in (essential.warning(two, display) or "")
    assert essential.warning(two, second) is None
    assert essential.warning(inventory, inventory.device(PF0)) is None
