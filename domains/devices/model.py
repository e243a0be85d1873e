"""PCI devices of a host as sysfs shows them: data, and questions that need nothing else."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from domains.errors import UsageError
from domains.refusal import nearest

VFIO = "vfio-pci"


@dataclass(frozen=True)
class PciDevice:
    """One PCI function. ``vf_total`` is None for what is no PF; ``pf`` is None for what is no VF.

    ``vfs`` are in the order of their numbers. ``modules`` are the drivers that the host's kernel has for a
    NIC. ``bridges`` are the addresses between the root complex and the device, the root's side first.
    """

    address: str
    vendor: str = ""
    device: str = ""
    class_: int = 0
    driver: str | None = None
    override: str | None = None
    iommu_group: int | None = None
    pf: str | None = None
    vfs: tuple[str, ...] = ()
    vf_total: int | None = None
    autoprobe: bool | None = None
    interfaces: tuple[str, ...] = ()
    block_devices: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    boot_vga: bool = False
    is_held: bool = False

    @property
    def is_nic(self) -> bool:
        """Whether it is a network controller (PCI base class 02h)."""
        return self.class_ >> 16 == 0x02

    @property
    def is_bridge(self) -> bool:
        """Whether it is a bridge (PCI base class 06h), which VFIO lets stay with the host."""
        return self.class_ >> 16 == 0x06

    @property
    def is_display(self) -> bool:
        """Whether it is a display controller (PCI base class 03h)."""
        return self.class_ >> 16 == 0x03

    @property
    def is_storage(self) -> bool:
        """Whether it is a storage controller (PCI base class 01h)."""
        return self.class_ >> 16 == 0x01

    @property
    def is_pf(self) -> bool:
        """Whether it can make VFs."""
        return bool(self.vf_total)

    def __str__(self) -> str:
        names = f" {'/'.join(self.interfaces)}" if self.interfaces else ""
        return f"{self.address}{names} ({self.driver or 'no driver'})"


@dataclass(frozen=True)
class Interface:
    """A network interface; ``pci`` is the address of the function behind it, ``lowers`` what it stands on.

    ``addresses`` are its global addresses with their prefixes, as ``ip`` writes them.
    """

    name: str
    pci: str | None = None
    mac: str = ""
    is_up: bool = False
    master: str | None = None
    lowers: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Disk:
    """A block device; ``number`` is its major:minor, ``slaves`` the devices that it is made of."""

    name: str
    number: str
    pci: str | None = None
    slaves: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mount:
    """What is in use of a block device: where it is mounted (or ``swap``), and what was mounted."""

    point: str
    number: str
    source: str
    kind: str = ""


@dataclass(frozen=True)
class Inventory:
    """All that one look at a host told of its PCI devices."""

    host: str
    devices: tuple[PciDevice, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    disks: tuple[Disk, ...] = ()
    mounts: tuple[Mount, ...] = ()
    # Interfaces of the default routes, and the one that has the address by which we are logged in.
    reached_by: frozenset[str] = frozenset()
    group_types: Mapping[int, str] = field(default_factory=dict)

    @functools.cached_property
    def _by_address(self) -> dict[str, PciDevice]:
        return {device.address: device for device in self.devices}

    @functools.cached_property
    def _by_name(self) -> dict[str, Interface]:
        return {interface.name: interface for interface in self.interfaces}

    def __iter__(self) -> Iterator[PciDevice]:
        return iter(self.devices)

    def get(self, address: str) -> PciDevice | None:
        """Return the device at an address, or None."""
        return self._by_address.get(address)

    def device(self, address: str) -> PciDevice:
        """Return the device at an address; raises :class:`UsageError` with the nearest one there is."""
        if found := self.get(address):
            return found
        guess = nearest(address, list(self._by_address))
        near = f"; the nearest is {guess}" if guess else ""
        raise UsageError(
            f"{self.host} has no PCI device {address}{near}", remedy="`lspci -D` on that host lists them"
        )

    def interface(self, name: str) -> Interface | None:
        """Return the network interface of this name, or None."""
        return self._by_name.get(name)

    def pfs(self) -> tuple[PciDevice, ...]:
        """Return the devices that have VFs or can make them."""
        return tuple(device for device in self.devices if device.is_pf)

    def vfs(self, pf: PciDevice) -> tuple[PciDevice, ...]:
        """Return the VFs of a PF in the order of their numbers."""
        return tuple(self._by_address[vf] for vf in pf.vfs if vf in self._by_address)

    def groups(self) -> tuple[int, ...]:
        """Return the numbers of the IOMMU groups; none where no IOMMU is in use."""
        numbers = {device.iommu_group for device in self.devices}
        return tuple(sorted(number for number in numbers if number is not None))

    def group(self, number: int) -> tuple[PciDevice, ...]:
        """Return the devices of one IOMMU group, bridges included."""
        return tuple(device for device in self.devices if device.iommu_group == number)

    def companions(self, device: PciDevice) -> tuple[PciDevice, ...]:
        """Return what VFIO hands over together with a device: its group but for itself and for bridges."""
        if device.iommu_group is None:
            return ()
        return tuple(
            other
            for other in self.group(device.iommu_group)
            if other.address != device.address and not other.is_bridge
        )

    def behind(self, bridge: PciDevice) -> tuple[PciDevice, ...]:
        """Return the devices behind a bridge, however deep."""
        return tuple(device for device in self.devices if bridge.address in device.bridges)

    def with_driver(self, driver: str) -> tuple[PciDevice, ...]:
        """Return the devices bound to a driver."""
        return tuple(device for device in self.devices if device.driver == driver)
