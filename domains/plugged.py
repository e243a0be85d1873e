"""Many NICs in one guest: it boots once without any, and each is plugged in while it runs.

All but one are down at any time: a driver that is down has no interrupt and touches no register, so that what
is counted is the one NIC's.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lxml import etree

from domains import lifecycle, render, wait
from domains.errors import InfrastructureError
from domains.hypervisor import Hypervisor
from domains.lifecycle import Domain, Network
from domains.render import Placement
from domains.spec import DomainSpec

_SECONDS = 30.0
# The agent's channel and the random numbers' device take a root port each.
_OTHERS = 2


@dataclass(frozen=True)
class Carrier:
    """A guest that NICs are plugged into; it stands still whenever none of them is measured."""

    domain: Domain
    place: Placement
    net: Network

    @contextlib.contextmanager
    def plugged(self, spec: DomainSpec, number: int) -> Iterator[Domain]:
        """Own a NIC in the guest, which runs afterwards, with this NIC's link up.

        ``boot_to_ready`` of what is yielded are the seconds that plugging took. Raises
        :class:`DeadlineExceeded` when the guest does not see the NIC.
        """
        machine = self.domain.machine
        address = self.net.guest_address(number)
        port = free_port(machine.xml())
        xml = render.render_nic(spec, self.place, port)
        began = time.monotonic()
        machine.resume()
        before = self._nics()
        machine.attach(xml)
        try:
            name = wait.until(
                lambda: next(iter(self._nics() - before), None),
                waiting_for=f"{spec.nic.model} in {machine.name}",
                deadline=_SECONDS,
            )
            self._up(name, address)
            seconds = time.monotonic() - began
            yield Domain(spec, machine, self.domain.guest, address, machine.xml(), seconds, name, port)
        finally:
            self._unplug(xml, port)

    @contextlib.contextmanager
    def linked(self, domain: Domain) -> Iterator[None]:
        """Have the link of a NIC up while the block runs; before and after it the guest stands still."""
        domain.machine.resume()
        self._up(domain.interface, domain.address)
        domain.machine.pause()
        try:
            yield
        finally:
            domain.machine.resume()
            self.settle(domain)

    def settle(self, domain: Domain) -> None:
        """Take the link of a NIC down and stop the guest."""
        domain.guest.run(["ip", "link", "set", domain.interface, "down"])
        domain.machine.pause()

    def _up(self, interface: str, address: str) -> None:
        self.domain.guest.run(["tdlab-net", "--up", interface, f"{address}/{self.net.plan.prefix}"])

    def _nics(self) -> set[str]:
        return set(self.domain.guest.shell("tdlab-drivers other; tdlab-net --list").split())

    def _unplug(self, xml: str, port: str) -> None:
        """Give the NIC back, unless the guest has ended: a device handed over is then the host's again."""
        machine = self.domain.machine
        if not machine.is_active() or not _used(machine.xml(), port):
            return
        machine.resume()
        machine.detach(xml)
        wait.until(
            lambda: not _used(machine.xml(), port) or None,
            waiting_for=f"the NIC of {machine.name} to be unplugged",
            deadline=_SECONDS,
        )
        machine.pause()


@contextlib.contextmanager
def carrier(
    hypervisor: Hypervisor, spec: DomainSpec, place: Placement, net: Network, number: int, nics: int
) -> Iterator[Carrier]:
    """Own a guest with room for so many NICs, like ``spec`` in all else; inside the block it stands still."""
    roomy = replace(place, ports=nics + _OTHERS, network=net.plan.name)
    with lifecycle.running(hypervisor, spec, roomy, net, number) as domain:
        domain.machine.pause()
        yield Carrier(domain, replace(place, network=net.plan.name), net)


def free_port(xml: str) -> str:
    """Return the bus of the first root port of a live domain that has nothing plugged in (``0x03``).

    Raises :class:`InfrastructureError` when there is none.
    """
    ports = etree.fromstring(xml.encode()).xpath("devices/controller[@model='pcie-root-port']/@index")
    for index in sorted(map(int, ports)):  # type: ignore[arg-type]
        if not _used(xml, f"0x{index:02x}"):
            return f"0x{index:02x}"
    raise InfrastructureError("the guest has no root port left to plug a NIC into")


def _used(xml: str, bus: str) -> bool:
    return bool(etree.fromstring(xml.encode()).xpath(f"devices/*/address[@type='pci'][@bus='{bus}']"))
