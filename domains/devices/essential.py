"""What a host cannot do without: the disks it runs from and the network that it is reached by. Pure.

In doubt a device is essential. A whole IOMMU group goes with a device, so all of it counts, and so does what
is behind a bridge of it; the VFs of a PF go with the PF.
"""

from __future__ import annotations

from collections.abc import Iterable

from domains.devices.model import Inventory, Mount, PciDevice

# Without these no file of a disk is needed: the host runs from memory.
_MEMORY = frozenset({"tmpfs", "ramfs", "rootfs", "overlay", "squashfs"})
# Open vSwitch has no lower_* links from the port with the address to the NIC that carries it.
_SWITCH = "ovs-system"


def reason(inventory: Inventory, device: PciDevice) -> str | None:
    """Return why a device must stay with the host, in words that follow its name; None if it need not."""
    if device.is_bridge:
        return "is a bridge, and everything behind it would go with it"
    uses = _uses(inventory)
    for one in _goes_along(inventory, device):
        if one.address in uses:
            use = uses[one.address]
            return use if one is device else f"is in one IOMMU group, or on one card, with {one}, which {use}"
    return None


def warning(inventory: Inventory, device: PciDevice) -> str | None:
    """Return what is lost beside the device itself though the host lives on, or None."""
    displays = [one for one in inventory.devices if one.is_display]
    if device.is_display and displays == [device]:
        return f"{device} is the only display of {inventory.host}: its screen goes dark"
    if device.boot_vga:
        return f"{device} is the display that {inventory.host} boots with: its console goes dark"
    return None


def carriers(inventory: Inventory) -> frozenset[str]:
    """Return the interfaces that the host is reached by, and all that they stand on."""
    found: set[str] = set()
    waiting = list(inventory.reached_by)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        interface = inventory.interface(name)
        if interface is None:
            continue
        waiting += interface.lowers
        waiting += [other.name for other in inventory.interfaces if other.master == name]
        if interface.pci is None and not interface.lowers:
            waiting += [other.name for other in inventory.interfaces if other.master == _SWITCH]
    return frozenset(found)


def _goes_along(inventory: Inventory, device: PciDevice) -> list[PciDevice]:
    """Return the device, and what leaves the host with it."""
    group = inventory.group(device.iommu_group) if device.iommu_group is not None else ()
    found = [device, *(one for one in group if one is not device)]
    for one in group:
        if one.is_bridge:
            found += inventory.behind(one)
    return found + [vf for one in found[: len(group) or 1] for vf in inventory.vfs(one)]


def _uses(inventory: Inventory) -> dict[str, str]:
    """Return what the host uses essential devices for, by address."""
    uses: dict[str, str] = {}
    for name in sorted(carriers(inventory)):
        interface = inventory.interface(name)
        if interface and interface.pci:
            uses.setdefault(interface.pci, f"carries {name}, by which {inventory.host} is reached")
    untraced = _disks(inventory, uses)
    for mount in untraced:
        for device in inventory.devices:
            if device.is_storage:
                cause = f"may hold {mount.point}: on which disk {mount.source} is cannot be told"
                uses.setdefault(device.address, cause)
    return uses


def _disks(inventory: Inventory, uses: dict[str, str]) -> list[Mount]:
    """Add the controllers of what is mounted; return the mounts of which no disk is known."""
    by_number = {disk.number: disk for disk in inventory.disks}
    by_name = {disk.name: disk for disk in inventory.disks}
    untraced = []
    for mount in inventory.mounts:
        disk = by_number.get(mount.number) or by_name.get(mount.source.removeprefix("/dev/"))
        if disk is None:
            if mount.point in {"/", "/usr", "/boot"} and mount.kind not in _MEMORY:
                untraced.append(mount)
            continue
        for below in _made_of(disk.name, {name: one.slaves for name, one in by_name.items()}):
            if address := by_name[below].pci:
                uses.setdefault(address, f"holds {mount.point} ({below})")
    return untraced


def _made_of(name: str, slaves: dict[str, tuple[str, ...]]) -> Iterable[str]:
    """Return a block device and all that it is made of: LVM, RAID and encryption are stacks of others."""
    found: list[str] = []
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in slaves and one not in found:
            found.append(one)
            waiting += slaves[one]
    return found
