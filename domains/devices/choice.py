"""Which device ``address: auto`` means on a host, and which interface faces it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from domains.devices import essential
from domains.devices.model import VFIO, Interface, Inventory, PciDevice
from domains.errors import CapabilityMissing
from domains.guest_image.contents import NIC_DRIVERS

Kind = Literal["hostdev", "vf"]
_SHOWN = 6


def choose(inventory: Inventory, kind: Kind, *, drivers: Collection[str] | None = NIC_DRIVERS) -> PciDevice:
    """Return what ``auto`` means: for ``hostdev`` a whole NIC, for ``vf`` a VF, or else a PF to make one.

    ``drivers`` are those that the guest has; None for a guest that has all. The choice is the same every
    time: of whole NICs the last, of PFs the first, so that a host with two equal cards can do both.
    Raises :class:`CapabilityMissing` with what speaks against each NIC of the host.
    """
    reasons: list[str] = []
    pick = _vfs if kind == "vf" else _whole
    for device in pick(inventory):
        why = _why_not(inventory, device, kind, drivers)
        if why is None:
            return device
        reasons.append(f"{device} {why}")
    wanted = "VF" if kind == "vf" else "whole NIC"
    more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    raise CapabilityMissing(
        f"{inventory.host} has no {wanted} to hand over: {'; '.join(reasons[:_SHOWN]) or 'no NIC'}{more}",
        remedy="use a host with an IOMMU and a NIC to spare" + (", one with SR-IOV" if kind == "vf" else ""),
    )


def facing(inventory: Inventory, device: PciDevice) -> Interface:
    """Return the host's interface from which a handed-over device is reached.

    A VF is reached through its PF: the NIC switches between them. A whole NIC is reached over its wire, from
    another NIC of the host, by preference one of its kind that the host does not depend on; an interface that
    is part of a bridge or bond is reached through that. Raises :class:`CapabilityMissing`.
    """
    if device.pf:
        names = inventory.device(device.pf).interfaces
    else:
        names = tuple(
            name
            for other in sorted(
                (one for one in inventory if one.is_nic or one.interfaces),
                key=lambda one: (
                    (one.vendor, one.device) != (device.vendor, device.device),
                    essential.reason(inventory, one) is not None,
                    one.address,
                ),
            )
            if other.address != device.address and not other.pf
            for name in other.interfaces
        )
    for name in names:
        if interface := inventory.interface(name):
            return inventory.interface(interface.master or name) or interface
    where = f"its PF {device.pf} has no interface" if device.pf else "the host has no other NIC"
    raise CapabilityMissing(
        f"{device} on {inventory.host} cannot be reached from the host: {where}",
        remedy="bind the PF to its driver" if device.pf else "connect a second NIC to the same network",
    )


def _vfs(inventory: Inventory) -> Iterator[PciDevice]:
    """VFs that are there, then PFs that can make some."""
    yield from (device for device in inventory if device.pf)
    yield from (device for device in inventory if device.is_pf and device.is_nic and not device.vfs)


def _whole(inventory: Inventory) -> Iterator[PciDevice]:
    return (device for device in reversed(inventory.devices) if device.is_nic and not device.pf)


def _why_not(
    inventory: Inventory, device: PciDevice, kind: Kind, drivers: Collection[str] | None
) -> str | None:
    if device.iommu_group is None:
        return "is in no IOMMU group"
    if reason := essential.reason(inventory, device):
        return reason
    if kind == "vf" and device.is_pf:
        return None if device.driver not in {None, VFIO} else "has no driver that could make VFs"
    if device.is_held or device.driver == VFIO:
        return "is in a guest's hands"
    if device.vfs:
        return f"has {len(device.vfs)} VFs"
    if others := _in_the_way(inventory, device):
        return f"shares IOMMU group {device.iommu_group} with {', '.join(map(str, others[:_SHOWN]))}"
    serves = {device.driver, *device.modules} - {None}
    # A NIC that the host's kernel knows no driver for is given the benefit of the doubt.
    if drivers is not None and serves and not serves & set(drivers):
        names = ", ".join(sorted(str(one) for one in serves))
        return f"needs a driver that the guest does not have ({names})"
    return in_use(inventory, device)


def _in_the_way(inventory: Inventory, device: PciDevice) -> list[PciDevice]:
    """Return what keeps VFIO from a device's group; VFs that no driver has are in nobody's way."""
    return [one for one in inventory.companions(device) if not (one.pf and one.driver in {None, VFIO})]


def in_use(inventory: Inventory, device: PciDevice) -> str | None:
    """Return what the host does with a NIC that it could spare but uses: an address, a bridge."""
    for name in device.interfaces:
        interface = inventory.interface(name)
        if interface and interface.addresses:
            return f"is in use: {name} has the address {interface.addresses[0]}"
        if interface and interface.master:
            return f"is in use: {name} is part of {interface.master}"
    return None
