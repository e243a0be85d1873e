"""The devices that the guests of one group get: made for all of them at once, lent to each for its life."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from domains.devices import changes, choice
from domains.devices.model import Inventory, PciDevice
from domains.devices.survey import look
from domains.errors import CapabilityMissing, TdlabError
from domains.guest_image.contents import NIC_DRIVERS
from domains.host import Host
from domains.render import Owner
from domains.spec_parts import NicSpec


@dataclass(frozen=True)
class Loan:
    """A device in a guest's hands: its address, its driver on the host as read back, and what faces it."""

    address: str
    driver: str | None
    iommu_group: int | None
    pf: str | None
    facing: str


class Pool:
    """Lends devices to guests; made by :func:`opened`, which also puts everything back."""

    def __init__(self, host: Host, owner: Owner, drivers: Collection[str] | None) -> None:
        self._host, self._owner, self._drivers = host, owner, drivers
        self._made = contextlib.ExitStack()
        # What broke while VFs were made: it costs the guests that were to get one, and no other.
        self._broken: TdlabError | None = None
        self._raised: set[str] = set()
        self._lock = threading.Lock()

    def make(self, count: int) -> None:
        """Have ``count`` VFs to lend; those that the host has already are used first."""
        try:
            seen = look(self._host)
            chosen = choice.choose(seen, "vf", drivers=self._drivers)
            if chosen.pf is None:
                count = min(count, chosen.vf_total or 0)
                made = changes.vfs(self._host, chosen.address, count, owner=self._owner, seen=seen)
                self._made.enter_context(made)
        except TdlabError as broken:
            self._broken = broken

    def close(self) -> None:
        """Put back what was made for all guests."""
        self._made.close()

    @contextlib.contextmanager
    def lent(self, nic: NicSpec, *, here: str, there: str) -> Iterator[Loan]:
        """Own a device bound to vfio-pci, and the way to the guest that gets it.

        ``here`` is the host's address on the guest's subnet, ``there`` the guest's. Raises
        :class:`CapabilityMissing` when there is no such device to spare, or what broke before.
        """
        if nic.model == "vf" and nic.address == "auto" and self._broken:
            raise self._broken
        with contextlib.ExitStack() as loan:
            with self._lock:  # what is bound to vfio-pci is not chosen again
                seen = look(self._host)
                device = self._device(seen, nic)
                facing = choice.facing(seen, device).name
                self._raise(facing, seen)
                got = loan.enter_context(
                    changes.bound(self._host, device.address, owner=self._owner, seen=seen)
                )
            peer, owner = f"{there}/32", self._owner
            loan.enter_context(changes.addressed(self._host, facing, f"{here}/32", peer=peer, owner=owner))
            yield Loan(got.address, got.driver, got.iommu_group, got.pf, facing)

    def _device(self, seen: Inventory, nic: NicSpec) -> PciDevice:
        if nic.address and nic.address != "auto":
            return seen.device(nic.address)
        if nic.model == "hostdev":
            return choice.choose(seen, "hostdev", drivers=self._drivers)
        found = choice.choose(seen, "vf", drivers=self._drivers)
        if found.pf is None:
            raise CapabilityMissing(
                f"no VF of {self._host.name} is left to lend",
                remedy="measure fewer cells with a VF side by side",
            )
        return found

    def _raise(self, interface: str, seen: Inventory) -> None:
        """Bring an interface up for as long as the pool is open: several guests may be behind it."""
        if interface not in self._raised:
            self._made.enter_context(changes.raised(self._host, interface, owner=self._owner, seen=seen))
            self._raised.add(interface)


@contextlib.contextmanager
def opened(
    host: Host, owner: Owner, nics: Sequence[NicSpec], *, drivers: Collection[str] | None = NIC_DRIVERS
) -> Iterator[Pool]:
    """Own what the guests of a group need of the host's devices; ``nics`` are those of all its guests.

    VFs are made here, once and as many as ``auto`` asks for: their number cannot change while one is in use.
    Where no NIC is handed over, the host is not even looked at. ``drivers`` as for :func:`choice.choose`.
    """
    pool = Pool(host, owner, drivers)
    try:
        if wanted := sum(nic.model == "vf" and nic.address == "auto" for nic in nics):
            pool.make(wanted)
        yield pool
    finally:
        pool.close()


def is_lent(nic: NicSpec) -> bool:
    """Return whether a guest's NIC is to come from a pool of ours; libvirt lends VFs of its own pools."""
    return nic.is_handed_over and nic.pool is None
